"""A deployment that would visit many hosts waits until somebody asks for it."""

from dataclasses import replace

import pytest

from gitops_hooks.core.limit import Limit, everybody
from gitops_hooks.core.log_state import fold_log
from gitops_hooks.core.mass import hold_mass
from gitops_hooks.core.plan import Deploy, Held, Settled
from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.rollout import Rollout, Share
from tests.core.records import oid
from tests.core.test_gates import PRODUCTION, begun, rolled_back
from tests.core.test_plan import finished, requested

FIFTH = Share(20, percent=True)
GO = Deploy(oid("b"), 1)
TWO_OF_TEN = Limit(("web1", "web2"), 8, "page")
THREE_OF_TEN = Limit(("web1", "web2", "web3"), 7, "page")


def step(*oldest_first, most=FIFTH, limit=THREE_OF_TEN, due=GO):
    environment = replace(PRODUCTION, rollout=Rollout(max_changed=most))
    return hold_mass(due, environment, fold_log(oldest_first[::-1]), lambda: limit)


def held(words):
    return Held("max_changed", f"would visit {words}; somebody asks for it: env deploy production")


def test_more_hosts_than_the_policy_lets_it_visit_wait_for_somebody():
    assert step(limit=TWO_OF_TEN) == GO
    assert step() == held("3 of 10 hosts (page), and max_changed is 20%")
    assert step(most=Share(2)) == held("3 of 10 hosts (page), and max_changed is 2")
    assert step(most=Share(3)) == GO
    assert step(limit=Limit((), 10, "nothing concerns its hosts")) == GO


@pytest.mark.parametrize("most", [FIFTH, Share(5000)])
def test_all_hosts_are_more_than_any_part_and_any_number_of_them(most):
    assert step(most=most, limit=everybody("it is the first")) == held(
        f"all hosts (it is the first), and max_changed is {most}"
    )
    assert step(most=Share(100, percent=True), limit=everybody("it is the first")) == GO


def test_what_somebody_asked_for_goes_and_is_tried_until_it_is_there():
    assert step(requested(1)) == GO
    assert step(requested(1, "a")) != GO
    again = Deploy(oid("b"), 2)
    assert step(begun(1), finished(2, RunState.FAILED), due=again) == again
    assert step(begun(1, commit="a"), finished(2, commit="a")) != GO
    assert step(rolled_back(1, commit="b", left="a")) == GO


def test_where_nothing_begins_or_no_most_is_named_nothing_is_worked_out():
    assert step(due=Settled(), limit=None) == Settled()
    assert step(most=None, limit=None) == GO
