"""A branch that takes nothing whose effect nobody has seen, and what stands for that effect."""

from dataclasses import replace

import pytest

from gitops_hooks.core.decide import judge_approval, judge_forced_push, judge_landing, judge_unapproved_push
from gitops_hooks.core.events import InvalidEvent
from gitops_hooks.core.floor import Lines, read_floor
from gitops_hooks.core.fold import fold_change
from gitops_hooks.core.planned_content import counts_of, digest_of
from gitops_hooks.model.change_event import PlanAsked, Planned
from gitops_hooks.model.change_plan import UNKNOWN_PLAN, WAIVED_PLAN, HeldPlan, PlannedEnvironment
from gitops_hooks.model.drift import Difference
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.event_words import Text, Word
from gitops_hooks.model.plan_found import HostPlan, Plan, Prospect
from gitops_hooks.model.verdict import Status
from tests.core.records import REPOSITORY, approval, approved, branch, history, oid, proposed
from tests.core.test_decide import case
from tests.core.test_policy_file import branch as rule
from tests.core.test_policy_file import faults, parse

RULE = replace(branch(), plan=True)
DIGEST, OTHER = "d" * 64, "e" * 64
HELD = HeldPlan(oid("9"), DIGEST)


def failing(requirements):
    return [(requirement.rule, requirement.reason) for requirement in requirements if not requirement.holds]


def seen(digest: str = "", actor: str = "bob"):
    return replace(approval(actor), plan=digest)


def test_without_the_rule_nobody_asks_for_a_plan():
    plain = case(branch(), approvals=(seen(),))
    assert failing(judge_landing(plain, "bob")) == []


def test_approvals_of_the_plan_that_holds_let_it_land_and_no_others():
    found = replace(case(RULE, approvals=(seen(DIGEST),)), plan=HELD)
    assert failing(judge_landing(found, "bob")) == []
    for other in ("", OTHER):
        found = replace(case(RULE, approvals=(seen(other),)), plan=HELD)
        reason = "0 of 1 approval by @senior. The author (alice) does not count."
        reason += " bob approved without this plan; look at it and approve again."
        assert failing(judge_landing(found, "bob")) == [("approvals", reason)]
    # Who approves again counts, once.
    found = replace(case(RULE, approvals=(seen(OTHER), seen(DIGEST))), plan=HELD)
    assert failing(judge_landing(found, "bob")) == []


def test_without_a_plan_that_holds_it_says_what_is_missing_and_approvals_count_as_they_are():
    missing = HeldPlan(why="No plan is there yet.", cure="Look at it:  ssh <host> change plan 3")
    found = replace(case(RULE, approvals=(seen(),)), plan=missing)
    words = "No plan is there yet.\nLook at it:  ssh <host> change plan 3"
    assert failing(judge_landing(found, "bob")) == [("plan", words)]
    assert [one.place for one in judge_landing(found, "bob") if one.rule == "plan"] == ["policy.yaml:5"]
    assert failing(judge_landing(replace(found, plan=WAIVED_PLAN), "bob")) == []
    assert failing(judge_landing(replace(found, plan=UNKNOWN_PLAN), "bob")) == [("plan", "No plan is recorded of it.")]
    assert judge_approval(found, "carol").holds


def test_what_touches_no_environment_needs_none():
    found = replace(case(RULE, approvals=(seen(),)), plan=HeldPlan(nothing=True))
    assert failing(judge_landing(found, "bob")) == []


def test_a_push_without_a_change_is_asked_too():
    found = replace(case(RULE), plan=HeldPlan(why="Only a change has a plan."))
    for said in (judge_unapproved_push(found, "bob"), judge_forced_push(found, "bob")):
        (one,) = [requirement for requirement in said if requirement.rule == "plan"]
        assert (one.status, one.reason) == (Status.UNSATISFIED, "Only a change has a plan.")


@pytest.mark.parametrize("text", ["require: plan", "require: [plan]"])
def test_the_policy_says_so_in_a_word_or_a_list(text):
    assert parse(rule(text)).branches[0].plan
    assert not parse(rule()).branches[0].plan


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("require: [plan, tea]", "require: 'tea' is nothing that can be required; it may be: plan"),
        ("require: []", "require: [] asks for nothing; take it out"),
        ("require: true", "require must be a list, not yes or no"),
    ],
)
def test_what_cannot_be_required_is_refused(text, words):
    assert [found for _, found in faults(rule(text))] == [words]


def test_the_floor_knows_no_plans():
    with pytest.raises(PolicyError) as caught:
        read_floor({"branch": [{"match": "main", "require": "plan"}]}, Lines())
    assert "require: plans are of environments, which are a policy's own; the floor knows none" in str(caught.value)


def test_a_plan_answers_whoever_asked_for_it_and_an_approval_remembers_it():
    made = Planned(
        *(1, oid("b"), oid("a"), oid("7"), oid("f"), Word(DIGEST)),
        (Word("staging:0123456789abcdef:all:2:1:0:5ea1"),),
        7,
    )
    first = ("alice", proposed())
    asked = fold_change(history(first, ("bob", PlanAsked(1, oid("b"), Text("")))), REPOSITORY)
    assert (asked.plan_asked, asked.plan_of(oid("b"))) == (oid("b"), None)
    record = fold_change(
        history(
            first,
            ("bob", PlanAsked(1, oid("b"), Text(""))),
            ("server", made),
            ("bob", replace(approved(), plan=Word(DIGEST))),
        ),
        REPOSITORY,
    )
    newest = record.plan_of(oid("b"))
    assert record.plan_asked == "" and newest is not None and newest.digest == DIGEST
    assert newest.environments == (PlannedEnvironment("staging", "0123456789abcdef", "all", 2, 1, 0, "5ea1"),)
    assert newest.environments[0].word == "staging:0123456789abcdef:all:2:1:0:5ea1"
    assert [one.plan for one in record.approvals] == [DIGEST]
    with pytest.raises(InvalidEvent):
        fold_change(history(first, ("server", replace(made, environments=(Word("staging:2"),)))), REPOSITORY)


KEY = b"k" * 32
CHANGES = HostPlan("web1", Prospect.CHANGES, (Difference("site.yml:4", "Page", "-a\n+b"),))
SAME = HostPlan("web2", Prospect.UNCHANGED)


def digest(*hosts: HostPlan, tree: str = "1", key: bytes = KEY, environment: str = "staging") -> str:
    return digest_of({environment: Plan(hosts)}, tree, key)


def test_the_digest_is_the_same_where_the_same_would_happen():
    first = digest(CHANGES, SAME)
    assert first == digest(SAME, CHANGES, tree="2")
    assert first == digest(replace(CHANGES, detail="another way to say it"), SAME)


@pytest.mark.parametrize(
    "other",
    [
        (CHANGES,),
        (CHANGES, replace(SAME, name="web3")),
        (CHANGES, replace(SAME, prospect=Prospect.UNKNOWN)),
        (replace(CHANGES, differences=(Difference("site.yml:4", "Page", "-a\n+c"),)), SAME),
        (replace(CHANGES, differences=(Difference("site.yml:5", "Page", "-a\n+b"),)), SAME),
        (replace(CHANGES, more=1), SAME),
    ],
)
def test_the_digest_is_another_where_anything_else_would_happen(other):
    assert digest(CHANGES, SAME) != digest(*other)
    assert digest(CHANGES, SAME) != digest(CHANGES, SAME, environment="production")
    assert digest(CHANGES, SAME) != digest(CHANGES, SAME, key=b"l" * 32)


@pytest.mark.parametrize(
    "hidden", [replace(SAME, prospect=Prospect.UNKNOWN), replace(CHANGES, withheld=1), replace(CHANGES, more=1)]
)
def test_what_is_not_known_or_not_told_is_another_thing_on_another_tree(hidden):
    assert digest(hidden, tree="1") == digest(hidden, tree="1")
    assert digest(hidden, tree="1") != digest(hidden, tree="2")
    assert digest(tree="1") != digest(tree="2")


def test_the_sums_count_each_host_once_and_nobody_seen_as_unknown():
    assert counts_of(Plan((CHANGES, SAME, replace(SAME, name="web3", prospect=Prospect.UNKNOWN)))) == (1, 1, 1)
    assert counts_of(Plan(detail="no host")) == (0, 0, 1)
