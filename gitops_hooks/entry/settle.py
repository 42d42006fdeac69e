"""What landed by break-glass, approved after all: the debt is judged, the approval stored, the payment recorded."""

from dataclasses import replace

from gitops_hooks.core.decide import fails, judge_approval
from gitops_hooks.core.report import needs
from gitops_hooks.edge.record import LOG, meta_ref
from gitops_hooks.edge.refs import LostRace
from gitops_hooks.entry.owed import Owed, gather_owed
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.entry.wording import refuse
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.debt import Debt
from gitops_hooks.model.event import Approved, Oid, Settled, Text, Word
from gitops_hooks.model.judgement import Judgement, Settle
from gitops_hooks.model.push import Actor, ActorKind, RefUpdate
from gitops_hooks.model.request import Act, Refusal, Verb
from gitops_hooks.model.verdict import Decision, Requirement


def open_debts(sitting: Sitting, record: ChangeRecord) -> tuple[Debt, ...]:
    """What is still owed for a change."""
    return tuple(debt for debt in sitting.record.index.debts_of(record.number) if not debt.paid)


def judge_settlement(
    sitting: Sitting, actor: Actor, update: RefUpdate, request: Act, record: ChangeRecord
) -> Judgement | None:
    """An approval of what landed by break-glass; None where the verb is about anything else."""
    owed = [debt for debt in open_debts(sitting, record) if debt.head == request.commit]
    if request.verb is not Verb.APPROVE or not owed:
        return None
    found = _gather(sitting, owed[0], record)
    if isinstance(found, Refusal):
        return refuse(update, found.rule, found.reason, found.cure)
    requirement = judge_approval(found.case, actor.name)
    effect = Settle(record, owed[0], found.span, request.message) if requirement.holds else None
    return Judgement(update, Decision(update.ref, (requirement,)), effect)


def _gather(sitting: Sitting, debt: Debt, record: ChangeRecord) -> Owed | Refusal:
    bots = frozenset(person.name for person in sitting.people.everybody if person.kind is ActorKind.BOT)
    # Who has left the server counts no more than a bot, as in every landing.
    gone = frozenset(approval.actor for approval in record.approvals) - sitting.people.names
    return gather_owed(sitting.record, debt, sitting.policy, record, bots | gone)


def settle(sitting: Sitting, actor: Actor, effect: Settle) -> tuple[str, ...] | LostRace:
    """Store the approval, then the payment where it is complete; what was done, in words."""
    number = effect.record.number
    event = sitting.ledger.append(meta_ref(number), _approved(sitting, effect), actor, expect=effect.record.tip)
    if isinstance(event, LostRace):
        return event
    words = f"gitops: change {number}, landed by break-glass, approved by {actor.name}"
    missing = pay(sitting, effect.debt, actor, effect.message)
    return (words, *needs(missing)) if missing else (f"{words}; settled",)


def pay(sitting: Sitting, debt: Debt, actor: Actor, message: str) -> tuple[Requirement, ...]:
    """Record that a debt is paid where the approvals that there are suffice; else what is missing."""
    record = sitting.record.change(debt.change)
    found = _gather(sitting, debt, record) if record else Refusal("record", f"change {debt.change} has no record")
    if isinstance(found, Refusal):
        return (fails(found.rule, found.reason),)
    missing = tuple(requirement for requirement in found.payment() if not requirement.holds)
    if not missing:
        sitting.ledger.log(LOG, _settled(sitting, found, debt, message), actor)
        sitting.record.sync()
    return missing


def _settled(sitting: Sitting, owed: Owed, debt: Debt, message: str) -> Settled:
    """The payment, with the approvals of the landing and those that came after it."""
    case = owed.case
    newest = replace(case.proof, approvals=owed.later)
    rules = case.governing.approval_rules(case.paths)
    counted = {a.event: a.actor for proof in (newest, case.proof) for r in rules for a in proof.counted(r, case.policy)}
    return Settled(
        Oid(debt.landing),
        Word(debt.ref),
        debt.change,
        tuple(Oid(oid) for oid in counted),
        tuple(Word(name) for name in dict.fromkeys(counted.values())),
        Oid(sitting.policy.commit),
        Text(message),
    )


def _approved(sitting: Sitting, effect: Settle) -> Approved:
    return Approved(
        effect.record.number,
        Word(effect.debt.ref),
        Oid(effect.span.base),
        Oid(effect.span.head),
        tuple(Oid(commit.oid) for commit in effect.span.commits),
        Oid(sitting.policy.commit),
        Text(effect.message),
    )
