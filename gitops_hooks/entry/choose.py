"""Which change a proposal belongs to: a new one, or a revision of an open one."""

import re

from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.commit import Commit
from gitops_hooks.model.push import Actor
from gitops_hooks.model.request import Propose, Refusal

_CHANGE_ID = re.compile(r"^Change-Id: (I[0-9a-f]{40})$", re.MULTILINE)


def change_id_of(commit: Commit) -> str:
    """Gerrit's name for a change that outlives its commits, or ""."""
    return "".join(_CHANGE_ID.findall(commit.message)[-1:])


def choose_change(
    sitting: Sitting, actor: Actor, request: Propose, target: str, topic: str, change_id: str
) -> ChangeRecord | Refusal | None:
    """The open change that this head is a revision of, None for a new change, or why it is neither."""
    sitting.record.ensure_changes()
    if request.change:
        return _named(sitting, request, target)
    mine = open_on(sitting, actor, target, topic)
    if not mine:
        return _checked(None, request) if request.old_oid else no_room(sitting, actor.name)
    if topic and len(mine) == 1:
        return _checked(mine[0], request)
    named = [record for record in mine if change_id and record.change_id == change_id]
    # Of a stack, a head continues all that it contains: the uppermost is meant.
    continued = [record for record in mine if _continues(sitting, record, request.head)]
    found = named or continued[-1:]
    return _checked(found[0], request) if found else _undecided(mine, target)


def _named(sitting: Sitting, request: Propose, target: str) -> ChangeRecord | Refusal:
    record = sitting.record.change(request.change)
    if record is None:
        return Refusal("change", f"There is no change {request.change}.", "See what there is:  ssh <host> change list")
    if record.state is not ChangeState.OPEN:
        return Refusal("change", f"Change {record.number} is {record.state.value}.", "Propose anew without -o change.")
    if record.target != target:
        branch = record.target.removeprefix("refs/heads/")
        return Refusal("change", f"Change {record.number} is for {branch}.", f"git push origin HEAD:refs/for/{branch}")
    return _checked(record, request)


def _checked(record: ChangeRecord | None, request: Propose) -> ChangeRecord | Refusal:
    """`old-oid` is a compare-and-swap on the change's head."""
    if record is None:
        return Refusal("old-oid", "There is no open change of yours there, so nothing is at old-oid.")
    if request.old_oid and request.old_oid != record.head.head:
        return Refusal("old-oid", f"Change {record.number} is at {record.head.head}, not at {request.old_oid}.")
    return record


def open_on(sitting: Sitting, actor: Actor, target: str, topic: str) -> list[ChangeRecord]:
    """The actor's open changes there, as their own records say: the index alone decides nothing."""
    numbers = sitting.record.index.open_on(actor.name, target, topic)
    found = [sitting.record.change(number) for number in numbers]
    return [record for record in found if record and record.state is ChangeState.OPEN]


def _continues(sitting: Sitting, record: ChangeRecord, head: str) -> bool:
    return sitting.repository.is_commit(record.head.head) and sitting.repository.descends(head, record.head.head)


def no_room(sitting: Sitting, owner: str, more: int = 1) -> Refusal | None:
    """Why somebody may not have so many open changes more."""
    most = sitting.server.limits.open_changes
    if len(sitting.record.index.open_numbers(owner)) + more <= most:
        return None
    return Refusal("limits", f"{owner} has {most} open changes.", "Close one:  git push origin :refs/close/<n>")


def _undecided(mine: list[ChangeRecord], target: str) -> Refusal:
    branch = target.removeprefix("refs/heads/")
    numbers = ", ".join(str(record.number) for record in mine)
    first = mine[0].number
    return Refusal(
        "change",
        f"You have change {numbers} open for {branch}, and this head neither continues it nor has its Change-Id.",
        f"A revision of it:  git push origin HEAD:refs/for/{branch} -o change={first}\n"
        f"A change of its own:  git push origin HEAD:refs/for/{branch}/<topic>",
    )
