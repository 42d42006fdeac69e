"""Who counts, as a table; and, over random reviews, exactly those and no others."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_hooks.core.approve import Proof, contributors, judge_approvals, needed, would_count
from gitops_hooks.core.fold import fold_change
from gitops_hooks.model.policy import ApprovalRule, Names
from gitops_hooks.model.verdict import Status
from tests.core.records import (
    MAIN,
    PEOPLE,
    REPOSITORY,
    SENIORS,
    approval,
    approved,
    commit,
    history,
    oid,
    policy,
    proposed,
    rejected,
    rejection,
)

PROOF = Proof(
    REPOSITORY, MAIN, oid("a"), oid("b"), frozenset({oid("b")}), frozenset({"alice"}), frozenset({"alice"}), ()
)


def judged(*approvals, rule=SENIORS, **more):
    (answer,) = judge_approvals([rule], policy(), replace(PROOF, approvals=approvals, **more))
    return answer.holds, answer.reason


def test_everybody_with_a_hand_in_it_is_a_contributor():
    commits = [commit("b", "alice@example.org", "bob@example.org"), commit("c", "Dave@Example.org".lower(), "x@y.z")]
    found = contributors(commits, ["carol"], PEOPLE)
    assert found.names == {"alice", "bob", "carol", "dave"}
    assert found.strangers == ((oid("c"), "x@y.z"),)


def test_an_approval_by_a_member_counts():
    assert judged(approval("bob")) == (True, "1 of 1 approval by @senior (bob).")


def test_without_any_the_reason_says_who_does_not_count():
    assert judged() == (False, "0 of 1 approval by @senior. The author (alice) does not count.")
    both = frozenset({"alice", "dave"})
    assert judged(authors=both)[1].endswith("The authors (alice, dave) do not count.")


@pytest.mark.parametrize(
    "other",
    [
        {"repository": "s" * 32},
        {"target": "refs/heads/other"},
        {"base": oid("c")},
        {"head": oid("c")},
        {"commits": (oid("c"),)},
        {"commits": ()},
    ],
    ids=lambda other: next(iter(other)),
)
def test_an_approval_for_anything_else_does_not_count_and_is_told_as_such(other):
    reason = "0 of 1 approval by @senior. The author (alice) does not count."
    stale = " bob approved other commits; an approval stays with its commit."
    assert judged(approval("bob", **other)) == (False, reason + stale)


def test_an_approval_that_covers_more_commits_than_would_land_counts():
    assert judged(approval("bob", commits=(oid("b"), oid("c"))))[0]


def test_the_excluded_do_not_count_whatever_group_they_are_in():
    assert not judged(approval("bob"), excluded=frozenset({"alice", "bob"}))[0]


def test_one_person_counts_once():
    two = ApprovalRule(2, Names(("@senior", "dave")), (), "policy.yaml:9")
    assert not judged(approval("bob", number=1), approval("bob", number=2), rule=two)[0]
    assert judged(approval("bob"), approval("dave"), rule=two) == (
        True,
        "2 of 2 approvals by @senior or dave (bob, dave).",
    )


def test_a_rejection_of_this_head_stands_beside_the_approvals():
    answers = judge_approvals(
        [SENIORS], policy(), replace(PROOF, approvals=(approval("bob"),), rejections=(rejection("carol"),))
    )
    assert [answer.holds for answer in answers] == [True, False]
    assert answers[1].reason == "Rejected by carol. A new revision, or their approval, lifts it."


def test_a_rejection_of_another_head_does_not():
    answers = judge_approvals([SENIORS], policy(), replace(PROOF, rejections=(rejection("carol", "c"),)))
    assert len(answers) == 1


def test_what_is_needed_is_said_in_words():
    assert needed(SENIORS) == "1 approval by @senior"
    assert needed(ApprovalRule(2, Names(("*",)), ("a/**", "b"), "")) == "2 approvals by anybody for a/**, b"


@pytest.mark.parametrize(
    ("actor", "status", "reason"),
    [
        ("bob", Status.SATISFIED, "bob counts"),
        ("alice", Status.UNSATISFIED, "alice pushed, wrote or committed a part of it, and so does not count."),
        ("robot", Status.UNSATISFIED, "robot is a bot, and no rule counts bots."),
        ("dave", Status.UNSATISFIED, "No rule counts dave; needed: 1 approval by @senior."),
    ],
)
def test_whether_an_approval_would_count(actor, status, reason):
    answer = would_count([SENIORS], policy(), replace(PROOF, bots=frozenset({"robot"})), actor)
    assert (answer.status, answer.reason) == (status, reason)


NAMES = ("alice", "bob", "carol", "dave")
ACTS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(("approve", "reject", "revise"))), max_size=12)


@given(ACTS, st.integers(1, 3))
def test_over_any_reviews_only_members_last_words_on_the_newest_commit_count(acts, count):
    rule = ApprovalRule(count, Names(("@senior", "dave")), (), "policy.yaml:9")
    heads, said = "bcde1234567890", [("alice", proposed())]
    uploaders, last, revision = {"alice"}, {}, 0
    for actor, act in acts:
        if act == "revise":
            revision, last = revision + 1, {}
            uploaders.add(actor)
            said.append((actor, proposed(revision + 1, heads[revision])))
        else:
            said.append((actor, approved(heads[revision]) if act == "approve" else rejected(heads[revision])))
            last[actor] = act
    record = fold_change(history(*said), REPOSITORY)
    head = record.head.head
    names = record.uploaders
    proof = Proof(
        REPOSITORY, MAIN, oid("a"), head, frozenset({head}), names, names, record.approvals, record.rejections
    )
    members = {"bob", "carol", "dave"} - uploaders
    counted = {name for name in members if last.get(name) == "approve"}
    lands = all(answer.holds for answer in judge_approvals([rule], policy(), proof))
    assert names == uploaders
    assert lands == (len(counted) >= count and "reject" not in last.values())
