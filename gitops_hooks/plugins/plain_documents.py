"""Files → the documents in them, as plain values: what policies in CEL and Rego are asked about.

Text, numbers, truths, nothing, lists and mappings with text as keys; within budgets, and never half of a file.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from posixpath import basename
from typing import Any, NoReturn

from gitops_hooks.plugin import Marked, YamlLimits, parse_yaml
from gitops_hooks.plugins.plain_lines import read_dockerfile, read_ini
from gitops_hooks.plugins.plain_scalars import BadScalar, plain_scalar

_LIMITS = YamlLimits()
_VAULT = b"$ANSIBLE_VAULT;"
_DOCKERFILE = re.compile(r"(?:Dockerfile|Containerfile)(?:\..+)?|.+\.[Dd]ockerfile")
_MERGE = "merge"

Plain = Any  # str | int | float | bool | None | list[Plain] | dict[str, Plain]


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file: the 1-based line where it begins, and its value."""

    line: int
    value: Plain


class Unreadable(Exception):
    """A file that cannot be read as what its name says; `line` is 0 for the whole."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(line, message)
        self.line = line
        self.message = message


def format_of(path: str) -> str:
    """`yaml`, `json`, `toml`, `ini`, `dockerfile` or `hcl`, by the file's name; "" for anything else."""
    name = basename(path)
    if _DOCKERFILE.fullmatch(name):
        return "dockerfile"
    return _BY_SUFFIX.get(name.rpartition(".")[2].lower(), "") if "." in name else ""


def read_documents(path: str, text: bytes) -> tuple[Document, ...]:
    """All documents of one file; none where ansible-vault or a template hides them. Errors: Unreadable."""
    kind = format_of(path)
    # Terraform runs what stands in a folder of any name; so a name takes no HCL out of sight.
    if kind != "hcl" and (text.startswith(_VAULT) or _is_template(path, text)):
        return ()
    if kind == "yaml":
        return tuple(_yaml(text))
    try:
        characters = text.decode("utf-8-sig")
        value = _READERS[kind](characters)
        _measure(value)
    except UnicodeDecodeError as error:
        raise Unreadable(text.count(b"\n", 0, error.start) + 1, "not UTF-8; save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise Unreadable(error.lineno, f"not JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        words = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise Unreadable(0, f"not {kind.upper()}: {words}") from None
    return (Document(1, value),)


def _is_template(path: str, text: bytes) -> bool:
    return bool({"templates", "files"} & set(path.split("/")[:-1])) and (b"{{" in text or b"{%" in text)


def _measure(value: Plain) -> None:
    """Errors: ValueError for what is nested deeper than any YAML may be."""
    level = [value]
    for _ in range(_LIMITS.depth + 1):
        level = [child for each in level for child in _children(each) if isinstance(child, dict | list)]
        if not level:
            return
    raise ValueError(f"nested deeper than {_LIMITS.depth} levels")


def _children(value: Plain) -> Iterable[Plain]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _json(text: str) -> Plain:
    return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once_each)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _once_each(pairs: list[tuple[str, Plain]]) -> dict[str, Plain]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"duplicate key {twice[:60]!r}")
    return found


def _toml(text: str) -> Plain:
    import tomllib

    return _dated(tomllib.loads(text))


def _hcl(text: str) -> Plain:
    # Imported where it is needed: most files are none.
    from gitops_hooks.plugins.plain_hcl import BadHcl, read_hcl_text

    try:
        return read_hcl_text(text)
    except BadHcl as error:
        raise Unreadable(error.line, error.message) from None


def _dated(value: Plain) -> Plain:
    """Dates and times as the text that they were; nesting is bounded by the parser, which recurses too."""
    if isinstance(value, dict):
        return {name: _dated(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_dated(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _yaml(text: bytes) -> Iterator[Document]:
    marked, faults = parse_yaml(text)
    if faults:
        raise Unreadable(faults[0].line, faults[0].message)
    for node in marked:
        try:
            yield Document(node.line, _plain(node, {}))
        except BadScalar as error:
            raise Unreadable(error.line, error.message) from None


def _plain(node: Marked, known: dict[int, Plain]) -> Plain:
    """One node as a value; what an alias stands for is made once and shared."""
    if id(node) not in known:
        if node.pairs or node.tag == "map":
            known[id(node)] = _mapping(node, known)
        elif node.items or node.tag == "seq":
            known[id(node)] = [_plain(item, known) for item in node.items]
        else:
            known[id(node)] = plain_scalar(node)
    return known[id(node)]


def _mapping(node: Marked, known: dict[int, Plain]) -> dict[str, Plain]:
    merged: dict[str, Plain] = {}
    own: dict[str, Plain] = {}
    for key, value in node.pairs:
        if key.pairs or key.items:
            raise BadScalar(key.line, "a key that is a list or a mapping; use text")
        if key.tag == _MERGE:
            merged = _merged(value, known) | merged
        elif key.text in own:
            raise BadScalar(key.line, f"duplicate key {key.text[:60]!r}")
        else:
            own[key.text] = _plain(value, known)
    return merged | own


def _merged(node: Marked, known: dict[int, Plain]) -> dict[str, Plain]:
    """What `<<` brings: one mapping, or of several the first that has a key."""
    found: dict[str, Plain] = {}
    for source in node.items or (node,):
        value = _plain(source, known)
        if not isinstance(value, dict):
            raise BadScalar(source.line, "<< takes a mapping or a list of mappings")
        found = value | found
        if len(found) > _LIMITS.nodes:
            raise BadScalar(source.line, f"merges to more than {_LIMITS.nodes} keys")
    return found


_BY_SUFFIX = {
    "yml": "yaml",
    "yaml": "yaml",
    "json": "json",
    "toml": "toml",
    "ini": "ini",
    "hcl": "hcl",
    "tf": "hcl",
    "tofu": "hcl",
    "tfvars": "hcl",
}
_READERS: dict[str, Callable[[str], Plain]] = {
    "json": _json,
    "toml": _toml,
    "ini": read_ini,
    "dockerfile": read_dockerfile,
    "hcl": _hcl,
}
