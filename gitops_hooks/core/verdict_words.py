"""Verdicts as words of a record, and as JSON between the hooks of one push."""

import json
from collections.abc import Iterable

from gitops_hooks.model.command import Awaited, Command
from gitops_hooks.model.event_words import Word
from gitops_hooks.model.verdict import CheckOutcome, Finding, Severity, Status, Verdict


def verdict_words(verdicts: Iterable[Verdict]) -> tuple[Word, ...]:
    """`check:outcome:tree`, one a verdict."""
    return tuple(Word(f"{verdict.check}:{verdict.outcome.value}:{verdict.tree}") for verdict in verdicts)


def run_words(verdicts: Iterable[Verdict]) -> tuple[Word, ...]:
    """`check/name:definition:event`, one a command that had to pass; `-` where break-glass went without a result."""
    return tuple(
        Word(f"{verdict.check}/{one.command.name}:{one.command.definition(verdict.check)}:{one.event or '-'}")
        for verdict in verdicts
        if verdict.waived is not Status.BYPASSED
        for one in verdict.awaited
    )


def write_verdicts(verdicts: Iterable[Verdict]) -> str:
    """All of them but for what the record says of commands, which is looked up again under the lock."""
    return json.dumps(
        [
            [
                v.check,
                v.tree,
                v.outcome.value,
                v.detail,
                [[f.path, f.line, f.message, f.severity.value] for f in v.findings],
                [[a.command.name, a.command.words, a.command.seconds] for a in v.awaited],
            ]
            for v in verdicts
        ]
    )


def read_verdicts(text: str) -> tuple[Verdict, ...]:
    """Errors: ValueError, TypeError or KeyError where the text is not what write_verdicts wrote."""
    return tuple(
        Verdict(
            check,
            tree,
            CheckOutcome(outcome),
            tuple(Finding(path, line, message, Severity(severity)) for path, line, message, severity in findings),
            detail,
            awaited=tuple(Awaited(Command(name, tuple(words), seconds)) for name, words, seconds in awaited),
        )
        for check, tree, outcome, detail, findings, awaited in json.loads(text)
    )
