"""Many paths held against many globs: each glob becomes the set of what it covers, once, as bits of an integer."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from gitops_hooks.core.globs import matches, matches_parts
from gitops_hooks.core.path_pattern import Parts, endings, is_literal, wanted


class PathSet:
    """Paths in segments, sorted once; built once and then only asked."""

    def __init__(self, paths: Iterable[Parts]) -> None:
        self._paths = sorted(set(paths))
        self._masks: dict[Parts, int] = {}
        self._names: dict[str, list[int]] | None = None
        self._any: dict[str, list[int]] | None = None

    @property
    def everything(self) -> int:
        return (1 << len(self._paths)) - 1

    def covered(self, mask: int) -> Iterator[Parts]:
        """The paths of such a set."""
        while mask:
            lowest = mask & -mask
            yield self._paths[lowest.bit_length() - 1]
            mask ^= lowest

    def mask(self, pattern: Parts) -> int:
        """The set of the paths that a pattern covers."""
        if pattern not in self._masks:
            self._masks[pattern] = self._find(pattern)
        return self._masks[pattern]

    def _find(self, pattern: Parts) -> int:
        size = next((at for at, part in enumerate(pattern) if not is_literal(part)), len(pattern))
        start, rest = pattern[:size], pattern[size:]
        low = bisect_left(self._paths, start)
        # Every path below `start` comes before one whose last segment is the next string in order.
        high = bisect_left(self._paths, (*start[:-1], start[-1] + "\0"), low) if start else len(self._paths)
        below = (1 << high) - (1 << low)
        if not below or rest == ("**",):
            return below
        if not rest:
            return 1 << low if self._paths[low] == start else 0
        if len(rest) == 2 and rest[0] == "**":
            return below & self._named(rest[1])
        if key := wanted(rest):
            below &= self._holding(key)
        return self._match(pattern, below)

    def _match(self, pattern: Parts, candidates: int) -> int:
        found = 0
        while candidates:
            lowest = candidates & -candidates
            if matches_parts(pattern, self._paths[lowest.bit_length() - 1]):
                found |= lowest
            candidates ^= lowest
        return found

    def _named(self, pattern: str) -> int:
        """Those whose last segment a pattern covers; each name is looked at once, however many bear it."""
        if self._names is None:
            self._names = {}
            for number, path in enumerate(self._paths):
                self._names.setdefault(path[-1], []).append(number)
        if is_literal(pattern):
            return self._bits(self._names.get(pattern, ()))
        return self._bits([number for name, those in self._names.items() if matches(pattern, name) for number in those])

    def _holding(self, key: str) -> int:
        """Those of which any segment is this name, or ends so."""
        if self._any is None:
            self._any = _index(self._paths)
        return self._bits(self._any.get(key, ()))

    def _bits(self, numbers: Sequence[int]) -> int:
        """Their set; the indexes keep numbers, since a set for every name would be as long as all paths."""
        bits = bytearray(len(self._paths) // 8 + 1)
        for number in numbers:
            bits[number >> 3] |= 1 << (number & 7)
        return int.from_bytes(bits, "little")


def _index(paths: Sequence[Parts]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, path in enumerate(paths):
        for key in {key for part in path for key in (part, *endings(part))}:
            found.setdefault(key, []).append(number)
    return found
