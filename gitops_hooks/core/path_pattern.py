"""Path patterns taken apart once, and looked up by what is literal in them.

Thousands of patterns are held against thousands of paths: an index by leading folder, by name and by ending leaves a
handful of candidates for each path, and only those are matched.
"""

from collections.abc import Iterable, Sequence

from gitops_hooks.core.globs import matches_parts

Parts = tuple[str, ...]


def is_literal(part: str) -> bool:
    return "*" not in part and "?" not in part


class PatternIndex:
    """Patterns of `*`, `?` and whole `**` segments, by number; built once and then only asked.

    Each stands under the literal folders that it begins with, and there under the last name or ending that a path must
    have somewhere below them.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns: list[Parts] = []
        self._below: dict[Parts, dict[str, list[int]]] = {}
        for number, pattern in enumerate(patterns):
            parts = tuple(pattern.split("/"))
            self._patterns.append(parts)
            size = next((at for at, part in enumerate(parts) if not is_literal(part)), len(parts))
            self._below.setdefault(parts[:size], {}).setdefault(wanted(parts[size:]), []).append(number)

    def matching(self, path: str) -> list[int]:
        """The numbers of all patterns that match, highest first."""
        parts = tuple(path.split("/"))
        return [number for number in self._candidates(parts) if matches_parts(self._patterns[number], parts)]

    def last_match(self, path: str) -> int | None:
        """The highest number that matches."""
        parts = tuple(path.split("/"))
        for number in self._candidates(parts):
            if matches_parts(self._patterns[number], parts):
                return number
        return None

    def _candidates(self, parts: Parts) -> Sequence[int]:
        found: list[int] = []
        names: set[str] | None = None
        # `d/**` covers `d` itself, so the whole path is a beginning too.
        for size in range(len(parts) + 1):
            below = self._below.get(parts[:size])
            if below is None:
                continue
            names = names or {"", *parts, *(ending for part in parts for ending in endings(part))}
            if len(below) < len(names):
                found += [number for name, numbers in below.items() if name in names for number in numbers]
            else:
                found += [number for name in names if name in below for number in below[name]]
        return sorted(found, reverse=True)


def wanted(parts: Parts) -> str:
    """The last name, or ending as `.yml`, that every match has; empty where there is none."""
    for part in reversed(parts):
        if is_literal(part):
            return part
        if part.startswith("*.") and is_literal(part[1:]):
            return part[1:]
    return ""


def endings(part: str) -> list[str]:
    """What a name ends with, from each of its dots on."""
    found = []
    dot = part.find(".")
    while dot >= 0:
        found.append(part[dot:])
        dot = part.find(".", dot + 1)
    return found
