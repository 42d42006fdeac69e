"""What the policy may say of owners, vetoes, what is kept, who does not count, reach and bots; every fault is told."""

import pytest

from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.policy import Dialect, Keep, Names, OwnersRule, ReachLimit, Review, Strict

KNOWN = frozenset({"alice", "bob", "carol", "robot"})


def text(*lines):
    rule = "".join(f"    {line}\n" for line in lines)
    return f"version: 1\ngroups: {{senior: [bob], empty: []}}\nbranches:\n  - match: main\n{rule}".encode()


def rule_of(*lines):
    return parse_policy(text(*lines), commit="c" * 40, known=KNOWN).branches[0]


def faults(*lines):
    with pytest.raises(PolicyError) as caught:
        rule_of(*lines)
    return [fault.message for fault in caught.value.faults]


def test_without_the_keys_nothing_is_kept_and_nobody_vetoes():
    assert rule_of().review == Review(None, Names(), Keep.NOTHING, frozenset())


def test_all_of_it_is_read():
    review = rule_of(
        "owners: {dialect: gitlab, file: meta/OWNERS}",
        "veto: ['@senior', carol]",
        "keep: trivial-rebase",
        "strict: [every-revision, signed-off]",
    ).review
    assert review == Review(
        OwnersRule(Dialect.GITLAB, "meta/OWNERS", "policy.yaml:5"),
        Names(("@senior", "carol")),
        Keep.TRIVIAL_REBASE,
        frozenset(Strict),
    )


@pytest.mark.parametrize(
    ("entry", "reach"),
    [
        ("{hosts: '>5'}", ReachLimit(5)),
        ("{hosts: '>= 5'}", ReachLimit(4)),
        ("{groups: [db, web_2]}", ReachLimit(None, ("db", "web_2"))),
        ("{hosts: '>0', groups: [db]}", ReachLimit(0, ("db",))),
    ],
)
def test_a_reach_is_hosts_or_groups_or_both(entry, reach):
    (approval,) = rule_of(f"approvals: [{{reach: {entry}}}]").approvals
    assert approval.reach == reach


@pytest.mark.parametrize(
    ("bots", "names"), [("true", ("*",)), ("false", ()), ("[robot]", ("robot",)), ("['@senior']", ("@senior",))]
)
def test_bots_are_those_among_from_or_the_ones_named(bots, names):
    (approval,) = rule_of(f"approvals: [{{bots: {bots}}}]").approvals
    assert approval.bots == Names(names)


DIALECTS = "github, gitlab, gitea"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("owners: true", "owners must be a mapping, not yes or no"),
        ("owners: {}", f"owners: dialect is missing; it is one of {DIALECTS}"),
        ("owners: {dialect: svn}", f"dialect: 'svn' is not one of {DIALECTS}"),
        ("owners: {dialect: github, file: /etc/x}", "file: '/etc/x' must be relative to the repository"),
        ("owners: {dialect: github, count: 2}", "unknown key 'count'; allowed here: dialect, file"),
        ("veto: []", "veto: [] is nobody; leave it out"),
        ("veto: ['@empty']", "veto: the group @empty is empty"),
        ("veto: [dave]", "the server knows nobody by the name dave"),
        (
            "keep: everything",
            "keep: 'everything' is not one of no-code-change, trivial-rebase; without the key nothing is kept",
        ),
        ("keep: [trivial-rebase]", "keep must be text, not a list"),
        ("strict: [last-pusher]", "strict: last-pusher never counts, whatever the policy says; leave it out"),
        (
            "strict: [no-authors]",
            "strict: 'no-authors' is not one of every-revision, signed-off; nothing makes it looser",
        ),
        ("strict: signed-off", "strict must be a list, not text"),
        ("approvals: [{reach: {}}]", "reach must hold hosts, groups or both"),
        ("approvals: [{reach: {hosts: 5}}]", "hosts must be text, not a number; write it in quotes"),
        ("approvals: [{reach: {hosts: '5'}}]", "hosts: '5' is not '>' or '>=' and a number, as in '>5'"),
        ("approvals: [{reach: {hosts: '>=0'}}]", "hosts: '>=0' binds every change; leave reach out"),
        ("approvals: [{reach: {groups: []}}]", "groups: [] would bind nothing"),
        ("approvals: [{reach: {groups: ['a b']}}]", "groups: 'a b' is not the name of a group of an inventory"),
        ("approvals: [{reach: {roles: [x]}}]", "unknown key 'roles'; allowed here: hosts, groups"),
        ("approvals: [{bots: robot}]", "bots must be true or a list of names"),
        ("approvals: [{bots: [gone]}]", "the server knows nobody by the name gone"),
    ],
)
def test_a_fault_is_told_with_its_cure(line, message):
    assert message in faults(line)
