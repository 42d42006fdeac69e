"""What landed by break-glass, approved after all: the debt is judged, the approval stored, the payment recorded."""

from dataclasses import replace

from gitops_hooks.core.decide import fails, judge_approval
from gitops_hooks.core.report import needs
from gitops_hooks.edge.record import LOG
from gitops_hooks.edge.refs import LostRace
from gitops_hooks.entry.demanding import known_owners
from gitops_hooks.entry.landing import approve
from gitops_hooks.entry.owed import Owed, gather_owed
from gitops_hooks.entry.recorded import present_now
from gitops_hooks.entry.signing import judge_signature
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.entry.wording import refuse
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.debt import Debt
from gitops_hooks.model.event import Settled
from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.judgement import Judgement, Settle
from gitops_hooks.model.push import Actor, RefUpdate
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
    signature = judge_signature(sitting, actor, found.case, record.number, request.bound)
    requirements = (judge_approval(found.case, actor.name), signature.requirement)
    decision = Decision(update.ref, requirements, advice=signature.advice)
    effect = Settle(record, owed[0], found.span, request.message, signature.certificate, signature.signer)
    return Judgement(update, decision, effect if decision.accepted else None)


def _gather(sitting: Sitting, debt: Debt, record: ChangeRecord) -> Owed | Refusal:
    return gather_owed(sitting.record, debt, sitting.policy, record, present_now(sitting.people, record))


def settle(sitting: Sitting, actor: Actor, effect: Settle) -> tuple[str, ...] | LostRace:
    """Store the approval, then the payment where it is complete; what was done, in words."""
    number = effect.record.number
    event = approve(sitting, actor, effect)
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
    rules = case.demands.rules
    counted = {a.event: a.actor for proof in (newest, case.proof) for r in rules for a in proof.counted(r, case.policy)}
    actors = tuple(dict.fromkeys(counted.values()))
    owners = known_owners(sitting.people).addresses_of(actors) if case.governing.owners else ()
    return Settled(
        Oid(debt.landing),
        Word(debt.ref),
        debt.change,
        tuple(Oid(oid) for oid in counted),
        tuple(Word(name) for name in actors),
        Oid(sitting.policy.commit),
        Text(sitting.policy.floor.text),
        tuple(Word(name) for name in actors if name in case.proof.bots),
        tuple(Word(words) for words in owners),
        Text(message),
    )
