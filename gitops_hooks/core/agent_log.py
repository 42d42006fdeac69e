"""An environment's log, from where it was read last → what each of an agent's hosts is released to."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from gitops_hooks.model.agent_mark import EnvironmentMark, Target
from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.environment_event import Canceled, LetGo, Paused, Released, Resumed, RolledBack, Stopped
from gitops_hooks.model.event import Event, Finished, Requested, Started

_MOST_BACK = 50

Follows = Callable[[str, str], bool]
"""Whether the first commit is an ancestor of the second."""


class Unbelievable(Exception):
    """A log that no server of ours would write; the text says why."""


def take_events(
    mark: EnvironmentMark, oldest_first: Iterable[Event], hosts: Sequence[str], follows: Follows
) -> EnvironmentMark:
    """The mark after these events. Errors: Unbelievable."""
    for event in oldest_first:
        mark = replace(_take(mark, event, hosts, follows), tip=event.oid, number=event.stamp.number)
    return mark


def _take(mark: EnvironmentMark, event: Event, hosts: Sequence[str], follows: Follows) -> EnvironmentMark:
    match event.body:
        case Started() as body:
            number = event.stamp.number
            return replace(mark, started=Target(number, body.commit, body.record, body.run, number))
        case Released() as body:
            return _release(mark, event.stamp.number, body, hosts, follows)
        case Canceled(generation=generation):
            return replace(mark, canceled=max(mark.canceled, generation))
        case Finished() as body:
            canceled = body.generation if body.state is RunState.CANCELED else 0
            return _pushed(replace(mark, canceled=max(mark.canceled, canceled)), event.stamp.number, body)
        case Paused():
            return replace(mark, paused=event.stamp.number)
        case Resumed():
            return replace(mark, paused=0)
        case Stopped(message=message):
            return replace(mark, stopped=" ".join(message.split()) or "by the administrator")
        case LetGo():
            return replace(mark, stopped="")
        case RolledBack(commit=commit) | Requested(commit=commit):
            return replace(mark, back=(*mark.back, commit)[-_MOST_BACK:])
    return mark


def _release(
    mark: EnvironmentMark, number: int, body: Released, hosts: Sequence[str], follows: Follows
) -> EnvironmentMark:
    started = mark.started
    if started is None or (started.generation, started.commit, started.record) != (
        body.generation,
        body.commit,
        body.record,
    ):
        raise Unbelievable(f"event {number} releases generation {body.generation}, which is not what began last")
    meant = [host for host in hosts if not body.hosts or host in body.hosts]
    target, known = replace(started, number=number), dict(mark.targets)
    for host in meant:
        before = known.get(host)
        if before and _goes_back(mark, before.commit, body.commit, follows):
            ends = f"from {before.commit[:12]} to {body.commit[:12]}"
            raise Unbelievable(f"event {number} takes {host} back {ends}, and no rollback is recorded")
        known[host] = target
    return replace(mark, targets=tuple(known.items()))


def _pushed(mark: EnvironmentMark, number: int, body: Finished) -> EnvironmentMark:
    """Where the server has been on a host itself after the release, that is over: the host has seen a newer run."""
    started = mark.started
    if started is None or not started.run or started.generation != body.generation:
        return mark
    visited = {host.name for host in body.hosts if not host.untouched}
    target = replace(started, number=number, pushed=True)
    return replace(
        mark,
        targets=tuple(
            (host, target if host in visited and before.generation < target.generation else before)
            for host, before in mark.targets
        ),
    )


def _goes_back(mark: EnvironmentMark, before: str, commit: str, follows: Follows) -> bool:
    return commit not in (before, *mark.back) and follows(commit, before)
