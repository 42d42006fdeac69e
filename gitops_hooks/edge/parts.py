"""What of a change a check is shown, and how it is divided for checks that judge each file for itself."""

import hashlib
from dataclasses import replace

from gitops_hooks.core.globs import matches_any
from gitops_hooks.edge.workbench import Asked
from gitops_hooks.hookspec import Check
from gitops_hooks.model.change import Change, ChangedFile
from gitops_hooks.model.lazy_dataclass import dataclass

# A child costs as much as some two dozen files of YAML that only our own code reads, and next to nothing beside a tool.
FILES_OF_A_PART, FILES_FOR_A_TOOL = 24, 8


@dataclass(frozen=True, slots=True)
class Part:
    """One run of a check: over all that it is shown, or over some of it."""

    asked: Asked
    change: Change


def shown_change(check: Check, change: Change) -> Change:
    """The change with those files that the check's paths match; one without a readable name meets every pattern."""
    if "**" in check.paths:
        return change
    return replace(change, files=tuple(file for file in change.files if _is_shown(check, file)))


def _is_shown(check: Check, file: ChangedFile) -> bool:
    return _undecodable(file.path) or matches_any(check.paths, file.path)


def _undecodable(path: str) -> bool:
    """A path that is not UTF-8 can be matched by no pattern, and therefore meets every one."""
    return any("\ud800" <= char <= "\udfff" for char in path)


def divide(asked: Asked, change: Change, least: int) -> list[Part]:
    """The parts of what a check is shown, of so many files or more; 0 where nothing is kept, nor gained from several.

    A part is a child of its own: bytes that take over one of them have no word in what is kept of the others.
    """
    check = asked.check
    count = _count(len(change.files), least, check.parts) if least and check.each and check.kept else 1
    if count == 1:
        return [Part(asked, change)]
    parts: list[list[ChangedFile]] = [[] for _ in range(count)]
    for file in change.files:
        # By name, so that a file stays where it is when others come and go.
        name = file.path.encode("utf-8", "backslashreplace")
        parts[hashlib.sha256(name).digest()[0] % count].append(file)
    return [Part(asked, replace(change, files=tuple(files))) for files in parts if files]


def _count(files: int, least: int, most: int) -> int:
    """A power of two, so that one more file seldom changes the division."""
    count = 1
    while 2 * count <= most and files >= 2 * count * least:
        count *= 2
    return count
