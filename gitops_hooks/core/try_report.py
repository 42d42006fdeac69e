"""What the checks of a change said, as facts for programs."""

from collections.abc import Iterable

from gitops_hooks.model.verdict import Finding, Verdict


def verdict_facts(verdicts: Iterable[Verdict]) -> list[dict[str, object]]:
    """One object a check; the words are those of `docs/plugins.md`."""
    return [
        {
            "check": verdict.check,
            "outcome": verdict.outcome.value,
            "refuses": verdict.refuses,
            "waived": verdict.waived.value if verdict.waived else "",
            "detail": verdict.detail,
            "findings": [_facts(finding) for finding in verdict.findings],
        }
        for verdict in verdicts
    ]


def _facts(finding: Finding) -> dict[str, object]:
    return {
        "path": finding.path,
        "line": finding.line,
        "message": finding.message,
        "severity": finding.severity.value,
    }
