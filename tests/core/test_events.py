"""Event ⇄ commit message: what is written is read again, and nothing else is."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_hooks.core.events import InvalidEvent, read_event, write_event
from gitops_hooks.model import change_event as said
from gitops_hooks.model import environment_event as operations
from gitops_hooks.model import event as nouns
from gitops_hooks.model.deployment import HostOutcome, HostState, RunState
from gitops_hooks.model.event import Event
from gitops_hooks.model.event_words import Hosts, Oid, Text, Word
from tests.core.records import AT, MAIN, approved, oid, proposed, rejected, stamp

HOSTS = Hosts(
    (
        HostOutcome("web1", HostState.CHANGED, 3),
        HostOutcome("web2", HostState.FAILED, 0, 'task "x"\nfailed'),
        HostOutcome("web3", HostState.SKIPPED, 0, "not begun", untouched=True),
    )
)
BODIES = [
    proposed(),
    proposed(commits=(), verdicts=(), topic=Word("web"), auto_land=True, change_id=Word("I" + "a" * 40)),
    approved(),
    proposed(draft=True, depends=3, ground=oid("9"), reviewers=(Word("bob"), Word("carol")), cc=(Word("dave"),)),
    rejected(),
    said.Withdrawn(1, oid("b"), Text("too early")),
    said.Rebased(1, 2, oid("b"), oid("a"), oid("c"), (oid("c"),), oid("f"), (), 3, oid("a")),
    said.Edited(1, oid("b"), Text("Better"), Text("two\nlines"), True, False, (Word("bob"),), ()),
    said.Commented(1, oid("b"), Text("why 80?")),
    said.Reopened(1, Text("after all")),
    said.Closed(1, Text("later")),
    said.PlanAsked(1, oid("b"), Text("")),
    said.Planned(
        *(1, oid("b"), oid("a"), oid("7"), oid("f"), Word("d" * 64)),
        *((Word("staging:0123456789abcdef:all:2:1:0"),), 7),
    ),
    replace(approved(), plan=Word("d" * 64)),
    said.ChangeLanded(1, oid("b"), oid("c"), oid("d")),
    nouns.Adopted(Word(MAIN), (Word(oid("a")), Word(MAIN)), oid("a")),
    nouns.Landing(
        *(Word("change"), 1, Word(MAIN), oid("a"), oid("b"), oid("7"), oid("a"), oid("b"), oid("f"), Text("")),
        *((Word("alice"),), (oid("d"),), (Word("bob"),), (Word(f"yaml:ok:{oid('7')}"),)),
        *(AT, (Word(f"author:{oid('b')}"),), Word("alice"), Text("ssh-ed25519 AAAA")),
        *(oid("e"), (Word("robot"),), (Word(f"{oid('d')}:trivial-rebase"),), (Word("bob=bob@example.org"),)),
    ),
    nouns.Settled(
        *(oid("d"), Word(MAIN), 1, (oid("e"),), (Word("bob"),), oid("f"), Text("")),
        *((Word("robot"),), (Word("bob=bob@example.org"),), Text("looked at it")),
    ),
    nouns.Evaluated(Text(MAIN), oid("b"), Text("approvals: two are asked for\npush: nobody may")),
    nouns.Landed(oid("d"), Word(MAIN), oid("b")),
    nouns.Voided(oid("d"), Word(MAIN)),
    nouns.Administered(Word("restore"), Word(MAIN), oid("a"), oid("b"), Text("by mistake")),
    nouns.Started(Word("staging"), oid("b"), oid("d"), Word("run-1"), 1),
    nouns.Finished(Word("staging"), oid("b"), 4, 1, RunState.FAILED, 11, HOSTS, Text("web2 failed")),
    nouns.Requested(Word("staging"), oid("b"), Text("")),
    nouns.Requested(Word("staging"), oid("b"), Text("it is urgent"), (Word("windows"),)),
    nouns.Started(Word("staging"), oid("b"), oid("d"), Word("run-2"), 1, (Word("paused"), Word("pinned"))),
    operations.Paused(Word("staging"), Text("the disk\nis replaced")),
    operations.Resumed(Word("staging"), Text("")),
    operations.Canceled(Word("staging"), oid("b"), 7, Text("wrong")),
    operations.RolledBack(Word("staging"), oid("a"), oid("d"), oid("b"), oid("c"), (Word("manual"),), Text("")),
    operations.RolledBack(Word("staging"), oid("a"), oid("d"), oid("b"), oid("b"), (), Text("why"), oid("e"), 7),
    operations.Reverted(Word("staging"), oid("a"), 12, Text("")),
    operations.Reverted(Word("staging"), oid("a"), 0, Text("nothing of it is left")),
    operations.Drifted(Word("staging"), oid("a"), 7, (Word("web1"),), (Word("web2"),), 1, 3, 4),
    operations.Released(Word("staging"), 7, oid("a"), oid("d"), (Word("web1"), Word("web2"))),
    operations.Released(Word("staging"), 7, oid("a"), oid("d"), ()),
    operations.Stopped(Word("staging"), Text("by the administrator: the key leaked")),
    operations.LetGo(Word("staging")),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_every_kind_of_event_is_read_as_it_was_written(body):
    event = Event(stamp(3), body, oid("e"))
    assert read_event(write_event(event), oid("e")) == event


def test_the_message_is_a_subject_and_one_block_of_facts():
    assert write_event(Event(stamp(2, "bob"), rejected())) == (
        "change 1 at bbbbbbb rejected by bob\n"
        "\n"
        "Event: rejected\n"
        "Format: 1\n"
        f"Repository: {'r' * 32}\n"
        "Number: 2\n"
        "At: 2026-11-23T09:00:00Z\n"
        "Actor: bob\n"
        "Key: SHA256:key\n"
        "Change: 1\n"
        f"Head: {'b' * 40}\n"
        'Message: "no"\n'
    )


MESSAGE = write_event(Event(stamp(2, "bob"), approved()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Change: 1\n", ""),
        ("Change: 1\n", "Change: 1\nChange: 2\n"),
        ("Change: 1\n", "Change: 1\nExtra: x\n"),
        ("Change: 1\n", "Change: 01\n"),
        ("Change: 1\n", "Change:  1\n"),
        ("Change: 1\n", "change: 1\n"),
        ("Change: 1\n", "Change: -1\n"),
        ("Change: 1\n", "Change: ¹\n"),
        ("Format: 1\n", "Format: 2\n"),
        ("Event: approved\n", "Event: blessed\n"),
        ("Event: approved\n", "Event: rejected\n"),
        ("Actor: bob\n", "Actor: bob \n"),
        ("Actor: bob\n", "Actor: \n"),
        ("Actor: bob\n", "Actor: carol\n"),
        ("b" * 40 + "\n", "B" * 40 + "\n"),
        ("b" * 40 + "\n", "b" * 39 + "\n"),
        ('Message: ""\n', 'Message: "\\u0061"\n'),
        ('Message: ""\n', 'Message: ""\n\n'),
        ('Message: ""\n', 'Message: ""'),
        ("09:00:00Z", "09:00:00+00:00"),
        ("approved by bob\n", "approved by bob  \n"),
        ("\n\nEvent", "\n\n\nEvent"),
    ],
)
def test_anything_that_the_server_would_not_write_is_invalid(old, new):
    assert old in MESSAGE
    with pytest.raises(InvalidEvent):
        read_event(MESSAGE.replace(old, new, 1))


@pytest.mark.parametrize("message", ["", "\n", "A change\n", "A change\n\nEvent: approved\n", "x\n\n" + "A: b\n" * 20])
def test_a_commit_of_somebody_elses_is_invalid(message):
    with pytest.raises(InvalidEvent):
        read_event(message)


@pytest.mark.parametrize("word", ["two words", "line\nbreak", "-", "\u2028", "tab\t"])
def test_a_word_that_could_be_read_otherwise_is_never_written(word):
    with pytest.raises(InvalidEvent):
        write_event(Event(stamp(1), replace(proposed(), topic=Word(word))))


def test_an_object_id_is_forty_digits_or_is_never_written():
    with pytest.raises(InvalidEvent):
        write_event(Event(stamp(1), replace(approved(), head=Oid("abc"))))


@given(st.text(), st.text(), st.integers(0, 10**15), st.timedeltas(timedelta(0), timedelta(days=9999)))
def test_free_text_of_any_kind_comes_back_and_adds_no_fact(title, description, number, later):
    body = proposed(title=Text(title), description=Text(description), change=number)
    told = replace(stamp(1), at=stamp(1).at + later - timedelta(microseconds=later.microseconds))
    message = write_event(Event(told, body))
    assert read_event(message) == Event(told, body)
    assert message.count("\n") == write_event(Event(told, proposed())).count("\n")
