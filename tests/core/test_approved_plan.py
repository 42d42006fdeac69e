"""A deployment does what was approved, or what is left of it, or nothing."""

from dataclasses import replace

import pytest

from gitops_hooks.core.approved_plan import environment_key, items_of, plan_fault, seal_of
from gitops_hooks.model.approved_plan import ApprovedPlan
from gitops_hooks.model.drift import Difference
from gitops_hooks.model.plan_found import HostPlan, Plan, Prospect

KEY = environment_key(b"k" * 32, "dns")
ZONE, WWW, MAIL = (Difference("", f"create {name}") for name in ("zone", "www", "mail"))
CURE = "; land a change whose plan is approved as things are now, or bring them back to what was planned"


def planned(*differences: Difference, more: int = 0, prospect: Prospect = Prospect.CHANGES) -> Plan:
    return Plan((HostPlan("infra", prospect, differences, more, len(differences)),))


BOTH = planned(ZONE, WWW)
APPROVED = ApprovedPlan("plan 5f3a of change 2", "t1", KEY, seal_of(BOTH, "t1", KEY), items_of(BOTH, KEY))
UNCHANGED = planned(prospect=Prospect.UNCHANGED)


@pytest.mark.parametrize(
    ("approved", "plan"),
    [
        (None, planned(MAIL)),
        (APPROVED, BOTH),
        (replace(APPROVED, items=()), BOTH),
        (APPROVED, UNCHANGED),
        (ApprovedPlan("it", why="its record is gone"), UNCHANGED),
        (replace(APPROVED, begun=True), planned(WWW)),
    ],
)
def test_what_was_approved_or_less_may_be_done(approved: ApprovedPlan | None, plan: Plan) -> None:
    assert plan_fault(approved, plan) == ""


@pytest.mark.parametrize(
    ("approved", "plan", "told"),
    [
        (APPROVED, planned(ZONE, WWW, MAIL), ": create mail"),
        (APPROVED, planned(ZONE), ""),
        (replace(APPROVED, begun=True), planned(WWW, MAIL), ": create mail"),
        (replace(APPROVED, begun=True), planned(WWW, more=1), ""),
        (replace(APPROVED, begun=True, items=()), planned(WWW), ""),
        (replace(APPROVED, tree="t2"), BOTH, ""),
        (replace(APPROVED, key=environment_key(b"k" * 32, "other")), BOTH, ": create zone, create www"),
        (replace(APPROVED, begun=True), planned(WWW, prospect=Prospect.UNKNOWN), ""),
        (APPROVED, Plan(detail="cannot be made ready"), ""),
    ],
)
def test_anything_else_is_refused_with_what_was_not_approved(approved: ApprovedPlan, plan: Plan, told: str) -> None:
    words = "nothing was applied: what would be done is not plan 5f3a of change 2, which was approved"
    assert plan_fault(approved, plan) == f"{words}{told}{CURE}"


def test_what_cannot_be_compared_is_refused() -> None:
    lost = ApprovedPlan("the plan of change 2", why="its record is gone")
    words = "nothing was applied: the plan of change 2 was approved and cannot be compared: its record is gone"
    assert plan_fault(lost, BOTH) == words + CURE
