"""A branch that takes nothing while what was landed before has not arrived."""

from dataclasses import replace

import pytest

from gitops_hooks.core.decide import judge_forced_push, judge_landing, judge_unapproved_push
from gitops_hooks.core.deployed import judge_deployed
from gitops_hooks.core.floor import Lines, read_floor
from gitops_hooks.core.govern import govern
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.verdict import Requirement, Status
from tests.core.records import MAIN, branch, policy
from tests.core.test_decide import case

RULE = replace(branch(), deployed=("staging", "test"))


def judge(*said: str) -> list[str]:
    governing = govern(policy(RULE), MAIN)
    assert governing
    return [requirement.reason for requirement in judge_deployed(governing, said)]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("running", "is running"),
        ("pending", "is about to begin"),
        ("failed", "failed"),
        ("error", "ended in an error"),
        ("canceled", "was canceled"),
        ("superseded", "is superseded"),
    ],
)
def test_what_has_not_arrived_refuses_with_where_to_look(state, words):
    reason = f"Nothing lands on main while the last deployment to staging {words}."
    assert judge(f"staging:{state}", "test:successful") == [reason]


def test_what_has_arrived_or_was_never_begun_lets_pass():
    assert judge("staging:successful", "test:none") == []


def test_what_nobody_recorded_refuses():
    reason = "Nothing lands on main while the last deployment to test is not known."
    assert judge("staging:successful") == [reason]


def test_it_is_asked_of_every_landing_and_push():
    found = replace(case(RULE), deployed=("staging:failed", "test:none"))
    for said in (judge_landing(found, "bob"), judge_unapproved_push(found, "bob"), judge_forced_push(found, "bob")):
        (one,) = [requirement for requirement in said if requirement.rule == "deployed"]
        assert (one.status, one.place) == (Status.UNSATISFIED, "policy.yaml:5")
    assert not any(isinstance(one, Requirement) and one.rule == "deployed" for one in judge_landing(case(), "bob"))


def test_the_floor_knows_no_environments():
    with pytest.raises(PolicyError) as caught:
        read_floor({"branch": [{"match": "main", "deployed": ["staging"]}]}, Lines())
    assert "deployed: environments are a policy's own; the floor knows none" in str(caught.value)
