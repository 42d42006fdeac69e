"""Patterns of the policy over what pushers write, found anywhere in it."""

from collections.abc import Sequence
from functools import lru_cache

from gitops_hooks.core.re2_door import Manner, Together, re2_fault

LONGEST = 500


def pattern_fault(pattern: str) -> str:
    """What is wrong with a pattern, or an empty string."""
    if len(pattern) > LONGEST:
        return f"is longer than {LONGEST} characters"
    return re2_fault(pattern, Manner.ANYWHERE)


def found_in(pattern: str, text: str) -> bool:
    """Whether the pattern matches anywhere in the text."""
    return bool(all_found_in((pattern,), text))


def all_found_in(patterns: tuple[str, ...], text: str) -> frozenset[str]:
    """Those of the patterns, none of which has a fault, that match anywhere in the text."""
    return frozenset(patterns[at] for at in _together(patterns).matching(text)) if patterns else frozenset()


@lru_cache(maxsize=32)
def _together(patterns: Sequence[str]) -> Together:
    return Together(patterns, Manner.ANYWHERE)
