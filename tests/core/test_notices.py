"""What is told of deployments: each end once, and as news only where it changed the environment's state."""

from datetime import timedelta

import pytest

from gitops_hooks.core.notices import MOST, news_of, untold
from gitops_hooks.model.deployment import HostOutcome, HostState, RunState
from gitops_hooks.model.event import Event, Finished, Requested, Started
from gitops_hooks.model.event_words import Hosts, Stamp, Text, Word
from gitops_hooks.model.news import News
from tests.core.records import AT, oid

GOOD, FAILED, ERROR, CANCELED = RunState.SUCCESSFUL, RunState.FAILED, RunState.ERROR, RunState.CANCELED


def log(*ends: tuple[str, RunState] | tuple[str, RunState, str]) -> list[Event]:
    """A start and an end for each (commit, state, hosts that failed), newest first."""
    events: list[Event] = []
    for commit, state, *bad in ends:
        hosts = Hosts(tuple(HostOutcome(name, HostState.FAILED) for name in "".join(bad)))
        number = len(events) + 1
        started = Started(Word("staging"), oid(commit), oid("0"), Word(f"run{number}"), 1)
        finished = Finished(Word("staging"), oid(commit), number, 1, state, 3, hosts, Text(""))
        events += [_event(number, started), _event(number + 1, finished)]
    return events[::-1]


def _event(number: int, body: Started | Finished | Requested) -> Event:
    stamp = Stamp(Word("r" * 32), number, AT + timedelta(seconds=number), Word("server"), Word("-"))
    return Event(stamp, body, f"{number:040x}")


@pytest.mark.parametrize(
    ("ends", "news"),
    [
        ([("a", GOOD)], News.DEPLOYED),
        ([("a", FAILED, "x")], News.DEGRADED),
        ([("a", GOOD), ("a", GOOD)], None),
        ([("a", GOOD), ("b", GOOD)], News.DEPLOYED),
        ([("a", GOOD), ("b", FAILED, "x")], News.DEGRADED),
        ([("b", FAILED, "x"), ("b", FAILED, "x")], None),
        ([("b", FAILED, "x"), ("b", FAILED, "xy")], News.DEGRADED),
        ([("b", FAILED, "x"), ("b", ERROR, "x")], News.DEGRADED),
        ([("b", FAILED, "x"), ("c", FAILED, "x")], News.DEGRADED),
        ([("b", FAILED, "x"), ("b", GOOD)], News.RECOVERED),
        ([("b", FAILED, "x"), ("c", GOOD)], News.RECOVERED),
        ([("b", GOOD), ("c", CANCELED)], None),
        ([("b", FAILED, "x"), ("b", CANCELED), ("b", FAILED, "x")], None),
        ([("a", GOOD), ("b", CANCELED), ("b", GOOD)], News.DEPLOYED),
        ([("b", CANCELED), ("b", GOOD)], News.DEPLOYED),
    ],
)
def test_an_end_is_news_where_it_changed_the_state(ends, news):
    assert news_of(untold(log(*ends), 0)[-1]) is news


def test_only_ends_after_the_one_told_last_are_told_oldest_first():
    events = log(("a", GOOD), ("b", FAILED, "x"), ("b", GOOD))
    assert [ended.number for ended in untold(events, 2)] == [4, 6]
    assert [ended.run for ended in untold(events, 2)] == ["run3", "run5"]
    assert [news_of(ended) for ended in untold(events, 2)] == [News.DEGRADED, News.RECOVERED]
    assert untold(events, 6) == ()


def test_a_run_under_way_and_a_request_are_no_end():
    started = Started(Word("staging"), oid("b"), oid("0"), Word("run3"), 1)
    asked = Requested(Word("staging"), oid("b"), Text("now"))
    events = [_event(4, started), _event(3, asked), *log(("a", GOOD))]
    assert [ended.number for ended in untold(events, 0)] == [2]


def test_after_a_long_silence_the_newest_are_told_and_measured_by_what_was_before_them():
    events = log(("a", FAILED, "x"), *[("a", FAILED, "x")] * 40)
    found = untold(events, 0)
    assert len(found) == MOST
    assert found[-1].number == 82
    assert {news_of(ended) for ended in found} == {None}


def test_no_more_of_the_log_is_read_than_is_needed():
    def newest_first():
        yield from log(("a", GOOD), ("b", GOOD), ("c", GOOD))[:4]
        pytest.fail("read on")

    assert [ended.number for ended in untold(newest_first(), 4)] == [6]
