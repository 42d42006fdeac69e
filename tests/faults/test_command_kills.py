"""The reconciler or a run is killed: no command goes on alone, is forgotten, or is recorded by halves."""

import random
import signal
import time
from collections.abc import Iterator

import pytest

from gitops_hooks.edge import living
from tests.faults.failpoints import Failpoint, Faults, lay_git
from tests.push.command_desk import await_results, await_tip, commanded, results
from tests.push.desk import Desk

SEED = 20261126
KILLS = 4
META = "refs/changes/*/meta"


@pytest.fixture
def desk() -> Iterator[Desk]:
    with commanded(limits="reconcile_seconds = 1\n") as desk:
        yield desk


def _running(desk: Desk) -> list[living.Living]:
    """The reconciler of this server and all that it started."""
    home = str(desk.world.home.path)
    roots = [one for one in living.list_living() if any(f"{home}/bin/gitops-reconcile" in word for word in one.argv)]
    return roots + [one for root in roots for one in living.descendants(root.pid)]


def _asleep(seconds: str) -> list[int]:
    return [one.pid for one in living.list_living() if one.argv[:2] == ("sleep", seconds)]


@pytest.mark.timeout(300)
def test_a_reconciler_that_is_killed_leaves_no_run_and_the_next_one_runs_it_again(desk: Desk) -> None:
    dice = random.Random(SEED)
    commit = desk.commit("alice", {"test.sh": "echo begun; sleep 6.0625\n"})
    desk.push("alice", "-o", "auto-land", f"{commit}:refs/for/main").must()
    desk.push("bob", f"{commit}:refs/approve/1").must()
    for _ in range(KILLS):
        time.sleep(dice.uniform(0.5, 4.0))
        reconcilers = [one for one in _running(desk) if any("gitops-reconcile" in word for word in one.argv)]
        for one in reconcilers:
            living.send(one, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while _asleep("6.0625"):
            assert time.monotonic() < deadline, "a command outlives its reconciler"
            time.sleep(0.05)
        desk.world.admin("reconcile", "--ensure").must()
    await_tip(desk, commit)
    assert results(desk, 1) == [("test", "passed")]


@pytest.mark.timeout(300)
def test_a_run_whose_own_program_is_killed_is_an_error_and_has_not_passed(desk: Desk) -> None:
    desk.propose("alice", {"test.sh": "echo begun; sleep 7.0625\n"})
    deadline = time.monotonic() + 120
    while not (victims := [one for one in _running(desk) if any("command_child" in word for word in one.argv)]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    while not _asleep("7.0625"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    living.send(victims[0], signal.SIGKILL)
    assert await_results(desk, 1, 1) == [("test", "error")]
    assert _asleep("7.0625") == []
    refused = desk.push("bob", f"{desk.tip('refs/changes/1/head')}:refs/approve/1").must().remote_lines
    assert refused[1].startswith("  not landed command/test: could not be run (its program ended without a word) on")


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("when", "runs"), [("before", 2), ("inside", 2), ("after", 1)])
def test_a_result_is_recorded_whole_or_found_again(desk: Desk, when: str, runs: int) -> None:
    lay_git(desk.world.folder / "faults", desk.world.home)
    faults = Faults(desk.world.folder / "faults")
    # Visitors start none: only the one that is asked for by name.
    (desk.world.home.path / "bin" / "gitops-reconcile").write_text("")
    commit = desk.propose("alice", {"test.sh": "echo begun\n"})
    faults.arm(Failpoint(when, META))
    desk.world.reconcile_once()
    assert faults.fired()
    first = desk.world.ssh("dave", "change log 1 --json").must().out
    desk.world.reconcile_once().must()
    again = desk.world.ssh("dave", "change log 1 --json").must().out
    assert results(desk, 1) == [("test", "passed")]
    # Each run has an id of its own, which its log carries.
    assert (_run_of(first) == _run_of(again)) is (runs == 1)
    desk.push("bob", f"{commit}:refs/approve/1").must()
    await_tip(desk, commit)


def _run_of(log: str) -> str:
    return next(line.strip() for line in log.split("\n") if '"run"' in line)
