"""What was accepted about a change's own life, carried out and told: revisions, edits, stacks, rebases."""

from gitops_hooks.core.pktline import Moved, Report
from gitops_hooks.core.report import field, life, needs, proposed
from gitops_hooks.core.report import landed as landed_lines
from gitops_hooks.edge.refs import LostRace
from gitops_hooks.edge.terminal import tell
from gitops_hooks.entry import change_writing, landing
from gitops_hooks.entry.auto_land import land_if_asked
from gitops_hooks.entry.done import Done, head_ref, landed_report, lost_race
from gitops_hooks.entry.sitting import Checker, Sitting
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.judgement import Edit, Judgement, Rebase, Revise, Stack, Unchanged
from gitops_hooks.model.push import NO_OID, Actor, RefUpdate
from gitops_hooks.model.verdict import Verdict

Part = Revise | Edit | Unchanged


def carry_out_change(
    sitting: Sitting, actor: Actor, judgement: Judgement, effect: Part | Stack | Rebase, check: Checker
) -> Done:
    """Write it, tell it, and land it where it was the last thing that a landing waited for."""
    match effect:
        case Unchanged():
            return _unchanged(judgement, effect)
        case Stack():
            return _stack(sitting, actor, judgement, effect)
        case Rebase():
            return _rebase(sitting, actor, judgement, effect)
        case Edit():
            record = change_writing.edit(sitting, actor, effect)
        case Revise():
            record = landing.revise(sitting, actor, effect)
    if isinstance(record, LostRace):
        return lost_race(judgement.update, record)
    _tell(record, judgement.decision.verdicts, effect)
    return _landing(sitting, judgement.update, record, (_moved(sitting, effect, record),), check)


def _unchanged(judgement: Judgement, effect: Unchanged) -> Done:
    record = effect.record
    _tell(record, judgement.decision.verdicts, effect)
    head = record.head.head
    return Done(Report(judgement.update.ref, True, moved=(Moved(head_ref(record), head, head),)))


def _stack(sitting: Sitting, actor: Actor, judgement: Judgement, effect: Stack) -> Done:
    records = change_writing.stack(sitting, actor, effect)
    if isinstance(records, LostRace):
        return lost_race(judgement.update, records)
    for record, part, verdicts in zip(records, effect.parts, effect.verdicts, strict=True):
        _tell(record, verdicts, part)
    moved = tuple(_moved(sitting, part, record) for part, record in zip(effect.parts, records, strict=True))
    return Done(Report(judgement.update.ref, True, moved=moved))


def _rebase(sitting: Sitting, actor: Actor, judgement: Judgement, effect: Rebase) -> Done:
    """The client has none of the new commits: it is told of the head that it pushed, and how to get the others."""
    update, before = judgement.update, effect.record.head.head
    record = change_writing.rebase(sitting, actor, effect)
    if isinstance(record, LostRace):
        return lost_race(update, record)
    newest = record.head
    lines = [f"gitops: change {record.number} rebased onto {newest.base[:7]} as revision {newest.number}"]
    fetch = f"  fetch it   git fetch origin {head_ref(record)}"
    tell([*lines, *life(record), f"  head       {before[:7]} → {newest.head[:7]}", *needs(effect.needs), fetch])
    return Done(Report(update.ref, True, moved=(Moved(head_ref(record), before, before),)))


def _tell(record: ChangeRecord, verdicts: tuple[Verdict, ...], part: Part) -> None:
    told = (part.needs, life(record), part.notes)
    tell(proposed(record.number, record.head.number, record.target, verdicts, *told))


def _moved(sitting: Sitting, part: Part, record: ChangeRecord) -> Moved:
    before, now = part.record.head.head if part.record else NO_OID, record.head.head
    forced = before not in (NO_OID, now) and not sitting.repository.descends(now, before)
    return Moved(head_ref(record), before, now, forced)


def _landing(
    sitting: Sitting, update: RefUpdate, record: ChangeRecord, moved: tuple[Moved, ...], check: Checker
) -> Done:
    """Where this was the last thing that a landing waited for, it lands now."""
    stored = Done(Report(update.ref, True, moved=moved))
    try:
        landed = land_if_asked(sitting, record, check)
    except EdgeError as error:
        # What was said is recorded; the reconciler tries again.
        tell(field("not landed", str(error)))
        return stored
    if landed is None:
        return stored
    effect, new = landed.effect, landed.new
    tell([f"gitops: change {record.number} landed, as {landed.actor.name} had asked"])
    tell(landed_lines(effect.ref, effect.span.tip, new, effect.shape.value))
    return Done(landed_report(update, effect, new), (effect.ref,))
