"""Glob patterns over ref names and paths, in time linear in pattern times text.

`*` and `?` stay inside one segment, `**` is any number of whole segments, and `d/**` covers the entry `d`
itself too. Regular expressions were rejected: a translated `**/` took minutes on a short path.
"""

import re
from collections.abc import Callable, Iterable, Sequence

_NOT_IN_GLOBS = re.compile(r"[\x00-\x20\x7f\[\]{}\\^]|\A!")


def matches(pattern: str, path: str) -> bool:
    """Whether the whole path matches the pattern, segment by segment."""
    if _is_plain(pattern):
        return pattern == path
    return matches_parts(pattern.split("/"), path.split("/"))


def matches_parts(pattern: Sequence[str], path: Sequence[str]) -> bool:
    """The same, for who has both in segments already."""
    return _match(pattern, path, lambda segment: segment == "**", _segment_matches)


def matches_any(patterns: Iterable[str], path: str) -> bool:
    return any(matches(pattern, path) for pattern in patterns)


def _is_plain(pattern: str) -> bool:
    return "*" not in pattern and "?" not in pattern


def _segment_matches(pattern: str, segment: str) -> bool:
    # Most segments are plain names, and a loop over characters costs a hundred times more.
    if _is_plain(pattern):
        return pattern == segment
    if "?" not in pattern and pattern.count("*") == 1:
        head, _, tail = pattern.partition("*")
        return len(segment) >= len(pattern) - 1 and segment.startswith(head) and segment.endswith(tail)
    return _match(pattern, segment, lambda char: char == "*", lambda char, other: char in ("?", other))


def _match(
    pattern: Sequence[str],
    text: Sequence[str],
    is_star: Callable[[str], bool],
    fits: Callable[[str, str], bool],
) -> bool:
    """Match with one star remembered: falling back to the last star alone is enough, and bounds the work."""
    at = position = mark = 0
    star, size, end = -1, len(pattern), len(text)
    while position < end:
        if at < size and is_star(pattern[at]):
            star, mark = at, position
            at += 1
        elif at < size and fits(pattern[at], text[position]):
            at += 1
            position += 1
        elif star >= 0:
            mark += 1
            at, position = star + 1, mark
        else:
            return False
    return all(is_star(item) for item in pattern[at:])


def glob_fault(glob: str) -> str:
    """What is wrong with a glob, or an empty string."""
    if fault := path_fault(glob):
        return fault
    # A pattern that other tools know and ours does not would match nothing, and its rule would silently be none.
    if _NOT_IN_GLOBS.search(glob):
        return "may hold no blank and none of [ ] { } \\ ^, nor begin with !; only *, ? and ** are patterns"
    if any("**" in segment and segment != "**" for segment in glob.split("/")):
        return "has ** inside a name; it stands for whole folders, as in a/**/b"
    return ""


def path_fault(path: str) -> str:
    """What is wrong with a path in the repository, or an empty string."""
    if path.startswith("/"):
        return "must be relative to the repository"
    segments = path.split("/")
    if "" in segments or "." in segments:
        return "has an empty part; write folder/** for all below a folder"
    return "may not leave the repository by .." if ".." in segments else ""
