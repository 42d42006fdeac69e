"""Rules in evaluate mode: they say what they would refuse, refuse nothing, and take nothing from the others."""

from dataclasses import replace

from gitops_hooks.core.approvers import missing_approvers
from gitops_hooks.core.decide import judge_landing, judge_unapproved_push
from gitops_hooks.core.govern import BUILT_IN, govern
from gitops_hooks.core.rehearse import rehearse, rehearse_right, trial_checks, waive_on_trial
from gitops_hooks.model.policy import ApprovalRule, LandMethod, Names
from gitops_hooks.model.verdict import CheckOutcome, Decision, Finding, Status, Verdict
from tests.core.records import MAIN, PEOPLE, SENIORS, approval, branch, oid, policy
from tests.core.test_decide import case

TWO = ApprovalRule(2, Names(("@senior",)), (), "policy.yaml:30")


def on_trial(rule, place="policy.yaml:20"):
    return replace(rule, evaluate=True, place=place)


def rehearsed(asked, judge=judge_landing, actor="alice"):
    said = judge(asked, actor)
    return said, rehearse(lambda one: judge(one, actor), asked, said)


def told(requirements):
    return [(answer.rule, answer.status, answer.place) for answer in requirements]


def test_a_rule_on_trial_tells_what_it_would_refuse_and_refuses_nothing():
    asked = case(branch(), on_trial(branch(TWO, land=("bob",))), approvals=(approval("bob"),))
    said, found = rehearsed(asked)
    assert all(answer.holds for answer in said)
    assert told(found) == [
        ("land", Status.BYPASSED, "policy.yaml:20"),
        ("approvals", Status.BYPASSED, "policy.yaml:30"),
    ]
    assert Decision(MAIN, (*said, *found)).accepted


def test_every_rule_on_trial_speaks_not_only_the_first():
    rules = [on_trial(branch(push=()), f"policy.yaml:{line}") for line in (20, 30)]
    one = replace(rules[1], push=Names(("bob",)))
    _, found = rehearsed(case(branch(push=("alice",)), rules[0], one), judge_unapproved_push)
    assert [answer.place for answer in found] == ["policy.yaml:20", "policy.yaml:30"]


def test_an_entry_of_approvals_on_trial_leaves_the_other_entries_in_force():
    asked = case(branch(SENIORS, replace(TWO, evaluate=True)))
    said, found = rehearsed(asked)
    assert [answer.place for answer in said if not answer.holds] == ["policy.yaml:9"]
    assert told(found) == [("approvals", Status.BYPASSED, "policy.yaml:30")]
    said, found = rehearsed(case(branch(SENIORS, replace(TWO, evaluate=True)), approvals=(approval("bob"),)))
    assert all(answer.holds for answer in said) and told(found) == [("approvals", Status.BYPASSED, "policy.yaml:30")]


def test_where_all_entries_are_on_trial_one_approval_is_needed_all_the_same():
    governing = case(branch(replace(TWO, evaluate=True))).governing
    assert governing.approval_rules(("a.yml",)) == (BUILT_IN,)


def test_a_rule_on_trial_says_nothing_where_it_would_let_it_pass():
    asked = case(branch(), on_trial(branch()), approvals=(approval("bob"),))
    assert rehearsed(asked)[1] == ()


def test_a_requirement_without_a_place_gets_that_of_its_rule():
    trial = on_trial(branch(method=LandMethod.FAST_FORWARD))
    _, found = rehearsed(case(branch(), trial, approvals=(approval("bob"),), fast_forward=False))
    assert told(found) == [("land_method", Status.BYPASSED, "policy.yaml:20")]


def test_no_rule_on_trial_governs_or_loosens():
    rules = policy(on_trial(branch()))
    assert govern(rules, MAIN) is None
    both = govern(policy(branch(land=()), on_trial(branch(land=("alice",)))), MAIN)
    assert both and not both.may("land", "alice").holds and len(both.rules) == 1
    assert not case(branch(), on_trial(branch(any_author=True))).governing.rules[0].any_author


def test_a_right_alone_is_rehearsed_too():
    rules = policy(on_trial(branch()))
    assert told(rehearse_right(rules, MAIN, "create", "alice")) == [("create", Status.BYPASSED, "policy.yaml:20")]
    assert rehearse_right(rules, MAIN, "land", "alice") == ()


def test_findings_that_only_a_rule_on_trial_asks_for_are_told_and_a_broken_check_refuses():
    rules = policy(branch(), on_trial(replace(branch(), checks=("yaml", "spelling"))))
    names = trial_checks(rules, MAIN)
    assert names == ("spelling",)
    fault = (Finding("a.yml", 1, "no"),)
    found, broken, own = waive_on_trial(
        (
            Verdict("spelling", oid("7"), CheckOutcome.FINDINGS, fault),
            Verdict("spelling", oid("7"), CheckOutcome.ERROR, detail="gone"),
            Verdict("yaml", oid("7"), CheckOutcome.FINDINGS, fault),
        ),
        names,
    )
    assert found.waived is Status.BYPASSED and not found.refuses
    assert broken.refuses and own.refuses


def test_nobody_has_to_be_able_to_meet_what_is_on_trial():
    rules = policy(branch(SENIORS, replace(TWO, count=5, evaluate=True)), on_trial(branch(replace(TWO, count=5))))
    assert missing_approvers(rules, MAIN, PEOPLE) == ()
