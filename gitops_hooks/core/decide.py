"""May this ref update happen? The one pure answer, asked by the hooks, the reconciler and everybody after them."""

from dataclasses import replace
from datetime import datetime

from gitops_hooks.core.approve import Contributors, Proof, judge_approvals, would_count
from gitops_hooks.core.bounded import judge_content, judge_freeze, judge_line, judge_read_only
from gitops_hooks.core.changed_paths import ChangedPaths
from gitops_hooks.core.debts import judge_debts
from gitops_hooks.core.demands import Demands, Trial
from gitops_hooks.core.deployed import judge_deployed
from gitops_hooks.core.govern import Governing, Right, below_gitops
from gitops_hooks.core.owners import touches_owners
from gitops_hooks.core.planned import bind_to_plan, judge_plan
from gitops_hooks.core.reject import may_veto
from gitops_hooks.model.change_plan import UNKNOWN_PLAN, HeldPlan
from gitops_hooks.model.content import Content
from gitops_hooks.model.debt import Debt
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import LandMethod, Policy
from gitops_hooks.model.record import Standing
from gitops_hooks.model.verdict import Requirement, Status


@dataclass(frozen=True, slots=True)
class Case:
    """All that the decision on one landing rests on; `paths` are all that differ from base or tip.

    `life` is what of the change itself keeps it from landing: a draft, a change below that has not landed.
    `overdue` are the debts that close the branch at the moment of the decision; `trials` what is only rehearsed,
    `deployed` how the environments stood that rules ask about (`environment:state`), `plan` what it rests on there.
    """

    policy: Policy
    governing: Governing
    proof: Proof
    contributors: Contributors
    paths: tuple[str, ...]
    fast_forward: bool
    content: Content
    demands: Demands
    life: tuple[Requirement, ...] = ()
    overdue: tuple[Debt, ...] = ()
    trials: tuple[Trial, ...] = ()
    deployed: tuple[str, ...] = ()
    plan: HeldPlan = UNKNOWN_PLAN

    @property
    def names(self) -> tuple[str, ...]:
        """The paths under every name that symlinks give them too, as far as rules look through those."""
        return tuple(self.demands.links.with_names(self.paths))

    @property
    def bound(self) -> Proof:
        """What approvals are held against, with the plan that they must be of."""
        return bind_to_plan(self.proof, self.governing, self.plan)

    @property
    def approvals(self) -> tuple[Requirement, ...]:
        met = judge_approvals(self.demands.rules, self.policy, self.bound, self.governing.vetoes)
        return (*met, *self.demands.faults)

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
    return (case.governing.may("propose", actor), judge_authors(case), *judge_bounds(case))


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
    return (
        case.governing.may("land", actor),
        judge_authors(case),
        judge_method(case),
        *judge_line(case.governing, case.fast_forward),
        *judge_freeze(case.governing, case.content.at),
        *judge_deployed(case.governing, case.deployed),
        *judge_plan(case.governing, case.plan),
        *judge_bounds(case),
        *case.life,
        *case.approvals,
        *judge_debts(case.overdue),
    )


def judge_bounds(case: Case) -> tuple[Requirement, ...]:
    """What never changes for one head on one branch: it is asked when it is proposed, and each time again."""
    content = judge_content(case.governing, case.content, case.paths, case.demands.links)
    return (*judge_read_only(case.governing), *content)


def judge_approval(case: Case, actor: str) -> Requirement:
    """May this actor's approval be stored?"""
    return would_count(case.demands.rules, case.policy, case.proof, actor)


def judge_rejection(case: Case, actor: str) -> Requirement:
    """May this actor hold the change back? Whoever may veto, and whose approval would count."""
    veto = may_veto(case.governing.vetoes, case.policy, actor)
    return veto or replace(judge_approval(case, actor), rule="reject")


def judge_unapproved_push(case: Case, actor: str) -> tuple[Requirement, ...]:
    """May this actor push straight, without any approval? Never what is under .gitops/, nor the code owners."""
    forward = holds("fast-forward") if case.fast_forward else fails("fast-forward", _DESCENDANT)
    return (case.governing.may("push", actor), _judge_own_files(case, "push"), forward, *_judge_straight(case))


def judge_forced_push(case: Case, actor: str) -> tuple[Requirement, ...]:
    """May this actor move the branch to what is no descendant of its tip? Nor may that change those files."""
    return (case.governing.may("force", actor), _judge_own_files(case, "force"), *_judge_straight(case))


def _judge_own_files(case: Case, rule: str) -> Requirement:
    if touches_owners(case.governing.owners, case.names):
        return fails(rule, "The file of code owners always needs an approval by somebody else.")
    if below_gitops(case.names):
        return fails(rule, ".gitops/** always needs an approval by somebody else.")
    changed = ChangedPaths(case.names)
    if touched := [glob for globs in case.governing.controller for glob in globs if changed.touch((glob,))]:
        return fails(rule, f"{touched[0]} runs on the deployer and always needs the approvals that the policy names.")
    return holds(rule)


def _judge_straight(case: Case) -> tuple[Requirement, ...]:
    frozen = (*judge_freeze(case.governing, case.content.at), *judge_deployed(case.governing, case.deployed))
    planned = judge_plan(case.governing, case.plan)
    return judge_authors(case), *frozen, *planned, *judge_bounds(case), *judge_debts(case.overdue)


def judge_moved(governing: Governing, right: Right, actor: str, at: datetime) -> tuple[Requirement, ...]:
    """May this actor create or delete the branch? Nothing in it changes."""
    return (governing.may(right, actor), *judge_read_only(governing), *judge_freeze(governing, at))


_DESCENDANT = "A protected branch moves to a descendant of its tip only. Fetch, rebase, and propose."
