"""Regular expressions over what pushers write, matched in time linear in the text (RE2, never Python's own `re`)."""

from collections.abc import Callable
from functools import lru_cache

LONGEST = 500
_MEMORY = 1024 * 1024


def pattern_fault(pattern: str) -> str:
    """What is wrong with a pattern, or an empty string."""
    if len(pattern) > LONGEST:
        return f"is longer than {LONGEST} characters"
    try:
        _search(pattern)
    except ValueError as error:
        return f"is no pattern of RE2: {error}"
    return ""


def found_in(pattern: str, text: str) -> bool:
    """Whether the pattern matches anywhere in the text. Errors: ValueError for what pattern_fault told."""
    # RE2 reads UTF-8: half a pair, and what stands for bytes that are none, become question marks.
    return _search(pattern)(text.encode("utf-8", "replace").decode())


@lru_cache(maxsize=512)
def _search(pattern: str) -> Callable[[str], bool]:
    # Loading it costs 11 ms, and most policies have no pattern.
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        compiled = re2.compile(pattern.encode("utf-8", "replace").decode(), options)
    except re2.error as error:
        said = error.args[0] if error.args else "unknown"
        raise ValueError(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from None
    return lambda text: compiled.search(text) is not None
