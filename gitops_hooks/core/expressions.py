"""Regular expressions over whole paths, matched by RE2, whose time is linear in the path whatever the expression.

Python's own engine never sees one. What is literal at the two ends of an expression leaves few of thousands for a path.
"""

from collections.abc import Iterable, Sequence

from gitops_hooks.core.re2_door import Manner, Together, re2_faults

_LONGEST = 1000
_QUANTIFIERS = "*+?{"
_META = "\\.^$*+?()[]{}|"


class Expressions:
    """Expressions by number; built once and then only asked."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns
        self._numbers: dict[str, list[int]] = {}
        self._together: dict[str, Together] = {}
        for number, pattern in enumerate(patterns):
            self._numbers.setdefault(_key(pattern), []).append(number)

    def matching(self, path: str) -> list[int]:
        """The numbers of all that match the whole path, lowest first."""
        name = path.rpartition("/")[2]
        keys = ["", f"/{name}", _ending(name)]
        at = path.find("/")
        while at >= 0:
            keys.append(path[: at + 1])
            at = path.find("/", at + 1)
        return sorted(number for key in dict.fromkeys(keys) for number in self._matching(key, path))

    def _matching(self, key: str, path: str) -> Iterable[int]:
        numbers = self._numbers.get(key)
        if numbers is None:
            return ()
        if key not in self._together:
            self._together[key] = Together([self._patterns[number] for number in numbers], Manner.WHOLE)
        return [numbers[at] for at in self._together[key].matching(path)]


def _key(pattern: str) -> str:
    """What every path that matches has: `/name` or `.ending` at its end, or `folder/` at its start."""
    first, last = literal_ends(pattern)
    if "/" in last:
        return _ending(last)
    if "/" in first:
        return first[: first.rindex("/") + 1]
    return _ending(last)


def expression_faults(patterns: Sequence[str]) -> list[str]:
    """What keeps each from being asked; empty where nothing does."""
    sound = ["" if 0 < len(pattern) <= _LONGEST else f"must have 1 to {_LONGEST} characters" for pattern in patterns]
    told = re2_faults(["" if fault else pattern for pattern, fault in zip(patterns, sound, strict=True)], Manner.WHOLE)
    return [fault or words for fault, words in zip(sound, told, strict=True)]


def _ending(text: str) -> str:
    """`/name` where the whole name is known, else from its last dot on."""
    if "/" in text:
        return text[text.rindex("/") :]
    return text[text.rindex(".") :] if "." in text else ""


def literal_ends(pattern: str) -> tuple[str, str]:
    """What every match begins and ends with, as far as that is plain to see; empty where nothing is."""
    if "|" in pattern or "(?" in pattern or "\\Q" in pattern:
        return "", ""
    first, last, met = "", "", False
    at = 0
    while at < len(pattern):
        char, size = _literal(pattern, at)
        quantified = pattern[at + size : at + size + 1] in (*_QUANTIFIERS,)
        at += size
        if char and not quantified:
            first += "" if met else char
            last += char
        else:
            met, last = True, ""
    return first, last


def _literal(pattern: str, at: int) -> tuple[str, int]:
    """The character that stands for itself here, or an empty string, and how long it is written."""
    char = pattern[at]
    if char == "\\":
        after = pattern[at + 1 : at + 2]
        return (after if after in (*_META, "/", "-", "_", " ", "#", "@") else "", 2)
    return ("" if char in _META else char, 1)
