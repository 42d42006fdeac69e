"""A run that the server does not make but awaits: what was released × what agents report → the next step.

Nothing is remembered between two looks. Hosts of which no agent is there, or whose agent was silent already when they
were released, are set aside as unreachable hosts of a pushed run are: no batch waits for them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from gitops_hooks.model.agent import HostReport, Report
from gitops_hooks.model.deployment import HostOutcome, HostState, Outcome, RunState, listed, summary
from gitops_hooks.model.event import Event, Started
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.people import EVERY_HOST, Charge
from gitops_hooks.model.rollout import Rollout


@dataclass(frozen=True, slots=True)
class Keeper:
    """An agent as the server knows it: when it came last (None: never), and what it reported last."""

    name: str
    charge: Charge
    seen: datetime | None = None
    report: Report | None = None

    def told(self, host: str) -> HostReport | None:
        """What it says of one host."""
        return next((one for one in self.report.hosts if one.name == host), None) if self.report else None


@dataclass(frozen=True, slots=True)
class Release:
    """These hosts' agents may go on now; none: all of them."""

    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Await:
    """Nothing until an agent says something, or this moment comes; `hosts` are those that are awaited."""

    until: datetime
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Hosts that were released together, and when (or when a pause of theirs ended)."""

    hosts: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: how long an agent may be silent, and how long one that is there may take."""

    silent: int
    most: float


@dataclass(frozen=True, slots=True)
class AwaitedRun:
    """One run: its start, the hosts that it visits (None: nobody can count them), batch by batch as released so far.

    `paused`: nothing more is released, and nobody is late. `back`: hosts that their agents brought to this commit after
    the attempt before had given them up; they are there, and nothing is run on them again.
    """

    started: Event
    hosts: tuple[str, ...] | None
    batches: tuple[Batch, ...]
    keepers: tuple[Keeper, ...]
    rollout: Rollout
    patience: Patience
    paused: bool = False
    back: frozenset[str] = frozenset()

    @property
    def generation(self) -> int:
        return self.started.stamp.number

    def keeper_of(self, host: str) -> Keeper | None:
        return next((keeper for keeper in self.keepers if keeper.charge.covers(host)), None)

    @property
    def is_open(self) -> bool:
        """Whether only an agent knows which hosts there are."""
        return self.hosts is None and any(EVERY_HOST in keeper.charge.hosts for keeper in self.keepers)

    def silent_at(self, keeper: Keeper, moment: datetime) -> bool:
        """Whether an agent that was there once has been silent for too long at a moment."""
        return keeper.seen is not None and keeper.seen + timedelta(seconds=self.patience.silent) <= moment


def next_step(run: AwaitedRun, now: datetime) -> Release | Await | Outcome:
    """Hear everybody who was released; then the next batch, or the end."""
    hosts = _meant(run)
    if not hosts:
        return Outcome(RunState.ERROR, detail="no agent answers for any of its hosts; gitops-hooks user add … --agent")
    heard = {host: _hear(run, host, batch, now) for batch in run.batches for host in batch.hosts or hosts}
    waiting = {host: found for host, found in heard.items() if isinstance(found, datetime)}
    if waiting:
        return Await(min(waiting.values()), tuple(waiting))
    known = {host: HostOutcome(host, HostState.OK) for host in hosts if host in run.back}
    known |= {host: found for host, found in heard.items() if isinstance(found, HostOutcome)}
    stopped = _stop_reason(run, hosts, known)
    batch = () if stopped else _next_batch(run, hosts, known, now)
    if not batch:
        return _put_together(run, hosts, known, stopped)
    if run.paused:
        return Await(now + timedelta(seconds=run.patience.silent), ())
    return Release(() if run.is_open else batch)


def cut_off(run: AwaitedRun, state: RunState, detail: str, now: datetime) -> Outcome:
    """The end of a run that is not awaited to its end: who was released may have anything by now."""
    hosts = _meant(run)
    heard = {host: _hear(run, host, batch, now) for batch in run.batches for host in batch.hosts or hosts}
    open_words = "was released to its agent, which has not told what became of it"
    known = {
        host: found if isinstance(found, HostOutcome) else HostOutcome(host, HostState.UNREACHABLE, detail=open_words)
        for host, found in heard.items()
    }
    words = "it was not released to its agent"
    return Outcome(state, _all_of(hosts, known, words), detail=detail)


def _meant(run: AwaitedRun) -> tuple[str, ...]:
    """Every host of the run; where nobody can count them, those that agents answer for.

    One that answers for whatever there is stands for its hosts, until it has told of them.
    """
    if run.hosts is not None:
        return run.hosts
    found: list[str] = []
    for keeper in run.keepers:
        rows = keeper.report.hosts if keeper.report else ()
        told = [one.name for one in rows if one.generation == run.generation or one.name in run.back]
        found += (told or [keeper.name]) if EVERY_HOST in keeper.charge.hosts else keeper.charge.hosts
    return tuple(sorted(found))


def _hear(run: AwaitedRun, host: str, batch: Batch, now: datetime) -> HostOutcome | datetime:
    """What became of a host that was released, or until when it is awaited."""
    keeper = run.keeper_of(host)
    if keeper is None:
        return HostOutcome(host, HostState.UNREACHABLE, detail="no agent answers for it", untouched=True)
    told = keeper.told(host)
    if told and told.state and told.generation == run.generation:
        return _outcome(run, told)
    if run.silent_at(keeper, batch.at):
        return _lost(host, f"its agent {keeper.name} is silent: last seen {keeper.seen:%Y-%m-%d %H:%M:%S} UTC")
    if run.paused:
        return now + timedelta(seconds=run.patience.silent)
    late = batch.at + timedelta(seconds=run.patience.most)
    quiet = max(batch.at, keeper.seen or batch.at) + timedelta(seconds=run.patience.silent)
    if now >= quiet:
        seen = f"last seen {keeper.seen:%Y-%m-%d %H:%M:%S} UTC" if keeper.seen else "never seen"
        return _lost(host, f"its agent {keeper.name} is silent: {seen}")
    if now >= late:
        why = f"; it says: {keeper.report.alarm}" if keeper.report and keeper.report.alarm else ""
        words = f"its agent {keeper.name} has told nothing of deployment {run.generation}"
        return _lost(host, f"{words} for {run.patience.most:.0f} s{why}")
    return min(late, quiet)


def _lost(host: str, words: str) -> HostOutcome:
    return HostOutcome(host, HostState.UNREACHABLE, detail=words)


def _outcome(run: AwaitedRun, told: HostReport) -> HostOutcome:
    """The agent's word on its own host, which is all that there is of it."""
    body = run.started.body
    commit = body.commit if isinstance(body, Started) else ""
    if told.commit != commit:
        words = f"its agent reports {told.commit[:7] or 'nothing'} as deployment {run.generation}"
        return HostOutcome(told.name, HostState.FAILED, told.changed, words)
    assert told.state is not None  # noqa: S101  # for the type checker: the caller asked
    return HostOutcome(told.name, told.state, told.changed, told.detail)


def _awaited(run: AwaitedRun, batch: Batch, hosts: Sequence[str]) -> list[str]:
    """Those of a batch who were not set aside."""
    keepers = {host: run.keeper_of(host) for host in batch.hosts or hosts}
    return [host for host, keeper in keepers.items() if keeper and not run.silent_at(keeper, batch.at)]


def _stop_reason(run: AwaitedRun, hosts: Sequence[str], known: Mapping[str, HostOutcome]) -> str:
    """Why no batch may follow the last one; empty where one may."""
    if not run.batches:
        return ""
    there = _awaited(run, run.batches[-1], hosts)
    bad = [host for host in there if not known[host].state.is_good]
    return run.rollout.stop_words(len(bad), len(there))


def _next_batch(
    run: AwaitedRun, hosts: Sequence[str], known: Mapping[str, HostOutcome], now: datetime
) -> tuple[str, ...]:
    """Hosts whose agents are there, as the policy cuts them; those that are silent go with the last of them.

    Whoever comes back finds what the others have by then, and is not the first to try it.
    """
    kept = {host: keeper for host in hosts if host not in known and (keeper := run.keeper_of(host))}
    silent = [host for host, keeper in kept.items() if run.silent_at(keeper, now)]
    ready = [host for host in kept if host not in silent]
    if run.is_open or not run.rollout.batches:
        return (*ready, *silent)
    total = len(ready) + sum(len(_awaited(run, batch, hosts)) for batch in run.batches)
    share = run.rollout.batches[min(len(run.batches), len(run.rollout.batches) - 1)]
    batch, later = ready[: share.of(total)], ready[share.of(total) :]
    return tuple(batch) if later else (*batch, *silent)


def _put_together(run: AwaitedRun, hosts: Sequence[str], known: Mapping[str, HostOutcome], stopped: str) -> Outcome:
    where = f"stopped after batch {len(run.batches)}"
    found = _all_of(hosts, {**_nobodys(run, hosts), **known}, f"nothing was run on it: the rollout {where}")
    bad = [host for host in found if not host.state.is_good and not _is_left(host)]
    left = [host.name for host in found if _is_left(host)]
    words = [summary(bad)] if bad else []
    if left:
        words += [f"{where}: {stopped}", f"not begun: {listed(left)}"]
    detail = "; ".join(words)
    return Outcome(RunState.FAILED if detail else RunState.SUCCESSFUL, found, detail=detail)


def _nobodys(run: AwaitedRun, hosts: Sequence[str]) -> dict[str, HostOutcome]:
    words = "no agent answers for it"
    return {
        host: HostOutcome(host, HostState.UNREACHABLE, detail=words, untouched=True)
        for host in hosts
        if run.keeper_of(host) is None
    }


def _is_left(host: HostOutcome) -> bool:
    return host.state is HostState.SKIPPED and host.untouched


def _all_of(hosts: Sequence[str], known: Mapping[str, HostOutcome], words: str) -> tuple[HostOutcome, ...]:
    names = (*hosts, *(host for host in known if host not in hosts))
    return tuple(
        known.get(name) or HostOutcome(name, HostState.SKIPPED, detail=words, untouched=True) for name in names
    )
