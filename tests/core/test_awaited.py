"""A run that is awaited: who is released when, what is heard of whom, and how it ends."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gitops_hooks.core.awaited import (
    Await,
    AwaitedRun,
    Batch,
    Keeper,
    Patience,
    Release,
    cut_off,
    next_step,
)
from gitops_hooks.model.agent import HostReport, Report
from gitops_hooks.model.deployment import HostOutcome, HostState, Outcome, RunState
from gitops_hooks.model.drift import Sync
from gitops_hooks.model.event import Event, Started
from gitops_hooks.model.event_words import Word
from gitops_hooks.model.people import Charge
from gitops_hooks.model.rollout import AT_ONCE, Rollout, Share
from tests.core.records import AT, REPOSITORY, oid, stamp

OK, CHANGED, FAILED = HostState.OK, HostState.CHANGED, HostState.FAILED
LOST, SKIPPED = HostState.UNREACHABLE, HostState.SKIPPED
STARTED = Event(stamp(7, "server"), Started(Word("production"), oid("b"), oid("d"), Word(""), 1), oid("e"))
BY_ONE = Rollout((Share(1), Share(100, percent=True)))


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def keeper(
    hosts: str, told: str = "", *, seen: float | None = 0, generation: int = 7, commit: str = "b", alarm: str = ""
) -> Keeper:
    """An agent named after its hosts; `told` are `host:state` that it reports for the deployment."""
    rows = [one.split(":") for one in told.split()]
    entries = tuple(
        HostReport(name, HostState(state), Sync.SYNCED, 1, "", generation, oid(commit)) for name, state in rows
    )
    report = Report("a", REPOSITORY, "production", generation, oid(commit), "", 1, AT, entries, alarm)
    names = tuple(hosts.split())
    name = "all" if names == ("*",) else f"agent-{names[0]}"
    charge = Charge(REPOSITORY, "production", names)
    return Keeper(name, charge, None if seen is None else at(seen), report if told or alarm else None)


def run(*keepers: Keeper, hosts: str | None = "a b c", released: str = "", rollout: Rollout = AT_ONCE, paused=False):
    """A run of these hosts; `released` are its batches so far, as `a,b c`, one a second, from second 0 on."""
    batches = tuple(Batch(tuple(each.split(",")), at(number)) for number, each in enumerate(released.split()))
    meant = None if hosts is None else tuple(hosts.split())
    return AwaitedRun(STARTED, meant, batches, keepers, rollout, Patience(60, 600), paused)


def ends(outcome: object) -> dict[str, HostState]:
    assert isinstance(outcome, Outcome)
    return {host.name: host.state for host in outcome.hosts}


@pytest.mark.parametrize(
    ("found", "step"),
    [
        (run(keeper("a b c")), Release(("a", "b", "c"))),
        (run(keeper("a b c"), rollout=BY_ONE), Release(("a",))),
        (run(keeper("a"), keeper("b"), keeper("c"), rollout=BY_ONE), Release(("a",))),
        (run(keeper("a b c", "a:ok"), released="a", rollout=BY_ONE), Release(("b", "c"))),
        (run(keeper("a b c", "a:changed"), released="a", rollout=Rollout((Share(1),))), Release(("b",))),
        # Nobody answers for it: it is set aside, and no batch waits for it.
        (run(keeper("b c"), rollout=BY_ONE), Release(("b",))),
        # Only an agent knows which hosts there are: all of them, whatever the batches.
        (run(keeper("*"), hosts=None, rollout=BY_ONE), Release(())),
        (run(keeper("a"), keeper("b"), hosts=None, rollout=BY_ONE), Release(("a",))),
        (run(keeper("*")), Release(("a", "b", "c"))),
    ],
)
def test_hosts_are_released_batch_by_batch(found, step):
    assert next_step(found, at(2)) == step


def test_who_was_silent_before_is_released_with_the_last_and_waited_for_by_nobody():
    away = keeper("a", seen=-100)
    first = run(away, keeper("b c"), rollout=BY_ONE)
    assert next_step(first, at(0)) == Release(("b",))
    later = run(away, keeper("b c", "b:ok"), released="b", rollout=BY_ONE)
    assert next_step(later, at(1)) == Release(("c", "a"))
    last = run(away, keeper("b c", "b:ok c:ok"), released="b c,a", rollout=BY_ONE)
    found = next_step(last, at(2))
    assert ends(found) == {"a": LOST, "b": OK, "c": OK}
    assert found.detail == "unreachable: a"
    assert found.hosts[0] == HostOutcome("a", LOST, 0, "its agent agent-a is silent: last seen 2026-11-23 08:58:20 UTC")
    # It came back before the end: it is awaited like everybody.
    back = run(replace(away, seen=at(1.5)), keeper("b c", "b:ok"), released="b c,a", rollout=BY_ONE)
    assert next_step(back, at(2)).hosts == ("c", "a")
    assert next_step(run(away, hosts="a"), at(2)) == Release(("a",))


@pytest.mark.parametrize(
    ("found", "now", "step"),
    [
        (run(keeper("a b c"), released="a,b,c"), 2, Await(at(60), ("a", "b", "c"))),
        (run(keeper("a b c", "a:ok c:failed"), released="a,b,c"), 2, Await(at(60), ("b",))),
        # Seen since: it has that much longer, but not for ever.
        (run(keeper("a b c", seen=50), released="a,b,c"), 100, Await(at(110), ("a", "b", "c"))),
        (run(keeper("a b c", seen=590), released="a,b,c"), 595, Await(at(600), ("a", "b", "c"))),
        (run(keeper("a b c", seen=None), released="a,b,c"), 2, Await(at(60), ("a", "b", "c"))),
        # What it says of another deployment is not of this one.
        (run(keeper("a b c", "a:ok b:ok c:ok", generation=6), released="a,b,c"), 2, Await(at(60), ("a", "b", "c"))),
        (
            run(keeper("*"), hosts=None, released="a").__class__(
                STARTED, None, (Batch((), at(0)),), (keeper("*"),), AT_ONCE, Patience(60, 600)
            ),
            2,
            Await(at(60), ("all",)),
        ),
    ],
)
def test_agents_are_awaited_for_a_time(found, now, step):
    assert next_step(found, at(now)) == step


@pytest.mark.parametrize(
    ("found", "now", "state", "hosts", "detail"),
    [
        (
            run(keeper("a b c", "a:ok b:changed c:ok"), released="a,b,c"),
            2,
            RunState.SUCCESSFUL,
            {"a": OK, "b": CHANGED, "c": OK},
            "",
        ),
        (
            run(keeper("a b", "a:ok b:ok"), released="a,b"),
            2,
            RunState.FAILED,
            {"a": OK, "b": OK, "c": LOST},
            "unreachable: c",
        ),
        (
            run(keeper("a b c", "a:failed b:ok c:unreachable"), released="a,b,c"),
            2,
            RunState.FAILED,
            {"a": FAILED, "b": OK, "c": LOST},
            "failed: a; unreachable: c",
        ),
        (
            run(keeper("a b c", "a:failed"), released="a", rollout=BY_ONE),
            2,
            RunState.FAILED,
            {"a": FAILED, "b": SKIPPED, "c": SKIPPED},
            "failed: a; stopped after batch 1: 1 of its 1 hosts failed, and max_failed is 0; not begun: b c",
        ),
        (
            run(keeper("a b c", "a:ok"), released="a,b,c"),
            60,
            RunState.FAILED,
            {"a": OK, "b": LOST, "c": LOST},
            "unreachable: b c",
        ),
        (
            run(keeper("a b c", "a:ok b:ok c:ok", commit="a"), released="a,b,c"),
            2,
            RunState.FAILED,
            {"a": FAILED, "b": FAILED, "c": FAILED},
            "failed: a b c",
        ),
        (run(hosts="a b"), 2, RunState.FAILED, {"a": LOST, "b": LOST}, "unreachable: a b"),
        (
            run(hosts=None),
            2,
            RunState.ERROR,
            {},
            "no agent answers for any of its hosts; gitops-hooks user add … --agent",
        ),
    ],
)
def test_a_run_ends_when_everybody_was_heard_or_is_past_hearing(found, now, state, hosts, detail):
    outcome = next_step(found, at(now))
    assert (ends(outcome), outcome.state, outcome.detail) == (hosts, state, detail)


def test_an_agent_that_knows_its_hosts_alone_tells_of_them():
    heard = AwaitedRun(STARTED, None, (Batch((), at(0)),), (keeper("*", "x:ok y:changed"),), AT_ONCE, Patience(60, 600))
    outcome = next_step(heard, at(2))
    assert (outcome.state, ends(outcome)) == (RunState.SUCCESSFUL, {"x": OK, "y": CHANGED})


def test_a_rollout_goes_on_past_as_many_bad_hosts_as_may_be():
    rollout = Rollout((Share(2), Share(100, percent=True)), Share(1))
    assert next_step(run(keeper("a b c", "a:failed b:ok"), released="a,b", rollout=rollout), at(2)) == Release(("c",))


def test_who_was_not_begun_is_untouched_and_who_is_silent_is_not():
    stopped = next_step(run(keeper("a b c", "a:failed"), released="a", rollout=BY_ONE), at(2))
    assert [host.untouched for host in stopped.hosts] == [False, True, True]
    lost = next_step(run(keeper("a b"), released="a,b"), at(60))
    assert [host.untouched for host in lost.hosts] == [False, False, True]


def test_why_a_host_is_lost_is_told():
    never = next_step(run(keeper("a", seen=None), hosts="a", released="a"), at(60))
    assert never.hosts[0].detail == "its agent agent-a is silent: never seen"
    alarmed = run(keeper("a", seen=599, alarm="the log is shorter than what was seen"), hosts="a", released="a")
    assert next_step(alarmed, at(600)).hosts[0].detail == (
        "its agent agent-a has told nothing of deployment 7 for 600 s; it says: the log is shorter than what was seen"
    )


def test_under_a_pause_nothing_is_released_nobody_is_late_and_reports_are_heard():
    assert next_step(run(keeper("a b c"), paused=True), at(2)) == Await(at(62), ())
    waits = run(keeper("a b c", "a:ok"), released="a,b,c", paused=True)
    assert next_step(waits, at(5000)) == Await(at(5060), ("b", "c"))
    heard = run(keeper("a b c", "a:ok b:ok c:ok"), released="a,b,c", paused=True)
    assert next_step(heard, at(5000)).state is RunState.SUCCESSFUL


def test_a_run_that_is_cut_off_tells_what_is_known_of_each_host():
    found = cut_off(run(keeper("a b c", "a:ok"), released="a,b"), RunState.CANCELED, "canceled by bob", at(5))
    assert (found.state, found.detail) == (RunState.CANCELED, "canceled by bob")
    words = "was released to its agent, which has not told what became of it"
    assert found.hosts == (
        HostOutcome("a", OK, 1),
        HostOutcome("b", LOST, 0, words),
        HostOutcome("c", SKIPPED, 0, "it was not released to its agent", untouched=True),
    )


def test_a_host_that_is_back_is_there_already_and_nothing_is_run_on_it_again():
    back = replace(run(keeper("a b", "a:changed", generation=5)), back=frozenset("a"), hosts=("a", "b"))
    assert next_step(back, at(1)) == Release(("b",))
    alone = replace(back, hosts=("a",))
    assert next_step(alone, at(1)) == Outcome(RunState.SUCCESSFUL, (HostOutcome("a", OK),))
    everything = run(keeper("*", "a:changed", generation=5), hosts=None)
    assert next_step(replace(everything, back=frozenset("a")), at(1)) == next_step(alone, at(1))
    assert next_step(everything, at(1)) == Release(())
