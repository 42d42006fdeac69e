"""What of a change's own life keeps it from landing: that it is a draft, and what it stands on."""

from gitops_hooks.core.decide import fails
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.verdict import Requirement

DRAFT = fails("draft", "It is a draft: with -o ready it may land.")


def judge_draft(record: ChangeRecord, head: str) -> tuple[Requirement, ...]:
    """A draft takes approvals and does not land."""
    if not record.draft:
        return ()
    branch = record.target.removeprefix("refs/heads/")
    line = f"git push origin {head}:refs/for/{branch}%change={record.number},ready"
    return (fails("draft", f"Change {record.number} is a draft. Make it ready:\n{line}"),)


def judge_below(below: ChangeRecord | None, ground: str, rebase: str) -> Requirement:
    """Why a change cannot land that stands on `ground`, a commit of the change below, which is not in the branch.

    `rebase` is the line that puts it where it can.
    """
    if below is None:
        return fails("base", "There is no such change any more as the one that it stands on.")
    number = below.number
    match below.state:
        case ChangeState.CLOSED:
            return fails("base", f"Change {number}, which it stands on, was closed. Put it on the branch:\n{rebase}")
        case ChangeState.LANDED:
            reason = (
                f"Change {number} landed as {below.landed_as[:7]}, and this one stands on {ground[:7]}, "
                f"which is not in the branch. Rebase it, and have it approved:\n{rebase}"
            )
            return fails("base", reason)
    if below.head.head != ground:
        return fails("base", f"Change {number}, which it stands on, has a newer revision. Rebase it:\n{rebase}")
    return fails("base", f"Change {number}, which it stands on, has not landed yet.")
