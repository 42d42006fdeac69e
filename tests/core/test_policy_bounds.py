"""What a rule may bound, and every fault in it with its line."""

from datetime import datetime

import pytest

from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.model.bounds import NO_BOUNDS, Bounds, CommitBounds, FileBounds, Window
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.policy import Names, Policy, TagRule

TAGS = """\
version: 1
groups: {ops: [alice]}
branches:
- match: main
tags:
- match: v*
  create: ['@ops']
  signed: true
  branches: [main, 'release/**']
- match: '**'
  annotated: yes
"""


def parse(text: str) -> Policy:
    return parse_policy(text.encode(), commit="c" * 40, known=frozenset({"alice", "bob"}))


def branch(*lines: str) -> str:
    """A policy whose one rule begins on line 3 and goes on with these lines from line 4."""
    return "version: 1\nbranches:\n- match: main\n" + "".join(f"  {line}\n" for line in lines)


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(PolicyError) as caught:
        parse(text)
    return [(fault.line, fault.message) for fault in caught.value.faults]


def test_a_rule_without_these_keys_bounds_nothing():
    rule = parse(branch()).branches[0]
    assert (rule.bounds, rule.delete, rule.force) == (NO_BOUNDS, Names(), Names())


def test_all_of_them_are_read():
    text = branch(
        *("delete: [alice]", "force: ['*']", "linear: true", "read_only: we move"),
        "commits: {must: ['^x'], must_not: ['wip'], signoff: true, author: pusher, committer: any}",
        "files: {max_size: 2M, max_files: 30, max_path: 200, forbidden: ['a/**'], allowed: ['**'],",
        "  forbidden_extensions: [EXE], allowed_extensions: [], symlinks: [a/b], submodules: [], lfs: [c]}",
        "freeze: ['Fri 16:00 - Mon 09:00 Europe/Berlin', '2026-12-20 .. 2027-01-02']",
    )
    rule = parse(text).branches[0]
    assert (rule.delete, rule.force) == (Names(("alice",)), Names(("*",)))
    assert rule.bounds == Bounds(
        linear=True,
        read_only="we move",
        commits=CommitBounds("policy.yaml:8", ("^x",), ("wip",), True, True, False),
        files=FileBounds(
            *("policy.yaml:9", 2 * 1024**2, 30, 200, ("a/**",), ("**",), ("exe",), ()),
            *(("a/b",), (), ("c",)),
        ),
        freeze=(
            Window(
                "policy.yaml:11",
                "Fri 16:00 - Mon 09:00 Europe/Berlin",
                "Europe/Berlin",
                weekly=(4 * 1440 + 16 * 60, 9 * 60),
            ),
            Window(
                "policy.yaml:11",
                "2026-12-20 .. 2027-01-02",
                "UTC",
                dated=(datetime(2026, 12, 20), datetime(2027, 1, 3)),
            ),
        ),
    )


@pytest.mark.parametrize(("written", "reason"), [("true", "no reason is given"), ("false", ""), ("'why'", "why")])
def test_read_only_is_yes_no_or_a_reason(written, reason):
    assert parse(branch(f"read_only: {written}")).branches[0].bounds.read_only == reason


@pytest.mark.parametrize(("written", "size"), [("1", 1), ("500K", 512_000), ("20M", 20 * 1024**2), ("1G", 1024**3)])
def test_a_size_is_bytes_or_has_a_unit(written, size):
    bounds = parse(branch(f"files: {{max_size: {written}}}")).branches[0].bounds.files
    assert bounds is not None and bounds.max_size == size


SIZE = "is not a number of bytes, as 500000, 500K, 20M or 1G"
FORM = "is not of the form 'Fri 16:00 - Mon 09:00 Europe/Berlin' or '2026-12-20 .. 2027-01-02'"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("linear: 1", "linear must be yes or no, not a number"),
        (
            "{linear: true, land_method: always-merge}",
            "linear: true and land_method: always-merge exclude each other; nothing could land",
        ),
        ("read_only: ''", "read_only: '' is not true, false or a reason in one line"),
        ('read_only: "a\\nb"', "read_only: 'a\\nb' is not true, false or a reason in one line"),
        ("read_only: 3", "read_only must be text, not a number; write it in quotes"),
        ("delete: bob", "delete must be a list, not text"),
        ("force: [carol]", "the server knows nobody by the name carol"),
        ("commits: []", "commits must be a mapping, not a list"),
        (
            "commits: {subject: x}",
            "unknown key 'subject'; allowed here: must, must_not, signoff, author, committer",
        ),
        ("commits: {must: ['(?=x)']}", "must: '(?=x)' is no pattern of RE2: invalid perl operator: (?="),
        ("commits: {must: ['(a']}", "must: '(a' is no pattern of RE2: missing ): (a"),
        (f"commits: {{must: ['{'x' * 501}']}}", f"must: '{'x' * 80}…' is longer than 500 characters"),
        ("commits: {must: ['']}", "must: '' is not a pattern"),
        ("commits: {must: x}", "must must be a list, not text"),
        ("commits: {must_not: ['x*']}", "must_not: 'x*' fits every message, and nothing could be pushed"),
        ("commits: {author: alice}", "author: 'alice' is not pusher or any"),
        ("commits: {signoff: 'yes'}", "signoff must be yes or no, not text"),
        ("files: {max: 1}", None),
        ("files: {max_size: 1.5M}", f"max_size: '1.5M' {SIZE}"),
        ("files: {max_size: 0}", f"max_size: '0' {SIZE}"),
        ("files: {max_size: [1]}", f"max_size: 'what stands here' {SIZE}"),
        ("files: {max_files: 0}", "max_files: '0' is not a whole number from 1 to 9999"),
        (
            "files: {forbidden: ['a**']}",
            "forbidden: 'a**' has ** inside a name; it stands for whole folders, as in a/**/b",
        ),
        (
            "files: {forbidden_extensions: [.exe]}",
            "forbidden_extensions: '.exe' is not an extension without its dot, as yml",
        ),
        ("files: {symlinks: ['a/*']}", "symlinks: 'a/*' is a pattern; each path is named exactly"),
        ("files: {lfs: [/a]}", "lfs: '/a' must be relative to the repository"),
        ("freeze: weekends", "freeze must be a list, not text"),
        ("freeze: [weekends]", f"freeze: 'weekends' {FORM}"),
        ("freeze: [2026-12-20]", "freeze must be text, not a date; write it in quotes"),
        ("freeze: ['Fri 25:00 - Mon 09:00']", f"freeze: 'Fri 25:00 - Mon 09:00' {FORM}"),
        ("freeze: ['Fri 16:00 - Fri 16:00']", "freeze: 'Fri 16:00 - Fri 16:00' begins and ends at the same moment"),
        ("freeze: ['2026-12-20 .. 2026-12-19']", "freeze: '2026-12-20 .. 2026-12-19' ends before it begins"),
        (
            "freeze: ['2026-02-30 .. 2026-03-01']",
            "freeze: '2026-02-30 .. 2026-03-01' names a day or an hour that is not in the calendar",
        ),
        (
            "freeze: ['Fri 16:00 - Mon 09:00 Mars/X']",
            "freeze: 'Fri 16:00 - Mon 09:00 Mars/X' names the time zone Mars/X, which this server does not know",
        ),
        (
            "freeze: ['Fri 16:00 - Mon 09:00 ../../etc/passwd']",
            f"freeze: 'Fri 16:00 - Mon 09:00 ../../etc/passwd' {FORM}",
        ),
    ],
)
def test_a_fault_in_a_bound_is_told(line, message):
    text = f"version: 1\nbranches:\n- match: main\n  {line}\n"
    if line.startswith("{linear"):
        text = f"version: 1\nbranches:\n- {line[:-1]}, match: main}}\n"
    found = [words for _, words in faults(text)]
    assert len(found) == 1 and (message is None or found == [message])


def test_rules_for_tags_are_read():
    assert parse(TAGS).tags == (
        TagRule("v*", "policy.yaml:6", Names(("@ops",)), Names(), Names(), True, True, ("main", "release/**")),
        TagRule("**", "policy.yaml:10", Names(), Names(), Names(), True, False, ()),
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("tags: {}", "tags must be a list, not a mapping"),
        ("tags: [{}]", "match is missing: which tags is this rule for?"),
        ("tags: [{match: refs/tags/v1}]", "match: short tag names are meant: v1.0, not refs/tags/v1.0"),
        (
            "tags: [{match: v1, branches: [refs/heads/main]}]",
            "branches: short branch names are meant: main, not refs/heads/main",
        ),
        (
            "tags: [{match: v1, branches: []}]",
            "branches: [] would close these tags; without the key it is every branch with a rule",
        ),
        ("tags: [{match: v1, signed: 'true'}]", "signed must be yes or no, not text"),
        (
            "tags: [{match: v1, push: []}]",
            "unknown key 'push'; allowed here: match, create, delete, force, annotated, signed, branches",
        ),
    ],
)
def test_a_fault_in_a_rule_for_tags_is_told(lines, message):
    assert faults(branch() + lines + "\n") == [(4, message)]
