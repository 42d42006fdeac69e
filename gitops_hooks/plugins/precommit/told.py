"""What pre-commit prints, as findings: lines that hooks say of files, hooks that just fail, and what they changed."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from gitops_hooks.plugin import Finding

_HEAD = re.compile(r"^.+?\.{3,}(?:\([^)]*\))?(?P<end>Passed|Failed|Skipped)$")
_ID = "- hook id: "
_CODE = "- exit code: "
_CHANGED = "- files were modified by this hook"
_OTHER = ("- duration: ",)
_DIFF = "All changes made by hooks:"
_PLACE = re.compile(r"^(?:\./|/tree/)?(?P<path>[^:]+):(?P<line>\d+)(?::\d+)?:?\s+(?P<words>\S.*)$")
_HUNK = re.compile(r"^@@ -(\d+)")
_NAMED = re.compile(r"^\+\+\+ b/(.*)$")


@dataclass(slots=True)
class _Hook:
    name: str = ""
    code: str = ""
    changed: bool = False
    lines: list[str] = field(default_factory=list)


def told_findings(text: str, asked: Collection[str], file: str) -> Iterator[Finding]:
    """`asked` are the files that hooks were given, `file` is told of where none is named. Never empty."""
    said, _, diff = text.partition(f"\n{_DIFF}\n")
    failed = list(_failed(said))
    found = [finding for hook in failed for finding in _of_hook(hook, asked, file)]
    changing = ", ".join(hook.name for hook in failed if hook.changed)
    changed = [
        Finding(path, line, f"{changing or 'a hook'} would change this; run: pre-commit run --files {path}")
        for path, line in _changes(diff)
    ]
    words = " ".join(text.partition("Failed to write to log")[0].split())[:300]
    yield from [*found, *changed] or [Finding(file, 0, f"pre-commit: {words or 'it failed'}")]


def _failed(said: str) -> Iterator[_Hook]:
    hook: _Hook | None = None
    for line in said.split("\n"):
        if head := _HEAD.match(line):
            if hook:
                yield hook
            hook = _Hook() if head["end"] == "Failed" else None
        elif hook:
            _take(hook, line)
    if hook:
        yield hook


def _take(hook: _Hook, line: str) -> None:
    if line.startswith(_ID) and not hook.name:
        hook.name = line.removeprefix(_ID)
    elif line.startswith(_CODE) and not hook.code:
        hook.code = line.removeprefix(_CODE)
    elif line == _CHANGED:
        hook.changed = True
    elif line.strip() and not line.startswith(_OTHER):
        hook.lines.append(line.strip())


def _of_hook(hook: _Hook, asked: Collection[str], file: str) -> Iterator[Finding]:
    placed = [match for line in hook.lines if (match := _PLACE.match(line)) and match["path"] in asked]
    for match in placed:
        yield Finding(match["path"], int(match["line"]), f"{hook.name}: {match['words']}")
    if placed or (hook.changed and not hook.code):
        return
    words = " ".join(hook.lines)[:300] or f"ended with {hook.code or 'a fault'} and said nothing"
    named = next((path for path in asked if any(path in line for line in hook.lines)), file)
    yield Finding(named, 0, f"{hook.name}: {words}")


def _changes(diff: str) -> Iterator[tuple[str, int]]:
    """The first line of each file that hooks changed."""
    path, start = "", 0
    for line in diff.split("\n"):
        if named := _NAMED.match(line):
            path = named[1]
        elif path and (hunk := _HUNK.match(line)):
            start = int(hunk[1])
        elif path and start and line.startswith(("-", "+")):
            yield path, start
            path, start = "", 0
        elif start:
            start += 1
