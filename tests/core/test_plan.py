"""Desired × deployed → the next step."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gitops_hooks.core.log_state import LogState, fold_log
from gitops_hooks.core.plan import Broken, Deploy, Settled, Wait, plan
from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.event import Event, Finished, Requested, Started
from gitops_hooks.model.event_words import Hosts, Text, Word
from tests.core.records import AT, oid, stamp


def started(number, commit="b"):
    return Event(
        stamp(number), Started(Word("staging"), oid(commit), oid("d"), Word(f"run-{number}"), 1), f"{number:040x}"
    )


def finished(number, state=RunState.SUCCESSFUL, commit="b", attempt=1):
    body = Finished(Word("staging"), oid(commit), number - 1, attempt, state, 3, Hosts(()), Text(""))
    return Event(stamp(number), body, f"{number:040x}")


def requested(number, commit="b"):
    return Event(stamp(number, "bob"), Requested(Word("staging"), oid(commit), Text("")), f"{number:040x}")


def step(*oldest_first, desired="b", after=0.0):
    return plan(oid(desired), fold_log(oldest_first[::-1]), AT + timedelta(seconds=after), 15, 900)


def test_the_log_is_read_back_to_the_newest_start():
    old = (started(1), finished(2), requested(3))
    new = (started(4), finished(5, RunState.FAILED))
    assert fold_log((*old, *new)[::-1]) == LogState(new[0], new[1], None)
    assert fold_log((*old, *new, asked := requested(6))[::-1]) == LogState(new[0], new[1], asked)
    assert fold_log(()) == LogState()


def test_nothing_yet_is_deployed_at_once():
    assert step() == Deploy(oid("b"), 1)


def test_what_is_deployed_is_left_alone():
    assert step(started(1), finished(2)) == Settled()


def test_another_commit_is_deployed_whatever_became_of_the_last():
    for state in (RunState.SUCCESSFUL, RunState.FAILED):
        assert step(started(1), finished(2, state), desired="c") == Deploy(oid("c"), 1)


def test_a_start_without_an_end_is_broken_first():
    assert step(started(1), finished(2), begun := started(3)) == Broken(begun)


def test_a_request_deploys_again_at_once():
    assert step(started(1), finished(2), requested(3)) == Deploy(oid("b"), 1)
    assert step(started(1), finished(2, RunState.FAILED, attempt=4), requested(3)) == Deploy(oid("b"), 5)
    assert step(requested(1)) == Deploy(oid("b"), 1)


@pytest.mark.parametrize(("attempt", "pause"), [(1, 15), (2, 30), (3, 60), (7, 900), (500, 900)])
def test_a_failed_run_waits_twice_as_long_each_time_and_never_longer_than_stated(attempt, pause):
    log = (started(1), finished(2, RunState.FAILED, attempt=attempt))
    assert step(*log, after=pause - 1) == Wait(AT + timedelta(seconds=pause))
    assert step(*log, after=pause) == Deploy(oid("b"), attempt + 1)


def test_a_run_that_was_cut_off_goes_at_once():
    assert step(started(1), finished(2, RunState.CANCELED)) == Deploy(oid("b"), 2)


def test_a_clock_that_went_back_only_waits():
    event = finished(2, RunState.ERROR)
    later = replace(event, stamp=replace(event.stamp, at=AT + timedelta(days=1)))
    assert step(started(1), later) == Wait(AT + timedelta(days=1, seconds=15))
