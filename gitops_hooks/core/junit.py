"""Verdicts as JUnit XML, which every CI reads: a test case a check."""

import re
from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from gitops_hooks.core.report import escape
from gitops_hooks.model.verdict import CheckOutcome, Finding, Verdict


def junit(verdicts: Sequence[Verdict]) -> str:
    """One suite; findings that refuse are a failure, no verdict is an error, what is only told is output."""
    failures = sum(verdict.refuses and verdict.outcome is not CheckOutcome.ERROR for verdict in verdicts)
    errors = sum(verdict.outcome is CheckOutcome.ERROR for verdict in verdicts)
    head = f'<testsuite name="gitops-hooks" tests="{len(verdicts)}" failures="{failures}" errors="{errors}">'
    cases = "".join(_case(verdict) for verdict in verdicts)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n{head}\n{cases}</testsuite>\n</testsuites>\n'


def _case(verdict: Verdict) -> str:
    start = f"<testcase classname={_quoted('gitops-hooks')} name={_quoted(verdict.check)}"
    if verdict.outcome is CheckOutcome.ERROR:
        return f"{start}><error message={_quoted(verdict.detail)}/></testcase>\n"
    lines = "\n".join(_line(finding) for finding in verdict.findings)
    if not lines:
        return f"{start}/>\n"
    if not verdict.refuses:
        return f"{start}><system-out>{_text(lines)}</system-out></testcase>\n"
    first = lines.split("\n", 1)[0]
    return f"{start}><failure message={_quoted(first)}>{_text(lines)}</failure></testcase>\n"


def _line(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    # Escaped, because XML has no way to write most control characters at all.
    return escape(f"{place}: {finding.message}")


def _quoted(text: str) -> str:
    return quoteattr(_plain(text))


def _text(text: str) -> str:
    return _plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> str:
    return re.sub(r"[^\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)
