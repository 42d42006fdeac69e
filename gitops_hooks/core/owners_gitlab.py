"""CODEOWNERS as GitLab reads it: sections, each with its own last match, count and default owners."""

import re

from gitops_hooks.core.owners_lines import numbered_lines, pattern_fault, read_owners, single_stars, split_words
from gitops_hooks.core.receive import shown
from gitops_hooks.model.errors import Fault
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.owners import OwnerLine, OwnersText

PLACES = ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")

_HEADER = re.compile(r"(\^)?\[([^\[\]]+)\](?:\[([1-9][0-9]{0,2})\])?(?:[ \t]+(.*))?")


@dataclass(frozen=True, slots=True)
class _Section:
    """What a header says to the lines below it; the first of two with one name says how many must approve."""

    name: str
    optional: bool
    count: int
    owners: tuple[str, ...]


def parse_gitlab(path: str, text: bytes) -> OwnersText:
    """All lines, or all faults."""
    faults: list[Fault] = []
    lines: list[OwnerLine] = []
    named: dict[str, _Section] = {}
    section = _Section("", False, 1, ())
    for number, line in numbered_lines(text, faults):
        if line.startswith(("[", "^[")):
            section = _read_header(number, line, named, faults)
        else:
            lines.append(_read_line(number, line, section, faults))
    return OwnersText(path, tuple(lines), tuple(faults))


def _read_header(number: int, line: str, named: dict[str, _Section], faults: list[Fault]) -> _Section:
    found = _HEADER.fullmatch(line)
    if found is None:
        faults.append(Fault(number, f"'{shown(line)}' is no section; write [Name], ^[Name] or [Name][2]"))
        return _Section("", False, 1, ())
    optional, title, count, owners = found[1] is not None, found[2].strip(), int(found[3] or 1), found[4] or ""
    name = " ".join(title.lower().split())
    if optional and found[3]:
        faults.append(Fault(number, f"the section '{shown(title)}' is optional and counts; it can be one of both"))
    defaults = read_owners(number, split_words(owners), faults)
    first = named.setdefault(name, _Section(name, optional, count, defaults))
    # Only if all say so is a section optional, and the highest count holds.
    strictest = _Section(name, first.optional and optional, max(first.count, count), defaults)
    named[name] = strictest
    return strictest


def _read_line(number: int, line: str, section: _Section, faults: list[Fault]) -> OwnerLine:
    out = line.startswith("!")
    words = split_words(line[1:] if out else line)
    pattern, owners = (words[0], words[1:]) if words else ("", [])
    if fault := pattern_fault(pattern):
        faults.append(Fault(number, f"the pattern '{shown(pattern)}' {fault}"))
    named = read_owners(number, owners, faults)
    return OwnerLine(number, pattern, named or section.owners, section.count, section.name, section.optional, out)


def gitlab_glob(pattern: str) -> str:
    """GitLab's pattern as ours: without a slash in front it holds in every folder; only `name/` means all below it."""
    if pattern == "*":
        return "**"
    anchored, folder = pattern.startswith("/"), pattern.endswith("/")
    parts = [single_stars(part) for part in pattern.strip("/").split("/")]
    if parts[-1] == "**" and len(parts) > 1:
        parts, folder = parts[:-1], True
    return "/".join([*([] if anchored else ["**"]), *parts, *(["*", "**"] if folder else [])])
