"""What is owed for a landing by break-glass: an approval of exactly it, by somebody else who counts, in time."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gitops_hooks.core.approve import Proof, judge_approvals
from gitops_hooks.model.debt import Debt
from gitops_hooks.model.event import Event, Landing, Settled, Voided
from gitops_hooks.model.policy import ApprovalRule, Policy
from gitops_hooks.model.verdict import Requirement, Status


def incurred(event: Event) -> Debt | None:
    """The debt that a landing makes; None where it is no landing by break-glass."""
    body = event.body
    if not isinstance(body, Landing) or not body.reason:
        return None
    due = event.stamp.at + timedelta(seconds=body.settle)
    return Debt(event.oid, body.ref, body.change, body.head, due, event.stamp.number)


def fold_debts(events: Sequence[Event]) -> tuple[tuple[Debt, ...], tuple[tuple[str, int, str], ...]]:
    """What a stretch of the log, oldest first, adds: debts (without a ref: come to nothing) and payments."""
    debts, payments = [], []
    for event in events:
        match event.body:
            case Landing():
                debts += [debt for debt in (incurred(event),) if debt]
            case Voided(landing=landing):
                debts.append(Debt(landing, "", 0, "", event.stamp.at, 0))
            case Settled(landing=landing):
                payments.append((landing, event.stamp.number, event.oid))
    return tuple(debts), tuple(payments)


def overdue(debts: Iterable[Debt], at: datetime) -> tuple[Debt, ...]:
    """The debts that close their branch at this moment."""
    return tuple(debt for debt in debts if debt.due <= at)


def judge_debts(debts: Iterable[Debt]) -> tuple[Requirement, ...]:
    """A branch with an overdue debt takes nothing until it is settled."""
    return tuple(Requirement("owed", Status.UNSATISFIED, _reason(debt)) for debt in debts)


def _reason(debt: Debt) -> str:
    return (
        f"Change {debt.change} landed by break-glass, and nobody else approved it by {moment(debt.due)}. "
        f"Nothing lands here until somebody who counts has:\n{line(debt)}"
    )


def line(debt: Debt) -> str:
    """The line that settles a debt."""
    return f"git push origin {debt.head}:refs/approve/{debt.change}"


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def judge_payment(
    rules: Iterable[ApprovalRule], policy: Policy, proof: Proof, later: frozenset[str]
) -> tuple[Requirement, ...]:
    """Whether the approvals of `later` events pay a debt: the landing's rules are met, and one of them counted.

    `proof` excludes whoever broke the glass, beside those who had a hand in it.
    """
    asked = tuple(rules)
    fresh = replace(proof, approvals=tuple(a for a in proof.approvals if a.event in later))
    givers = sorted({approval.actor for rule in asked for approval in fresh.counted(rule, policy)})
    if givers:
        own = Requirement("settle", Status.SATISFIED, f"approved after all by {', '.join(givers)}")
    else:
        own = Requirement("settle", Status.UNSATISFIED, "An approval by somebody else who counts is owed.")
    return (*judge_approvals(asked, policy, proof), own)
