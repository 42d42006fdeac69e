"""The commands that a recorded landing rested on, held against the signed events that hold their results."""

from gitops_hooks.edge.record import Record
from gitops_hooks.model.change_event import Ran
from gitops_hooks.model.command import CommandState
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.event import Landing
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import CheckOutcome


def judge_runs(record: Record, landing: Landing) -> Refusal | None:
    """Whether each had passed on the very tree that landed; break-glass alone goes without, and says so."""
    for words in landing.runs:
        what, _, rest = words.partition(":")
        definition, _, event = rest.partition(":")
        if not _passed(record, landing, (what, definition), event) and not _overridden(landing, what):
            return Refusal("checks", f"{what} is not recorded to have passed on the tree that landed")
    return None


def _passed(record: Record, landing: Landing, meant: tuple[str, str], event: str) -> bool:
    try:
        body = record.event(event).body
    except (EdgeError, ValueError):
        return False
    if not isinstance(body, Ran) or body.state is not CommandState.PASSED:
        return False
    return (f"{body.check}/{body.name}", body.definition, body.tree) == (*meant, landing.tree)


def _overridden(landing: Landing, what: str) -> bool:
    check = what.partition("/")[0]
    return bool(landing.reason) and f"{check}:{CheckOutcome.FINDINGS.value}:{landing.tree}" in landing.verdicts
