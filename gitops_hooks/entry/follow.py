"""A deployment as its watchers see it: from the environment's log, line by line, for a stated time."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gitops_hooks.core.report import environments_of, escape, field
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.progress import read_progress
from gitops_hooks.edge.record import Record
from gitops_hooks.edge.terminal import is_open, tell
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.sitting import Sitting, open_sitting
from gitops_hooks.model.deployment import HostOutcome, HostState, RunState
from gitops_hooks.model.event import Finished, Started

_PAUSE = 0.2
_FIRST_SECONDS = 2.0
_NEWS_SECONDS = 5.0


@dataclass(slots=True)
class Watched:
    """One environment, the commit that is awaited, and what was said already.

    Events up to number `after` are old; a new commit can have none, and needs no such number.
    """

    name: str
    commit: str
    after: int = 0
    said: str = ""
    said_at: float = 0.0


def follow_push(home: Home, name: str, refs: Iterable[str], client: int) -> bool:
    """Tell the pusher how the environments of the refs that moved fare, while the other end of `client` is there."""
    sitting = open_sitting(home, name)
    watched = [
        Watched(environment, sitting.repository.tip(ref))
        for ref in refs
        for environment in environments_of(sitting.policy, ref)
    ]
    # git reads on from a hook when its own client has gone, so telling alone does not find out.
    follow(sitting, watched, sitting.server.limits.follow_seconds, lambda lines: tell(lines) and is_open(client))
    return True


def log_length(record: Record, environment: str) -> int:
    event = record.newest(environment_ref(environment, "log"))
    return event.stamp.number if event else 0


def follow(sitting: Sitting, watched: Iterable[Watched], seconds: float, say: Callable[[Iterable[str]], bool]) -> bool:
    """Tell of each environment until its deployment ended or the time is over; whether all ended well.

    `say` answers False when nobody listens any more: then there is nobody to tell.
    """
    left, well = list(watched), True
    deadline = time.monotonic() + seconds
    heard = True

    def tell_on(lines: Iterable[str]) -> bool:
        nonlocal heard
        heard = say(lines) and heard
        return heard

    while left and heard and time.monotonic() < deadline:
        for one in tuple(left):
            ended = _news(sitting, one, tell_on)
            if ended is not None:
                left.remove(one)
                well = well and ended
        time.sleep(_PAUSE if left else 0)
    for one in left:
        say(field(one.name, f"not at its end yet; follow it:  ssh <host> env show {one.name}"))
    return well and not left


def _news(sitting: Sitting, one: Watched, say: Callable[[Iterable[str]], bool]) -> bool | None:
    """Say what is new; True or False once the deployment of the awaited commit, or of a newer one, has ended."""
    event = sitting.record.newest(environment_ref(one.name, "log"))
    if event is None or event.stamp.number <= one.after:
        _say_waiting(one, say)
        return None
    match event.body:
        case Started() as begun:
            _say_running(sitting, one, begun, say)
        case Finished() as end if end.commit == one.commit or sitting.repository.descends(end.commit, one.commit):
            say(ended_lines(one.name, end))
            return end.state is RunState.SUCCESSFUL
        case _:
            _say_waiting(one, say)
    return None


def _say_waiting(one: Watched, say: Callable[[Iterable[str]], bool]) -> None:
    """A sign of life: whoever waits knows that it goes on, and a client that has left is found out."""
    now = time.monotonic()
    one.said_at = one.said_at or now
    if now - one.said_at > (_NEWS_SECONDS if one.said else _FIRST_SECONDS):
        one.said, one.said_at = "waiting", now
        say(field(one.name, "waiting to begin …"))


def _say_running(sitting: Sitting, one: Watched, begun: Started, say: Callable[[Iterable[str]], bool]) -> None:
    progress = read_progress(sitting.state, one.name)
    hosts = " ".join(progress.hosts or begun.limit)
    words = f"deploying {begun.commit[:7]}" + (f" to {hosts}" if hosts else "")
    now = time.monotonic()
    if words != one.said:
        one.said, one.said_at = words, now
        say(field(one.name, words))
    elif now - one.said_at > _NEWS_SECONDS:
        one.said_at = now
        say(field(one.name, f"… {progress.task}" if progress.task else "…"))


def ended_lines(name: str, end: Finished) -> list[str]:
    """`  staging    ok 3, changed 3, failed 0 (11 s)`, and a line for each host with a reason."""
    lines = field(name, f"{count_hosts(end)} ({end.seconds} s)")
    if end.detail:
        lines += field("", end.detail)
    for host in end.hosts:
        if host.detail:
            lines += field("", f"{host.name}: {host.state.value}: {host.detail}")
    if end.state is not RunState.SUCCESSFUL:
        lines += field("", f"it is tried again by itself; at once:  ssh <host> env deploy {escape(name)}")
    return lines


def count_hosts(end: Finished) -> str:
    """`ok 3, changed 1, failed 0`, and those that were not reached, or that needed nothing."""
    alone = f", {end.left} left alone" if end.left else ""
    if not end.hosts:
        return end.state.value + alone
    good = [host for host in end.hosts if host.state in (HostState.OK, HostState.CHANGED)]
    counts = (
        f"ok {len(good)}, changed {_count(end.hosts, HostState.CHANGED)}, failed {_count(end.hosts, HostState.FAILED)}"
    )
    if unreachable := _count(end.hosts, HostState.UNREACHABLE):
        counts += f", unreachable {unreachable}"
    if skipped := _count(end.hosts, HostState.SKIPPED):
        counts += f", skipped {skipped}"
    return counts + alone


def _count(hosts: Iterable[HostOutcome], state: HostState) -> int:
    return sum(host.state is state for host in hosts)
