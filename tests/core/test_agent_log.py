"""What an agent's hosts are released to, by the log of their environment."""

from datetime import UTC, datetime

import pytest

from gitops_hooks.core.agent_log import Unbelievable, take_events
from gitops_hooks.model.agent_mark import EnvironmentMark, Target
from gitops_hooks.model.deployment import HostOutcome, HostState, RunState
from gitops_hooks.model.environment_event import Canceled, LetGo, Paused, Released, Resumed, RolledBack, Stopped
from gitops_hooks.model.event import Event, Finished, Started
from gitops_hooks.model.event_words import Hosts, Oid, Stamp, Text, Word

OLD, NEW, RECORD = Oid("a" * 40), Oid("b" * 40), Oid("e" * 40)
STAGING, NOTHING = Word("staging"), Text("")


def started(commit=OLD):
    return Started(STAGING, commit, RECORD, Word("run"), 1)


def released(generation, *hosts, commit=OLD):
    return Released(STAGING, generation, commit, RECORD, tuple(Word(host) for host in hosts))


def finished(generation, state):
    return Finished(STAGING, OLD, generation, 1, state, 1, Hosts(()), NOTHING)


def back(commit):
    return RolledBack(STAGING, commit, RECORD, NEW, NEW, (), NOTHING)


def read(*bodies, mark=EnvironmentMark(), hosts=("web1", "web2")):
    """OLD is the only ancestor of NEW."""
    stamps = (Stamp(Word("site"), n, datetime(2026, 1, 1, tzinfo=UTC), Word("server"), Word("")) for n in range(1, 99))
    events = [Event(stamp, body, f"{stamp.number:040d}") for stamp, body in zip(stamps, bodies, strict=False)]
    return take_events(mark, events[mark.number :], hosts, lambda earlier, later: (earlier, later) == (OLD, NEW))


def generations(mark):
    return {host: target.generation for host, target in mark.targets}


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        ((), {}),
        ((started(),), {}),
        ((started(), released(1)), {"web1": 1, "web2": 1}),
        ((started(), released(1, "web2", "db1")), {"web2": 1}),
        ((started(), released(1, "web1"), released(1, "web2")), {"web1": 1, "web2": 1}),
        ((started(), released(1), started(NEW), released(3, "web1", commit=NEW)), {"web1": 3, "web2": 1}),
    ],
)
def test_the_newest_release_that_names_a_host_counts(bodies, expected):
    assert generations(read(*bodies)) == expected


def test_what_is_read_in_two_parts_is_what_is_read_at_once():
    bodies = (started(), released(1), Paused(STAGING, NOTHING), started(NEW), released(4, commit=NEW))
    for cut in range(len(bodies)):
        assert read(*bodies, mark=read(*bodies[:cut])) == read(*bodies)
    assert read(*bodies).target("web1") == Target(4, NEW, RECORD, "run", 5)


def visited(generation, state, *, untouched=False):
    hosts = Hosts((HostOutcome("web1", state, untouched=untouched),))
    return Finished(STAGING, NEW, generation, 1, RunState.FAILED, 1, hosts, NOTHING)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (started(NEW), visited(3, HostState.CHANGED), {"web1": 3}),
        (started(NEW), visited(3, HostState.FAILED), {"web1": 3}),
        (started(NEW), visited(3, HostState.UNREACHABLE), {"web1": 3}),
        # The server was never on it: what was released to it holds.
        (started(NEW), visited(3, HostState.UNREACHABLE, untouched=True), {}),
        (started(NEW), visited(2, HostState.CHANGED), {}),
        # Its agent brought it there, and the server has read that.
        (Started(STAGING, NEW, RECORD, Word(""), 1), visited(3, HostState.CHANGED), {}),
    ],
)
def test_a_host_is_the_servers_again_once_the_server_was_there_itself(start, end, expected):
    mark = read(started(), released(1), start, end)
    assert {host: target.generation for host, target in mark.targets if target.pushed} == expected
    assert generations(mark) == {"web1": 1, "web2": 1} | expected


def test_what_is_released_after_the_server_was_there_counts():
    mark = read(started(), released(1), started(NEW), visited(3, HostState.FAILED), released(3, commit=NEW))
    assert mark.target("web1") == Target(3, NEW, RECORD, "run", 5)


def test_where_the_server_brought_a_host_nothing_leads_back_without_a_rollback():
    with pytest.raises(Unbelievable) as refused:
        read(started(), released(1), started(NEW), visited(3, HostState.CHANGED), started(), released(5, "web1"))
    assert str(refused.value).startswith("event 6 takes web1 back from bbbbbbbbbbbb to aaaaaaaaaaaa")


@pytest.mark.parametrize(
    ("bodies", "words"),
    [
        ((released(1),), "event 1 releases generation 1, which is not what began last"),
        ((started(), released(2)), "event 2 releases generation 2, which is not what began last"),
        ((started(), released(1, commit=NEW)), "event 2 releases generation 1, which is not what began last"),
        ((started(), started(NEW), released(1)), "event 3 releases generation 1, which is not what began last"),
        (
            (started(NEW), released(1, "web1", commit=NEW), started(), released(3)),
            "event 4 takes web1 back from bbbbbbbbbbbb to aaaaaaaaaaaa, and no rollback is recorded",
        ),
    ],
)
def test_what_no_server_of_ours_would_write_is_not_believed(bodies, words):
    with pytest.raises(Unbelievable) as refused:
        read(*bodies)
    assert str(refused.value) == words


def test_a_recorded_rollback_leads_back():
    mark = read(started(NEW), released(1, commit=NEW), back(OLD), started(), released(4))
    assert generations(mark) == {"web1": 4, "web2": 4}


@pytest.mark.parametrize(
    ("bodies", "canceled", "paused"),
    [
        ((started(), Canceled(STAGING, OLD, 1, NOTHING)), 1, 0),
        ((started(), finished(1, RunState.CANCELED)), 1, 0),
        ((started(), finished(1, RunState.FAILED)), 0, 0),
        ((started(), Paused(STAGING, NOTHING)), 0, 2),
        ((started(), Paused(STAGING, NOTHING), Resumed(STAGING, NOTHING)), 0, 0),
    ],
)
def test_what_is_canceled_or_paused_is_known(bodies, canceled, paused):
    mark = read(*bodies)
    assert (mark.canceled, mark.paused) == (canceled, paused)


STOPPED, LET_GO = Stopped(STAGING, Text("by the administrator:\nthe key leaked")), LetGo(STAGING)


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        ((started(), released(1)), ""),
        ((STOPPED,), "by the administrator: the key leaked"),
        ((started(), released(1), STOPPED), "by the administrator: the key leaked"),
        ((Stopped(STAGING, NOTHING),), "by the administrator"),
        # What somebody resumes, or what is released, does not end the administrator's stop.
        ((STOPPED, Paused(STAGING, NOTHING), Resumed(STAGING, NOTHING)), "by the administrator: the key leaked"),
        ((STOPPED, started(), released(2)), "by the administrator: the key leaked"),
        ((STOPPED, LET_GO), ""),
        ((STOPPED, LET_GO, Stopped(STAGING, Text("again"))), "again"),
    ],
)
def test_the_stop_holds_until_the_server_lets_go(bodies, expected):
    assert read(*bodies).stopped == expected
