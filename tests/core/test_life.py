"""What of a change's own life keeps it from landing."""

from dataclasses import replace

import pytest

from gitops_hooks.core.fold import fold_change
from gitops_hooks.core.life import judge_below, judge_draft
from gitops_hooks.model.change import ChangeState, Comment
from gitops_hooks.model.change_event import Closed, Commented, Edited, Rebased, Reopened
from gitops_hooks.model.event_words import Oid, Text, Word
from tests.core.records import REPOSITORY, approved, history, oid, proposed, rejected

LINE = "git push origin HEAD:refs/rebase/2"
RECORD = fold_change(history(("alice", proposed())), REPOSITORY)


def fold(*said):
    return fold_change(history(*said), REPOSITORY)


def edited(**more) -> Edited:
    said = {"title": Text("T"), "description": Text(""), "draft": False, "auto_land": False, "reviewers": (), "cc": ()}
    return Edited(1, oid("b"), **{**said, **more})


def test_a_draft_says_how_it_is_made_ready():
    (found,) = judge_draft(replace(RECORD, draft=True), oid("b"))
    assert (found.rule, found.holds) == ("draft", False)
    assert found.reason == (
        f"Change 1 is a draft. Make it ready:\ngit push origin {oid('b')}:refs/for/main%change=1,ready"
    )
    assert judge_draft(RECORD, oid("b")) == ()


@pytest.mark.parametrize(
    ("below", "ground", "reason"),
    [
        (None, "b", "There is no such change any more as the one that it stands on."),
        (RECORD, "b", "Change 1, which it stands on, has not landed yet."),
        (RECORD, "a", f"Change 1, which it stands on, has a newer revision. Rebase it:\n{LINE}"),
        (
            replace(RECORD, state=ChangeState.CLOSED),
            "b",
            f"Change 1, which it stands on, was closed. Put it on the branch:\n{LINE}",
        ),
        (
            replace(RECORD, state=ChangeState.LANDED, landed_as=oid("d")),
            "b",
            "Change 1 landed as ddddddd, and this one stands on bbbbbbb, which is not in the branch. "
            f"Rebase it, and have it approved:\n{LINE}",
        ),
    ],
)
def test_what_it_stands_on_lands_first(below, ground, reason):
    found = judge_below(below, oid(ground), LINE)
    assert (found.rule, found.holds, found.reason) == ("base", False, reason)


def test_an_edit_says_what_holds_from_now_on_and_binds_auto_land_to_its_head():
    record = fold(
        ("alice", proposed(reviewers=(Word("bob"),))),
        ("carol", edited(draft=True, auto_land=True, reviewers=(Word("bob"), Word("dave")))),
    )
    assert (record.title, record.draft, record.reviewers, record.owner) == ("T", True, ("bob", "dave"), "alice")
    assert (record.head.auto_land_by, record.head.auto_land_key, record.head.uploader) == (
        *("carol", "SHA256:key"),
        "alice",
    )
    later = fold(("alice", proposed(auto_land=True)), ("carol", edited()))
    assert later.head.auto_land_by == "alice", "an edit that does not speak of it takes nothing back"


def test_a_rebase_by_the_server_keeps_the_uploader_and_notes_who_asked():
    made = Rebased(1, 2, oid("b"), oid("c"), oid("d"), (oid("d"),), oid("f"), (), 7, oid("c"))
    record = fold(("alice", proposed(auto_land=True)), ("bob", approved()), ("bob", made))
    newest = record.head
    assert (newest.head, newest.uploader, newest.rebased_for, newest.auto_land_by) == (oid("d"), "alice", "bob", "")
    assert (newest.depends, newest.ground, record.uploaders) == (7, oid("c"), {"alice"})
    assert [given.head for given in record.approvals] == [oid("b")]


def test_what_was_said_before_a_change_was_closed_has_ended_with_it():
    said = [("alice", proposed(auto_land=True)), ("bob", approved()), ("carol", rejected())]
    record = fold(*said, ("alice", Closed(1, Text(""))), ("alice", Reopened(1, Text(""))))
    assert (record.state, record.approvals, record.head.auto_land_by) == (ChangeState.OPEN, (), "")
    assert [found.actor for found in record.rejections] == ["carol"]


def test_a_comment_stays_with_its_commit():
    record = fold(("alice", proposed()), ("bob", Commented(1, oid("b"), Text("why?"))))
    assert record.comments == (Comment("bob", Oid(oid("b")), "why?"),)
