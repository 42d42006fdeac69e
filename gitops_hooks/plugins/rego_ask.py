"""Asking policies: what is asked, what comes back, and what an engine must be able to do for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gitops_hooks.plugins.plain_documents import Plain
from gitops_hooks.plugins.rego_modules import Module
from gitops_hooks.plugins.rego_tests import Test

PACKAGE = "gitops_hooks_asked"
_WHOLE = range(-(2**63), 2**63)


class NoAnswer(Exception):
    """The engine gave no answer that can be trusted: why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One rule that is asked: its namespace and name."""

    namespace: str
    rule: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing in a policy that does not pass."""

    path: str
    line: int
    message: str


Messages = list[list[str]]
"""Of each rule that was asked."""

Ask = Callable[[Sequence[Plain]], list[Messages | NoAnswer]]
"""From inputs to the messages for each, or why there are none."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Who evaluates policies.

    `faults` is what it does not take, `untie` makes a module with tests ready for it. `open_question` and
    `failing_tests` (those that are not true) raise NoAnswer where policies or tests have no answer at all.
    """

    faults: Callable[[Sequence[Module]], list[Fault]]
    untie: Callable[[Module], tuple[Module, tuple[Test, ...]]]
    open_question: Callable[[Sequence[Module], Plain, Sequence[Asked]], Ask]
    failing_tests: Callable[[Sequence[Module], Plain, Sequence[Test]], list[Test]]


def refuse_strange(value: Plain) -> Plain:
    """Errors: NoAnswer for what an engine would take for something else."""
    waiting: list[object] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting.extend(each.values())
            waiting.extend(each)
        elif isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, str) and ("\0" in each or any("\ud800" <= char <= "\udfff" for char in each)):
            raise NoAnswer("holds a NUL, or text that is no Unicode")
        elif isinstance(each, int) and each not in _WHOLE:
            raise NoAnswer("holds a whole number beyond 64 bits; quote it")
    return value
