"""How a host stands by its agent's last word, and what of it is news."""

from dataclasses import replace

import pytest

from gitops_hooks.core.agent_sync import caught_up, drift_told, released_now, see_agent
from gitops_hooks.model.agent import HostReport
from gitops_hooks.model.deployment import HostOutcome, HostState, RunState
from gitops_hooks.model.drift import HostDrift, Sync
from gitops_hooks.model.environment_event import Released
from gitops_hooks.model.event import Event, Finished, Started
from gitops_hooks.model.event_words import Hosts, Text, Word
from tests.core.records import oid, stamp
from tests.core.test_awaited import at, keeper

NOBODY = (0, frozenset[str]())


def told(sync: Sync, state: HostState | None = HostState.OK, generation: int = 7) -> HostReport:
    return HostReport("a", state, sync, 0, "why", generation, oid("b"))


def seen(one: HostReport | None, given=NOBODY, now: float = 10):
    found = keeper("a", "a:ok")
    assert found.report is not None
    report = replace(found.report, hosts=(one,)) if one else None
    return see_agent(replace(found, report=report), given, 60, at(now))


@pytest.mark.parametrize(
    ("one", "given", "word"),
    [
        (told(Sync.SYNCED), NOBODY, "Synced"),
        (told(Sync.OUT), NOBODY, "OutOfSync"),
        (told(Sync.UNKNOWN), NOBODY, "Unknown"),
        (told(Sync.SYNCED, HostState.CHANGED), NOBODY, "Synced"),
        (told(Sync.OUT, HostState.FAILED), NOBODY, "Degraded"),
        (told(Sync.UNKNOWN, HostState.UNREACHABLE), NOBODY, "Degraded"),
        (told(Sync.UNKNOWN, None, 0), NOBODY, "Unknown"),
        (None, NOBODY, "Unknown"),
        # Something was released to it since.
        (told(Sync.SYNCED), (8, frozenset("a")), "OutOfSync"),
        (told(Sync.SYNCED), (8, None), "OutOfSync"),
        (told(Sync.SYNCED), (8, frozenset("b")), "Synced"),
        (told(Sync.SYNCED, generation=8), (8, None), "Synced"),
    ],
)
def test_a_host_is_as_its_agent_says(one, given, word):
    assert [host.word for host in seen(one, given).hosts] == [word]


def test_hosts_of_a_silent_agent_are_unknown_whatever_it_said_last():
    assert (seen(told(Sync.OUT), now=59).silent, seen(told(Sync.OUT), now=60).silent) == (False, True)
    assert seen(told(Sync.OUT), now=60).hosts[0].word == "Unknown"
    never = see_agent(keeper("a b", seen=None), NOBODY, 60, at(0))
    assert (never.silent, [(host.told.name, host.word) for host in never.hosts]) == (
        True,
        [("a", "Unknown"), ("b", "Unknown")],
    )


def released(generation: int, *hosts: str) -> Event:
    body = Released(Word("production"), generation, oid("b"), oid("d"), tuple(Word(host) for host in hosts))
    return Event(stamp(9), body, oid("e"))


STARTED = Event(stamp(7), Started(Word("production"), oid("b"), oid("d"), Word(""), 1), oid("e"))


@pytest.mark.parametrize(
    ("newest_first", "given"),
    [
        ([], NOBODY),
        ([STARTED, released(5, "a")], NOBODY),
        ([released(7, "b"), released(7, "a"), STARTED, released(5, "c")], (7, frozenset("ab"))),
        ([released(7), STARTED], (7, None)),
    ],
)
def test_what_was_released_last_is_of_the_newest_start(newest_first, given):
    assert released_now(newest_first) == given


def test_drift_is_what_is_known_and_what_was_out_stays_out_while_nothing_is():
    out = HostDrift("a", Sync.OUT, detail="why")
    assert drift_told([seen(told(Sync.OUT))], frozenset()).hosts == (out,)
    assert drift_told([seen(told(Sync.SYNCED))], frozenset()).hosts == (HostDrift("a", Sync.SYNCED),)
    assert drift_told([seen(told(Sync.OUT), now=100)], frozenset()).hosts == ()
    assert drift_told([seen(told(Sync.OUT), now=100)], frozenset("a")).hosts == (HostDrift("a", Sync.UNKNOWN),)


@pytest.mark.parametrize(
    ("state", "said", "back"),
    [
        (HostState.UNREACHABLE, "a:changed", {"a"}),
        (HostState.UNREACHABLE, "a:failed", set()),
        (HostState.UNREACHABLE, "", set()),
        (HostState.FAILED, "a:ok", set()),
    ],
)
def test_who_was_unreachable_and_has_brought_itself_there_has_caught_up(state, said, back):
    hosts = Hosts((HostOutcome("a", state), HostOutcome("b", HostState.OK)))
    end = Finished(Word("production"), oid("b"), 7, 1, RunState.FAILED, 1, hosts, Text(""))
    assert caught_up(end, {"a": keeper("a", said)}) == back
    assert caught_up(end, {"a": keeper("a", said, generation=6)}) == set()
    assert caught_up(end, {"a": keeper("a", said, commit="c")}) == set()
