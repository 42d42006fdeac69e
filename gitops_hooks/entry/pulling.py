"""A pulled deployment under way, looked at again: hosts are released to their agents, and heard, until its end.

It has no process. Start, releases and reports are in the record, so a reconciler that was killed is followed by one
that goes on where it was.
"""

from collections.abc import Iterator
from datetime import datetime

from gitops_hooks.core.agent_sync import caught_up
from gitops_hooks.core.awaited import Await, AwaitedRun, Batch, Keeper, Patience, Release, cut_off, next_step
from gitops_hooks.edge.agent_notes import agent_notes
from gitops_hooks.edge.agent_refs import newest_report
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.edge.progress import note_progress
from gitops_hooks.edge.refs import LostRace
from gitops_hooks.edge.stopping import read_stop
from gitops_hooks.entry.deploying import end, environment_ref, move
from gitops_hooks.entry.ending import Ending, find_cancel
from gitops_hooks.entry.preempting import pre_empt_run
from gitops_hooks.entry.pulled_steps import note_told
from gitops_hooks.entry.reaching import find_meant
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.deployment import Deployment, Outcome, Progress, RunState
from gitops_hooks.model.environment_event import Paused, Released, Resumed
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.event import Event, Finished, Requested, Started
from gitops_hooks.model.event_words import Word
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.people import Person
from gitops_hooks.model.policy import Environment, Mode

_NAMED = 5


def is_awaited(started: Event) -> bool:
    """Whether a start is of a run without a process."""
    return isinstance(started.body, Started) and not started.body.run


def agents_of(sitting: Sitting, environment: str) -> tuple[Person, ...]:
    """The agents that answer for hosts of this environment."""
    mine = (sitting.entry.id, environment)
    agents = sitting.people.agents
    return tuple(one for one in agents if one.charge and (one.charge.repository, one.charge.environment) == mine)


def keepers_of(sitting: Sitting, environment: str) -> tuple[Keeper, ...]:
    """The same, with what is known of each at this moment."""
    return tuple(_keepers(sitting, environment))


def _keepers(sitting: Sitting, environment: str) -> Iterator[Keeper]:
    for one in agents_of(sitting, environment):
        try:
            report = newest_report(sitting.repository, one.name)
        except ValueError:
            # No agent of ours has pushed that; it is told as an alarm.
            report = None
        if one.charge:
            yield Keeper(one.name, one.charge, agent_notes(sitting.state, one.name).seen(), report)


def go_on(sitting: Sitting, environment: Environment, started: Event) -> datetime | None:
    """Take an awaited run as far as it goes now: when to look again, or None once its end is recorded.

    Errors: EdgeError.
    """
    log = environment_ref(environment.name, "log")
    if not isinstance(started.body, Started):
        raise EdgeError(environment.name, "its log begins a deployment with another event")
    # A reconciler that was killed after the start may not have come so far.
    move(sitting, environment_ref(environment.name, "attempted"), started.body.commit)
    pre_empt_run(sitting, environment, started.body.commit, started.stamp.number)
    while True:
        now, tip = sitting.ledger.now(), sitting.repository.tip(log)
        gathered = _gather(sitting, environment, started, started.body)
        note_told(sitting.state, environment.name, gathered.run, now)
        if ending := _find_ending(sitting, environment):
            _finish(sitting, gathered, cut_off(gathered.run, ending.state, ending.detail, now), now)
            return None
        step = next_step(gathered.run, now)
        if isinstance(step, Outcome):
            _finish(sitting, gathered, step, now)
            return None
        if isinstance(step, Await):
            _note(sitting, environment, step)
            return step.until
        if isinstance(sitting.ledger.append(log, _released(environment, started, step), SERVER, expect=tip), LostRace):
            return now


def _released(environment: Environment, started: Event, step: Release) -> Released:
    body = started.body
    assert isinstance(body, Started)  # noqa: S101  # for the type checker: the caller asked
    hosts = tuple(Word(host) for host in step.hosts)
    return Released(Word(environment.name), started.stamp.number, body.commit, body.record, hosts)


@dataclass(frozen=True, slots=True)
class _Gathered:
    """An awaited run, and the deployment whose end is to be recorded."""

    run: AwaitedRun
    deployment: Deployment
    attempt: int


def _gather(sitting: Sitting, environment: Environment, started: Event, body: Started) -> _Gathered:
    try:
        meant = find_meant(sitting.repository, environment, body.commit)
    except (EdgeError, KeyError):
        meant = None
    limit = None if body.whole else tuple(body.limit)
    hosts = limit if limit is not None else meant.hosts if meant else None
    left = len(meant.inventory - set(limit)) if meant and limit is not None else 0
    number, limits = started.stamp.number, sitting.server.limits
    patience = Patience(environment.silent, limits.deploy_seconds)
    batches, paused = _fold(sitting, environment, started)
    keepers = keepers_of(sitting, environment.name)
    back = _back(sitting, environment, started, keepers)
    run = AwaitedRun(started, hosts, batches, keepers, environment.rollout, patience, paused, back)
    deployment = Deployment(sitting.entry.id, environment, body.commit, number, "", limit, left)
    return _Gathered(run, deployment, body.attempt)


def _back(sitting: Sitting, environment: Environment, started: Event, keepers: tuple[Keeper, ...]) -> frozenset[str]:
    """Hosts that have caught up with the attempt before this one; where somebody asked for this one, it is made."""
    body, before = started.body, False
    for event in sitting.record.events(environment_ref(environment.name, "log")):
        if before and isinstance(event.body, Requested):
            break
        if before and isinstance(end := event.body, Finished):
            if not isinstance(body, Started) or end.commit != body.commit:
                break
            lost = (host.name for host in end.hosts)
            return caught_up(end, {name: one for name in lost for one in keepers if one.charge.covers(name)})
        before = before or event.oid == started.oid
    return frozenset()


def _fold(sitting: Sitting, environment: Environment, started: Event) -> tuple[tuple[Batch, ...], bool]:
    """What was released so far, and whether the environment is paused; time under a pause is nobody's."""
    found: list[Batch] = []
    resumed: datetime | None = None
    paused: bool | None = None
    for event in sitting.record.events(environment_ref(environment.name, "log")):
        match event.body:
            case Released(hosts=hosts):
                at = max(event.stamp.at, resumed) if resumed else event.stamp.at
                found.append(Batch(tuple(hosts), at))
            case Resumed():
                resumed = resumed or event.stamp.at
                paused = False if paused is None else paused
            case Paused():
                paused = True if paused is None else paused
        if event.oid == started.oid:
            break
    if paused is None:
        body = started.body
        paused = isinstance(body, Started) and "paused" in body.carries
    return tuple(reversed(found)), paused or bool(environment.gates.paused)


def _find_ending(sitting: Sitting, environment: Environment) -> Ending | None:
    """What ends a run that is pushed, and one thing more: that it is to be pushed from now on."""
    if stop := read_stop(sitting.home):
        return Ending(RunState.CANCELED, f"all deployments are stopped {stop.words}")
    if environment.mode is Mode.PUSH:
        return Ending(RunState.CANCELED, "by the policy of now the server goes to its hosts itself")
    return find_cancel(sitting.record.events(environment_ref(environment.name, "log")))


def _finish(sitting: Sitting, gathered: _Gathered, outcome: Outcome, now: datetime) -> None:
    seconds = (now - gathered.run.started.stamp.at).total_seconds()
    ended = Outcome(outcome.state, outcome.hosts, max(0.0, seconds), outcome.detail)
    end(sitting, gathered.deployment, gathered.attempt, ended)


def _note(sitting: Sitting, environment: Environment, step: Await) -> None:
    """What watchers are told: of whom it waits to hear."""
    named = " ".join(step.hosts[:_NAMED]) + (f" and {len(step.hosts) - _NAMED} more" if step.hosts[_NAMED:] else "")
    words = f"waiting for the agents of {named}" if named else "paused; nothing more is released"
    note_progress(sitting.state, environment.name, Progress(step.hosts, words))
