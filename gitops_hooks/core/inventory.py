"""Inventories of Ansible read as what they say: YAML and INI texts → hosts and groups, or None where that is unknown.

Nothing is run and nothing guessed: an inventory that a program or plugin makes, a spelling that is not known here, a
budget that is spent all give None, and then nobody can say how many hosts there are.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from posixpath import splitext

from gitops_hooks.core.yaml_text import Marked, YamlLimits, parse_yaml
from gitops_hooks.model.lazy_dataclass import dataclass

LIMITS = YamlLimits(size=512 * 1024, depth=32, nodes=50_000, expanded=100_000)
MOST_HOSTS = 20_000

_YAML = (".yml", ".yaml", ".json")
_SECTION = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?")
_FIRST = re.compile(r"""([^\s"'\\#]+)(?:\s.*)?""")
_ALONE = re.compile(r"([^:\]\s#]+)\s*(?:#.*)?")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@%~-]{0,254}")
_RANGE = re.compile(r"([^\[\]]*)\[(\w*):(\w+)(?::([1-9]\d{0,4}))?\](.*)")
_PORT = re.compile(r"(.+):\d{1,5}")
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Ansible cuts lines at these too, and nobody who reads the file sees them.
_ODD_LINES = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Inventory:
    """All hosts, and of each group its own hosts and its child groups."""

    hosts: frozenset[str]
    own: Mapping[str, frozenset[str]]
    children: Mapping[str, frozenset[str]]

    def knows(self, group: str) -> bool:
        return group in self.own or group in ("all", "ungrouped")

    def members(self, groups: Iterable[str]) -> frozenset[str] | None:
        """The hosts of these groups and of all their children; None where one of them is not known."""
        waiting = list(groups)
        if {"all", "ungrouped"} & set(waiting):
            return self.hosts
        seen, found = set(waiting), set[str]()
        while waiting:
            group = waiting.pop()
            if group not in self.own:
                return None
            found |= self.own[group]
            fresh = self.children.get(group, frozenset()) - seen
            seen |= fresh
            waiting += fresh
        return frozenset(found)


class _Unknown(Exception):
    """This cannot be read as Ansible would."""


@dataclass(slots=True)
class _Found:
    """Hosts and groups while the texts of one inventory are read."""

    hosts: set[str] = field(default_factory=set)
    own: dict[str, set[str]] = field(default_factory=dict)
    children: dict[str, set[str]] = field(default_factory=dict)

    def add_hosts(self, group: str, pattern: str) -> None:
        names = set(_expand(pattern))
        self.hosts |= names
        self.own.setdefault(group, set()).update(names)
        if len(self.hosts) > MOST_HOSTS:
            raise _Unknown

    def add_child(self, group: str, child: str) -> None:
        self.own.setdefault(group, set())
        self.children.setdefault(group, set()).add(child)


def read_inventory(texts: Iterable[tuple[str, bytes]]) -> Inventory | None:
    """One inventory out of (path, text) of all its sources."""
    found = _Found()
    try:
        for path, text in texts:
            _read_source(path, text, found)
    except (_Unknown, ValueError):
        return None
    own = {group: frozenset(hosts) for group, hosts in found.own.items()}
    children = {group: frozenset(names) for group, names in found.children.items()}
    return Inventory(frozenset(found.hosts), own, children)


def _read_source(path: str, text: bytes, found: _Found) -> None:
    extension = splitext(path)[1]
    if text.startswith((b"#!", b"$ANSIBLE_VAULT")) or extension == ".toml":
        raise _Unknown
    if extension in _YAML or not extension:
        documents, faults = parse_yaml(text, LIMITS)
        if len(documents) == 1 and not faults and documents[0].tag == "map":
            _read_yaml(documents[0], found)
            return
        if extension:
            raise _Unknown
    _read_ini(text, found)


# --- YAML ---


def _read_yaml(document: Marked, found: _Found) -> None:
    if document.get("plugin") is not None:
        raise _Unknown
    waiting = list(document.pairs)
    seen = set[tuple[str, int]]()
    while waiting:
        name, group = waiting.pop()
        key = (_text(name), id(group))
        if key not in seen:
            seen.add(key)
            waiting += _read_group(_text(name), group, found)


def _text(node: Marked) -> str:
    if node.tag != "str":
        raise _Unknown
    return node.text


def _read_group(name: str, group: Marked, found: _Found) -> list[tuple[Marked, Marked]]:
    """Take one group in; answers its child groups."""
    found.own.setdefault(name, set())
    for key, _ in group.pairs:
        _text(key)
    for host in _keys(group.get("hosts")):
        found.add_hosts(name, host)
    section = group.get("children")
    for child in _keys(section):
        found.add_child(name, child)
        found.own.setdefault(child, set())
    return list(section.pairs) if section else []


def _keys(section: Marked | None) -> Iterator[str]:
    """The names in `hosts` or `children`; a single name may stand there as text."""
    if section is None or section.tag == "null":
        return
    if section.tag == "str":
        yield section.text
    elif section.tag == "map":
        for key, _ in section.pairs:
            yield _text(key)
    else:
        raise _Unknown


# --- INI ---


def _read_ini(text: bytes, found: _Found) -> None:
    characters = text.decode("utf-8")
    if len(text) > LIMITS.size or _ODD_LINES.search(characters):
        raise _Unknown
    group, kind = "ungrouped", "hosts"
    for line in (line.strip() for line in characters.split("\n")):
        if not line or line[0] in "#;":
            continue
        if line.startswith("["):
            section = _SECTION.fullmatch(line)
            if section is None or section[2] not in (None, "hosts", "children", "vars"):
                raise _Unknown
            group, kind = section[1], section[2] or "hosts"
            found.own.setdefault(group, set())
        elif kind == "hosts":
            found.add_hosts(group, _matched(_FIRST, line))
        elif kind == "children":
            found.add_child(group, _matched(_ALONE, line))


def _matched(grammar: re.Pattern[str], line: str) -> str:
    found = grammar.fullmatch(line)
    if found is None:
        raise _Unknown
    return found[1]


# --- hosts ---


def _expand(pattern: str) -> list[str]:
    """`web[01:20].example.org:22` → the names that it stands for."""
    outside = re.sub(r"\[[^\]]*\]", "", pattern)
    name = port[1] if outside.count(":") == 1 and (port := _PORT.fullmatch(pattern)) else pattern
    names = [name]
    while "[" in names[0]:
        names = [each for one in names for each in _expand_first(one)]
        if len(names) > MOST_HOSTS or not names:
            raise _Unknown
    if not all(_NAME.fullmatch(each) for each in names):
        raise _Unknown
    return names


def _expand_first(name: str) -> list[str]:
    found = _RANGE.fullmatch(name)
    if found is None:
        raise _Unknown
    head, first, last, step, tail = found[1], found[2] or "0", found[3], int(found[4] or 1), found[5]
    if len(first) == len(last) == 1 and first in _LETTERS and last in _LETTERS:
        steps = [*_LETTERS[_LETTERS.index(first) : _LETTERS.index(last) + 1 : step]]
    else:
        steps = _numbers(first, last, step)
    return [f"{head}{each}{tail}" for each in steps]


def _numbers(first: str, last: str, step: int) -> list[str]:
    if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()) or len(last) > 9:
        raise _Unknown
    width = len(first) if first.startswith("0") and len(first) > 1 else 0
    if (width and width != len(last)) or len(first) > 9:
        raise _Unknown
    numbers = range(int(first), int(last) + 1, step)
    if len(numbers) > MOST_HOSTS:
        raise _Unknown
    return [str(number).zfill(width) for number in numbers]
