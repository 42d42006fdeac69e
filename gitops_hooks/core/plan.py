"""Desired × deployed → what to do next with one environment. No queue: the comparison is the queue."""

from datetime import datetime, timedelta

from gitops_hooks.core.log_state import LogState
from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.environment_event import Canceled, RolledBack
from gitops_hooks.model.event import Event, Finished, Requested
from gitops_hooks.model.lazy_dataclass import dataclass


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
class Held:
    """Something keeps it from beginning: which gate, why in words (`waits for …`), until when at the earliest."""

    gate: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """A start without an end, whose process is gone: it has to be ended in the record first."""

    started: Event


@dataclass(frozen=True, slots=True)
class Settled:
    """Desired is deployed."""


Next = Deploy | Wait | Held | Broken | Settled


def plan(desired: str, log: LogState, now: datetime, retry_seconds: float, most_seconds: float) -> Next:
    """The next step; the environment has no run under way that this process knows of."""
    if log.started and not log.finished:
        return Broken(log.started)
    end = log.finished.body if log.finished and isinstance(log.finished.body, Finished) else None
    same = end if end and end.commit == desired else None
    asked = is_asked(desired, log)
    if same and same.state is RunState.SUCCESSFUL and not asked:
        return Settled()
    if held := _canceled(desired, log):
        return held
    if same is None or asked:
        again = same is not None and same.state is not RunState.SUCCESSFUL
        return Deploy(desired, same.attempt + 1 if same and again else 1)
    return _retry(same, log.finished.stamp.at if log.finished else now, now, retry_seconds, most_seconds)


def is_asked(desired: str, log: LogState) -> bool:
    """Whether somebody asked for this commit after the newest start."""
    body = log.requested.body if log.requested else None
    return isinstance(body, Requested | RolledBack) and body.commit == desired


def _canceled(desired: str, log: LogState) -> Held | None:
    body = log.canceled.body if log.canceled else None
    if log.canceled is None or not isinstance(body, Canceled) or body.commit != desired:
        return None
    return Held("canceled", f"canceled by {log.canceled.stamp.actor}{said(body.message)}")


def said(message: str) -> str:
    """`: the reason`, or nothing."""
    return f": {message}" if message else ""


def _retry(end: Finished, at: datetime, now: datetime, seconds: float, most: float) -> Next:
    """Again after 1, 2, 4 … times the pause, at most `most` seconds; a run that was cut off goes at once."""
    if end.state is RunState.CANCELED:
        return Deploy(end.commit, end.attempt + 1)
    pause = min(seconds * 2 ** min(end.attempt - 1, 20), most)
    due = at + timedelta(seconds=pause)
    return Deploy(end.commit, end.attempt + 1) if now >= due else Wait(due)
