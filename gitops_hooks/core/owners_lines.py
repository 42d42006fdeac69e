"""What the dialects of CODEOWNERS share: lines, words, owners."""

import re
from collections.abc import Iterator

from gitops_hooks.core.receive import shown
from gitops_hooks.model.errors import Fault

SIZE = 512 * 1024
_MOST_LINES = 20_000
_OWNER = re.compile(r"@[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*|[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+")


def numbered_lines(text: bytes, faults: list[Fault]) -> Iterator[tuple[int, str]]:
    """The lines that say something, with their numbers; what cannot be read at all is a fault."""
    try:
        lines = text.decode("utf-8").removeprefix("\ufeff").split("\n")
    except UnicodeDecodeError as error:
        faults.append(Fault(text.count(b"\n", 0, error.start) + 1, "not UTF-8; save the file as UTF-8"))
        return
    if len(text) > SIZE or len(lines) > _MOST_LINES:
        faults.append(Fault(0, f"larger than {SIZE} bytes or {_MOST_LINES} lines"))
        return
    for number, line in enumerate(lines, 1):
        stripped = line.strip(" \t\r")
        if stripped and not stripped.startswith("#"):
            yield number, stripped


def split_words(line: str) -> list[str]:
    r"""The words of a line up to a comment; a backslash before a blank or `#` makes it part of the word."""
    if "\\" not in line and "#" not in line:
        return line.split()
    words, word, rest = list[str](), "", iter(line)
    for char in rest:
        if char == "\\":
            after = next(rest, "")
            word += after if after in (" ", "\t", "#") else char + after
        elif char in " \t":
            words += [word] if word else []
            word = ""
        elif char == "#" and not word:
            break
        else:
            word += char
    return [*words, word] if word else words


def read_owners(number: int, words: list[str], faults: list[Fault]) -> tuple[str, ...]:
    """The owners among the words of a line; anything else there is a fault."""
    found = []
    for word in words:
        if _OWNER.fullmatch(word):
            found.append(word.lower())
        else:
            faults.append(Fault(number, f"'{shown(word)}' is no owner; write @name, @group or an address"))
    return tuple(found)


def pattern_fault(pattern: str) -> str:
    """What this reads in no pattern of GitHub's and GitLab's, or an empty string."""
    if any(char in pattern for char in "[]\\"):
        return "may hold no [ ] and no \\ but before a blank or #"
    if any(char < " " or char == "\x7f" for char in pattern):
        return "holds a control character"
    parts = pattern.strip("/").split("/")
    if not pattern.strip("/"):
        return "names nothing"
    return "has an empty part, . or .." if any(part in ("", ".", "..") for part in parts) else ""


def single_stars(part: str) -> str:
    """Stars inside a name count as one; `**` alone is any number of folders."""
    return part if part == "**" else re.sub(r"\*+", "*", part)
