"""Verdicts as words of a record, and as JSON between the hooks of one push."""

import json
from collections.abc import Iterable

from gitops_hooks.model.event_words import Word
from gitops_hooks.model.verdict import CheckOutcome, Finding, Severity, Verdict


def verdict_words(verdicts: Iterable[Verdict]) -> tuple[Word, ...]:
    """`check:outcome:tree`, one a verdict."""
    return tuple(Word(f"{verdict.check}:{verdict.outcome.value}:{verdict.tree}") for verdict in verdicts)


def write_verdicts(verdicts: Iterable[Verdict]) -> str:
    return json.dumps(
        [
            [
                v.check,
                v.tree,
                v.outcome.value,
                v.detail,
                [[f.path, f.line, f.message, f.severity.value] for f in v.findings],
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
        )
        for check, tree, outcome, detail, findings in json.loads(text)
    )
