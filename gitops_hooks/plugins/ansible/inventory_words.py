"""What an inventory's own texts, INI and YAML, say that hosts and groups have."""

import ast
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from posixpath import join

from gitops_hooks.plugin import Marked, Side, parse_yaml, read_inventory
from gitops_hooks.plugins.ansible.variable_values import FILES, FOLDER, Unreadable, Values, plain_value
from gitops_hooks.plugins.unsaid import Plain

_NO_SOURCES = ("host_vars", "group_vars", "vars_plugins")


@dataclass(slots=True)
class InventoryWords:
    """What the inventory's own texts say of hosts and groups."""

    hosts: dict[str, Values] = field(default_factory=dict)
    groups: dict[str, Values] = field(default_factory=dict)


def read_sources(side: Side, path: str, folder: bool) -> InventoryWords:
    """Everything that its sources say. Errors: Unreadable."""
    told = InventoryWords()
    for source in _sources(side, path) if folder else (path,):
        text = side.tree.read(source)
        documents, faults = parse_yaml(text) if not source.endswith((".ini", ".cfg")) else ((), ())
        if documents and not faults and documents[0].tag == "map":
            _read_groups(source, documents[0].pairs, told)
        else:
            _read_ini(source, text.decode("utf-8", "surrogateescape"), told)
    return told


def _sources(side: Side, folder: str) -> Iterator[str]:
    for entry in sorted(side.tree.list(folder), key=lambda one: one.name):
        if entry.name.startswith(".") or entry.name in _NO_SOURCES or entry.name.endswith(("~", ".md", ".txt", ".cfg")):
            continue
        if entry.mode in FILES:
            yield join(folder, entry.name)
        elif entry.mode == FOLDER:
            yield from _sources(side, join(folder, entry.name))


def _read_groups(path: str, pairs: Iterable[tuple[Marked, Marked]], told: InventoryWords) -> None:
    waiting, seen = list(pairs), set[int]()
    while waiting:
        name, group = waiting.pop()
        if id(group) in seen:
            continue
        seen.add(id(group))
        if (own := group.get("vars")) is not None:
            told.groups.setdefault(name.text, {}).update(_mapping(path, own))
        hosts, children = group.get("hosts"), group.get("children")
        for pattern, values in hosts.pairs if hosts else ():
            for host in _expand(pattern.text):
                told.hosts.setdefault(host, {}).update(_mapping(path, values))
        waiting += children.pairs if children else ()


def _mapping(path: str, node: Marked) -> Values:
    value = plain_value(path, node)
    return value if isinstance(value, dict) else {}


def _expand(pattern: str) -> frozenset[str]:
    """`web[1:3]` → the hosts that it stands for, as the reader of inventories has it."""
    if "[" not in pattern and ":" not in pattern:
        return frozenset({pattern})
    found = read_inventory([("pattern.ini", f"[one]\n{pattern}\n".encode())])
    return found.hosts if found else frozenset()


def _read_ini(path: str, text: str, told: InventoryWords) -> None:
    group, kind = "ungrouped", "hosts"
    for number, line in enumerate(map(str.strip, text.split("\n")), 1):
        if not line or line[0] in "#;":
            continue
        if line.startswith("["):
            group, _, kind = line.partition("]")[0][1:].partition(":")
            kind = kind or "hosts"
        elif kind == "vars":
            name, _, value = line.partition("=")
            told.groups.setdefault(group, {})[name.strip()] = _literal(value.strip())
        elif kind == "hosts":
            _read_host(path, number, line, told)


def _read_host(path: str, number: int, line: str, told: InventoryWords) -> None:
    try:
        pattern, *words = shlex.split(line, comments=True)
    except ValueError:
        raise Unreadable(f"{path}:{number} cannot be read") from None
    pairs = [word.partition("=") for word in words]
    for host in _expand(pattern):
        told.hosts.setdefault(host, {}).update({name: _literal(value) for name, _, value in pairs})


def _literal(text: str) -> Plain:
    """As Ansible takes what stands in such a file: a literal of Python's, else text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return text
