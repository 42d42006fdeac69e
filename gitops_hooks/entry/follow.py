"""A deployment as its watchers see it: from the environment's log, line by line, for a stated time."""

import time
from collections.abc import Callable, Iterable
from itertools import islice

from gitops_hooks.core.plan import Held
from gitops_hooks.core.report import environments_of, escape, field
from gitops_hooks.edge.handoff import Followed
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.progress import read_progress
from gitops_hooks.edge.terminal import is_open, tell
from gitops_hooks.entry.aim import take_aim
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.gate_words import left_out
from gitops_hooks.entry.rolling_back import will_roll_back
from gitops_hooks.entry.sitting import Sitting, brought_up, open_sitting
from gitops_hooks.model.deployment import HostOutcome, HostState, RunState
from gitops_hooks.model.environment_event import RolledBack
from gitops_hooks.model.event import Event, Finished, Started
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.request import EnvironmentVerb

_PAUSE = 0.2
_FIRST_SECONDS = 2.0
_NEWS_SECONDS = 5.0
_LOOK_SECONDS = 1.0
_MOST_BACK = 100


@dataclass(slots=True)
class Watched:
    """One environment, the commit that is awaited, and what was said already.

    Events up to number `after` are old; a new commit can have none, and needs no such number. With `back` what is
    awaited is the end of the server's way back from it.
    """

    name: str
    commit: str
    after: int = 0
    said: str = ""
    said_at: float = 0.0
    waiting: str = "waiting to begin …"
    looked_at: float = 0.0
    held: Held | None = None
    back: bool = False


def watch_verb(verb: EnvironmentVerb, name: str, commit: str, after: int) -> Watched:
    """What is watched after a word on an environment, which is event `after` of its log."""
    watched = Watched(name, commit, after)
    if verb is EnvironmentVerb.CANCEL:
        watched.waiting = "ending …"
    return watched


def follow_push(home: Home, name: str, push: Followed, client: int) -> bool:
    """Tell the pusher how the environments fare that this was about, while the other end of `client` is there."""
    sitting = open_sitting(home, name)
    watched = [
        Watched(environment, sitting.repository.tip(ref))
        for ref in push.landed
        for environment in environments_of(sitting.policy, ref)
    ]
    watched += [watch_verb(EnvironmentVerb(said.verb), said.name, said.commit, said.number) for said in push.operated]
    # git reads on from a hook when its own client has gone, so telling alone does not find out.
    follow(sitting, watched, sitting.server.limits.follow_seconds, lambda lines: tell(lines) and is_open(client))
    return True


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
                for other in left:
                    # It may have waited for this one.
                    other.looked_at, other.held = 0.0, None
        if left and all(one.held for one in left):
            # What keeps each of them was said, and none of it ends with a run that is watched here.
            return False
        time.sleep(_PAUSE if left else 0)
    for one in left:
        say(field(one.name, f"not at its end yet; follow it:  ssh <host> env show {one.name}"))
    return well and not left


def _news(sitting: Sitting, one: Watched, say: Callable[[Iterable[str]], bool]) -> bool | None:
    """Say what is new; True or False once the deployment of the awaited commit, or of a newer one, has ended."""
    event = _newest(sitting, one)
    if event is None or event.stamp.number <= one.after:
        _say_waiting(sitting, one, say)
        return None
    match event.body:
        case Started(whole=False, limit=()):
            # For nobody: its end is on its way already.
            one.held = None
        case Started() as begun:
            one.held = None
            _say_running(sitting, one, begun, say)
        case Finished() as end if _is_awaited(sitting, one, end):
            if not _is_in_force(sitting, one, end):
                return None
            good = None if one.back else will_roll_back(brought_up(sitting), one.name, end)
            if good is not None and not _is_held_back(sitting, one.name):
                say(ended_lines(one.name, end, f"it is rolled back to {good.commit[:7]} by the server"))
                one.back, one.after, one.waiting = True, event.stamp.number, "rolling back …"
                return None
            say(ended_lines(one.name, end, _again(sitting, one.name)))
            return end.state is RunState.SUCCESSFUL and not one.back
        case _:
            _say_waiting(sitting, one, say)
    return None


def _is_in_force(sitting: Sitting, one: Watched, end: Finished) -> bool:
    """Who is told of a success and asks git then finds it deployed: the ref moves a moment after the record does."""
    ref = environment_ref(one.name, "deployed")
    return end.state is not RunState.SUCCESSFUL or sitting.repository.tip(ref) == end.commit


def _is_awaited(sitting: Sitting, one: Watched, end: Finished) -> bool:
    return one.back or end.commit == one.commit or sitting.repository.descends(end.commit, one.commit)


def _is_held_back(sitting: Sitting, name: str) -> bool:
    """Whether somebody has said since that it is not to go on, so that there is no way back to wait for."""
    held = _held(sitting, name)
    return held is not None and held.gate in ("stopped", "paused", "canceled")


def _newest(sitting: Sitting, one: Watched) -> Event | None:
    """The newest start or end; what people said since changes nothing of it.

    The way back begins in the moment in which what is awaited fails: that end is told first all the same.
    """
    newest, failed = None, 0
    for event in islice(sitting.record.events(environment_ref(one.name, "log")), _MOST_BACK):
        match event.body:
            case _ if newest and (event.stamp.number <= one.after or one.back):
                break
            case Finished() as end if failed and end.generation == failed:
                return event if _is_awaited(sitting, one, end) else newest
            case Started() | Finished():
                newest = newest or event
            case RolledBack() as body if newest and not failed:
                failed = body.failed
    return newest


def _held(sitting: Sitting, name: str, commit: str = "") -> Held | None:
    """By the policy that is in force now: what is watched may be what changed it."""
    now = brought_up(sitting)
    environment = now.policy.environment(name)
    aim = take_aim(now, environment) if environment else None
    if aim and aim.barred and aim.standing.recorded == commit:
        return Held("rollback", left_out(aim, name))
    return aim.step if aim and isinstance(aim.step, Held) else None


def _again(sitting: Sitting, name: str) -> str:
    again = f"ssh <host> env deploy {escape(name)}"
    held = _held(sitting, name)
    if held and held.gate == "canceled":
        return f"it is not begun again by itself; at once:  {again}"
    if held:
        return f"{held.reason}; at once:  {again}"
    return f"it is tried again by itself; at once:  {again}"


def _say_waiting(sitting: Sitting, one: Watched, say: Callable[[Iterable[str]], bool]) -> None:
    """A sign of life: whoever waits knows that it goes on, and a client that has left is found out."""
    now = time.monotonic()
    if now - one.looked_at > _LOOK_SECONDS:
        one.looked_at, one.held = now, _held(sitting, one.name, "" if one.back else one.commit)
    if one.held:
        if one.held.reason != one.said:
            one.said, one.said_at = one.held.reason, now
            say(field(one.name, one.held.reason))
        return
    one.said_at = one.said_at or now
    if now - one.said_at > (_NEWS_SECONDS if one.said else _FIRST_SECONDS):
        one.said, one.said_at = one.waiting, now
        say(field(one.name, one.waiting))


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


def ended_lines(name: str, end: Finished, again: str) -> list[str]:
    """`  staging    ok 3, changed 3, failed 0 (11 s)`, a line for each host with a reason, and what comes next."""
    lines = field(name, f"{count_hosts(end)} ({end.seconds} s)")
    if end.detail:
        lines += field("", end.detail)
    for host in end.hosts:
        if host.detail:
            lines += field("", f"{host.name}: {host.state.value}: {host.detail}")
    if end.state is not RunState.SUCCESSFUL:
        lines += field("", again)
    return lines


def count_hosts(end: Finished) -> str:
    """`ok 3, changed 1, failed 0`, and those that were not reached, or that needed nothing."""
    alone = f", {end.left} left alone" if end.left else ""
    if not end.hosts:
        return end.state.value + alone
    good = [host for host in end.hosts if host.state.is_good]
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
