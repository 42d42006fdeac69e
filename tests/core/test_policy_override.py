"""`mode:` and `break_glass:` in the policy: what they mean, and each fault with its line."""

import pytest

from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.policy import BreakGlass, Names

PEOPLE = frozenset({"alice", "bob", "carol"})
HEAD = "version: 1\ngroups: {ops: [alice, bob]}\nbranches:\n- match: main\n"


def parse(*lines: str, tail: str = ""):
    text = HEAD + "".join(f"  {line}\n" for line in lines) + tail
    return parse_policy(text.encode(), commit="c" * 40, known=PEOPLE, default_branch="main")


def faults(*lines: str, tail: str = "") -> list[tuple[int, str]]:
    with pytest.raises(PolicyError) as caught:
        parse(*lines, tail=tail)
    return [(fault.line, fault.message) for fault in caught.value.faults]


def glass(text: str) -> BreakGlass | None:
    return parse(f"break_glass: {text}").branches[0].break_glass


@pytest.mark.parametrize(
    ("text", "covers", "settle"),
    [
        ("{by: ['@ops']}", ("approvals", "freeze", "deployed", "plan"), 86400),
        ("{by: ['@ops'], settle: 30m}", ("approvals", "freeze", "deployed", "plan"), 1800),
        ("{by: ['@ops'], settle: 45s, covers: [checks]}", ("checks",), 45),
        ("{by: ['@ops'], settle: 30d, covers: [approvals, checks]}", ("approvals", "checks"), 30 * 86400),
    ],
)
def test_break_glass_covers_all_but_checks_for_a_day_unless_it_says_otherwise(text, covers, settle):
    assert glass(text) == BreakGlass(Names(("@ops",)), covers, settle, "policy.yaml:5")


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["break_glass: yes"], [(5, "break_glass must be a mapping, not yes or no")]),
        (["break_glass: {}"], [(5, "by is missing: who may break the glass?")]),
        (["break_glass: {by: []}"], [(5, "by: [] is nobody; take break_glass out")]),
        (["break_glass: {by: ['*']}"], [(5, "by: break-glass is for named people and groups, not for *")]),
        (["break_glass: {by: [eve]}"], [(5, "the server knows nobody by the name eve")]),
        (["break_glass: {by: ['@x']}"], [(5, "by: there is no group @x; groups: ops")]),
        (["break_glass: {by: [bob], covers: []}"], [(5, "covers: [] is nothing; take break_glass out")]),
        (
            ["break_glass: {by: [bob], covers: [owners]}"],
            [(5, "covers: break-glass never covers owners; it may cover approvals, freeze, deployed, plan, checks")],
        ),
        (["break_glass: {by: [bob], settle: 24}"], [(5, "settle must be text, not a number; write it in quotes")]),
        (["break_glass: {by: [bob], settle: 0h}"], [(5, "settle: '0h' is not a time such as 30m, 24h or 7d")]),
        (["break_glass: {by: [bob], settle: 31d}"], [(5, "settle: 31d is longer than 30d")]),
        (["break_glass: {by: [bob], until: 1d}"], [(5, "unknown key 'until'; allowed here: by, covers, settle")]),
        (["mode: dry"], [(5, "mode: 'dry' is not enforce or evaluate")]),
        (["mode: evaluate"], [(0, "the default branch main has only rules with mode: evaluate (policy.yaml:4)")]),
        (
            ["approvals: [{mode: evaluate}]"],
            [(0, "the default branch main has only approvals with mode: evaluate (policy.yaml:4)")],
        ),
    ],
)
def test_a_fault_is_told_with_its_line(lines, found):
    assert faults(*lines) == found


def test_a_rule_that_refuses_nothing_has_nothing_to_override():
    tail = "- {match: x, mode: evaluate, break_glass: {by: [bob]}}\n"
    words = "break_glass: a rule with mode: evaluate refuses nothing that could be overridden"
    assert faults(tail=tail) == [(5, words)]


def test_the_branch_of_an_environment_needs_a_rule_that_is_enforced():
    tail = "- {match: live, mode: evaluate}\nenvironments:\n- {name: a, branch: live, playbook: p, inventory: i}\n"
    assert faults(tail=tail) == [(7, "branch: live has only rules with mode: evaluate (policy.yaml:5)")]


def test_what_is_on_trial_is_read_as_such():
    tail = "- {match: 'r/*', mode: evaluate}\n"
    found = parse("mode: enforce", "approvals: [{}, {count: 2, mode: evaluate}]", tail=tail).branches
    assert [rule.evaluate for rule in found] == [False, True]
    assert [entry.evaluate for entry in found[0].approvals] == [False, True]
