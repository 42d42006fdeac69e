"""May this ref update happen? Each rule alone, and what a landing needs together."""

from dataclasses import replace

import pytest

from gitops_hooks.core.approve import Contributors, Proof
from gitops_hooks.core.decide import (
    Case,
    judge_approval,
    judge_authors,
    judge_landing,
    judge_method,
    judge_proposal,
    judge_standing,
    judge_unapproved_push,
)
from gitops_hooks.core.demands import Trial, demand
from gitops_hooks.core.govern import govern
from gitops_hooks.core.rehearse import trials
from gitops_hooks.model.content import Content
from gitops_hooks.model.policy import ApprovalRule, LandMethod, Names
from gitops_hooks.model.record import Standing
from gitops_hooks.model.verdict import CheckOutcome, Decision, Finding, Requirement, Severity, Status, Verdict
from tests.core.records import AT, MAIN, REPOSITORY, SENIORS, approval, branch, oid, policy

PROOF = Proof(
    REPOSITORY, MAIN, oid("a"), oid("b"), frozenset({oid("b")}), frozenset({"alice"}), frozenset({"alice"}), ()
)


def case(*branches, approvals=(), paths=("a.yml",), fast_forward=True, strangers=()):
    rules = policy(*branches)
    governing = govern(rules, MAIN)
    contributors = Contributors(frozenset({"alice"}), strangers)
    content = Content((), (), frozenset(), AT)
    proof = replace(PROOF, approvals=approvals)
    demands = demand(governing, paths, ())
    on_trial = tuple(Trial(one, demand(one, paths, ())) for one in trials(rules, MAIN))
    told = (content, demands, (), (), on_trial)
    return Case(rules, governing, proof, contributors, paths, fast_forward, *told)


def failing(requirements):
    return [requirement.rule for requirement in requirements if not requirement.holds]


def test_a_ref_that_was_moved_by_hand_is_told_with_the_way_back():
    assert judge_standing(Standing(MAIN, oid("a"), oid("a"), "")).holds
    answer = judge_standing(Standing(MAIN, oid("b"), oid("a"), ""))
    assert not answer.holds
    assert answer.reason == (
        f"{MAIN} stands at bbbbbbbbbbbb, but the record says aaaaaaaaaaaa: it was moved outside of the hooks. "
        "The administrator runs: gitops-hooks recovery restore|adopt"
    )


def test_strangers_are_told_with_their_commits_and_only_five_of_them():
    strangers = tuple((oid(letter), f"{letter}@x.org") for letter in "bcdef12")
    answer = judge_authors(case(strangers=strangers))
    assert "bbbbbbb by b@x.org; ccccccc by c@x.org" in answer.reason and " and 2 more." in answer.reason
    assert judge_authors(case(branch(any_author=True), strangers=strangers)).holds


def test_a_proposal_needs_the_right_and_known_authors_and_no_approval():
    assert failing(judge_proposal(case(), "dave")) == []
    assert failing(judge_proposal(case(strangers=((oid("b"), "x@y.z"),)), "dave")) == ["authors"]


def test_a_landing_needs_right_approvals_authors_and_method_at_once():
    ready = case(approvals=(approval("bob"),))
    assert failing(judge_landing(ready, "alice")) == []
    bare = case(branch(method=LandMethod.FAST_FORWARD), fast_forward=False, strangers=((oid("b"), "x@y.z"),))
    assert failing(judge_landing(bare, "dave")) == ["land", "authors", "land_method", "approvals"]


def test_every_rule_of_every_matching_branch_rule_asks_for_its_approvals():
    two = branch(ApprovalRule(2, Names(("*",)), (), "policy.yaml:20"))
    found = judge_landing(case(branch(), two, approvals=(approval("bob"),)), "bob")
    assert [answer.place for answer in found if not answer.holds] == ["policy.yaml:20"]


def test_approvals_for_some_paths_are_asked_for_those_and_one_for_the_rest():
    rule = ApprovalRule(2, Names(("@senior",)), ("prod/**",), "policy.yaml:9")
    inside, outside = (case(branch(rule), paths=(path,)).approvals for path in ("prod/a.yml", "other.yml"))
    assert inside[0].reason.startswith("0 of 2 approvals by @senior for prod/**.")
    assert outside[0].reason.startswith("0 of 1 approval by anybody.")


@pytest.mark.parametrize(
    ("method", "fast_forward", "holds"),
    [
        (LandMethod.MERGE, True, True),
        (LandMethod.MERGE, False, True),
        (LandMethod.FAST_FORWARD, True, True),
        (LandMethod.FAST_FORWARD, False, False),
        (LandMethod.ALWAYS_MERGE, True, True),
        (LandMethod.ALWAYS_MERGE, False, True),
    ],
)
def test_which_method_takes_which_head(method, fast_forward, holds):
    assert judge_method(case(branch(method=method), fast_forward=fast_forward)).holds is holds


def test_two_methods_that_exclude_each_other_are_an_error():
    both = case(branch(method=LandMethod.FAST_FORWARD), branch(method=LandMethod.ALWAYS_MERGE))
    assert judge_method(both).status is Status.ERROR


def test_an_approval_is_judged_by_the_rules_for_the_paths_that_change():
    rule = ApprovalRule(1, Names(("dave",)), ("prod/**",), "policy.yaml:9")
    assert judge_approval(case(branch(rule, SENIORS), paths=("prod/a.yml",)), "dave").holds
    assert not judge_approval(case(branch(rule, SENIORS), paths=("a.yml",)), "dave").holds


@pytest.mark.parametrize("path", [".gitops/policy.yaml", ".gitops/x", ".GitOps/x", ".gitops"])
def test_no_right_to_push_covers_what_is_under_gitops(path):
    free = branch(push=("alice",))
    assert failing(judge_unapproved_push(case(free), "alice")) == []
    assert failing(judge_unapproved_push(case(free, paths=("a.yml", path)), "alice")) == ["push"]


def test_an_unapproved_push_needs_the_right_and_a_fast_forward():
    assert failing(judge_unapproved_push(case(fast_forward=False), "alice")) == ["push", "fast-forward"]


def test_a_decision_without_a_single_reason_is_no_acceptance():
    good = Requirement("push", Status.SATISFIED, "")
    error = Verdict("yaml", "t", CheckOutcome.FINDINGS, (Finding("a", 1, "bad"),))
    warning = Verdict("yaml", "t", CheckOutcome.FINDINGS, (Finding("a", 1, "odd", Severity.WARNING),))
    broken = Verdict("yaml", "t", CheckOutcome.ERROR)
    assert not Decision(MAIN, ()).accepted
    assert Decision(MAIN, (good,), (warning,)).accepted
    for verdict in (error, broken):
        assert not Decision(MAIN, (good,), (warning, verdict)).accepted
    for status in (Status.UNSATISFIED, Status.ERROR):
        assert not Decision(MAIN, (good, Requirement("x", status, ""))).accepted
