"""`policy explain` and `owners` ask the judge's own functions about what has not been pushed."""

from dataclasses import replace

from gitops_hooks.core.explain import explain_approvals, explain_case, explain_person, imagine, who_counts
from gitops_hooks.core.govern import govern
from gitops_hooks.model.people import People
from gitops_hooks.model.policy import ApprovalRule, Names
from gitops_hooks.model.push import ActorKind
from gitops_hooks.model.verdict import Status
from tests.core.records import AT, MAIN, PEOPLE, SENIORS, branch, person, policy

PROD = ApprovalRule(2, Names(("alice", "bob", "robot")), ("prod/**",), "policy.yaml:30")
TRIAL = ApprovalRule(3, Names(("*",)), (), "policy.yaml:40", evaluate=True)
RULES = policy(branch(SENIORS, PROD, TRIAL))
EVERYBODY = People((*PEOPLE.everybody, person("robot", ActorKind.BOT)))


def governing():
    found = govern(RULES, MAIN)
    assert found
    return found


def counting(path):
    return who_counts(imagine(governing(), (path,), AT), EVERYBODY)


def told(answers, question):
    answer = next(answer for answer in answers if answer.question == question)
    return [(one.rule, one.status, one.place) for one in answer.requirements]


def test_a_path_is_held_against_every_entry_and_the_author_does_not_count():
    answers = explain_case(imagine(governing(), ("a.yml",), AT, "bob"), "bob")
    assert told(answers, "land")[-3:] == [
        ("approvals", Status.UNSATISFIED, "policy.yaml:9"),
        ("approvals", Status.BYPASSED, "policy.yaml:40"),
        ("approvals", Status.NOT_APPLICABLE, "policy.yaml:30"),
    ]
    assert told(answers, "approve") == [("approve", Status.UNSATISFIED, "")]
    inside = explain_case(imagine(governing(), ("prod/x",), AT, "alice"), "bob")
    assert told(inside, "approve") == [("approve", Status.SATISFIED, "")]
    assert Status.NOT_APPLICABLE not in [status for _, status, _ in told(inside, "land")]


def test_without_a_person_only_the_approvals_are_told():
    answers = explain_approvals(imagine(governing(), ("prod/x",), AT))
    assert [answer.question for answer in answers] == ["land"]
    assert {rule for rule, _, _ in told(answers, "land")} == {"approvals"}


def test_a_person_is_held_against_every_right_and_every_entry():
    answers = explain_person(governing(), "alice", AT)
    assert [answer.question for answer in answers] == [
        *("propose", "approve", "land", "push without approval", "create", "delete", "force", "break the glass"),
    ]
    assert told(answers, "approve") == [
        ("approve", Status.UNSATISFIED, "policy.yaml:9"),
        ("approve", Status.SATISFIED, "policy.yaml:30"),
        ("approve", Status.SATISFIED, "policy.yaml:40"),
    ]
    assert told(answers, "create") == [("create", Status.UNSATISFIED, "policy.yaml:5")]


def test_owners_are_the_people_whom_each_entry_for_a_path_counts():
    assert [(one.place, one.names, one.evaluate) for one in counting("prod/x")] == [
        ("policy.yaml:9", ("bob", "carol"), False),
        ("policy.yaml:30", ("alice", "bob"), False),
        ("policy.yaml:40", ("alice", "bob", "carol", "dave"), True),
    ]
    assert [one.place for one in counting("a.yml")] == ["policy.yaml:9", "policy.yaml:40"]


def test_where_no_entry_is_enforced_for_a_path_anybody_counts():
    rules = policy(branch(PROD))
    found = govern(rules, MAIN)
    assert found
    assert [(one.needs, one.place) for one in who_counts(imagine(found, ("a.yml",), AT), EVERYBODY)] == [
        ("1 approval by anybody", "built in")
    ]
    assert replace(found, rules=()).approval_rules(()) == found.approval_rules(("a.yml",))
