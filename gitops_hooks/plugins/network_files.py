"""Files of a tree → what they say of the network. Only folders that the globs name are opened, and so much is read."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_hooks.plugin import EdgeError, Tree, parse_yaml
from gitops_hooks.plugins.network_words import Said, looks_numeric
from gitops_hooks.plugins.network_yaml import Keys, said_in
from gitops_hooks.plugins.tree_paths import paths_named

_VARIABLE = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]{0,100})\s{0,20}=\s{0,20}(\"[^\"]*\"|'[^']*'|[^\s\"'#]+)")
_SECTION = re.compile(r"\[([^\]]{1,200})\]")
_VARIABLES = ("host_vars", "group_vars")


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that cannot be read, with its line and the reason."""

    path: str
    line: int
    reason: str


def read_network(tree: Tree, options: Mapping[str, Any]) -> tuple[list[Said], list[Unread]]:
    """All that the files say. Errors: EdgeError where the globs name more than is read."""
    keys = Keys.of(options)
    names = [*keys.kinds, *keys.plans]
    # A file without any of the keys is not parsed; hosts of an inventory may be addresses themselves.
    worth = re.compile("|".join(map(re.escape, names)).encode() + rb"|^[0-9a-fA-F.:]+\s", re.MULTILINE)
    said: list[Said] = []
    unread: list[Unread] = []
    for path in paths_named(tree, options["paths"], "network"):
        try:
            text = tree.read(path)
        except EdgeError as error:
            unread.append(Unread(path, 0, error.what))
            continue
        if worth.search(text) and not text.startswith(b"$ANSIBLE_VAULT;"):
            _read_file(path, text, keys, said, unread)
    return said, unread


def _read_file(path: str, text: bytes, keys: Keys, said: list[Said], unread: list[Unread]) -> None:
    name = path.rpartition("/")[2]
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    variables = any(part in _VARIABLES for part in path.split("/")[:-1])
    if suffix in ("yml", "yaml", "json") or (not suffix and variables):
        documents, faults = parse_yaml(text)
        if faults:
            unread.append(Unread(path, faults[0].line, faults[0].message))
        else:
            said.extend(said_in(path, documents, keys))
    elif suffix in ("", "ini") and b"\0" not in text:
        said.extend(_inventory(path, text.decode("utf-8", "replace"), keys))


def _inventory(path: str, text: str, keys: Keys) -> Iterator[Said]:
    """An inventory in INI: a host and its variables a line, or a variable a line in [group:vars]."""
    group = ""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if section := _SECTION.match(line):
            group = section.group(1)
            continue
        shared = group.endswith(":vars")
        owner = f"[{group}]" if shared else line.split(maxsplit=1)[0]
        if looks_numeric(owner):
            yield Said("address", owner, owner, path, number)
        for name, value in _VARIABLE.findall(line):
            bare = value.strip("\"'")
            if (kind := keys.kind(name, bare)) and kind != "vlan":
                yield Said(kind, bare, owner, path, number, claims=kind == "address" and not shared)
            elif kind:
                yield Said(kind, bare, owner, path, number)
