"""Runs under way that are to end: by the stop, by somebody's cancel, or since they say nothing any more."""

import time
from collections.abc import Mapping

from gitops_hooks.edge.home import Home
from gitops_hooks.edge.stopping import read_stop
from gitops_hooks.entry.deploying import ProgressPlace, Run, environment_ref
from gitops_hooks.entry.ending import Ending, find_cancel
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.deployment import RunState

Runs = Mapping[tuple[str, str], tuple[Run, ProgressPlace]]


def obey_stop(home: Home, runs: Runs) -> None:
    """Before anything is read that may be broken: what is stopped ends, whatever else is the matter."""
    if stop := read_stop(home):
        for run, _ in runs.values():
            run.watch.press(run.child, Ending(RunState.CANCELED, f"all deployments are stopped {stop.words}"))


def end_canceled(sitting: Sitting, runs: Runs) -> None:
    """Level-triggered like everything: the log says what is canceled, whoever was told of it or not."""
    for (name, environment), (run, _) in runs.items():
        if name == sitting.entry.name:
            log = environment_ref(environment, "log")
            run.watch.press(run.child, find_cancel(sitting.record.events(log)))


def end_silent(runs: Runs, seconds: float) -> None:
    """End what has said nothing for so long."""
    for run, _ in runs.values():
        run.watch.press(run.child, run.watch.silent(seconds))


def pressing_in(runs: Runs, seconds: float) -> float:
    """In how many seconds some run has to be looked at, whatever happens; at least one."""
    return max(1.0, min(run.watch.due(seconds) for run, _ in runs.values()) - time.monotonic())
