"""Which lines of a file a change brings: those that the target branch does not have in it."""

import re
from dataclasses import dataclass

from gitops_hooks.plugin import Change, ChangedFile, EdgeError, Tree

_BLOCK = re.compile(rb"[|>][-+0-9]{0,2}[ \t]*(?:#.*)?$")


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of one file; `new` holds the 1-based numbers of those that the change brings."""

    text: tuple[bytes, ...]
    new: frozenset[int]

    def bring(self, first: int, last: int) -> bool:
        """Whether the change brings one of these lines; line 0 stands for the whole file."""
        if first == 0:
            return bool(self.new)
        return any(line in self.new for line in range(first, max(first, last) + 1))

    def end_of(self, line: int, value: str) -> int:
        """The last line of a value of YAML that begins on this one."""
        source = self.text[line - 1] if 0 < line <= len(self.text) else b""
        return line + value.count("\n") + bool(_BLOCK.search(source.rstrip()))


def added_lines(file: ChangedFile, text: bytes, change: Change, target: Tree) -> Lines:
    """A line that only moved inside its file is not new, and neither is a file that only got another name."""
    lines = tuple(text.split(b"\n"))
    if any(other.deleted and other.old_oid == file.oid for other in change.files):
        return Lines(lines, frozenset())
    try:
        known = frozenset(line.rstrip(b"\r") for line in target.read(file.path).split(b"\n"))
    except EdgeError:
        known = frozenset()
    return Lines(lines, frozenset(number for number, line in enumerate(lines, 1) if line.rstrip(b"\r") not in known))
