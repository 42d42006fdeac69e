"""Inventories: whether INI and YAML ones are put together as Ansible wants them."""

import re
import shlex
from collections.abc import Iterator

from gitops_hooks.plugin import Marked, Severity
from gitops_hooks.plugins.ansible.playbook import Fault

_SECTION = re.compile(r"\[([^:\[\]\s]+)(?::(\w+))?\]\s*(?:[#;].*)?")
_ADDRESS = re.compile(r"\[[0-9a-fA-F:]*:[0-9a-fA-F:.]*\](?::\d+)?(?:\s|\Z)")
_MODIFIERS = ("vars", "children")
_GROUP = ("hosts", "vars", "children")


def _at(line: int, words: str) -> Fault:
    return Marked(line, "str"), words, Severity.ERROR


def ini_faults(text: bytes) -> Iterator[Fault]:
    """Faults of an INI inventory: sections, unbalanced quotes, variables without `=`, children that are no group."""
    modifier = ""
    defined, named = {"all", "ungrouped"}, list[tuple[int, str]]()
    for number, line in _lines(text):
        if line.startswith("["):
            section, modifier, fault = _section(line)
            defined |= {section} if modifier in ("", "children") else set()
        elif not (fault := _line_fault(line, modifier)) and modifier == "children":
            named.append((number, shlex.split(line, comments=True)[0]))
        if fault:
            yield _at(number, fault)
    for number, group in named:
        if group not in defined:
            yield _at(number, f"group '{group[:60]}' is named here and defined nowhere in this file")


def _lines(text: bytes) -> Iterator[tuple[int, str]]:
    """Numbered lines that say something; a host that begins with a bracket, as [2001:db8::1]:22, is passed over."""
    for number, raw in enumerate(text.decode("utf-8", "replace").split("\n"), 1):
        line = raw.strip()
        if line and not line.startswith(("#", ";")) and not _ADDRESS.match(line):
            yield number, line


def _section(line: str) -> tuple[str, str, str]:
    """Group, kind and fault of a section's first line."""
    match = _SECTION.fullmatch(line)
    if match is None:
        return "", "", "a section is [group], [group:vars] or [group:children]"
    group, modifier = match.group(1), match.group(2) or ""
    if modifier not in ("", *_MODIFIERS):
        return group, "", f"':{modifier[:40]}' is no kind of section; only :vars and :children are"
    return group, modifier, ""


def _line_fault(line: str, modifier: str) -> str:
    if modifier == "vars":
        return "" if "=" in line else "a variable is written name=value"
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return "a quote is opened and never closed"
    if modifier == "children":
        return "a child group stands alone on its line" if len(words) > 1 else ""
    bad = next((word for word in words[1:] if "=" not in word), None)
    return f"'{bad[:40]}' is no variable; after a host's name stand name=value pairs" if bad is not None else ""


def yaml_faults(document: Marked) -> Iterator[Fault]:
    """Faults of a YAML inventory: groups are mappings of hosts, vars and children."""
    if document.tag != "map":
        yield document, "an inventory is a mapping of groups, with 'all' at its top", Severity.ERROR
        return
    if document.get("plugin") is not None:
        return
    waiting = list(document.pairs)
    seen = set[int]()
    while waiting:
        name, group = waiting.pop()
        if id(group) in seen:
            continue
        seen.add(id(group))
        yield from _group_faults(name.text, group)
        if children := group.get("children"):
            waiting.extend(children.pairs)


def _group_faults(name: str, group: Marked) -> Iterator[Fault]:
    if group.tag == "null":
        return
    if group.tag != "map":
        yield group, f"group '{name[:60]}' is a mapping of hosts, vars and children", Severity.ERROR
    for key, value in group.pairs:
        if key.text not in _GROUP and key.tag != "merge":
            yield key, f"'{key.text[:40]}' is not read in a group; only hosts, vars and children are", Severity.ERROR
        elif value.tag not in ("map", "null") and key.tag != "merge":
            yield value, f"'{key.text}' of group '{name[:60]}' is a mapping; write names with ':'", Severity.ERROR
