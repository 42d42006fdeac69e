"""What looks found, read from an environment's log: who is out of sync, how often it was brought back, what is due."""

from datetime import timedelta

import pytest

from gitops_hooks.core.drift import HEALS, Drifting, drifted_by, fold_drift, heal_due, look_due
from gitops_hooks.core.notices import news_of_look, untold_looks
from gitops_hooks.model.deployment import HostOutcome, HostState, RunState
from gitops_hooks.model.drift import Difference, Drift, HostDrift, Sync
from gitops_hooks.model.environment_event import Drifted
from gitops_hooks.model.event import Body, Event, Finished, Started
from gitops_hooks.model.event_words import Hosts, Stamp, Text, Word
from gitops_hooks.model.news import News
from gitops_hooks.model.policy import Environment
from tests.core.records import AT, oid

ENV = Word("staging")


def log(*oldest_first: Body) -> list[Event]:
    events = [
        Event(Stamp(Word("r" * 32), n, AT + timedelta(minutes=n), Word("server"), Word("-")), body, f"{n:040x}")
        for n, body in enumerate(oldest_first, 1)
    ]
    return events[::-1]


def drifted(hosts: str = "", unknown: str = "") -> Drifted:
    out, lost = (tuple(Word(name) for name in names) for names in (hosts, unknown))
    return Drifted(ENV, oid("a"), 1, out, lost, len(out), 3 - len(out), len(out))


def run(hosts: str, commit: str = "a", reason: str = "", *, whole: bool = False) -> tuple[Started, Finished]:
    ends = Hosts(tuple(HostOutcome(name, HostState.CHANGED) for name in hosts))
    limit = () if whole else tuple(Word(name) for name in hosts)
    return (
        Started(ENV, oid(commit), oid("0"), Word("run"), 1, (), whole, limit, Word("d"), Text(reason)),
        Finished(ENV, oid(commit), 1, 1, RunState.SUCCESSFUL, 3, ends, Text("")),
    )


def heal(hosts: str, *, whole: bool = False) -> tuple[Started, Finished]:
    return run(hosts, reason=HEALS, whole=whole)


def found(**hosts: Sync) -> Drift:
    differs = (Difference("site.yml:3", "Page", "-x"),)
    return Drift(tuple(HostDrift(name, sync, differs if sync is Sync.OUT else ()) for name, sync in hosts.items()))


@pytest.mark.parametrize(
    ("bodies", "out", "tries"),
    [
        ((), "", {}),
        ((*run("xyz"), drifted("xy")), "xy", {}),
        ((drifted("xy"), *run("x")), "y", {}),
        ((drifted("xy"), *run("x", "b")), "y", {}),
        ((drifted("x"), *heal("x")), "", {"x": 1}),
        ((drifted("x"), *heal("x"), drifted("x")), "x", {"x": 1}),
        ((drifted("x"), *heal("x"), drifted("x"), *heal("xyz", whole=True), drifted("x")), "x", {"x": 2}),
        ((drifted("x"), *heal("x"), drifted(""), drifted("x")), "x", {}),
        ((drifted("xy"), *heal("xy"), drifted("x"), *heal("x"), drifted("xy")), "xy", {"x": 2}),
        ((drifted("x"), *heal("x"), *run("xyz", "b"), drifted("x")), "x", {}),
        ((drifted("x"), *run("x"), drifted("x")), "x", {}),
    ],
)
def test_who_is_out_of_sync_and_how_often_it_was_brought_back_is_read_from_the_log(bodies, out, tries):
    commit = "b" if any(isinstance(body, Started) and body.commit == oid("b") for body in bodies) else "a"
    known = fold_drift(log(*bodies), oid(commit))
    assert (known.out, dict(known.tries)) == (frozenset(out), tries)


@pytest.mark.parametrize(
    ("bodies", "hosts", "told"),
    [
        ((), found(x=Sync.SYNCED), None),
        ((), found(x=Sync.OUT, y=Sync.SYNCED), ("x", "", 1, 1, 1)),
        ((drifted("x"),), found(x=Sync.OUT, y=Sync.SYNCED), None),
        ((drifted("x"),), found(x=Sync.SYNCED), ("", "", 0, 1, 0)),
        ((drifted("x"),), found(x=Sync.OUT, y=Sync.OUT), ("xy", "", 2, 0, 2)),
        # Brought back, and out of sync again: the log is to say so.
        ((drifted("x"), *heal("x")), found(x=Sync.OUT), ("x", "", 1, 0, 1)),
        # One that cannot be looked at is as it was.
        ((drifted("x"),), found(x=Sync.UNKNOWN, y=Sync.SYNCED), ("x", "x", 1, 1, 0)),
        ((), found(x=Sync.UNKNOWN), ("", "x", 0, 0, 0)),
        ((drifted("", "x"),), found(x=Sync.UNKNOWN), None),
        ((drifted("x"),), Drift(detail="nothing is known"), None),
    ],
)
def test_a_look_is_recorded_where_it_found_something_else_than_the_one_before(bodies, hosts, told):
    event = drifted_by("staging", oid("a"), 1, hosts, fold_drift(log(*bodies), oid("a")))
    shown = event and ("".join(event.hosts), "".join(event.unknown), event.out, event.clean, event.differences)
    assert shown == told


def test_at_most_two_hundred_hosts_are_named_and_all_are_counted():
    many = Drift(tuple(HostDrift(f"h{n:03}", Sync.OUT, more=2) for n in range(300)))
    event = drifted_by("staging", oid("a"), 1, many, Drifting())
    assert event is not None and (len(event.hosts), event.out, event.differences) == (200, 300, 600)
    assert drifted_by("staging", oid("a"), 1, many, fold_drift(log(event), oid("a"))) is None


def environment(drift: int) -> Environment:
    return Environment("staging", "refs/heads/main", "ansible", "p", "i", None, "policy.yaml:1", drift=drift)


def test_a_look_is_due_an_interval_after_the_last_one_and_at_once_after_hosts_were_brought_back():
    quiet = fold_drift(log(*run("x")), oid("a"))
    ended = AT + timedelta(minutes=2)
    assert look_due(environment(0), None, quiet, "r") is None
    assert look_due(environment(600), None, Drifting(), "r") is None
    first = look_due(environment(600), None, quiet, "r")
    assert first is not None and timedelta(0) <= first - ended - timedelta(seconds=600) <= timedelta(seconds=60)
    last = AT + timedelta(hours=1)
    later = {look_due(environment(600), last + timedelta(hours=n), quiet, "r") for n in range(9)}
    spread = {due - last - timedelta(seconds=600) for due in later if due}
    assert len({one.seconds % 3600 for one in spread}) > 3, "each time another part of the tenth"
    healed = fold_drift(log(drifted("x"), *heal("x")), oid("a"))
    assert look_due(environment(600), AT + timedelta(minutes=1), healed, "r") == healed.ended
    assert look_due(environment(600), last, healed, "r") != healed.ended


def test_what_is_out_of_sync_is_brought_back_at_once_then_later_and_after_three_tries_no_more():
    bodies: list[Body] = [*run("xy"), drifted("x")]
    waits = []
    for _ in range(3):
        known = fold_drift(log(*bodies), oid("a"))
        hosts, after = heal_due(known, found(x=Sync.OUT), 30, 3600)
        waits.append((hosts, (after - known.ended).seconds if after and known.ended else None))
        bodies += [*heal("x"), drifted("x")]
    assert waits == [(("x",), None), (("x",), 30), (("x",), 60)]
    # The third is under way: it may still help.
    assert fold_drift(log(*bodies[:-2]), oid("a")).stuck == ()
    known = fold_drift(log(*bodies), oid("a"))
    assert (heal_due(known, found(x=Sync.OUT), 30, 3600)[0], known.stuck) == ((), ("x",))
    gone = fold_drift(log(drifted("x")), oid("a"))
    assert [heal_due(gone, each, 30, 3600)[0] for each in (found(y=Sync.OUT), found(x=Sync.UNKNOWN))] == [(), ()]
    # Another host has its own three.
    known = fold_drift(log(*bodies, drifted("xy")), oid("a"))
    assert (heal_due(known, found(x=Sync.OUT, y=Sync.OUT), 30, 3600), known.stuck) == ((("y",), None), ("x",))


@pytest.mark.parametrize(
    ("looks", "news"),
    [
        ((drifted("x"),), News.DRIFTED),
        ((drifted("x"), drifted("xy")), News.DRIFTED),
        ((drifted("xy"), drifted("x")), None),
        ((drifted("x"), drifted("")), News.SYNCED),
        ((drifted("x"), drifted("x", "x")), None),
        ((drifted("", "x"),), None),
        ((drifted("x"), *heal("x"), drifted("x")), None),
    ],
)
def test_what_a_look_found_is_news_where_more_is_out_of_sync_or_nothing_any_more(looks, news):
    assert news_of_look(untold_looks(log(*run("x"), *looks), 0)[-1]) is news


def test_only_looks_after_the_one_told_last_are_told_and_measured_by_the_one_before():
    events = log(drifted("x"), *heal("x"), drifted(""), drifted("y"))
    told = untold_looks(events, 3)
    assert [(one.number, one.before and one.before.hosts) for one in told] == [(4, ("x",)), (5, ())]
    assert untold_looks(events, 5) == ()
