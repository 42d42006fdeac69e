"""Events → a change."""

from dataclasses import replace

import pytest

from gitops_hooks.core.events import InvalidEvent
from gitops_hooks.core.fold import fold_change
from gitops_hooks.model.change import ChangeState
from gitops_hooks.model.change_event import ChangeLanded, Closed
from gitops_hooks.model.event import Adopted
from gitops_hooks.model.event_words import Oid, Text, Word
from tests.core.records import MAIN, REPOSITORY, approved, heads_of, history, oid, proposed, rejected


def test_the_first_revision_opens_a_change_of_its_pusher():
    record = fold_change(history(("alice", proposed(topic=Word("web")))), REPOSITORY)
    assert (record.number, record.owner, record.target, record.topic, record.title) == (
        1,
        "alice",
        MAIN,
        "web",
        "A change",
    )
    assert record.state is ChangeState.OPEN and record.tip == f"{1:040x}"


def test_revisions_follow_and_the_owner_stays():
    record = fold_change(history(("alice", proposed()), ("dave", proposed(2, "c", title=Text("Better")))), REPOSITORY)
    assert heads_of(record) == [(1, "b"), (2, "c")]
    assert (record.owner, record.title, record.uploaders) == ("alice", "Better", {"alice", "dave"})
    assert record.revision_at(oid("b")).number == 1 and record.revision_at(oid("d")) is None


def test_auto_land_belongs_to_who_asked_and_to_that_revision():
    record = fold_change(history(("alice", proposed(auto_land=True)), ("dave", proposed(2, "c"))), REPOSITORY)
    assert [revision.auto_land_by for revision in record.revisions] == ["alice", ""]


def test_an_approval_keeps_everything_it_was_bound_to():
    (found,) = fold_change(history(("alice", proposed()), ("bob", approved())), REPOSITORY).approvals
    assert (found.actor, found.repository, found.target, found.base, found.head, found.commits, found.event) == (
        *("bob", REPOSITORY, MAIN, oid("a"), oid("b"), (oid("b"),)),
        f"{2:040x}",
    )


def test_the_last_word_of_a_reviewer_on_a_head_is_theirs():
    no = fold_change(history(("alice", proposed()), ("bob", approved()), ("bob", rejected())), REPOSITORY)
    assert (no.approvals, [found.actor for found in no.rejections]) == ((), ["bob"])
    yes = fold_change(history(("alice", proposed()), ("bob", rejected()), ("bob", approved())), REPOSITORY)
    assert ([found.actor for found in yes.approvals], yes.rejections) == (["bob"], ())
    both = fold_change(history(("alice", proposed()), ("carol", rejected()), ("bob", approved())), REPOSITORY)
    assert [found.actor for found in both.rejections] == ["carol"]


def test_the_end_of_a_change():
    landed = ChangeLanded(1, oid("b"), oid("b"), oid("1"))
    assert fold_change(history(("alice", proposed()), ("server", landed)), REPOSITORY).state is ChangeState.LANDED
    closed = history(("alice", proposed()), ("alice", Closed(1, Text(""))))
    assert fold_change(closed, REPOSITORY).state is ChangeState.CLOSED


def test_a_history_that_is_not_ours_is_invalid():
    good = history(("alice", proposed()), ("bob", approved()))
    with pytest.raises(InvalidEvent, match="without events"):
        fold_change([], REPOSITORY)
    with pytest.raises(InvalidEvent, match="begins with its first revision"):
        fold_change(history(("bob", approved())), REPOSITORY)
    with pytest.raises(InvalidEvent, match="not number 2"):
        fold_change([good[0], replace(good[1], stamp=replace(good[1].stamp, number=3))], REPOSITORY)
    with pytest.raises(InvalidEvent, match="not number 1"):
        fold_change(good, "s" * 32)
    with pytest.raises(InvalidEvent, match="does not belong to a change"):
        adopted = Adopted(Word(MAIN), (), Oid(oid("a")))
        fold_change(history(("alice", proposed()), ("server", adopted)), REPOSITORY)
