"""What rules say about tags: each alone, and the strictest of several."""

import pytest

from gitops_hooks.core.tag_rules import Tag, govern_tag, judge_tag, may_tag
from gitops_hooks.model.policy import Names, Policy, TagRule
from tests.core.records import oid

V1 = "refs/tags/v1"


def rule(line: int = 9, match: str = "v*", **more) -> TagRule:
    plain = {"create": Names(("alice",)), "delete": Names(), "force": Names()}
    kind = {"annotated": False, "signed": False, "branches": ()}
    return TagRule(match, f"policy.yaml:{line}", **{**plain, **kind, **more})


def tag(**more) -> Tag:
    plain = {"ref": V1, "commit": oid("b"), "annotated": True, "name": "v1", "signer": "", "unsigned": "unsigned"}
    return Tag(**{**plain, "branches": ("main",), **more})


def policy(*rules: TagRule) -> Policy:
    return Policy("c" * 40, (("ops", ("alice", "bob")),), (), (), rules)


@pytest.mark.parametrize(
    ("match", "ref", "governs"),
    [
        ("v*", V1, True),
        ("v*", "refs/tags/w1", False),
        ("v*", "refs/heads/v1", False),
        ("**", "refs/tags/a/b", True),
        ("*", "refs/tags/a/b", False),
    ],
)
def test_a_rule_governs_the_tags_that_its_pattern_matches(match, ref, governs):
    assert bool(govern_tag(policy(rule(match=match)), ref)) is governs


def test_each_right_is_its_own_and_every_rule_must_give_it():
    rules = (rule(9, create=Names(("@ops",))), rule(12, delete=Names(("*",))))
    denied = may_tag(policy(), rules[:1], "create", "zoe", V1)
    assert [one.reason for one in denied] == ["Only @ops may create the tag v1; zoe is not among them."]
    book = policy(*rules)
    assert [one.holds for one in may_tag(book, rules, "create", "alice", V1)] == [True, True]
    assert [one.place for one in may_tag(book, rules, "create", "bob", V1) if not one.holds] == ["policy.yaml:12"]
    assert [one.reason for one in may_tag(book, rules, "delete", "zoe", V1)] == [
        "Nobody may delete the tag v1.",
        "zoe may delete the tag v1.",
    ]
    assert [one.reason for one in may_tag(book, rules[:1], "force", "alice", V1)] == ["Nobody may move the tag v1."]


SIGNED = rule(signed=True, annotated=True)


@pytest.mark.parametrize(
    ("asked", "pushed", "reason"),
    [
        (rule(), tag(), ""),
        (rule(), tag(annotated=False, name=""), ""),
        (rule(), tag(commit=""), "v1 must lead to a commit, by itself or by one tag object."),
        (rule(), tag(name="v2"), "v1 holds a tag object that is called v2; make one of its own name"),
        (
            rule(annotated=True),
            tag(annotated=False, name=""),
            "v1 must be an annotated tag: git tag -a v1 <commit>",
        ),
        (SIGNED, tag(annotated=False, name=""), "v1 must be a signed tag: git tag -s v1 <commit>"),
        (SIGNED, tag(), "v1: unsigned"),
        (SIGNED, tag(signer="alice"), ""),
        (
            SIGNED,
            tag(signer="bob"),
            "It is signed by bob. Only alice may create the tag v1; bob is not among them.",
        ),
        (
            rule(),
            tag(branches=()),
            "bbbbbbb is not part of any branch that has a rule. Land it first, then push the tag by itself.",
        ),
        (
            rule(branches=("main", "release/**")),
            tag(branches=("next",)),
            "bbbbbbb is not part of any branch of main or release/**. Land it first, then push the tag by itself.",
        ),
        (rule(branches=("release/**",)), tag(branches=("next", "release/1")), ""),
    ],
)
def test_a_tag_is_what_its_rule_asks(asked, pushed, reason):
    found = judge_tag(policy(asked), (asked,), "create", pushed)
    assert [one.reason for one in found if not one.holds] == ([reason] if reason else [])
    assert {one.place for one in found} == {"policy.yaml:9"}


def test_who_signs_a_tag_that_moves_needs_the_right_to_move_it():
    asked = rule(signed=True, annotated=True, force=Names(("bob",)))
    assert [one.holds for one in judge_tag(policy(asked), (asked,), "force", tag(signer="alice"))] == [True, False]
    assert [one.holds for one in judge_tag(policy(asked), (asked,), "force", tag(signer="bob"))] == [True]
