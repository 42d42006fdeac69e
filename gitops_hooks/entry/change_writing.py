"""The write order of what people say of changes beside approvals: edits, comments, rebases, reopening, stacks."""

from dataclasses import replace
from functools import partial

from gitops_hooks.edge.record import meta_ref
from gitops_hooks.edge.refs import LostRace, RefMove
from gitops_hooks.entry.finish import finish
from gitops_hooks.entry.landing import mend_change, next_revision, proposed, recorded, reserve, revise_with
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.change_event import Commented, Edited, PlanAsked, Rebased, Reopened
from gitops_hooks.model.event import Body, Event
from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.judgement import AskPlan, Edit, Rebase, Reopen, Revise, Say, Stack, Unchanged
from gitops_hooks.model.push import NO_OID, Actor


def edit(sitting: Sitting, actor: Actor, effect: Edit) -> ChangeRecord | LostRace:
    number = effect.record.number
    # The index has to learn of it too, also where this is killed before it does.
    sitting.record.index.begin(number)
    event = sitting.ledger.append(meta_ref(number), _edited(effect), actor, expect=effect.record.tip)
    if isinstance(event, LostRace):
        return event
    finish(lambda: mend_change(sitting, number))
    return recorded(sitting, number)


def _edited(effect: Edit) -> Edited:
    return Edited(
        effect.record.number,
        Oid(effect.record.head.head),
        Text(effect.title),
        Text(effect.description),
        effect.life.draft,
        effect.auto_land,
        tuple(Word(name) for name in effect.life.reviewers),
        tuple(Word(name) for name in effect.life.cc),
    )


def comment(sitting: Sitting, actor: Actor, effect: Say) -> Event | LostRace:
    body = Commented(effect.record.number, Oid(effect.record.head.head), Text(effect.message))
    return sitting.ledger.append(meta_ref(effect.record.number), body, actor, expect=effect.record.tip)


def reopen(sitting: Sitting, actor: Actor, effect: Reopen) -> Event | LostRace:
    sitting.record.index.begin(effect.record.number)
    body = Reopened(effect.record.number, Text(effect.message))
    event = sitting.ledger.append(meta_ref(effect.record.number), body, actor, expect=effect.record.tip)
    if not isinstance(event, LostRace):
        finish(lambda: mend_change(sitting, effect.record.number))
    return event


def rebase(sitting: Sitting, actor: Actor, effect: Rebase) -> ChangeRecord | LostRace:
    """As a revision that is pushed: its ref, then meta (the commit point), then head."""
    record, span = effect.record, effect.span

    def body(number: int, revision: int) -> Rebased:
        return Rebased(
            number,
            revision,
            Oid(record.head.head),
            Oid(span.base),
            Oid(span.head),
            tuple(Oid(commit.oid) for commit in span.commits),
            Oid(sitting.policy.commit),
            tuple(Word(words) for words in effect.verdicts),
            effect.life.depends,
            Oid(effect.life.ground),
        )

    return revise_with(sitting, actor, record, (record.number, span.head), body)


def stack(sitting: Sitting, actor: Actor, effect: Stack) -> tuple[ChangeRecord, ...] | LostRace:
    """All revision refs, then all histories in one transaction (the commit point), then the heads."""
    numbers = _numbers(sitting, actor, effect)
    revisions: list[RefMove] = []
    histories: list[RefMove] = []
    below = 0
    for number, part in zip(numbers, effect.parts, strict=True):
        sitting.record.index.begin(number)
        body: Body | None = _edited(part) if isinstance(part, Edit) else None
        if isinstance(part, Revise):
            revision = next_revision(sitting, number, part.record)
            revisions.append(RefMove(f"refs/changes/{number}/{revision}", NO_OID, part.span.head))
            body = proposed(sitting, _standing_on(part, below), number, revision)
        if body:
            tip = part.record.tip if part.record else NO_OID
            histories.append(sitting.ledger.prepare(meta_ref(number), body, actor, tip))
        below = number
    for moves in (revisions, histories):
        if moves and (lost := sitting.ledger.refs.move(moves)):
            return lost
    for number in numbers:
        finish(partial(mend_change, sitting, number))
    return tuple(recorded(sitting, number) for number in numbers)


def _numbers(sitting: Sitting, actor: Actor, effect: Stack) -> tuple[int, ...]:
    return tuple(
        reserve(sitting, actor, part) if isinstance(part, Revise) and part.record is None else _number_of(part)
        for part in effect.parts
    )


def _number_of(part: Revise | Edit | Unchanged) -> int:
    return part.record.number if part.record else 0


def _standing_on(part: Revise, below: int) -> Revise:
    """The change below had no number when this was judged, if it is a new one."""
    if not below or part.life.depends:
        return part
    return replace(part, life=replace(part.life, depends=below))


def ask_plan(sitting: Sitting, actor: Actor, effect: AskPlan) -> Event | LostRace:
    body = PlanAsked(effect.record.number, Oid(effect.record.head.head), Text(effect.message))
    return sitting.ledger.append(meta_ref(effect.record.number), body, actor, expect=effect.record.tip)
