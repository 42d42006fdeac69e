"""An environment's log → the ends that somebody was not told of yet, and what each of them changed."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from itertools import islice

from gitops_hooks.core.log_state import PINNED
from gitops_hooks.model.deployment import HostOutcome, HostState, Outcome, RunState
from gitops_hooks.model.environment_event import Drifted, Reverted, RolledBack
from gitops_hooks.model.event import Event, Finished, Started
from gitops_hooks.model.news import News
from gitops_hooks.model.notice import Ended, Found

# Who comes back after a long silence hears of the newest ends only; the log has them all.
MOST = 20
_MOST_BACK = 200
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


def untold_looks(newest_first: Iterable[Event], told: int) -> tuple[Found, ...]:
    """What looks found, with a number above `told`, oldest first, at most MOST."""
    found: list[Found] = []
    for event in islice(newest_first, _MOST_BACK):
        if event.stamp.number <= told and (not found or found[-1].before):
            break
        if isinstance(event.body, Drifted):
            if found:
                found[-1] = replace(found[-1], before=event.body)
            if event.stamp.number > told and len(found) < MOST:
                found.append(Found(event.stamp.number, event.stamp.at, event.body, None))
    return tuple(reversed(found))


def news_of_look(looked: Found) -> News | None:
    """Hosts that were in sync are not any more, or all are again; a host that cannot be looked at is no news."""
    before = set(looked.before.hosts) if looked.before else set[str]()
    if set(looked.found.hosts) - before:
        return News.DRIFTED
    return News.SYNCED if before and not looked.found.hosts else None


def outcome_of_look(found: Drifted) -> Outcome:
    """A look in the words of a deployment's end, for notifiers: what a deployment would change."""
    unknown = f", {len(found.unknown)} unknown" if found.unknown else ""
    out = tuple(HostOutcome(name, HostState.CHANGED, detail="out of sync") for name in found.hosts)
    return Outcome(RunState.SUCCESSFUL, out, detail=f"{found.out} out of sync, {found.clean} in sync{unknown}")


def rollback_words(newest_first: Iterable[Event], ended: Ended) -> str:
    """What an end has to do with a rollback of the server's: it led to one, or was one; else an empty string."""
    reverts: dict[str, Reverted] = {}
    way_back = False
    for event in islice(newest_first, _MOST_BACK):
        match event.body:
            case Reverted() as body:
                reverts[body.rollback] = body
            case Started() as body if event.stamp.number == ended.end.generation:
                if PINNED not in body.carries:
                    break
                way_back = True
            case RolledBack() as body if body.failed and (way_back or body.failed == ended.end.generation):
                words = f"rolled back from {body.left[:7]}" if way_back else f"rolled back to {body.commit[:7]}"
                return words + revert_words(reverts.get(event.oid))
    return ""


def revert_words(reverted: Reverted | None) -> str:
    """`; revert change 9`, or why there is none."""
    if reverted is None:
        return ""
    return f"; revert change {reverted.change}" if reverted.change else f"; no revert change: {reverted.reason}"


def _bad(end: Finished) -> frozenset[tuple[str, HostState]]:
    return frozenset((host.name, host.state) for host in end.hosts if host.state in _BAD)
