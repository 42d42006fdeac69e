"""The one door to RE2: regular expressions in time linear in the text, one alone or many at once.

Python's own `re` never sees an expression of theirs. RE2 is loaded only where there is one: that costs 11 ms.
"""

from collections.abc import Collection, Sequence
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from gitops_hooks.core.receive import shown

if TYPE_CHECKING:
    import re2

_TOGETHER = 64 * 1024 * 1024
_EVERYTHING = "(?s:.*)"


class Manner(Enum):
    """What an expression must fit; the value is how much memory one alone may take."""

    ANYWHERE = 1024 * 1024
    WHOLE = 64 * 1024 * 1024


def re2_fault(pattern: str, manner: Manner) -> str:
    """What RE2 says against an expression, or an empty string."""
    import re2

    try:
        _compiled(pattern, manner)
    except re2.error as error:
        words = error.args[0] if error.args else "unknown"
        said = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        return f"is no pattern of RE2: {shown(said)}"
    return ""


def re2_faults(patterns: Sequence[str], manner: Manner) -> list[str]:
    """The same for thousands: put into one set, which costs a tenth and does not say why."""
    import re2

    together = re2.Set.SearchSet(_options(manner, _TOGETHER))
    found = []
    for pattern in patterns:
        try:
            together.Add(readable(pattern))
            found.append("")
        except re2.error:
            found.append(re2_fault(pattern, manner) or "is no pattern of RE2")
    return found


class Together:
    """Expressions without a fault, held against a text all at once; built once and then only asked."""

    def __init__(self, patterns: Sequence[str], manner: Manner) -> None:
        import re2

        self._patterns = patterns
        self._manner = manner
        kinds = {Manner.ANYWHERE: re2.Set.SearchSet, Manner.WHOLE: re2.Set.FullMatchSet}
        self._set = kinds[manner](_options(manner, _TOGETHER))
        for pattern in patterns:
            self._set.Add(readable(pattern))
        # A set that runs out of memory answers nothing; the last expression matches everything and gives that away.
        self._sentinel = self._set.Add(_EVERYTHING)
        self._set.Compile()

    def matching(self, text: str) -> Collection[int]:
        """The numbers of all that match."""
        found = self._set.Match(readable(text))
        if self._sentinel in found:
            return [at for at in found if at != self._sentinel]
        return [at for at, pattern in enumerate(self._patterns) if _matches(pattern, self._manner, text)]


def _matches(pattern: str, manner: Manner, text: str) -> bool:
    compiled = _compiled(pattern, manner)
    fits = compiled.fullmatch if manner is Manner.WHOLE else compiled.search
    return fits(readable(text)) is not None


@lru_cache(maxsize=512)
def _compiled(pattern: str, manner: Manner) -> "re2.Pattern":
    import re2

    return re2.compile(readable(pattern), _options(manner, manner.value))


def _options(manner: Manner, memory: int) -> "re2.Options":
    import re2

    options = re2.Options()
    options.max_mem = memory
    options.log_errors = False
    # A newline in a file's name must not hide it from `.*`.
    options.dot_nl = manner is Manner.WHOLE
    return options


def readable(text: str) -> str:
    """RE2 reads UTF-8: half a pair, and what stands for bytes that are none, become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
