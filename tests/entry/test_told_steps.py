"""What is noted of a pulled run is bounded, and shown in the order in which it came."""

from dataclasses import replace
from pathlib import Path

import pytest

from gitops_hooks.core.awaited import AwaitedRun, Keeper
from gitops_hooks.edge.run_log import run_log
from gitops_hooks.entry.pulled_steps import Release, in_order, note_told
from gitops_hooks.model.deployment import HostState, Step
from tests.core.test_awaited import at, keeper, run


def began(told: Keeper, seconds: int) -> AwaitedRun:
    """The run in which this agent tells of hosts whose application began then."""
    assert told.report is not None
    hosts = tuple(replace(host, began=seconds, seconds=1) for host in told.report.hosts)
    return run(replace(told, report=replace(told.report, hosts=hosts)))


def noted(folder: Path) -> list[Step]:
    return list(run_log(folder, "production").read(7)[0])


def test_what_is_told_again_is_noted_once_and_a_host_has_twenty_lines_at_most(tmp_path: Path) -> None:
    for seconds in (1, 1, 2):
        note_told(tmp_path, "production", began(keeper("a b", "a:failed"), seconds), at(5))
    assert [(step.at, step.host, step.state) for step in noted(tmp_path)] == [(5.0, "a", HostState.FAILED)] * 2
    for seconds in range(3, 40):
        note_told(tmp_path, "production", began(keeper("a b", "a:failed b:ok"), seconds), at(6))
    assert [sum(step.host == name for step in noted(tmp_path)) for name in "ab"] == [20, 20]


@pytest.mark.parametrize(
    "told",
    [
        keeper("a", "a:ok", generation=6),
        # What an agent says of a host that it does not answer for.
        keeper("a", "b:ok"),
        keeper("a"),
    ],
)
def test_what_is_not_of_this_run_is_not_noted(tmp_path: Path, told: Keeper) -> None:
    note_told(tmp_path, "production", run(told), at(5))
    assert noted(tmp_path) == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "at a time that was not told"), (10**14, "at no time of a calendar")]
)
def test_a_time_that_is_none_is_told_as_that(tmp_path: Path, seconds: int, words: str) -> None:
    note_told(tmp_path, "production", began(keeper("a", "a:ok"), seconds), at(5))
    assert [step.task for step in noted(tmp_path)] == [words]


@pytest.mark.parametrize(
    ("releases", "steps", "expected"),
    [
        ("", "1:a", "a"),
        ("0:a", "0:a", "+a a"),
        ("0:a 1:b", "1:a 1:b", "+a a +b b"),
        ("0:a 2:b", "1:a 3:b", "+a a +b b"),
        # Without names every host was released.
        ("0: 1:b", "1:a", "+ a +b"),
        # A pushed run, whose hosts nobody released before.
        ("9:a", "1:b 9:a", "b +a a"),
    ],
)
def test_within_a_second_what_is_told_of_a_host_follows_its_release(releases: str, steps: str, expected: str) -> None:
    pairs = [pair.split(":") for pair in releases.split()]
    given = [Release(float(second), tuple(filter(None, [name]))) for second, name in pairs]
    told = [Step(float(one.split(":")[0]), one.split(":")[1], HostState.OK) for one in steps.split()]
    found = in_order(given, 0, told)
    assert " ".join(f"+{''.join(one.hosts)}" if isinstance(one, Release) else one.host for one in found) == expected
