"""`change check`: the commands of a change that did not pass are run once more, because somebody asked for it."""

from gitops_hooks.core.govern import govern
from gitops_hooks.edge.bell import ensure_reconciler, ring
from gitops_hooks.edge.locks import hold
from gitops_hooks.edge.record import meta_ref
from gitops_hooks.entry.landing import mend_change
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.change_event import RunAgain
from gitops_hooks.model.command import CommandState
from gitops_hooks.model.event_words import Oid
from gitops_hooks.model.push import Actor
from gitops_hooks.model.request import Refusal

_LOCK_SECONDS = 30.0


def run_again(sitting: Sitting, actor: Actor, number: int, *, administrator: bool) -> tuple[str, ...] | Refusal:
    """Record the wish, and wake the reconciler."""
    record = sitting.record.change(number)
    if record is None:
        return Refusal("change", f"There is no change {number}.")
    with hold(sitting.state, record.target, _LOCK_SECONDS):
        record = sitting.record.change(number) or record
        if refusal := None if administrator else _may_not(sitting, record, actor):
            return refusal
        if fault := _nothing(record):
            return fault
        sitting.record.index.begin(number)
        sitting.ledger.log(meta_ref(number), RunAgain(number, Oid(record.head.head)), actor)
        mend_change(sitting, number)
    ensure_reconciler(sitting.home)
    ring(sitting.home)
    return (f"gitops: change {number}: what did not pass runs again", f"follow it:  change log {number} --follow")


def _may_not(sitting: Sitting, record: ChangeRecord, actor: Actor) -> Refusal | None:
    """Who may propose for the branch may make a revision, which would run them all: this asks for no more."""
    if not sitting.entry.may_write(actor.name):
        return Refusal("write", f"you may read '{sitting.entry.name}' but not push to it")
    governing = govern(sitting.policy, record.target)
    right = governing.may("propose", actor.name) if governing else None
    if right is None or right.holds:
        return None
    return Refusal("propose", f"{right.reason} ({right.place})")


def _nothing(record: ChangeRecord) -> Refusal | None:
    if record.state is not ChangeState.OPEN:
        return Refusal("change", f"Change {record.number} is {record.state.value}.")
    if all(result.state is CommandState.PASSED for result in record.results) and record.results:
        return Refusal("change", f"No command of change {record.number} has ended without passing.")
    return None
