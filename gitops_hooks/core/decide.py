"""May this ref update happen? The one pure answer, asked by the hooks, the reconciler and everybody after them."""

from dataclasses import dataclass

from gitops_hooks.core.approve import Contributors, Proof, judge_approvals, would_count
from gitops_hooks.core.debts import judge_debts
from gitops_hooks.core.govern import Governing, below_gitops
from gitops_hooks.model.debt import Debt
from gitops_hooks.model.policy import LandMethod, Policy
from gitops_hooks.model.record import Standing
from gitops_hooks.model.verdict import Requirement, Status


@dataclass(frozen=True, slots=True)
class Case:
    """All that the decision on one landing rests on; `paths` are all that differ from base or tip.

    `life` is what of the change itself keeps it from landing: a draft, a change below that has not landed.
    `overdue` are the debts that close the branch at the moment of the decision.
    """

    policy: Policy
    governing: Governing
    proof: Proof
    contributors: Contributors
    paths: tuple[str, ...]
    fast_forward: bool
    life: tuple[Requirement, ...] = ()
    overdue: tuple[Debt, ...] = ()

    @property
    def approvals(self) -> tuple[Requirement, ...]:
        return judge_approvals(self.governing.approval_rules(self.paths), self.policy, self.proof)

    @property
    def missing(self) -> tuple[Requirement, ...]:
        """What is still in the way of a landing, whoever asks for it."""
        return tuple(requirement for requirement in (*self.approvals, *self.life) if not requirement.holds)


def holds(rule: str, reason: str = "") -> Requirement:
    return Requirement(rule, Status.SATISFIED, reason)


def fails(rule: str, reason: str, place: str = "") -> Requirement:
    return Requirement(rule, Status.UNSATISFIED, reason, place)


def judge_standing(standing: Standing) -> Requirement:
    """A ref that does not stand where the record put it takes nothing (trust rule 5)."""
    if standing.trusted:
        return holds("record")
    reason = (
        f"{standing.ref} stands at {standing.real[:12]}, but the record says {standing.recorded[:12]}: "
        "it was moved outside of the hooks. The administrator runs: gitops-hooks recovery restore|adopt"
    )
    return fails("record", reason)


def judge_authors(case: Case) -> Requirement:
    """An author whom nobody knows could be anybody, the approver too."""
    strangers = case.contributors.strangers
    if not case.governing.known_authors or not strangers:
        return holds("authors")
    shown = "; ".join(f"{oid[:7]} by {address}" for oid, address in strangers[:5])
    more = f" and {len(strangers) - 5} more" if len(strangers) > 5 else ""
    return fails(
        "authors",
        f"The server does not know who wrote {shown}{more}. Ask the administrator to add the address, "
        "or commit with one that is known: git commit --amend --reset-author",
    )


def judge_proposal(case: Case, actor: str) -> tuple[Requirement, ...]:
    """May this be proposed? Whether it may land is asked when it lands."""
    return case.governing.may("propose", actor), judge_authors(case)


def judge_method(case: Case) -> Requirement:
    """Whether the branch's way of landing allows a merge by the server."""
    method = case.governing.land_method
    if isinstance(method, Requirement):
        return method
    if method is LandMethod.FAST_FORWARD and not case.fast_forward:
        return fails("land_method", "The branch has moved on and takes fast-forwards only. Rebase and propose again.")
    return holds("land_method", method.value)


def judge_landing(case: Case, actor: str) -> tuple[Requirement, ...]:
    """May this land, by this actor?"""
    right = case.governing.may("land", actor)
    ways = (judge_authors(case), judge_method(case))
    return (right, *ways, *case.life, *case.approvals, *judge_debts(case.overdue))


def judge_approval(case: Case, actor: str) -> Requirement:
    """May this actor's approval be stored?"""
    return would_count(case.governing.approval_rules(case.paths), case.policy, case.proof, actor)


def judge_unapproved_push(case: Case, actor: str) -> tuple[Requirement, ...]:
    """May this actor push straight, without any approval? Never what is under .gitops/."""
    needed = below_gitops(case.paths)
    own = fails("push", ".gitops/** always needs an approval by somebody else.") if needed else holds("push")
    forward = holds("fast-forward") if case.fast_forward else fails("fast-forward", _DESCENDANT)
    return case.governing.may("push", actor), own, judge_authors(case), forward, *judge_debts(case.overdue)


_DESCENDANT = "A protected branch moves to a descendant of its tip only. Fetch, rebase, and propose."
