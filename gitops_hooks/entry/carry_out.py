"""An accepted judgement carried out, told to the pusher, and reported to git."""

from gitops_hooks.core.govern import govern
from gitops_hooks.core.magic import parse_request
from gitops_hooks.core.pktline import Report
from gitops_hooks.core.planned import judge_plan
from gitops_hooks.core.report import escape, needs, reason, refused
from gitops_hooks.core.report import field as line
from gitops_hooks.core.report import landed as landed_lines
from gitops_hooks.edge.refs import LostRace
from gitops_hooks.edge.terminal import tell
from gitops_hooks.entry import change_writing, landing
from gitops_hooks.entry.carry_out_change import carry_out_change
from gitops_hooks.entry.done import Done, landed_report, lost_race
from gitops_hooks.entry.judge_change import complete, find_target
from gitops_hooks.entry.matter import gather
from gitops_hooks.entry.override_words import override_lines
from gitops_hooks.entry.settle import open_debts, settle
from gitops_hooks.entry.sitting import Checker, Sitting
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.judgement import (
    Approve,
    AskPlan,
    Close,
    FallThrough,
    Judgement,
    Land,
    Operated,
    Reject,
    Reopen,
    Say,
    Settle,
    Withdraw,
    Written,
)
from gitops_hooks.model.push import Actor, RefUpdate
from gitops_hooks.model.request import Act, Direct, Operate, Propose, Refusal


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
        case Operate() | Refusal():
            return update.ref


def carry_out(sitting: Sitting, actor: Actor, judgement: Judgement, check: Checker) -> Done:
    """Do what was accepted; what is refused only now lost a race, and says so."""
    update, effect = judgement.update, judgement.effect
    if not judgement.decision.accepted or effect is None:
        tell(refused(judgement.decision))
        return Done(Report(update.ref, False, "refused; see above"))
    if isinstance(effect, FallThrough):
        return Done(Report(update.ref, True, fall_through=True))
    # What follows moves some two to six refs, one after the other, and git starts while the first is made ready.
    with sitting.ledger.refs.kept_open():
        return _write(sitting, actor, judgement, effect, check)


def _write(sitting: Sitting, actor: Actor, judgement: Judgement, effect: Written, check: Checker) -> Done:
    update = judgement.update
    match effect:
        case Land():
            return _land(sitting, actor, update, effect)
        case Approve():
            return _approve(sitting, actor, update, effect, check)
        case Settle():
            said = settle(sitting, actor, effect)
            return _say(update, said, *(said if isinstance(said, tuple) else ()))
        case Operated():
            from gitops_hooks.entry.operating import operate

            return operate(sitting, actor, update, effect)
        case Reject() | Withdraw() | Say() | Close() | Reopen() | AskPlan():
            return _word(sitting, actor, update, effect)
    return carry_out_change(sitting, actor, judgement, effect, check)


def _word(
    sitting: Sitting,
    actor: Actor,
    update: RefUpdate,
    effect: Reject | Withdraw | Say | Close | Reopen | AskPlan,
) -> Done:
    """What is one event in the change's history, and nothing else."""
    change = f"change {effect.record.number}"
    match effect:
        case Reject():
            words = f"gitops: {change} rejected by {actor.name} at {effect.record.head.head[:7]}"
            return _say(update, landing.reject(sitting, actor, effect), words)
        case Withdraw():
            words = f"gitops: {change}: {actor.name} takes back what was said of {effect.head[:7]}"
            return _say(update, landing.withdraw(sitting, actor, effect), words, *needs(effect.needs))
        case Say():
            words = f"gitops: {actor.name} commented on {change} at {effect.record.head.head[:7]}"
            return _say(update, change_writing.comment(sitting, actor, effect), words)
        case AskPlan():
            words = f"gitops: {change}: {actor.name} asks for a plan of {effect.record.head.head[:7]}"
            where = line("plans", " ".join(effect.environments))
            show = line("look at it", f"ssh <host> change plan {effect.record.number}")
            return _say(update, change_writing.ask_plan(sitting, actor, effect), words, *where, *show)
        case Close():
            return _say(update, landing.close(sitting, actor, effect), f"gitops: {change} closed by {actor.name}")
    words = f"gitops: {change} reopened by {actor.name}; what was approved before is not any more"
    return _say(update, change_writing.reopen(sitting, actor, effect), words)


def _say(update: RefUpdate, event: object, *words: str) -> Done:
    if isinstance(event, LostRace):
        return lost_race(update, event)
    tell(words)
    return Done(Report(update.ref, True))


def _land(sitting: Sitting, actor: Actor, update: RefUpdate, effect: Land) -> Done:
    new = landing.land(sitting, actor, effect)
    if isinstance(new, LostRace):
        return lost_race(update, new)
    if effect.record:
        glass = ", by break-glass" if effect.override else ""
        tell([f"gitops: change {effect.record.number} landed by {actor.name}{glass}"])
    else:
        tell(
            [f"gitops: {escape(effect.ref)} {_WAYS[effect.way]} by {actor.name}, as the policy allows without approval"]
        )
    tell(_moved_lines(effect, new))
    owed = open_debts(sitting, effect.record) if effect.record else ()
    tell(override_lines(effect.override, owed, sitting.ledger.clock()))
    return Done(landed_report(update, effect, new), (effect.ref,))


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
            return landed_lines(effect.ref, old, new, effect.shape.value)


def _approve(sitting: Sitting, actor: Actor, update: RefUpdate, effect: Approve, check: Checker) -> Done:
    event = landing.approve(sitting, actor, effect)
    if isinstance(event, LostRace):
        return lost_race(update, event)
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
        # Where it waits for a plan that is to be approved, there is nothing to land by hand.
        planned = all(one.holds for one in judge_plan(matter.case.governing, matter.case.plan))
        told = [text for hint in hints for text in reason("not landed", hint)]
        tell([words, *told, *(by_hand if planned else [])])
        return stored
    tell([f"{words}; landing"])
    new = landing.land(sitting, actor, effect)
    if isinstance(new, LostRace):
        tell([*line("not landed", "somebody else was faster"), *by_hand])
        return stored
    tell(landed_lines(effect.ref, effect.span.tip, new, effect.shape.value))
    return Done(landed_report(update, effect, new), (effect.ref,))
