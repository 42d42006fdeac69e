"""A landing by break-glass, held against a policy: what pays for it, and which debts had closed a branch when."""

from collections.abc import Callable, Collection
from dataclasses import replace

from gitops_hooks.core.debts import judge_payment
from gitops_hooks.core.decide import Case
from gitops_hooks.core.floor import parse_floor, with_floor
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.edge.record import Record
from gitops_hooks.entry.recorded import Present, exclude, present_then, recorded_case
from gitops_hooks.entry.sitting import policy_at
from gitops_hooks.model.approval import Approval
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.commit import Range
from gitops_hooks.model.debt import Debt
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.event import Event, Landing, Settled
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import Requirement


@dataclass(frozen=True, slots=True)
class Owed:
    """One landing that was made by break-glass, as a case whose approvals are all that the change has."""

    landing: Landing
    span: Range
    case: Case

    @property
    def later(self) -> tuple[Approval, ...]:
        """The approvals that the landing itself did not rest on."""
        return tuple(a for a in self.case.proof.approvals if a.event not in self.landing.approvals)

    def payment(self) -> tuple[Requirement, ...]:
        later = frozenset(approval.event for approval in self.later)
        met = judge_payment(self.case.demands.rules, self.case.policy, self.case.proof, later)
        return (*met, *self.case.demands.faults)


def gather_owed(record: Record, debt: Debt, policy: Policy, change: ChangeRecord, present: Present) -> Owed | Refusal:
    """The landing that made a debt; whoever broke the glass does not count, nor who had a hand in it."""
    event = record.event(debt.landing)
    found = recorded_case(record, event, policy, change, present)
    if isinstance(found, Refusal) or not isinstance(event.body, Landing):
        return found if isinstance(found, Refusal) else Refusal("record", f"event {event.oid[:12]} is no landing")
    span, case = found
    return Owed(event.body, span, exclude(case, frozenset({event.stamp.actor})))


def overdue_then(
    record: Record, event: Event, ref: str, policies: Callable[[Event], Collection[str]]
) -> tuple[Debt, ...]:
    """The debts that closed a ref when this event was written; `policies` are those in force before an event."""
    number = event.stamp.number
    return tuple(
        debt
        for debt in record.index.debts_before(ref, number)
        if debt.due <= event.stamp.at and not (0 < debt.paid < number and _is_payment(record, debt, policies))
    )


def _is_payment(record: Record, debt: Debt, policies: Callable[[Event], Collection[str]]) -> bool:
    event, change = record.event(debt.payment), record.change(debt.change)
    body = event.body
    if not isinstance(body, Settled) or change is None:
        return False
    if event.stamp.actor == SERVER.name and not body.approvals:
        return True  # the administrator's command
    if body.policy not in policies(event):
        return False
    try:
        policy = with_floor(policy_at(record.repository, body.policy), parse_floor(body.floor))
        found = gather_owed(record, debt, policy, _with(change, body.approvals), present_then(body))
    except PolicyError:
        return False
    return isinstance(found, Owed) and all(requirement.holds for requirement in found.payment())


def _with(change: ChangeRecord, approvals: Collection[str]) -> ChangeRecord:
    """The change as it was when these approvals were counted; later ones prove nothing about it."""
    return replace(change, approvals=tuple(a for a in change.approvals if a.event in approvals))
