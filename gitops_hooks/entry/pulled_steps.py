"""What `env log ENV N` has of a pulled run: when each host was released, and what its agent told of it.

The first stands in the environment's log. The second is noted as it is heard, beside the steps of pushed runs, since
each report takes the place of the one before; like them it is for people who look, and decides nothing.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gitops_hooks.core.awaited import AwaitedRun, Keeper
from gitops_hooks.edge.run_log import run_log
from gitops_hooks.model.agent import HostReport
from gitops_hooks.model.deployment import Step
from gitops_hooks.model.environment_event import Released
from gitops_hooks.model.event import Event, Started
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.people import EVERY_HOST

# An agent tries again for as long as it is awaited, and could lie as often.
_MOST_OF_ONE = 20
_NAMED = 20


def note_told(state: Path, environment: str, run: AwaitedRun, now: datetime) -> None:
    """Add what agents told since the last look of hosts that they brought there under this deployment."""
    told = [
        (keeper, one)
        for keeper in run.keepers
        for one in (keeper.report.hosts if keeper.report else ())
        if one.state and one.generation == run.generation and keeper.charge.covers(one.name)
    ]
    if not told:
        return
    log, at = run_log(state, environment), round((now - run.started.stamp.at).total_seconds(), 1)
    steps, _, _ = log.read(run.generation)
    known, count = {_identity(step) for step in steps}, Counter(step.host for step in steps)
    fresh = [_step(keeper, one, run, max(0.0, at)) for keeper, one in told]
    log.append(
        run.generation, (step for step in fresh if _identity(step) not in known and count[step.host] < _MOST_OF_ONE)
    )


def _identity(step: Step) -> tuple[str, str, str]:
    """The same run of a host, however often it is told: a look in between changes the words about it."""
    return step.host, step.state.value, step.task


def _step(keeper: Keeper, one: HostReport, run: AwaitedRun, at: float) -> Step:
    assert one.state is not None  # noqa: S101  # for the type checker: the caller asked
    records = keeper.report.records if keeper.report else ""
    kept = f"each task is in {records}/{run.generation}.jsonl beside {keeper.name}" if records else ""
    changed = "" if one.state.is_good and not one.changed else f"{one.changed} changed"
    words = "" if one.state.is_good else one.detail
    detail = "; ".join(filter(None, (changed, words, kept)))
    return Step(at, one.name, one.state, _when(one), "", detail)


def _when(one: HostReport) -> str:
    """By the agent's own clock, which proves nothing."""
    if not one.began:
        return "at a time that was not told"
    try:
        began = datetime.fromtimestamp(one.began, UTC)
        ended = began + timedelta(seconds=one.seconds)
    except (OverflowError, ValueError, OSError):
        return "at no time of a calendar"
    return f"began {began:%Y-%m-%d %H:%M:%S}, ended {ended:%H:%M:%S} by its clock ({one.seconds} s)"


@dataclass(frozen=True, slots=True)
class Release:
    """Hosts (none: all of them) that were released so many seconds after the start of their deployment."""

    at: float
    hosts: tuple[str, ...]


def released_in(newest_first: Iterable[Event], generation: int) -> tuple[Release, ...]:
    """Each release under a deployment, oldest first."""
    found: list[tuple[datetime, Released]] = []
    for event in newest_first:
        match event.body:
            case Released() as body if body.generation == generation:
                found.append((event.stamp.at, body))
            case Started() if event.stamp.number == generation:
                began = event.stamp.at
                return tuple(Release((at - began).total_seconds(), body.hosts) for at, body in reversed(found))
    return ()


def in_order(releases: Sequence[Release], after: int, steps: Sequence[Step]) -> Iterator[Release | Step]:
    """The steps, and the releases after the first `after` of them, as they came.

    Events have whole seconds: within one, what is told of a host follows its release, and leads to the next one.
    """
    given = {host for one in releases[:after] for host in one.hosts or (EVERY_HOST,)}
    left = deque(steps)
    for release in releases[after:]:
        while left and (left[0].at, left[0].host not in given and EVERY_HOST not in given) < (release.at, True):
            yield left.popleft()
        yield release
        given |= set(release.hosts or (EVERY_HOST,))
    yield from left


def released_line(release: Release) -> str:
    """`      0.0 s  web1 web2        released     to their agents`."""
    hosts = release.hosts
    names = " ".join(hosts[:_NAMED]) + (f" and {len(hosts) - _NAMED} more" if hosts[_NAMED:] else "")
    whom = "its agent" if len(hosts) == 1 else "their agents"
    return f" {release.at:>8.1f} s  {names or 'all hosts':<16} {'released':<12} to {whom}"


def released_facts(release: Release) -> dict[str, object]:
    """The same for programs; `hosts` is null where every host is meant."""
    return {"at": release.at, "hosts": list(release.hosts) or None, "state": "released"}
