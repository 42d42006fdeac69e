"""Files of YAML, JSON and TOML → documents: plain values as JSON could say them, and nodes that know their lines."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from posixpath import splitext
from typing import Any

from gitops_hooks.plugin import Change, EdgeError, Finding, Marked, Severity, Tree, YamlLimits, matches_any, parse_yaml
from gitops_hooks.plugins.json_text import DIGITS, Fault, mark_json, parse_json, without_comments
from gitops_hooks.plugins.toml_text import mark_toml, parse_toml

FILES = (0o100644, 0o100755)
BOM = "\ufeff"
YAML, JSON, TOML = (".yml", ".yaml"), (".json", ".jsonc"), (".toml",)
NOT_UTF8 = "not UTF-8; save the file as UTF-8"

_VAULT = b"$ANSIBLE_VAULT;"
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_FLOATS = re.compile(r"[-+]?[0-9][0-9_]*\.?[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?")
_LIMITS = YamlLimits(expanded=200_000)


@dataclass(frozen=True)
class Document:
    """One document of a file: its value, and its nodes, which are looked for only when somebody asks."""

    value: Any
    find: Callable[[], Marked]

    @cached_property
    def root(self) -> Marked:
        return self.find()


def is_looked_at(path: str, text: bytes) -> bool:
    """Whether a file is a document yet: no vault, and no template below a folder named `templates` or `files`."""
    if text.startswith(_VAULT):
        return False
    return not ({"templates", "files"} & set(path.split("/")[:-1])) or (b"{{" not in text and b"{%" not in text)


def open_texts(
    change: Change, tree: Tree, paths: Sequence[str], ignored: Sequence[str]
) -> Iterator[tuple[str, str | Finding]]:
    """Each changed file that is a document: its characters, or the finding why there are none."""
    for file in change.files:
        if file.mode not in FILES or not matches_any(paths, file.path) or matches_any(ignored, file.path):
            continue
        try:
            text = tree.read(file.path)
        except EdgeError as error:
            yield file.path, Finding(file.path, 0, error.what)
            continue
        if is_looked_at(file.path, text):
            yield from _decoded(file.path, text)


def _decoded(path: str, text: bytes) -> Iterator[tuple[str, str | Finding]]:
    try:
        characters = text.decode("utf-8")
    except UnicodeDecodeError as error:
        yield path, Finding(path, text.count(b"\n", 0, error.start) + 1, NOT_UTF8)
        return
    if characters.startswith(BOM):
        words = "begins with a byte order mark, on which many programs stumble; save the file as UTF-8 without one"
        yield path, Finding(path, 1, words, Severity.WARNING)
    yield path, characters.removeprefix(BOM)


def read_documents(path: str, text: bytes) -> tuple[tuple[Document, ...], tuple[Fault, ...]]:
    """All documents of a file, by the end of its name, and all its faults; empty documents of YAML are left out."""
    kind = splitext(path)[1].lower()
    if kind in YAML:
        return _read_yaml(text)
    try:
        characters = text.decode("utf-8").removeprefix(BOM)
    except UnicodeDecodeError as error:
        return (), (Fault(text.count(b"\n", 0, error.start) + 1, NOT_UTF8),)
    if kind in JSON:
        characters = without_comments(characters)
        value, faults = parse_json(characters)
        return ((Document(value, lambda: _root_of_json(characters)),) if not faults else ()), faults
    if kind in TOML:
        value, faults = parse_toml(characters)
        return ((Document(value, lambda: mark_toml(characters)),) if not faults else ()), faults
    return (), (Fault(0, "is neither YAML, JSON nor TOML by the end of its name"),)


def _root_of_json(text: str) -> Marked:
    return mark_json(text)[0] or Marked(0, "null")


def _read_yaml(text: bytes) -> tuple[tuple[Document, ...], tuple[Fault, ...]]:
    nodes, wrong = parse_yaml(text, _LIMITS)
    faults = tuple(Fault(fault.line, fault.message) for fault in wrong)
    return (() if faults else tuple(_documents(nodes))), faults


def _documents(nodes: Sequence[Marked]) -> Iterator[Document]:
    for node in nodes:
        if node.tag != "null":
            yield Document(plain(node), lambda node=node: node)  # type: ignore[misc]  # bound at once, not in the end


def plain(node: Marked) -> object:
    """A node of YAML as JSON would say it: keys as written, merged keys in place, texts for dates and own tags."""
    if node.tag == "seq" or node.items:
        return [plain(item) for item in node.items]
    if node.tag == "map" or node.pairs:
        return {key.text: plain(value) for key, value in merged(node)}
    reader = _SCALARS.get(node.tag) if node.plain else None
    return reader(node.text) if reader else node.text


def merged(node: Marked) -> list[tuple[Marked, Marked]]:
    """The entries of a mapping and of those that `<<` merges into it; what stands in the mapping itself wins."""
    found: dict[str, tuple[Marked, Marked]] = {}
    for key, value in node.pairs:
        if key.tag == "merge":
            for source in value.items or (value,):
                found = {entry.text: (entry, item) for entry, item in merged(source)} | found
    own = {key.text: (key, value) for key, value in node.pairs if key.tag != "merge"}
    return list((found | own).values())


def _whole(text: str) -> int | str:
    """YAML 1.1's integers; minutes and hours (22:22) stay texts, as in every other reader of YAML."""
    digits = text.replace("_", "")
    if len(digits) > DIGITS or ":" in digits:
        return text
    try:
        return int(digits, 8) if _OCTAL.fullmatch(digits) else int(digits, 0)
    except ValueError:
        return text


def _real(text: str) -> float | str:
    number = float(text.replace("_", "")) if _FLOATS.fullmatch(text) else float("inf")
    return number if abs(number) != float("inf") else text


_SCALARS: dict[str, Callable[[str], Any]] = {
    "int": _whole,
    "float": _real,
    "bool": lambda text: text.lower() in ("true", "yes", "on"),
    "null": lambda _: None,
}
Step = str | int


def find_node(root: Marked, path: Sequence[Step]) -> Marked:
    """The node at a path, or the nearest one above it that there is."""
    node = root
    for step in path:
        if isinstance(step, int):
            below = node.items[step] if step < len(node.items) else None
        else:
            below = next((value for key, value in merged(node) if key.text == step), None)
        if below is None:
            return node
        node = below
    return node


def line_of_key(root: Marked, path: Sequence[Step], name: str) -> int:
    """The line on which a mapping at a path says this key; the mapping's own where it does not."""
    node = find_node(root, path)
    return next((key.line for key, _ in merged(node) if key.text == name), node.line)
