"""An accepted judgement carried out, told to the pusher, and reported to git."""

from dataclasses import dataclass, field

from gitops_hooks.core.govern import govern
from gitops_hooks.core.magic import parse_request
from gitops_hooks.core.pktline import Moved, Report
from gitops_hooks.core.report import escape, needs, proposed, refused
from gitops_hooks.core.report import field as line
from gitops_hooks.core.report import landed as landed_lines
from gitops_hooks.edge.refs import LostRace
from gitops_hooks.edge.terminal import tell
from gitops_hooks.entry import landing
from gitops_hooks.entry.judge_change import complete, find_target
from gitops_hooks.entry.matter import gather
from gitops_hooks.entry.sitting import Checker, Sitting
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.judgement import (
    Approve,
    Close,
    FallThrough,
    Judgement,
    Land,
    Reject,
    Revise,
    Unchanged,
    Withdraw,
)
from gitops_hooks.model.push import NO_OID, Actor, RefUpdate
from gitops_hooks.model.request import Act, Direct, Propose, Refusal


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one update: git's report, and the governed refs that moved."""

    report: Report
    landed: tuple[str, ...] = field(default=())


def lock_name(sitting: Sitting, update: RefUpdate, options: tuple[str, ...]) -> str:
    """The ref whose lock serialises this update: everything about a branch waits for that branch."""
    request = parse_request(update, options)
    match request:
        case Direct():
            return update.ref
        case Propose():
            place = find_target(sitting, request)
            return update.ref if isinstance(place, Refusal) else place[0].ref
        case Act():
            record = sitting.record.change(request.number)
            return record.target if record else update.ref
        case Refusal():
            return update.ref


def carry_out(sitting: Sitting, actor: Actor, judgement: Judgement, check: Checker) -> Done:
    """Do what was accepted; what is refused only now lost a race, and says so."""
    update, effect = judgement.update, judgement.effect
    if not judgement.decision.accepted or effect is None:
        tell(refused(judgement.decision))
        return Done(Report(update.ref, False, "refused; see above"))
    match effect:
        case FallThrough():
            return Done(Report(update.ref, True, fall_through=True))
        case Land():
            return _land(sitting, actor, update, effect)
        case Revise():
            return _revise(sitting, actor, judgement, effect)
        case Unchanged():
            record = effect.record
            verdicts = judgement.decision.verdicts
            tell(proposed(record.number, record.head.number, record.target, verdicts, effect.needs))
            head = record.head.head
            return Done(Report(update.ref, True, moved=(Moved(_head(record), head, head),)))
        case Approve():
            return _approve(sitting, actor, update, effect, check)
        case Reject():
            words = f"gitops: change {effect.record.number} rejected by {actor.name} at {effect.record.head.head[:7]}"
            return _say(update, effect.record, landing.reject(sitting, actor, effect), words)
        case Withdraw():
            words = f"gitops: change {effect.record.number}: {actor.name} takes back what was said of {effect.head[:7]}"
            done = landing.withdraw(sitting, actor, effect)
            return _say(update, effect.record, done, words, *needs(effect.needs))
        case Close():
            words = f"gitops: change {effect.record.number} closed by {actor.name}"
            return _say(update, effect.record, landing.close(sitting, actor, effect), words)


def _head(record: ChangeRecord) -> str:
    return f"refs/changes/{record.number}/head"


def _lost(update: RefUpdate, lost: LostRace) -> Done:
    tell(
        ["gitops: somebody else was faster; nothing was moved. Fetch, look, and push again.", f"  {escape(lost.words)}"]
    )
    return Done(Report(update.ref, False, "somebody else was faster; push again"))


def _say(update: RefUpdate, record: ChangeRecord, event: object, *words: str) -> Done:
    if isinstance(event, LostRace):
        return _lost(update, event)
    tell(words)
    return Done(Report(update.ref, True))


def _land(sitting: Sitting, actor: Actor, update: RefUpdate, effect: Land) -> Done:
    new = landing.land(sitting, actor, effect)
    if isinstance(new, LostRace):
        return _lost(update, new)
    if effect.record:
        tell([f"gitops: change {effect.record.number} landed by {actor.name}"])
    else:
        tell(
            [f"gitops: {escape(effect.ref)} {_WAYS[effect.way]} by {actor.name}, as the policy allows without approval"]
        )
    tell(_moved_lines(effect, new))
    return Done(_landed_report(update, effect, new), (effect.ref,))


_WAYS = {"push": "pushed", "create": "created", "delete": "deleted", "force": "moved by force"}


def _moved_lines(effect: Land, new: str) -> list[str]:
    """Where the ref stands now; what a move leaves behind is kept, and said where."""
    name, old = effect.ref.split("/", 2)[2], effect.span.tip
    kept = line("", f"kept:  git fetch origin {landing.kept_ref(old)}")
    match effect.way:
        case "delete":
            return [*line(name, f"was {old[:7]}"), *kept]
        case "force":
            return [*line(name, f"{old[:7]}...{new[:7]} (forced)"), *kept]
        case "create":
            return line(name, f"begins at {new[:7]}")
        case _:
            return landed_lines(effect.ref, old, new, new == effect.span.head)


def _landed_report(update: RefUpdate, effect: Land, new: str) -> Report:
    """A fast-forward is reported as the branch; a merge of the server's as the change, since the client lacks it."""
    if update.ref == effect.ref:
        return Report(update.ref, True)
    if new == effect.span.head:
        return Report(update.ref, True, moved=(Moved(effect.ref, effect.span.tip, new),))
    # post-receive is told of the branch by our own note, not by git.
    number = effect.record.number if effect.record else 0
    return Report(update.ref, True, moved=(Moved(f"refs/changes/{number}/head", effect.span.head, effect.span.head),))


def _revise(sitting: Sitting, actor: Actor, judgement: Judgement, effect: Revise) -> Done:
    update = judgement.update
    record = landing.revise(sitting, actor, effect)
    if isinstance(record, LostRace):
        return _lost(update, record)
    tell(proposed(record.number, record.head.number, record.target, judgement.decision.verdicts, effect.needs))
    before = effect.record.head.head if effect.record else NO_OID
    forced = before != NO_OID and not sitting.repository.descends(record.head.head, before)
    return Done(Report(update.ref, True, moved=(Moved(_head(record), before, record.head.head, forced),)))


def _approve(sitting: Sitting, actor: Actor, update: RefUpdate, effect: Approve, check: Checker) -> Done:
    event = landing.approve(sitting, actor, effect)
    if isinstance(event, LostRace):
        return _lost(update, event)
    record = sitting.record.change(effect.record.number)
    words = f"gitops: change {effect.record.number} revision {effect.record.head.number} approved by {actor.name}"
    if record is None or effect.needs:
        tell([words, *needs(effect.needs)])
        return Done(Report(update.ref, True))
    try:
        return _land_approved(sitting, actor, update, record, check, words)
    except EdgeError as error:
        # The branch has not moved. The approval is recorded, and a second one would be refused.
        tell([f"{words}; not landed", *line("reason", str(error)), *_by_hand(record)])
        return Done(Report(update.ref, True))


def _by_hand(record: ChangeRecord) -> list[str]:
    return line("land it", f"git push origin {record.head.head}:refs/land/{record.number}")


def _land_approved(
    sitting: Sitting, actor: Actor, update: RefUpdate, record: ChangeRecord, check: Checker, words: str
) -> Done:
    """The approval is stored and complete: land now where somebody who may has asked for it, else say the line."""
    stored = Done(Report(update.ref, True))
    by_hand = _by_hand(record)
    governing = govern(sitting.policy, record.target)
    standing = sitting.record.standing(record.target)
    matter = gather(sitting, governing, standing, record.head.head, frozenset(), record) if governing else None
    if matter is None or isinstance(matter, Refusal):
        tell([words, *by_hand])
        return stored
    effect, hints, _ = complete(sitting, actor, matter, check)
    if effect is None:
        tell([words, *(text for hint in hints for text in line("not landed", hint)), *by_hand])
        return stored
    tell([f"{words}; landing"])
    new = landing.land(sitting, actor, effect)
    if isinstance(new, LostRace):
        tell([*line("not landed", "somebody else was faster"), *by_hand])
        return stored
    tell(landed_lines(effect.ref, effect.span.tip, new, new == effect.span.head))
    return Done(_landed_report(update, effect, new), (effect.ref,))
