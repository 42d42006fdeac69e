"""The rule `require: plan`: nothing lands that nobody has seen the effect of, and approvals are of what was seen."""

from dataclasses import replace

from gitops_hooks.core.approve import Proof
from gitops_hooks.core.govern import Governing
from gitops_hooks.model.change_plan import HeldPlan
from gitops_hooks.model.verdict import Requirement, Status

RULE = "plan"


def judge_plan(governing: Governing, held: HeldPlan) -> tuple[Requirement, ...]:
    """One requirement, where any rule asks for a plan; the place is that of the first that does."""
    asking = next((rule for rule in governing.rules if rule.plan), None)
    if asking is None:
        return ()
    if held.nothing:
        return (Requirement(RULE, Status.SATISFIED, "It touches no environment.", asking.place),)
    if held.digest or held.waived:
        return (Requirement(RULE, Status.SATISFIED, f"plan {held.digest[:12]}", asking.place),)
    reason = f"{held.why}\n{held.cure}" if held.cure else held.why
    return (Requirement(RULE, Status.UNSATISFIED, reason, asking.place),)


def bind_to_plan(proof: Proof, governing: Governing, held: HeldPlan) -> Proof:
    """The same proof, which counts only approvals of the plan that holds, where a rule asks for one.

    Without one they count as they are: complete, they are what a plan waits for.
    """
    asked = any(rule.plan for rule in governing.rules)
    return replace(proof, plan=held.digest) if asked and held.digest else proof
