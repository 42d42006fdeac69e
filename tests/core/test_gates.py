"""Gates: what keeps a deployment that is due from beginning, in words and until when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gitops_hooks.core.gates import Grounds, Upstream, hold
from gitops_hooks.core.log_state import fold_log
from gitops_hooks.core.plan import Deploy, Held, Settled, Wait, plan
from gitops_hooks.core.windows import parse_windows
from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.environment_event import Canceled, LetGo, Paused, Resumed, RolledBack, Stopped
from gitops_hooks.model.event import Event
from gitops_hooks.model.event_words import Text, Word
from gitops_hooks.model.gates import Gates
from gitops_hooks.model.policy import Environment
from tests.core.records import AT, oid, stamp
from tests.core.test_plan import finished, requested, started

PRODUCTION = Environment("production", "refs/heads/main", "ansible", "site.yml", "hosts", None, "policy.yaml:20")
NAME = Word("production")
# AT is a Monday, 09:00 UTC.
CLOSED = parse_windows("Tue-Thu 09:00-16:00 Europe/Berlin", "policy.yaml:22")
FROZEN = parse_windows("Mon 08:00 - Mon 12:00", "policy.yaml:23")


def said(number, body, who="bob"):
    return Event(stamp(number, who), body, f"{number:040x}")


def paused(number, why=""):
    return said(number, Paused(NAME, Text(why)))


def resumed(number):
    return said(number, Resumed(NAME, Text("")))


def canceled(number, commit="b", generation=1, why=""):
    return said(number, Canceled(NAME, oid(commit), generation, Text(why)))


def rolled_back(number, commit="a", left="b"):
    return said(number, RolledBack(NAME, oid(commit), oid("d"), oid(left), oid("b"), (), Text("")))


def begun(number, *carries, commit="b"):
    event = started(number, commit)
    return replace(event, body=replace(event.body, carries=tuple(Word(word) for word in carries)))


def step(*oldest_first, gates=Gates(), desired="b", after=0.0, upstreams=(), pinned=False, stopped=""):
    log = fold_log(oldest_first[::-1])
    now = AT + timedelta(seconds=after)
    grounds = Grounds(replace(PRODUCTION, gates=gates), oid(desired), pinned, upstreams, stopped)
    return hold(plan(oid(desired), log, now, 15, 900), log, grounds, now)


GO = Deploy(oid("b"), 1)


def test_without_gates_everything_goes():
    assert step() == GO
    assert step(begun(1), finished(2)) == Settled()


def test_a_manual_environment_waits_until_somebody_asks_for_this_very_commit():
    manual = Gates(manual=True)
    held = Held("manual", "waits for somebody to ask for it: env deploy production")
    assert step(gates=manual) == held
    assert step(requested(1), gates=manual) == GO
    assert step(requested(1, "a"), gates=manual) == held
    assert step(begun(1, commit="a"), finished(2, commit="a"), gates=manual) == held
    assert step(begun(1), finished(2, RunState.FAILED), gates=manual, after=20) == Deploy(oid("b"), 2)


def test_a_pause_holds_over_any_number_of_starts_until_it_is_resumed():
    held = Held("paused", "paused by bob: hands off")
    assert step(paused(1, "hands off")) == held
    assert step(paused(1, "hands off"), requested(2)) == held
    assert step(paused(1, "hands off"), begun(2, "paused", commit="a"), finished(3, commit="a")) == held
    assert step(paused(1), resumed(2)) == GO
    assert step(paused(1), begun(2, commit="a"), finished(3, commit="a")) == GO
    assert step(paused(1), begun(2, "paused", commit="a"), finished(3, commit="a"), resumed(4)) == GO
    assert step(begun(1), finished(2, RunState.FAILED), paused(3)) == Held("paused", "paused by bob")
    assert step(begun(1), finished(2), paused(3)) == Settled()


def test_a_start_says_what_holds_on():
    log = (paused(1), rolled_back(2), begun(3, "paused", "pinned", commit="a"))
    found = fold_log(log[::-1])
    assert (found.paused, found.pinned, found.carries()) == (log[0], log[1], ("paused", "pinned"))
    assert fold_log((*log, requested(4))[::-1]).carries() == ("paused",)
    assert fold_log((*log, resumed(4))[::-1]).carries() == ()


def test_what_is_canceled_is_not_begun_again_until_it_is_asked_for_or_something_else_is_desired():
    held = Held("canceled", "canceled by bob: wrong file")
    log = (begun(1), canceled(2, why="wrong file"), finished(3, RunState.CANCELED))
    assert step(*log) == held
    assert step(*log, after=10_000) == held
    assert step(*log, requested(4)) == Deploy(oid("b"), 2)
    assert step(*log, desired="c") == Deploy(oid("c"), 1)
    assert step(canceled(1, generation=0)) == Held("canceled", "canceled by bob")
    assert step(requested(1), canceled(2, generation=0)) == Held("canceled", "canceled by bob")


def test_a_run_that_ended_well_before_it_heard_of_it_is_done():
    assert step(begun(1), canceled(2), finished(3)) == Settled()


def test_what_is_rolled_back_to_goes_through_every_gate_of_people():
    gates = Gates(manual=True, after=("staging",), windows=CLOSED, freeze=FROZEN)
    log = (begun(1), finished(2), paused(3), rolled_back(4))
    upstreams = (Upstream("staging", None, "is at aaaaaaa"),)
    go = Deploy(oid("a"), 1)
    assert step(*log, gates=gates, desired="a", pinned=True, upstreams=upstreams) == go
    assert step(*log, gates=replace(gates, paused="x"), desired="a", pinned=True) == Held(
        "paused", "paused by the policy: x (policy.yaml:20)"
    )
    assert step(*log, desired="a", pinned=True, stopped="by the administrator") == Held(
        "stopped", "all deployments are stopped: by the administrator"
    )


def test_it_waits_for_what_comes_before_and_for_how_long_that_was_healthy():
    gates = Gates(after=("staging",), soak=1800)
    waits = (Upstream("staging", None, "is at aaaaaaa"),)
    assert step(gates=gates, upstreams=waits) == Held("after", "waits for staging, which is at aaaaaaa")
    since = (Upstream("staging", AT),)
    until = AT + timedelta(minutes=30)
    words = "waits until staging was Healthy for 30m (2026-11-23 09:30:00 UTC)"
    assert step(gates=gates, upstreams=since, after=1799) == Held("soak", words, until)
    assert step(gates=gates, upstreams=since, after=1800) == GO
    assert step(requested(1), gates=gates, upstreams=waits) == Held("after", "waits for staging, which is at aaaaaaa")


def test_it_waits_for_its_window_and_says_when_that_opens():
    held = step(gates=Gates(windows=CLOSED))
    assert held == Held("windows", "waits for its window (Tue 09:00 Europe/Berlin)", AT + timedelta(hours=23))
    frozen = step(gates=Gates(freeze=FROZEN))
    assert frozen == Held("freeze", "is frozen (Mon 08:00 - Mon 12:00) until Mon 12:00 UTC", AT + timedelta(hours=3))
    assert step(gates=Gates(windows=CLOSED), after=23 * 3600) == GO
    assert step(begun(1), finished(2), gates=Gates(windows=CLOSED)) == Settled()


def test_a_request_passes_a_window_only_where_the_policy_says_so_and_for_one_run():
    gates = Gates(windows=CLOSED)
    assert isinstance(step(requested(1), gates=gates), Held)
    let = replace(gates, manual_sync=True)
    assert step(requested(1), gates=let) == GO
    assert isinstance(step(gates=let), Held)
    assert isinstance(step(requested(1), begun(2), finished(3, RunState.FAILED), gates=let), Held)


def test_a_window_that_never_opens_says_so():
    frozen = parse_windows("Mon 00:00 - Thu 00:00", "p:1") + parse_windows("Wed 00:00 - Tue 00:00", "p:1")
    assert step(gates=Gates(freeze=frozen)) == Held("freeze", "is frozen; no end of it is in sight")


@pytest.mark.parametrize("pause", ["policy", "people", "stop"])
def test_who_waits_for_a_retry_is_held_too(pause):
    failed = (begun(1), finished(2, RunState.FAILED))
    assert isinstance(step(*failed), Wait)
    log = (*failed, paused(3)) if pause == "people" else failed
    gates = Gates(paused="x") if pause == "policy" else Gates()
    assert isinstance(step(*log, gates=gates, stopped="x" if pause == "stop" else ""), Held)


STOPPED, LET_GO = said(4, Stopped(NAME, Text("by the administrator")), "server"), said(5, LetGo(NAME), "server")


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ((begun(1),), False),
        ((begun(1), STOPPED), True),
        ((begun(1), STOPPED, LET_GO), False),
        ((begun(1), STOPPED, begun(6, "stopped")), True),
        # A start that does not carry it came after its end.
        ((begun(1), STOPPED, begun(6)), False),
        ((begun(1), STOPPED, resumed(6)), True),
    ],
)
def test_what_agents_were_told_of_the_stop_is_read_back_to_the_newest_start(events, told):
    log = fold_log(events[::-1])
    assert (log.stopped is not None) == told
    assert ("stopped" in log.carries()) == told
