"""Regular expressions over whole paths, matched by RE2, whose time is linear in the path whatever the expression.

Python's own engine never sees one. What is literal at the two ends of an expression leaves few of thousands for a path.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gitops_hooks.core.receive import shown

if TYPE_CHECKING:
    import re2

_MOST_MEMORY = 64 * 1024 * 1024
_LONGEST = 1000
_QUANTIFIERS = "*+?{"
_META = "\\.^$*+?()[]{}|"


class Expressions:
    """Expressions by number; built once and then only asked."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns
        self._numbers: dict[str, list[int]] = {}
        self._together: dict[str, _Together] = {}
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
            self._together[key] = _Together([self._patterns[number] for number in numbers], numbers)
        return self._together[key].matching(path)


def _key(pattern: str) -> str:
    """What every path that matches has: `/name` or `.ending` at its end, or `folder/` at its start."""
    first, last = literal_ends(pattern)
    if "/" in last:
        return _ending(last)
    if "/" in first:
        return first[: first.rindex("/") + 1]
    return _ending(last)


class _Together:
    """Expressions that may match the same path, matched all at once."""

    def __init__(self, patterns: Sequence[str], numbers: Sequence[int]) -> None:
        import re2

        self._patterns = patterns
        self._numbers = numbers
        self._set = re2.Set.FullMatchSet(_options())
        for pattern in patterns:
            self._set.Add(pattern)
        # A set that runs out of memory answers nothing; the last expression matches everything and gives that away.
        self._sentinel = self._set.Add("(?s:.*)")
        self._set.Compile()

    def matching(self, path: str) -> Iterable[int]:
        found = self._set.Match(path)
        if self._sentinel not in found:
            found = [at for at, pattern in enumerate(self._patterns) if _compile(pattern).fullmatch(path)]
        return [self._numbers[at] for at in found if at != self._sentinel]


def expression_faults(patterns: Sequence[str]) -> list[str]:
    """What keeps each from being asked; empty where nothing does."""
    import re2

    together = re2.Set.FullMatchSet(_options())
    found = []
    for pattern in patterns:
        if not 0 < len(pattern) <= _LONGEST:
            found.append(f"must have 1 to {_LONGEST} characters")
            continue
        try:
            together.Add(pattern)
            found.append("")
        except re2.error:
            found.append(_fault_of(pattern))
    return found


def _fault_of(pattern: str) -> str:
    """The same again alone: a set does not say why."""
    import re2

    try:
        _compile(pattern)
    except re2.error as error:
        words = error.args[0] if error.args else ""
        said = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        return f"cannot be read by RE2: {shown(said)}"
    return "cannot be read by RE2"


def _compile(pattern: str) -> "re2.Pattern":
    import re2

    return re2.compile(pattern, _options())


def _options() -> "re2.Options":
    import re2

    options = re2.Options()
    options.max_mem = _MOST_MEMORY
    options.log_errors = False
    # A newline in a file's name must not hide it from `.*`.
    options.dot_nl = True
    return options


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
