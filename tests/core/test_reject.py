"""Rejections and vetoes: what holds which revision back, until who says what."""

import pytest

from gitops_hooks.core.fold import fold_change
from gitops_hooks.core.reject import judge_rejections, may_veto
from gitops_hooks.model.change_event import Withdrawn
from gitops_hooks.model.event_words import Text
from gitops_hooks.model.policy import Names
from tests.core.records import REPOSITORY, approved, history, oid, policy, proposed, rejected

VETOES = ((Names(("@senior",)), "policy.yaml:8"),)


def withdrawn(head="b"):
    return Withdrawn(1, oid(head), Text(""))


def judged(*said, head, kept=(), vetoes=VETOES):
    record = fold_change(history(("alice", proposed()), *said), REPOSITORY)
    answers = judge_rejections(record.rejections, oid(head), [oid(one) for one in kept], policy(), vetoes)
    return [(answer.rule, answer.reason.split(". ")[0]) for answer in answers]


NEXT = ("alice", proposed(2, "c"))


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ([("dave", rejected())], []),
        ([("bob", rejected())], [("veto", "Vetoed by bob at bbbbbbb")]),
        ([("bob", rejected()), ("carol", rejected())], [("veto", "Vetoed by bob at bbbbbbb, carol at bbbbbbb")]),
        ([("bob", rejected()), ("carol", approved("c"))], [("veto", "Vetoed by bob at bbbbbbb")]),
        ([("bob", rejected()), ("bob", withdrawn())], []),
        ([("bob", rejected()), ("bob", approved())], []),
    ],
)
def test_a_veto_holds_the_next_revision_and_a_rejection_does_not(said, left):
    assert judged(*said, NEXT, head="c") == left


@pytest.mark.parametrize("lifting", [("bob", approved("c")), ("bob", withdrawn("c")), ("bob", withdrawn("b"))])
def test_only_its_giver_lifts_a_veto_at_any_revision(lifting):
    assert judged(("bob", rejected()), NEXT, lifting, head="c") == []
    assert judged(("bob", rejected()), NEXT, ("carol", lifting[1]), head="c") != []


def test_what_was_lifted_elsewhere_still_holds_its_own_revision_back():
    said = [("dave", rejected()), NEXT, ("dave", approved("c"))]
    assert judged(*said, head="b") == [("rejected", "Rejected by dave")]


def test_a_rejection_is_kept_as_an_approval_is():
    said = [("dave", rejected()), NEXT]
    assert judged(*said, head="c", kept="b") == [("rejected", "Rejected by dave")]
    assert judged(*said, ("dave", approved("c")), head="c", kept="b") == []


def test_a_veto_at_this_very_head_is_told_once():
    assert judged(("bob", rejected()), ("dave", rejected()), head="b") == [
        ("veto", "Vetoed by bob at bbbbbbb"),
        ("rejected", "Rejected by dave"),
    ]
    assert judged(("bob", rejected()), head="b", vetoes=()) == [("rejected", "Rejected by bob")]


def test_the_message_names_the_way_out_and_the_rule():
    record = fold_change(history(("alice", proposed()), ("bob", rejected())), REPOSITORY)
    (answer,) = judge_rejections(record.rejections, oid("c"), (), policy(), VETOES)
    assert (answer.reason, answer.place) == (
        "Vetoed by bob at bbbbbbb. It holds every revision back until they approve one, or take it back: "
        "refs/withdraw/<n>",
        "policy.yaml:8",
    )


def test_who_may_veto():
    assert may_veto(VETOES, policy(), "bob").place == "policy.yaml:8"
    assert may_veto(VETOES, policy(), "dave") is None
