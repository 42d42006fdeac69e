"""Glob patterns over ref names and paths, in time linear in pattern times text.

`*` and `?` stay inside one segment, `**` is any number of whole segments, and `d/**` covers the entry `d`
itself too. Regular expressions were rejected: a translated `**/` took minutes on a short path.
"""

from collections.abc import Callable, Iterable, Sequence


def matches(pattern: str, path: str) -> bool:
    """Whether the whole path matches the pattern, segment by segment."""
    return _match(pattern.split("/"), path.split("/"), lambda segment: segment == "**", _segment_matches)


def matches_any(patterns: Iterable[str], path: str) -> bool:
    return any(matches(pattern, path) for pattern in patterns)


def _segment_matches(pattern: str, segment: str) -> bool:
    return _match(pattern, segment, lambda char: char == "*", lambda char, other: char in ("?", other))


def _match(
    pattern: Sequence[str],
    text: Sequence[str],
    is_star: Callable[[str], bool],
    fits: Callable[[str, str], bool],
) -> bool:
    """Match with one star remembered: falling back to the last star alone is enough, and bounds the work."""
    at = position = mark = 0
    star = -1
    while position < len(text):
        if at < len(pattern) and is_star(pattern[at]):
            star, mark = at, position
            at += 1
        elif at < len(pattern) and fits(pattern[at], text[position]):
            at += 1
            position += 1
        elif star >= 0:
            mark += 1
            at, position = star + 1, mark
        else:
            return False
    return all(is_star(item) for item in pattern[at:])
