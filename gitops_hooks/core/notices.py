"""An environment's log → the ends that somebody was not told of yet, and what each of them changed."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from gitops_hooks.model.deployment import HostState, RunState
from gitops_hooks.model.event import Event, Finished, Started
from gitops_hooks.model.notice import Ended, News

# Who comes back after a long silence hears of the newest ends only; the log has them all.
MOST = 20
_SAY_NOTHING = (RunState.CANCELED, RunState.SUPERSEDED)
_BAD = (HostState.FAILED, HostState.UNREACHABLE)


def untold(newest_first: Iterable[Event], told: int) -> tuple[Ended, ...]:
    """The ends with a number above `told`, oldest first, at most MOST; reads no further back than it has to."""
    found: list[Ended] = []
    open_end: tuple[int, datetime, Finished] | None = None
    older: Finished | None = None
    for event in newest_first:
        body = event.body
        if isinstance(body, Started) and open_end is not None:
            found.append(Ended(body.run, *open_end, before=None))
            open_end = None
        elif isinstance(body, Finished) and event.stamp.number > told and len(found) < MOST:
            open_end = (event.stamp.number, event.stamp.at, body)
        elif isinstance(body, Finished) and body.state not in _SAY_NOTHING:
            older = body
            break
    return _linked(reversed(found), older)


def _linked(oldest_first: Iterable[Ended], older: Finished | None) -> tuple[Ended, ...]:
    """Each with the end before it that says anything about the environment's state."""
    found = []
    for ended in oldest_first:
        found.append(replace(ended, before=older))
        if ended.end.state not in _SAY_NOTHING:
            older = ended.end
    return tuple(found)


def news_of(ended: Ended) -> News | None:
    """What this end changed; a retry that fails alike, and another run of what is live, change nothing."""
    end, before = ended.end, ended.before
    if end.state in _SAY_NOTHING:
        return None
    good = end.state is RunState.SUCCESSFUL
    if before is None:
        return News.DEPLOYED if good else News.DEGRADED
    if good and before.state is not RunState.SUCCESSFUL:
        return News.RECOVERED
    if good:
        return News.DEPLOYED if before.commit != end.commit else None
    alike = before.commit == end.commit and before.state is end.state and _bad(before) == _bad(end)
    return None if alike else News.DEGRADED


def _bad(end: Finished) -> frozenset[tuple[str, HostState]]:
    return frozenset((host.name, host.state) for host in end.hosts if host.state in _BAD)
