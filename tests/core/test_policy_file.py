"""What a policy may say, and every fault with its line."""

import copy
import random
from dataclasses import fields

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_hooks.core.govern import govern
from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.policy import ApprovalRule, BranchRule, Environment, LandMethod, Names, Policy

C = "c" * 40
PEOPLE = frozenset({"alice", "bob", "carol"})

WHOLE = """\
version: 1
groups:
  ops: [alice, bob]
  senior: [bob, carol]
branches:
  - match: main
    push: []
    propose: ['*']
    land: ['@ops']
    approvals:
      - {count: 1, from: ['@senior']}
      - {count: 2, from: ['@ops', carol], paths: ['inventories/production/**']}
    checks: [yaml, secrets, ansible]
    land_method: fast-forward
    authors: any
  - match: release/**
environments:
  - name: staging
    branch: main
    deployer: ansible
    playbook: site.yml
    inventory: inventories/staging
    operate: ['@ops']
  - name: production
    branch: release/1
    playbook: site.yml
    inventory: inventories/production
"""
ENVIRONMENT_KEYS = (
    "name, branch, deployer, playbook, inventory, module, run, drift_run, plan_run, manifests, namespace, "
    "force_conflicts, prune, wait, operate, limit, interval, strategy, manual, paused, after, soak, windows, freeze, "
    "manual_sync, drift, self_heal, mode, agents, batches, max_failed, health, max_changed, on_failure"
)
METHODS = "merge, fast-forward, always-merge, squash, rebase"


def parse(text: str | bytes, **asked) -> Policy:
    raw = text.encode() if isinstance(text, str) else text
    return parse_policy(raw, commit=C, **{"known": PEOPLE, **asked})


def faults(text: str | bytes, **asked) -> list[tuple[int, str]]:
    with pytest.raises(PolicyError) as caught:
        parse(text, **asked)
    assert caught.value.source == ".gitops/policy.yaml"
    return [(fault.line, fault.message) for fault in caught.value.faults]


def branch(*lines: str) -> str:
    """A policy whose one rule begins on line 3 with `match: main` and goes on with these lines from line 4."""
    return "version: 1\nbranches:\n- match: main\n" + "".join(f"  {line}\n" for line in lines)


def environment(**changed: str) -> str:
    """A policy with one environment: its name on line 5, branch, playbook and inventory after it."""
    lines = {"name": "staging", "branch": "main", "playbook": "site.yml", "inventory": "hosts", **changed}
    written = [f"{key}: {value}" for key, value in lines.items() if value != "-"]
    return branch() + "environments:\n- " + "\n  ".join(written) + "\n"


def test_what_may_run_on_the_deployer_needs_its_own_approval_and_one_of_every_rule():
    text = branch("controller:", "- {paths: ['library/**', 'filter_plugins/**'], count: 2, from: [bob, carol]}")
    text += "- {match: '*', controller: [{paths: ['library/**'], from: [bob]}]}\n- {match: m*}\n"
    governing = govern(parse(text), "refs/heads/main")
    assert governing.controller == (("library/**", "filter_plugins/**"), ("library/**",))
    asked = [rule for rule in governing.approval_rules(["library/a.py"]) if rule.rule == "controller"]
    assert [(rule.count, rule.sources) for rule in asked] == [(2, Names(("bob", "carol"))), (1, Names(("bob",)))]
    assert not [rule for rule in governing.approval_rules(["site.yml"]) if rule.rule == "controller"]


def test_the_whole_policy_is_read():
    assert parse(
        WHOLE,
        deployers={"ansible": True},
        checks={"yaml": (), "secrets": (), "ansible": ()},
        default_branch="main",
    ) == Policy(
        commit=C,
        groups=(("ops", ("alice", "bob")), ("senior", ("bob", "carol"))),
        branches=(
            BranchRule(
                match="main",
                place="policy.yaml:6",
                push=Names(),
                propose=Names(("*",)),
                land=Names(("@ops",)),
                create=Names(),
                approvals=(
                    ApprovalRule(1, Names(("@senior",)), (), "policy.yaml:11"),
                    ApprovalRule(2, Names(("@ops", "carol")), ("inventories/production/**",), "policy.yaml:12"),
                ),
                checks=("yaml", "secrets", "ansible"),
                land_method=LandMethod.FAST_FORWARD,
                any_author=True,
            ),
            BranchRule(
                match="release/**",
                place="policy.yaml:16",
                push=Names(),
                propose=Names(),
                land=Names(),
                create=Names(),
                approvals=(ApprovalRule(1, Names(("*",)), (), "policy.yaml:16"),),
                checks=(),
                land_method=LandMethod.MERGE,
                any_author=False,
            ),
        ),
        environments=(
            Environment(
                name="staging",
                branch="refs/heads/main",
                deployer="ansible",
                playbook="site.yml",
                inventory="inventories/staging",
                operate=Names(("@ops",)),
                place="policy.yaml:18",
            ),
            Environment(
                name="production",
                branch="refs/heads/release/1",
                deployer="ansible",
                playbook="site.yml",
                inventory="inventories/production",
                operate=None,
                place="policy.yaml:24",
            ),
        ),
    )


def test_three_faults_come_at_once_each_with_its_line():
    text = WHOLE.replace("count: 1", "count: yes").replace("land: ", "landed: ").replace("[bob, carol]", "[bob, dave]")
    with pytest.raises(PolicyError) as caught:
        parse(text)
    assert str(caught.value) == (
        ".gitops/policy.yaml:4: the server knows nobody by the name dave\n"
        ".gitops/policy.yaml:9: unknown key 'landed'; allowed here: "
        "match, push, propose, land, create, delete, force, approvals, checks, land_method, authors, signed, mode, "
        "break_glass, deployed, controller, require, linear, read_only, freeze, commits, files, owners, veto, keep, "
        "strict\n"
        ".gitops/policy.yaml:11: count must be a number, not yes or no"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [(0, "the file is empty; it must hold at least version and branches")]),
        ("# nothing\n", [(0, "the file is empty; it must hold at least version and branches")]),
        ("--- \n", [(2, "the policy must be a mapping, not nothing")]),
        ("[]", [(1, "the policy must be a mapping, not a list")]),
        (branch() + "---\nversion: 1\n", [(5, "a second document; the policy is one")]),
        (b"version: \xff1", [(1, "not UTF-8; save the file as UTF-8")]),
        (b" " * (256 * 1024 + 1), [(0, "larger than 262144 bytes")]),
        ("{}", [(1, "branches must hold at least one rule"), (1, "version is missing; write version: 1")]),
        ("version: 1\nbranches: []", [(2, "branches must hold at least one rule")]),
        ("version: 1\nbranches:\n", [(2, "branches must be a list, not nothing")]),
        ("version: 1\nbranches: {match: main}", [(2, "branches must be a list, not a mapping")]),
        ("version: 1\nbranches: [main]", [(2, "a rule of branches must be a mapping, not text")]),
        ("version: 1\nbranches: [{}]", [(2, "match is missing: which branches is this rule for?")]),
        (branch().replace("1", "2"), [(1, "version must be 1")]),
        (branch().replace("1", "'1'"), [(1, "version must be 1")]),
        (branch().replace("1", "1.0"), [(1, "version must be 1")]),
        (branch().replace("1", "true"), [(1, "version must be 1")]),
        (branch().replace("1", "0x1"), [(1, "version must be 1")]),
        (branch("match: next"), [(4, "duplicate key 'match', first on line 3")]),
        (branch() + "plan: []", [(4, "plan: not enforced by this release; take it out")]),
        (
            branch() + "x\u202e: 1",
            [(4, "unknown key 'x\\u202e'; allowed here: version, groups, branches, tags, environments, checks")],
        ),
        (branch() + "1: x", [(4, "a key must be text")]),
        (branch() + "? [a]\n: x", [(4, "a key must be text")]),
        (branch() + "<<: {version: 1}", [(4, "merge keys (<<) are refused; write the entries out")]),
        (branch("<<: {push: ['*']}"), [(4, "merge keys (<<) are refused; write the entries out")]),
        (branch() + "groups: []", [(4, "groups must be a mapping, not a list")]),
        (branch() + "groups: {ops: alice}", [(4, "group ops must be a list, not text")]),
        (branch() + "groups: {ops: }", [(4, "group ops must be a list, not nothing")]),
        (branch() + "groups: {ops: [no]}", [(4, "group ops must be text, not yes or no; write it in quotes")]),
        (branch() + "groups: {ops: [alice], ops: [bob]}", [(4, "duplicate key 'ops', first on line 4")]),
        (branch() + "groups: {Ops: []}", [(4, "groups: 'Ops' is not a name of a-z, 0-9, ., _ and -")]),
        (branch() + "groups: {<<: {a: []}}", [(4, "merge keys (<<) are refused; write the entries out")]),
        (branch() + "groups: {no: []}", [(4, "a key must be text")]),
        (
            branch() + "groups:\n  a: [alice]\n  b: ['@a']\n  c: ['*']",
            [
                (6, "group b: '@a': a group holds names only, no groups and no *"),
                (7, "group c: '*': a group holds names only, no groups and no *"),
            ],
        ),
        (branch() + "groups: {ops: ['Alice B']}", [(4, "group ops: 'Alice B' is not a name")]),
        (branch() + "groups: {ops: [dave]}", [(4, "the server knows nobody by the name dave")]),
        (branch() + "environments: {}", [(4, "environments must be a list, not a mapping")]),
        (branch() + "environments: [x]", [(4, "an entry of environments must be a mapping, not text")]),
    ],
)
def test_a_text_that_is_no_policy_is_refused(text, found):
    assert sorted(faults(text)) == sorted(found)


GLOB = "may hold no blank and none of [ ] { } \\ ^, nor begin with !; only *, ? and ** are patterns"
SLASH = "has an empty part; write folder/** for all below a folder"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["push: '*'"], [(4, "push must be a list, not text")]),
        (["push:"], [(4, "push must be a list, not nothing")]),
        (["controller: []"], [(4, "controller: [] allows nothing; leave the key out")]),
        (
            ["controller:", "- {count: 2}"],
            [(5, "paths is missing in this entry of controller"), (5, "from is missing in this entry of controller")],
        ),
        (
            ["controller:", "- {paths: ['**'], from: [bob]}"],
            [(5, "paths: '**' would let everything run on the deployer; name the folders")],
        ),
        (
            ["controller:", "- {paths: ['library/**'], from: [bob], mode: evaluate}"],
            [(5, "mode: not enforced by this release; take it out")],
        ),
        (["push: [yes]"], [(4, "push must be text, not yes or no; write it in quotes")]),
        (["push: [12]"], [(4, "push must be text, not a number; write it in quotes")]),
        (
            ["push: [!mine x]"],
            [(4, "push must be text, not a value with a tag; write it in quotes")],
        ),
        (["push: [~]"], [(4, "push must be text, not nothing")]),
        (["push: [[alice]]"], [(4, "push must be text, not a list")]),
        (["push: [dave]"], [(4, "the server knows nobody by the name dave")]),
        (["push: ['a b']"], [(4, "push: 'a b' is not a name, @group or *")]),
        (["push: ['@ops']"], [(4, "push: there is no group @ops")]),
        (["push: ['@']"], [(4, "push: '@' is not a name, @group or *")]),
        (["land: ['**']"], [(4, "land: '**' is not a name, @group or *")]),
        (['create: ["alice\\nbob"]'], [(4, "create: 'alice\\nbob' is not a name, @group or *")]),
        (["approvals: 1"], [(4, "approvals must be a list, not a number")]),
        (["approvals:"], [(4, "approvals must be a list, not nothing")]),
        (
            ["approvals: []"],
            [(4, "approvals: [] would let all land unseen; without the key it is one approval by anybody")],
        ),
        (["approvals: [bob]"], [(4, "an entry of approvals must be a mapping, not text")]),
        (["approvals: [{count: true}]"], [(4, "count must be a number, not yes or no")]),
        (["approvals: [{count: '1'}]"], [(4, "count must be a number, not text")]),
        (["approvals: [{count: 1.0}]"], [(4, "count must be a number, not a fraction")]),
        (["approvals: [{count: }]"], [(4, "count must be a number, not nothing")]),
        (["approvals: [{count: 0}]"], [(4, "count: '0' is not a whole number from 1 to 9999")]),
        (["approvals: [{count: -1}]"], [(4, "count: '-1' is not a whole number from 1 to 9999")]),
        (["approvals: [{count: 0x1}]"], [(4, "count: '0x1' is not a whole number from 1 to 9999")]),
        (["approvals: [{count: 1_0}]"], [(4, "count: '1_0' is not a whole number from 1 to 9999")]),
        (["approvals: [{count: 1:30}]"], [(4, "count: '1:30' is not a whole number from 1 to 9999")]),
        (["approvals: [{count: 4}]"], [(4, "count: 4 by anybody, but only 3 people could approve")]),
        (
            ["approvals: [{count: 2, from: [bob, bob]}]"],
            [(4, "count: 2 by bob or bob, but only 1 person could approve")],
        ),
        (["approvals: [{from: []}]"], [(4, "from: [] is nobody, and nobody could approve")]),
        (["approvals: [{from: }]"], [(4, "from must be a list, not nothing")]),
        (
            ["approvals: [{from: [dave]}]"],
            [(4, "the server knows nobody by the name dave"), (4, "count: 1 by dave, but nobody could approve")],
        ),
        (
            ["approvals: [{paths: []}]"],
            [(4, "paths: [] would bind nothing; without the key it holds for every path")],
        ),
        (["approvals: [{paths: a}]"], [(4, "paths must be a list, not text")]),
        (["approvals: [{paths: ['/etc/**']}]"], [(4, "paths: '/etc/**' must be relative to the repository")]),
        (["approvals: [{paths: ['a/../b']}]"], [(4, "paths: 'a/../b' may not leave the repository by ..")]),
        (["approvals: [{paths: ['a/']}]"], [(4, f"paths: 'a/' {SLASH}")]),
        (["approvals: [{paths: ['']}]"], [(4, f"paths: '' {SLASH}")]),
        (
            ["approvals: [{paths: ['a**']}]"],
            [(4, "paths: 'a**' has ** inside a name; it stands for whole folders, as in a/**/b")],
        ),
        (["approvals: [{paths: ['{a,b}/**']}]"], [(4, f"paths: '{{a,b}}/**' {GLOB}")]),
        (["approvals: [{paths: ['!a']}]"], [(4, f"paths: '!a' {GLOB}")]),
        (["approvals: [{signed_commits: true}]"], [(4, "signed_commits: not enforced by this release; take it out")]),
        (
            ["approvals: [{by: bob}]"],
            [(4, "unknown key 'by'; allowed here: count, from, paths, signed, reach, bots, mode")],
        ),
        (["checks: yaml"], [(4, "checks must be a list, not text")]),
        (["checks: [YAML]"], [(4, "check: 'YAML' is not the name of a check")]),
        (["land_method: Merge"], [(4, f"land_method: 'Merge' is not one of {METHODS}")]),
        (["land_method: [merge]"], [(4, "land_method must be text, not a list")]),
        (["authors: all"], [(4, "authors: 'all' is not known or any")]),
        (["authors: true"], [(4, "authors must be text, not yes or no; write it in quotes")]),
        (["deployed: [staging]"], [(4, "deployed: there is no environment staging; there are: none")]),
        (["deployed: []"], [(4, "deployed: [] asks for nothing; take it out")]),
        (["signed: 1"], [(4, "signed must be yes or no, not a number")]),
        (["approvals: [{signed: 'true'}]"], [(4, "signed must be yes or no, not text")]),
    ],
)
def test_a_fault_in_a_rule_is_told_with_its_line(lines, found):
    assert sorted(faults(branch(*lines))) == sorted(found)


@pytest.mark.parametrize(
    ("match", "message"),
    [
        ("refs/heads/main", "match: short branch names are meant: main, not refs/heads/main"),
        ("'[a-z]*'", f"match: '[a-z]*' {GLOB}"),
        ("'!main'", f"match: '!main' {GLOB}"),
        ("'release/'", f"match: 'release/' {SLASH}"),
        ("'/main'", "match: '/main' must be relative to the repository"),
        ("'release**'", "match: 'release**' has ** inside a name; it stands for whole folders, as in a/**/b"),
        ("''", f"match: '' {SLASH}"),
        ("12", "match must be text, not a number; write it in quotes"),
        ("2026-01-01", "match must be text, not a date; write it in quotes"),
    ],
)
def test_a_pattern_that_would_match_nothing_is_refused(match, message):
    assert faults(f"version: 1\nbranches:\n- match: {match}\n") == [(3, message)]


@pytest.mark.parametrize("match", ["main", "'*'", "'**'", "release/**", "'v?.x'", "größe"])
def test_a_pattern_of_stars_and_question_marks_is_read(match):
    assert parse(f"version: 1\nbranches:\n- match: {match}\n").branches[0].match == match.strip("'")


def test_a_pattern_is_brought_to_the_normal_form_of_branch_names():
    assert parse("version: 1\nbranches:\n- match: gro\u0308ße\n").branches[0].match == "größe"


def test_an_empty_group_cannot_approve_and_may_stand_elsewhere():
    text = branch("approvals: [{from: ['@nobody']}]", "push: ['@nobody']") + "groups: {nobody: []}\n"
    assert faults(text) == [(4, "from: the group @nobody is empty, and nobody could approve")]
    assert parse(branch("push: ['@nobody']") + "groups: {nobody: []}\n").groups == (("nobody", ()),)


def test_an_unknown_group_is_refused_with_the_list_of_groups():
    text = branch("land: ['@opps']") + "groups: {ops: [alice], senior: [bob]}\n"
    assert faults(text) == [(4, "land: there is no group @opps; groups: ops, senior")]


def test_more_approvals_than_people_are_refused():
    text = branch("approvals: [{count: 3, from: ['@ops', bob]}]") + "groups: {ops: [alice, bob]}\n"
    message = "count: 3 by @ops or bob, but only 2 people could approve"
    assert faults(text) == faults(text, known=None) == [(4, message)]


def test_the_approval_that_goes_without_saying_needs_somebody_too():
    assert faults(branch(), known=frozenset()) == [(3, "count: 1 by anybody, but nobody could approve")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (environment(name="Staging"), [(5, "name: 'Staging' is not a name of a-z, 0-9 and -, at most 32 long")]),
        (environment(name="a" * 33), [(5, f"name: '{'a' * 33}' is not a name of a-z, 0-9 and -, at most 32 long")]),
        (environment(name="on"), [(5, "name must be text, not yes or no; write it in quotes")]),
        (environment(name="../x"), [(5, "name: '../x' is not a name of a-z, 0-9 and -, at most 32 long")]),
        (environment(branch="next"), [(6, "branch: no rule of branches matches next")]),
        (
            environment(branch="refs/heads/main"),
            [(6, "branch: 'refs/heads/main' is not a short branch name: main, not refs/heads/main")],
        ),
        (environment(branch="'a..b'"), [(6, "branch: 'a..b': not a name that git allows for a ref")]),
        (environment(branch="HEAD"), [(6, "branch: 'HEAD': HEAD could be taken for a name of git's own")]),
        (environment(playbook="/site.yml"), [(7, "playbook: '/site.yml' must be relative to the repository")]),
        (environment(playbook="../site.yml"), [(7, "playbook: '../site.yml' may not leave the repository by ..")]),
        (environment(playbook="'-e x'"), [(7, "playbook: '-e x' is not a path")]),
        (environment(playbook='"a\\nb"'), [(7, "playbook: 'a\\nb' is not a path")]),
        (environment(playbook="[a]"), [(7, "playbook must be text, not a list")]),
        (environment(inventory="a//b"), [(8, f"inventory: 'a//b' {SLASH}")]),
        (environment(inventory="''"), [(8, "inventory: '' is not a path")]),
        (
            environment(branch="-", playbook="-", inventory="-"),
            [
                (5, "branch is missing in this environment"),
                (5, "playbook is missing in this environment"),
                (5, "inventory is missing in this environment"),
            ],
        ),
        (environment(limit="hosts"), [(9, "limit: 'hosts' is not reach or all")]),
        (environment(limit="yes"), [(9, "limit must be text, not yes or no; write it in quotes")]),
        (environment(interval="often"), [(9, "interval: 'often' is not a time such as 30m, 6h or 1d")]),
        (environment(interval="31d"), [(9, "interval: 31d is not from 10s to 30d")]),
        (environment(interval="5s"), [(9, "interval: 5s is not from 10s to 30d")]),
        (environment(interval="60"), [(9, "interval must be text, not a number; write it in quotes")]),
        (environment(operate="[dave]"), [(9, "the server knows nobody by the name dave")]),
        (environment(operate="'*'"), [(9, "operate must be a list, not text")]),
        (environment(on_failure="retry"), [(9, "on_failure: 'retry' is not stop or rollback")]),
        (environment(mode="agent"), [(9, "mode: 'agent' is not push, pull or both")]),
        (
            environment(hosts="[]"),
            [(9, f"unknown key 'hosts'; allowed here: {ENVIRONMENT_KEYS}")],
        ),
        (
            environment(deployer="terraform"),
            [(9, "there is no deployer terraform on this server; there are: ansible")],
        ),
        (
            environment() + "- {name: staging, branch: main, playbook: a, inventory: b}\n",
            [(9, "the environment staging is here twice")],
        ),
    ],
)
def test_a_fault_in_an_environment_is_told_with_its_line(text, found):
    assert faults(text, deployers={"ansible": True}) == found


def test_whether_and_how_often_an_environment_visits_all_hosts():
    def read(**more):
        found = parse_policy(environment(**more).encode(), commit=C, known=None, source="policy.yaml").environments[0]
        return found.whole, found.interval

    assert read() == read(limit="reach") == (False, 0)
    assert read(limit="all", interval="6h") == (True, 6 * 3600)


def test_checks_and_deployers_must_be_there_when_the_server_is_asked():
    text = branch("checks: [yaml, spelling]") + environment().partition("match: main\n")[2]
    assert faults(text, checks={"yaml": (), "secrets": ()}, deployers={}) == [
        (4, "there is no check spelling on this server; there are: secrets, yaml"),
        (6, "there is no deployer ansible on this server; there are: none"),
    ]
    assert parse(text).branches[0].checks == ("yaml", "spelling")


def test_the_default_branch_must_have_a_rule():
    assert faults(branch(), default_branch="trunk") == [(0, "the default branch trunk has no rule")]
    assert parse(branch(), default_branch="main").branches[0].match == "main"


def test_an_unnamed_server_is_not_asked_who_its_people_are():
    text = branch("push: [zoe]", "approvals: [{count: 9}]")
    assert parse(text, known=None).branches[0].push == Names(("zoe",))


def test_two_rules_for_one_branch_are_fine():
    assert len(parse(branch() + "- match: main\n").branches) == 2


def test_places_and_faults_carry_the_name_of_their_file():
    assert parse(branch(), source="first/rules.yaml").branches[0].place == "rules.yaml:3"
    with pytest.raises(PolicyError) as caught:
        parse("version: 2", source="first/rules.yaml")
    assert str(caught.value) == (
        "first/rules.yaml:1: version must be 1\nfirst/rules.yaml:1: branches must hold at least one rule"
    )


def test_very_many_faults_are_counted_not_printed():
    found = faults(branch(*(f"k{number}: 1" for number in range(500))))
    assert len(found) == 101
    assert found[-1] == (0, "and 400 more")


def test_a_bomb_of_aliases_is_refused_by_its_budget():
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(7)
    )
    assert any(message == "aliases expand to more than 50000 nodes" for _, message in faults(bomb))


WORDS = st.sampled_from(
    [True, False, None, 0, 1, 2, 10**6, 1.5, "", "*", "@ops", "alice", "main", "a/**", "known", "staging", "x" * 300]
)
KEYS = st.one_of(
    st.sampled_from(
        [
            *("version", "groups", "branches", "environments", "match", "push", "propose", "land", "create", "count"),
            *("approvals", "from", "paths", "checks", "land_method", "authors", "name", "branch", "deployer"),
            *("playbook", "inventory", "operate", "keep", "reach", "bots", "veto", "strict", "owners", "dialect"),
            *("after", "mode", "tags", "unknown", "module", "run"),
        ]
    ),
    st.text(max_size=6),
    st.booleans(),
)
VALUES = st.recursive(
    WORDS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)), max_leaves=12
)
ALLOWED = {
    "": {"version", "groups", "branches", "tags", "environments", "checks"},
    "branches": {
        *("match", "push", "propose", "land", "create", "delete", "force", "approvals", "checks", "land_method"),
        *("authors", "linear", "read_only", "freeze", "commits", "files"),
    },
    "approvals": {"count", "from", "paths"},
    "environments": {"name", "branch", "deployer", "playbook", "inventory", "module", "run", "operate"},
}


def mutate(value: object, spots: random.Random, new: object) -> object:
    """The same value with one spot, chosen by chance, changed, removed or given another key."""
    found: list[tuple[object, object]] = []

    def walk(node: object) -> None:
        for key in list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
            found.append((node, key))
            walk(node[key])

    walk(value)
    node, key = spots.choice(found)
    act = spots.randrange(4)
    if act == 0:
        del node[key]
    elif act == 1 and isinstance(node, dict) and not isinstance(new, list | dict):
        node[new] = node.pop(key)
    elif act == 2 and isinstance(node, dict):
        node["extra"] = new
    else:
        node[key] = new
    return value


def keys_are_known(document: dict) -> bool:
    rules, environments = document["branches"], document.get("environments", [])
    approvals = [entry for rule in rules for entry in rule.get("approvals", [])]
    return (
        set(document) <= ALLOWED[""]
        and all(set(rule) <= ALLOWED["branches"] for rule in rules)
        and all(set(entry) <= ALLOWED["approvals"] for entry in approvals)
        and all(set(entry) <= ALLOWED["environments"] for entry in environments)
    )


def check_sound(text: bytes) -> None:
    try:
        policy = parse(text)
    except PolicyError as error:
        assert error.faults
        return
    # The same parser below: the one in pure Python takes a little less.
    document = yaml.CSafeLoader(text).get_single_data()
    assert keys_are_known(document)
    assert document["version"] == 1
    assert policy.branches
    for rule in policy.branches:
        assert rule.match
        assert rule.approvals
        for approval in rule.approvals:
            assert type(approval.count) is int
            assert 1 <= approval.count <= len(PEOPLE)
            assert approval.sources.items
        lists = [getattr(rule, field.name) for field in fields(rule) if field.name in ("push", "propose", "land")]
        assert all(item == "*" or item[0] == "@" or item in PEOPLE for names in lists for item in names.items)
    for environment in policy.environments:
        assert environment.name
        assert environment.branch.startswith("refs/heads/")


@settings(max_examples=400, deadline=None)
@given(st.randoms(use_true_random=False), st.lists(VALUES, min_size=1, max_size=3))
def test_a_changed_policy_is_read_soundly_or_refused(spots, news):
    document = yaml.safe_load(WHOLE)
    for new in news:
        document = mutate(document, spots, copy.deepcopy(new))
    check_sound(yaml.safe_dump(document, allow_unicode=True, sort_keys=False).encode("utf-8", "replace"))


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_any_mapping_is_read_soundly_or_refused(document):
    check_sound(yaml.safe_dump(document, allow_unicode=True).encode("utf-8", "replace"))


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, len(WHOLE)),
    st.integers(0, 12),
    st.one_of(st.binary(max_size=6), st.text("-:[]{}&*!|>'\"\n #", max_size=6)),
)
def test_any_bytes_are_read_soundly_or_refused(at, cut, put):
    raw = WHOLE.encode()
    check_sound(raw[:at] + (put.encode() if isinstance(put, str) else put) + raw[at + cut :])
