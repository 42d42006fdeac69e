"""Where the hosts of an environment stand, as its log tells; and when all of them are visited again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gitops_hooks.core.applied import Applied, fold_applied
from gitops_hooks.core.interval import full_run_due
from gitops_hooks.model.deployment import HostOutcome, HostState, RunState
from gitops_hooks.model.event import NEVER, Event, Finished, Requested, Started
from gitops_hooks.model.event_words import Hosts, Text, Word
from gitops_hooks.model.policy import Environment
from tests.core.records import oid, stamp

GOOD, BAD, AWAY = HostState.CHANGED, HostState.FAILED, HostState.UNREACHABLE


def run(number, commit, state=RunState.SUCCESSFUL, limit=None, definition="d1", **hosts):
    """The start and the end of one deployment, oldest first; a `limit` of None is everybody."""
    limited = tuple(Word(host) for host in limit or ())
    start = Started(
        Word("staging"), oid(commit), oid("f"), Word(f"run-{number}"), 1, (), limit is None, limited, Word(definition)
    )
    told = tuple(HostOutcome(name, found) for name, found in hosts.items())
    end = Finished(Word("staging"), oid(commit), number, 1, state, 3, Hosts(told), Text(""))
    return [Event(stamp(number), start), Event(stamp(number + 1), end)]


def folded(*runs):
    return fold_applied([event for each in reversed(runs) for event in reversed(each)])


def applied(base, at=(), doubtful=(), **more):
    known = tuple((host, oid(commit)) for host, commit in at)
    return Applied(oid(base) if base else "", "d1", known, frozenset(doubtful), **more)


FAILED = RunState.FAILED


@pytest.mark.parametrize(
    ("runs", "found"),
    [
        ([run(1, "a", web1=GOOD, web2=GOOD)], applied("a")),
        ([run(1, "a", web1=GOOD), run(3, "b", limit=["web1"], web1=GOOD)], applied("b")),
        ([run(1, "a", web1=GOOD), run(3, "b", limit=[])], applied("b")),
        ([run(1, "a", FAILED, web1=GOOD, web2=BAD)], applied("a", [("web1", "a")], ["web2"])),
        ([run(1, "a", web1=GOOD), run(3, "b", FAILED, ["web1", "web2"], web1=GOOD, web2=AWAY)],
         applied("a", [("web1", "b")], ["web2"])),
        ([run(1, "a", web1=GOOD), run(3, "b", FAILED, ["web1", "web2"], web1=GOOD, web2=AWAY),
          run(5, "c", FAILED, ["web2"], web2=GOOD, web3=BAD)],
         applied("a", [("web2", "c"), ("web1", "b")], ["web3"])),
        ([run(1, "a", web1=GOOD), run(3, "b", RunState.ERROR, ["web1", "web2"])], applied("a", (), ["web1", "web2"])),
        ([run(1, "a", web1=GOOD), run(3, "b", RunState.CANCELED, ["web1"])[:1]], applied("a", (), ["web1"])),
        ([run(1, "a", FAILED, web1=GOOD, web2=BAD), run(3, "a", FAILED, ["web2"], web2=BAD)],
         applied("a", [("web1", "a")], ["web2"])),
        ([run(1, "a", web1=GOOD), run(3, "b", RunState.ERROR)],
         applied("", unknown="the last one told nothing of its hosts")),
        ([run(1, "a", web1=GOOD), run(3, "b", FAILED, ["web1"], "d2", web1=BAD)],
         None),
        ([], Applied(unknown="it is the first")),
        ([run(1, "a", FAILED, ["web1"], web1=BAD)], applied("", (), ["web1"], unknown="none ended well yet")),
    ],
)  # fmt: skip
def test_hosts_stand_where_the_newest_deployment_that_tells_of_them_left_them(runs, found):
    if found is None:
        assert folded(*runs).unknown == "its entry in the policy changed"
    else:
        assert folded(*runs) == found


def untouched(events, *names):
    """The same deployment, proven not to have touched these hosts."""
    start, end = events
    hosts = tuple(replace(host, untouched=host.name in names) for host in end.body.hosts)
    return [start, replace(end, body=replace(end.body, hosts=Hosts(hosts)))]


SKIPPED = HostState.SKIPPED
FIRST = run(1, "a", web1=GOOD, web2=GOOD, web3=GOOD)


@pytest.mark.parametrize(
    ("runs", "base", "at", "doubtful", "missed"),
    [
        # The first batch was bad: the others have what they had.
        ([FIRST, untouched(run(3, "b", FAILED, ["web1", "web2"], web1=BAD, web2=SKIPPED), "web2")],
         "a", [], ["web1", "web2"], [("web2", "a")]),
        ([FIRST, untouched(run(3, "b", FAILED, web1=BAD, web2=SKIPPED), "web2")],
         "b", [], ["web1", "web2"], [("web2", "a")]),
        # Whoever missed two of them as well.
        ([FIRST, untouched(run(3, "b", FAILED, web1=BAD, web2=AWAY), "web2"),
          untouched(run(5, "c", FAILED, web1=GOOD, web2=AWAY), "web2")],
         "c", [("web1", "c")], ["web2"], [("web2", "a")]),
        # What an earlier one left half done stays so.
        ([FIRST, run(3, "b", FAILED, ["web2"], web2=BAD),
          untouched(run(5, "c", FAILED, web1=BAD, web2=AWAY), "web2")],
         "c", [], ["web1", "web2"], []),
        ([FIRST, run(3, "b", RunState.CANCELED, ["web2"])[:1],
          untouched(run(5, "c", FAILED, web1=BAD, web2=AWAY), "web2")],
         "c", [], ["web1", "web2"], []),
        ([FIRST, run(3, "b", RunState.ERROR), untouched(run(5, "c", FAILED, web1=BAD, web2=AWAY), "web2")],
         "c", [], ["web1", "web2"], []),
        # The one between means no web2 any more, and was good for web1.
        ([FIRST, run(3, "b", FAILED, web1=GOOD, web3=BAD),
          untouched(run(5, "c", FAILED, web1=GOOD, web2=AWAY), "web2")],
         "c", [("web1", "c")], ["web2"], [("web2", "b")]),
        # Nothing older tells.
        ([untouched(run(1, "a", FAILED, web1=GOOD, web2=AWAY), "web2")], "a", [("web1", "a")], ["web2"], []),
    ],
)  # fmt: skip
def test_who_missed_a_deployment_untouched_stands_where_something_older_left_them(runs, base, at, doubtful, missed):
    found = folded(*runs)
    assert (found.base, found.at, found.doubtful, found.unknown) == (
        oid(base), tuple((host, oid(commit)) for host, commit in at), frozenset(doubtful), ""
    )  # fmt: skip
    assert found.missed == tuple((host, oid(commit)) for host, commit in missed)
    back = found.back()
    assert back.doubtful == found.doubtful - {host for host, _ in missed}
    assert set(found.missed) <= set(back.at)


def test_a_request_counts_until_the_next_deployment_begins():
    asked = [Event(stamp(9), Requested(Word("staging"), oid("a"), Text("")))]
    assert folded(run(1, "a", web1=GOOD), asked).asked
    assert not folded(asked, run(11, "a", web1=GOOD)).asked


def test_no_more_than_two_hundred_deployments_are_read():
    runs = [run(2 * number + 1, "a", FAILED, ["web1"], web1=BAD) for number in range(201)]
    assert folded(*runs).unknown == "nothing ended well for long"


def test_the_next_full_run_is_an_interval_and_at_most_a_tenth_away():
    last = datetime(2026, 3, 1, tzinfo=UTC)
    every = Environment("staging", "refs/heads/main", "ansible", "a", "b", None, "", interval=6 * 3600)
    due = full_run_due(every, last, "r1")
    assert timedelta(hours=6) <= due - last <= timedelta(hours=6.6)
    assert full_run_due(every, last, "r1") == due
    assert len({full_run_due(every, last, f"r{number}") for number in range(20)}) > 10
    assert full_run_due(every, NEVER, "r1") is None
    never = Environment("staging", "refs/heads/main", "ansible", "a", "b", None, "")
    assert full_run_due(never, last, "r1") is None
