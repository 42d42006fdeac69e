"""Desired × deployed → what to do next with one environment. No queue: the comparison is the queue."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.event import Event, Finished, Requested, Started


@dataclass(frozen=True, slots=True)
class LogState:
    """What an environment's log amounts to: its newest start, that start's end, and a request after it."""

    started: Event | None = None
    finished: Event | None = None
    requested: Event | None = None


def fold_log(newest_first: Iterable[Event]) -> LogState:
    """Read back to the newest start; nothing before it matters any more."""
    finished = requested = None
    for event in newest_first:
        match event.body:
            case Requested():
                requested = requested or event
            case Finished():
                finished = finished or event
            case Started():
                return LogState(event, finished, requested)
    return LogState(None, finished, requested)


@dataclass(frozen=True, slots=True)
class Deploy:
    """Start a deployment of this commit now; `attempt` counts tries of it from 1."""

    commit: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing before this time."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Broken:
    """A start without an end, whose process is gone: it has to be ended in the record first."""

    started: Event


@dataclass(frozen=True, slots=True)
class Settled:
    """Desired is deployed."""


Next = Deploy | Wait | Broken | Settled


def plan(desired: str, log: LogState, now: datetime, retry_seconds: float, most_seconds: float) -> Next:
    """The next step; the environment has no run under way that this process knows of."""
    if log.started and not log.finished:
        return Broken(log.started)
    if log.finished is None or not isinstance(log.finished.body, Finished):
        return Deploy(desired, 1)
    end = log.finished.body
    if end.commit != desired:
        return Deploy(desired, 1)
    if log.requested:
        return Deploy(desired, end.attempt + 1 if end.state is not RunState.SUCCESSFUL else 1)
    if end.state is RunState.SUCCESSFUL:
        return Settled()
    return _retry(end, log.finished.stamp.at, now, retry_seconds, most_seconds)


def _retry(end: Finished, at: datetime, now: datetime, seconds: float, most: float) -> Next:
    """Again after 1, 2, 4 … times the pause, at most `most` seconds; a run that was cut off goes at once."""
    if end.state is RunState.CANCELED:
        return Deploy(end.commit, end.attempt + 1)
    pause = min(seconds * 2 ** min(end.attempt - 1, 20), most)
    due = at + timedelta(seconds=pause)
    return Deploy(end.commit, end.attempt + 1) if now >= due else Wait(due)
