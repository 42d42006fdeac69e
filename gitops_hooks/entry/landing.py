"""The write order of everything that is recorded: record first, one commit point, then what can be rebuilt."""

from collections.abc import Callable
from datetime import datetime

from gitops_hooks.core.debts import overdue
from gitops_hooks.core.results import Inscription
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.edge.record import LOG, meta_ref
from gitops_hooks.edge.refs import LostRace, RefMove
from gitops_hooks.entry.dropping import drop_content
from gitops_hooks.entry.finish import finish
from gitops_hooks.entry.results import plan_result, write_result
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.change_event import Approved, ChangeLanded, Closed, Proposed, Rejected, Withdrawn
from gitops_hooks.model.debt import Override
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.event import Body, Event, Landed, Landing, Voided
from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.judgement import Approve, Close, Land, Reject, Revise, Settle, Withdraw
from gitops_hooks.model.push import NO_OID, Actor
from gitops_hooks.model.request import Refusal

KEPT = "refs/gitops/kept/"


def land(sitting: Sitting, actor: Actor, effect: Land) -> str | LostRace:
    """Intent, then the ref in one transaction, then `landed`; the new tip, or why nothing moved."""
    close_intent(sitting, effect.ref)
    sitting.record.sync()
    at = sitting.ledger.now()
    new = _result(sitting, actor, effect, at)
    if effect.way in ("delete", "force"):
        _keep(sitting, effect.span.tip)
    intent = sitting.ledger.log(LOG, _intent(sitting, effect, new), actor, at)
    lost = _closed(sitting, intent) or sitting.ledger.refs.move(
        [RefMove(effect.ref, effect.span.tip, new)], _verified(sitting, effect)
    )
    if lost:
        sitting.ledger.log(LOG, Voided(Oid(intent.oid), Word(effect.ref)), SERVER)
        return lost
    finish(lambda: _close_landed(sitting, intent))
    return new


def _closed(sitting: Sitting, intent: Event) -> LostRace | None:
    """The time in the record decides whether a branch is closed, and it is written a moment after the judging."""
    body = intent.body
    if isinstance(body, Landing) and overdue(sitting.record.index.debts(body.ref), intent.stamp.at):
        return LostRace(f"{body.ref} closed in this moment: a landing by break-glass was not approved in time")
    return None


def kept_ref(oid: str) -> str:
    """Where what a forced or deleted ref stood at is kept: the record speaks of it, and a mirror must hold it."""
    return f"{KEPT}{oid}"


def _keep(sitting: Sitting, oid: str) -> None:
    if sitting.repository.tip(kept_ref(oid)) != NO_OID:
        return
    if lost := sitting.ledger.refs.move([RefMove(kept_ref(oid), NO_OID, oid)]):
        raise EdgeError(kept_ref(oid), lost.words)


def _result(sitting: Sitting, actor: Actor, effect: Land, at: datetime) -> str:
    """The approved head itself, or what the server makes of exactly (tip, head), at the time of its record."""
    number, title = (effect.record.number, effect.record.title) if effect.record else (0, "")
    landing = Inscription(number, title, effect.ref.removeprefix("refs/heads/"), actor.name)
    planned = plan_result(sitting.repository, effect.shape, effect.span, effect.merged, landing)
    if isinstance(planned, Refusal):
        raise EdgeError(effect.ref, planned.reason)
    return write_result(sitting.ledger.objects, planned, effect.span.tip, effect.span.head, at)


def _intent(sitting: Sitting, effect: Land, new: str) -> Landing:
    return Landing(
        Word(effect.way),
        effect.record.number if effect.record else 0,
        Word(effect.ref),
        Oid(effect.span.tip),
        Oid(new),
        Oid(effect.merged.tree),
        Oid(effect.span.base),
        Oid(effect.span.head),
        Oid(sitting.policy.commit),
        Text(sitting.policy.floor.text),
        tuple(Word(name) for name in effect.authors),
        tuple(Oid(oid) for oid in effect.approvals),
        tuple(Word(name) for name in effect.counted),
        tuple(Word(words) for words in effect.verdicts),
        effect.judged,
        tuple(Word(words) for words in effect.vouched),
        Word(effect.signer),
        Text(effect.signer_key),
        Oid(effect.record.tip if effect.record else NO_OID),
        tuple(Word(name) for name in effect.bots),
        tuple(Word(words) for words in effect.kept),
        tuple(Word(words) for words in effect.owners),
        *_override(effect.override),
        tuple(Word(words) for words in effect.runs),
        tuple(Word(words) for words in effect.deployed),
        Word(effect.plan),
    )


def _override(override: Override | None) -> tuple[Text, Text, int]:
    if override is None:
        return Text(""), Text(""), 0
    return Text(override.reason), Text("\n".join(override.overridden)), override.settle


def _verified(sitting: Sitting, effect: Land) -> list[tuple[str, str]]:
    """What must not have moved since it was judged: the change's record, and the policy."""
    verify = [(meta_ref(effect.record.number), effect.record.tip)] if effect.record else []
    if effect.ref != sitting.default.ref:
        verify.append((sitting.default.ref, sitting.default.real))
    return verify


def close_intent(sitting: Sitting, ref: str) -> None:
    """Close what a killed writer left open on this ref, as landed or as void; the caller holds the ref's lock."""
    sitting.record.sync()
    landing = sitting.record.index.intent(ref)
    if not landing:
        return
    intent = sitting.record.event(landing)
    if not isinstance(intent.body, Landing):
        raise EdgeError(f"event {landing[:12]}", "is no landing")
    real = sitting.repository.tip(ref)
    if real == intent.body.new:
        _close_landed(sitting, intent)
    elif real == intent.body.old:
        sitting.ledger.log(LOG, Voided(Oid(landing), Word(ref)), SERVER)
        sitting.record.sync()
    # Anything else was moved by hand: the standing says so, and only the administrator closes it.


def _close_landed(sitting: Sitting, intent: Event) -> None:
    body = intent.body
    if not isinstance(body, Landing):
        raise EdgeError(f"event {intent.oid[:12]}", "is no landing")
    sitting.ledger.log(LOG, Landed(Oid(intent.oid), body.ref, body.new), SERVER)
    sitting.record.sync()
    if body.change:
        finish_change(sitting, body.change, intent)


def finish_change(sitting: Sitting, number: int, intent: Event) -> None:
    """Tell the change that it landed, unless it knows."""
    record = sitting.record.change(number)
    body = intent.body
    if record is None or not isinstance(body, Landing):
        return
    if record.state is ChangeState.OPEN:
        landed = ChangeLanded(number, body.head, body.new, Oid(intent.oid))
        sitting.ledger.log(meta_ref(number), landed, SERVER)
    # Its head too: whoever proposed it may have been killed before that was written.
    mend_change(sitting, number)


def revise(sitting: Sitting, actor: Actor, effect: Revise) -> ChangeRecord | LostRace:
    """Revision ref, then meta (the commit point), then head."""
    number = effect.record.number if effect.record else reserve(sitting, actor, effect)
    place = (number, effect.span.head)
    return revise_with(sitting, actor, effect.record, place, lambda *at: proposed(sitting, effect, *at))


def revise_with(
    sitting: Sitting,
    actor: Actor,
    record: ChangeRecord | None,
    place: tuple[int, str],
    body: Callable[[int, int], Body],
) -> ChangeRecord | LostRace:
    """One more revision of change `place[0]` at commit `place[1]`; `body` makes its event of number and revision."""
    number, head = place
    sitting.record.index.begin(number)
    revision = next_revision(sitting, number, record)
    lost = sitting.ledger.refs.move([RefMove(f"refs/changes/{number}/{revision}", NO_OID, head)])
    if lost:
        return lost
    tip = record.tip if record else NO_OID
    event = sitting.ledger.append(meta_ref(number), body(number, revision), actor, expect=tip)
    if isinstance(event, LostRace):
        return event
    finish(lambda: mend_change(sitting, number))
    return recorded(sitting, number)


def reserve(sitting: Sitting, actor: Actor, effect: Revise) -> int:
    """A number whose refs are free: the index proposes, the refs decide."""
    for _ in range(1000):
        number = sitting.record.index.reserve(actor.name, effect.target, effect.topic)
        if sitting.repository.tip(meta_ref(number)) == NO_OID:
            return number
    raise EdgeError("the repository's index", "gives numbers that are taken; the administrator runs: doctor")


def next_revision(sitting: Sitting, number: int, record: ChangeRecord | None) -> int:
    """The first free revision; one that a killed writer left without an event is passed over."""
    revision = record.head.number + 1 if record else 1
    while sitting.repository.tip(f"refs/changes/{number}/{revision}") != NO_OID:
        revision += 1
    return revision


def proposed(sitting: Sitting, effect: Revise, number: int, revision: int) -> Proposed:
    return Proposed(
        number,
        revision,
        Word(effect.target),
        Word(effect.topic),
        Text(effect.title),
        Text(effect.description),
        Word(effect.change_id),
        Oid(effect.span.base),
        Oid(effect.span.head),
        tuple(Oid(commit.oid) for commit in effect.span.commits),
        Oid(sitting.policy.commit),
        effect.auto_land,
        tuple(Word(words) for words in effect.verdicts),
        effect.life.draft,
        effect.life.depends,
        Oid(effect.life.ground),
        tuple(Word(name) for name in effect.life.reviewers),
        tuple(Word(name) for name in effect.life.cc),
        Text(effect.plea),
    )


def mend_change(sitting: Sitting, number: int) -> ChangeRecord:
    """Bring head and index to what the change's record says. Errors: EdgeError where there is no record."""
    record = recorded(sitting, number)
    if record.purged:
        drop_content(sitting.ledger, record)
        sitting.record.index.note(record)
        return record
    head = f"refs/changes/{number}/head"
    stands = sitting.repository.tip(head)
    if stands != record.head.head:
        lost = sitting.ledger.refs.move([RefMove(head, stands, record.head.head)])
        if lost:
            raise EdgeError(head, lost.words)
    sitting.record.index.note(record)
    return record


def recorded(sitting: Sitting, number: int) -> ChangeRecord:
    record = sitting.record.change(number)
    if record is None:
        raise EdgeError(f"change {number}", "has no record")
    return record


def approve(sitting: Sitting, actor: Actor, effect: Approve | Settle) -> Event | LostRace:
    """Store an approval, unless something was said of the change since it was judged."""
    seen = effect.record.plan_of(effect.span.head)
    body = Approved(
        effect.record.number,
        Word(effect.record.target),
        Oid(effect.span.base),
        Oid(effect.span.head),
        tuple(Oid(commit.oid) for commit in effect.span.commits),
        Oid(sitting.policy.commit),
        Text(effect.message),
        Oid(effect.certificate or NO_OID),
        Text(effect.signer),
        Word(seen.digest if seen else ""),
    )
    return sitting.ledger.append(meta_ref(effect.record.number), body, actor, expect=effect.record.tip)


def reject(sitting: Sitting, actor: Actor, effect: Reject) -> Event | LostRace:
    body = Rejected(effect.record.number, Oid(effect.record.head.head), Text(effect.message))
    return sitting.ledger.append(meta_ref(effect.record.number), body, actor, expect=effect.record.tip)


def withdraw(sitting: Sitting, actor: Actor, effect: Withdraw) -> Event | LostRace:
    body = Withdrawn(effect.record.number, Oid(effect.head), Text(effect.message))
    return sitting.ledger.append(meta_ref(effect.record.number), body, actor, expect=effect.record.tip)


def close(sitting: Sitting, actor: Actor, effect: Close) -> Event | LostRace:
    body = Closed(effect.record.number, Text(effect.message))
    event = sitting.ledger.append(meta_ref(effect.record.number), body, actor, expect=effect.record.tip)
    if not isinstance(event, LostRace):
        finish(lambda: mend_change(sitting, effect.record.number))
    return event
