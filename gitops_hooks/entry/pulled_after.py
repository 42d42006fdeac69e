"""What follows the end of a run where agents bring hosts there: drift that they tell, those that come late, alarms."""

from collections.abc import Iterator
from itertools import takewhile

from gitops_hooks.core.agent_sync import caught_up, drift_told
from gitops_hooks.core.awaited import Keeper
from gitops_hooks.core.drift import drifted_by, fold_drift
from gitops_hooks.core.report import escape
from gitops_hooks.edge.agent_refs import newest_report
from gitops_hooks.edge.drift_notes import Looked, drift_notes
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.entry.agent_words import see_agents
from gitops_hooks.entry.aim import Aim
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.pulling import agents_of, keepers_of
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.deployment import HostState
from gitops_hooks.model.environment_event import Released
from gitops_hooks.model.event import Finished
from gitops_hooks.model.event_words import Oid, Word
from gitops_hooks.model.policy import Environment, Mode

_MOST_ALARM = 300


def hear_drift(sitting: Sitting, environment: Environment, aim: Aim) -> None:
    """Record what agents say of their hosts, where it is something else than what was recorded last.

    The notes, as of a look, are written after the event: a kill between them costs a look into the log.
    """
    if environment.mode is not Mode.PULL:
        return
    notes, log = drift_notes(sitting.state, environment.name), environment_ref(environment.name, "log")
    seen, last = see_agents(sitting, environment), notes.read()
    out = frozenset(host.name for host in last.found.hosts) if last and last.commit == aim.desired else frozenset[str]()
    found = drift_told(seen, out)
    if last and last.commit == aim.desired and last.found == found:
        return
    known = fold_drift(sitting.record.events(log), aim.desired)
    found = drift_told(seen, known.out)
    number = aim.log.started.stamp.number if aim.log.started else 0
    if event := drifted_by(environment.name, aim.desired, number, found, known):
        sitting.ledger.log(log, event, SERVER)
    notes.write(Looked(sitting.ledger.clock(), aim.desired, found))


def are_back(sitting: Sitting, environment: Environment, end: Finished) -> bool:
    """Whether some host that the last run left as unreachable was brought to it since: then nobody waits for a retry.

    Where the server goes to hosts too, all that was bad must have been brought there.
    """
    if environment.mode is Mode.PUSH:
        return False
    back = caught_up(end, _by_host(end, keepers_of(sitting, environment.name)))
    if environment.mode is Mode.PULL:
        return bool(back)
    bad = {host.name for host in end.hosts if not host.state.is_good}
    return bool(back) and bad == back


def release_left(sitting: Sitting, environment: Environment, aim: Aim) -> None:
    """Where the server goes to hosts and some could not be reached, leave those to their agents."""
    end = aim.log.finished.body if aim.log.finished else None
    if environment.mode is not Mode.BOTH or not isinstance(end, Finished) or end.commit != aim.desired:
        return
    if aim.log.paused or aim.log.canceled or environment.gates.paused:
        return
    lost = {host.name for host in end.hosts if host.state is HostState.UNREACHABLE}
    kept = _by_host(end, keepers_of(sitting, environment.name)) if lost else {}
    hosts = tuple(Word(name) for name in sorted(lost & kept.keys()))
    log = environment_ref(environment.name, "log")
    since = takewhile(lambda event: not isinstance(event.body, Finished), sitting.record.events(log))
    if hosts and not any(isinstance(event.body, Released) for event in since):
        record = Oid(aim.record)
        body = Released(Word(environment.name), end.generation, end.commit, record, hosts)
        sitting.ledger.append(log, body, SERVER, expect=sitting.repository.tip(log))


def _by_host(end: Finished, keepers: tuple[Keeper, ...]) -> dict[str, Keeper]:
    return {host.name: keeper for host in end.hosts for keeper in keepers if keeper.charge.covers(host.name)}


def agent_alarms(sitting: Sitting) -> list[str]:
    """A line for each agent that refuses what it is given, and for each report that is none."""
    return [line for one in sitting.policy.environments if one.mode is not Mode.PUSH for line in _alarms(sitting, one)]


def _alarms(sitting: Sitting, environment: Environment) -> Iterator[str]:
    for agent in agents_of(sitting, environment.name):
        try:
            report = newest_report(sitting.repository, agent.name)
        except ValueError as error:
            yield f"refs/agents/{agent.name} holds no report: {error}; the next one of {agent.name} replaces it"
            continue
        if report and report.alarm:
            words = escape(report.alarm[:_MOST_ALARM])
            yield f"{environment.name}: the agent {agent.name} refuses what it is given: {words}"
