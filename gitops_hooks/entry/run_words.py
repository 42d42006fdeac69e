"""`env log ENV N`: what every task of one deployment did on every host, and the rest of it while it runs."""

import json
import time
from collections.abc import Callable, Iterable

from gitops_hooks.core.report import escape
from gitops_hooks.edge.run_log import run_log
from gitops_hooks.edge.terminal import is_open
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.follow import count_hosts
from gitops_hooks.entry.pulled_steps import Release, in_order, released_facts, released_in, released_line
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.deployment import HostState, Step
from gitops_hooks.model.event import Finished, Started
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment, Mode
from gitops_hooks.model.request import Refusal

_PAUSE = 0.3
_BAD = (HostState.FAILED, HostState.UNREACHABLE)


@dataclass(frozen=True, slots=True)
class RunEvents:
    """One deployment in the environment's log; `finished` is None while it runs."""

    generation: int
    started: Started
    finished: Finished | None


def find_run(sitting: Sitting, environment: Environment, generation: int | None) -> RunEvents | Refusal:
    """The deployment of this number, or the newest one."""
    finished: Finished | None = None
    for event in sitting.record.events(environment_ref(environment.name, "log")):
        match event.body:
            case Finished() as body:
                finished = body
            case Started() as body if generation in (None, event.stamp.number):
                ended = finished if finished and finished.generation == event.stamp.number else None
                return RunEvents(event.stamp.number, body, ended)
    which = "no deployment yet" if generation is None else f"no deployment {generation}"
    return Refusal("environment", f"{environment.name} has {which}; see: env log {environment.name}")


def tell_run(
    sitting: Sitting, environment: Environment, run: RunEvents, say: Callable[[str], None], *, as_json: bool, on: bool
) -> None:
    """Say the steps of a run, and with `on` those that come, until it has ended."""
    log = run_log(sitting.state, environment.name)
    head = (
        f"deployment {run.generation} of {run.started.commit[:12]} to {environment.name}, attempt {run.started.attempt}"
    )
    if not as_json:
        say(head)
    start, count, given = 0, 0, 0
    while True:
        # Asked before the steps are read: what was written until the end is read then.
        ended = run.finished or _end_of(sitting, environment, run.generation)
        releases = _releases(sitting, environment, run)
        steps, start, cut = log.read(run.generation, start)
        count += len(steps)
        for line in _lines(in_order(releases, given, steps), as_json):
            say(line)
        given = len(releases)
        if cut and not as_json:
            say("  … the rest was too long to be kept")
        if ended or not on or not is_open(1):
            break
        time.sleep(_PAUSE)
    if not as_json:
        say(_last(ended, count, "its steps are not kept" if run.started.run else "no agent has told of it"))


def _end_of(sitting: Sitting, environment: Environment, generation: int) -> Finished | None:
    found = sitting.record.newest(environment_ref(environment.name, "log"))
    if found is None or found.stamp.number == generation:
        return None
    run = find_run(sitting, environment, generation)
    return run.finished if isinstance(run, RunEvents) else None


def _releases(sitting: Sitting, environment: Environment, run: RunEvents) -> tuple[Release, ...]:
    """What was released under it so far; where the server alone goes, nothing is."""
    if run.started.run and environment.mode is Mode.PUSH:
        return ()
    return released_in(sitting.record.events(environment_ref(environment.name, "log")), run.generation)


def _lines(rows: Iterable[Step | Release], as_json: bool) -> Iterable[str]:
    for step in rows:
        if isinstance(step, Release):
            yield json.dumps(released_facts(step)) if as_json else released_line(step)
            continue
        if as_json:
            facts = {"at": step.at, "host": step.host, "state": step.state.value, "task": step.task}
            yield json.dumps({**facts, "place": step.place, "detail": step.detail})
            continue
        words = ": ".join(filter(None, (step.place, step.task, step.detail)))
        mark = "!" if step.state in _BAD else " "
        yield f"{mark}{step.at:>8.1f} s  {step.host:<16} {step.state.value:<12} {escape(words)}".rstrip()


def _last(ended: Finished | None, count: int, nothing: str) -> str:
    if ended is None:
        return "it runs; with --follow you see the rest as it comes"
    if not count:
        return f"{ended.state.value}: {count_hosts(ended)} ({ended.seconds} s); {nothing}"
    return f"{ended.state.value}: {count_hosts(ended)} ({ended.seconds} s)"
