"""What a verdict's commands say of a landing, in words: nothing lands before each has passed on what would land."""

from dataclasses import replace

from gitops_hooks.model.command import Awaited, CommandState
from gitops_hooks.model.verdict import CheckOutcome, Finding, Verdict


def hold_back(verdict: Verdict, number: int, branch: str) -> Verdict:
    """The verdict as a landing meets it: every command that has not passed is a finding that refuses.

    `number` is the change's, 0 for a push without one; `branch` is its short name.
    """
    if not verdict.awaited or verdict.outcome is CheckOutcome.ERROR:
        return verdict
    missing = [each for each in verdict.awaited if each.state is not CommandState.PASSED]
    said = tuple(Finding(f"{verdict.check}/{each.command.name}", 0, sentence(each, number, branch)) for each in missing)
    found = (*verdict.findings, *said)
    return replace(verdict, outcome=CheckOutcome.FINDINGS if found else CheckOutcome.OK, findings=found)


def sentence(one: Awaited, number: int, branch: str) -> str:
    """Why a command keeps a landing back, and what is to be done."""
    how = _HOW[one.state].format(detail=one.detail)
    if not number:
        return f"{how} on what this push makes; propose it: git push origin HEAD:refs/for/{branch}"
    if one.state is CommandState.PENDING:
        follow = f"follow it: ssh <host> change log {number} --follow"
        if one.before:
            return f"{branch} has moved since it ran, so it runs again on what would land now; {follow}"
        return f"{how} on what would land; {follow}"
    again = f"read it: ssh <host> change log {number}; run it again: ssh <host> change check {number}"
    return f"{how} on what would land; {again}"


_HOW = {
    CommandState.PENDING: "has not passed yet",
    CommandState.PASSED: "passed",
    CommandState.FAILED: "failed ({detail})",
    CommandState.LATE: "{detail}, which counts as failed,",
    CommandState.ERROR: "could not be run ({detail})",
}
