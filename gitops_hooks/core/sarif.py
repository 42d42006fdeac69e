"""Verdicts as SARIF 2.1.0, which code hosts and editors show beside the line."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from gitops_hooks.model.verdict import CheckOutcome, Finding, Severity, Verdict

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(verdicts: Sequence[Verdict], summaries: Mapping[str, str], version: str) -> dict[str, object]:
    """One run; a check that gave no verdict is a notification of a failed invocation, never silence."""
    failed = [verdict for verdict in verdicts if verdict.outcome is CheckOutcome.ERROR]
    rules = [
        {"id": verdict.check, "shortDescription": {"text": summaries.get(verdict.check) or verdict.check}}
        for verdict in verdicts
    ]
    invocation = {
        "executionSuccessful": not failed,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": verdict.detail}, "descriptor": {"id": verdict.check}}
            for verdict in failed
        ],
    }
    results = [_result(verdict, finding) for verdict in verdicts for finding in verdict.findings]
    driver = {"name": "gitops-hooks", "version": version, "rules": rules}
    run = {"tool": {"driver": driver}, "invocations": [invocation], "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(verdict: Verdict, finding: Finding) -> dict[str, object]:
    location: dict[str, object] = {"artifactLocation": {"uri": quote(finding.path, errors="surrogateescape")}}
    if finding.line:
        location["region"] = {"startLine": finding.line}
    return {
        "ruleId": verdict.check,
        "level": _level(verdict, finding),
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": location}],
    }


def _level(verdict: Verdict, finding: Finding) -> str:
    if verdict.waived is not None:
        return "note"
    return "error" if finding.severity is Severity.ERROR else "warning"
