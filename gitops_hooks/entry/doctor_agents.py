"""What doctor says of agents: accounts that answer for nothing, hosts that nobody brings anywhere, and who is silent.

It costs a file's time for each agent, and an inventory for each environment that agents bring hosts in.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from gitops_hooks.edge.agent_notes import agent_notes
from gitops_hooks.edge.diagnosis import Line, State
from gitops_hooks.edge.home import Home
from gitops_hooks.entry.pulling import agents_of
from gitops_hooks.entry.reaching import find_meant
from gitops_hooks.entry.sitting import Sitting, open_sitting
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.people import EVERY_HOST, People, Person
from gitops_hooks.model.policy import Environment, Mode, Policy
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.server import RepositoryEntry, ServerFile

_NAMED = 5
_ACCOUNT = "gitops-hooks user remove NAME, then user add NAME KEY --agent ENVIRONMENT --hosts …"


def stray_lines(server: ServerFile, people: People) -> Iterator[Line]:
    """Agents of repositories that the server has not; their keys may fetch nothing."""
    for agent in people.agents:
        if agent.charge and server.repository_with_id(agent.charge.repository) is None:
            words = (
                f"{agent.name} is an agent of a repository that server.toml does not have: {agent.charge.repository}"
            )
            yield Line(State.NOTE, "agents", words, f"gitops-hooks user remove {agent.name}")


def agent_lines(home: Home, server: ServerFile, entry: RepositoryEntry) -> Iterator[Line]:
    """What cannot be read is told of by lines of its own."""
    try:
        sitting = open_sitting(home, entry.name, server=server)
    except (EdgeError, PolicyError):
        return
    name, now = f"agents of {entry.name}", sitting.ledger.clock()
    mine = [agent for agent in sitting.people.agents if agent.charge and agent.charge.repository == entry.id]
    for words, cure in _misplaced(sitting.policy, mine):
        yield Line(State.NOTE, name, words, cure)
    for environment in sitting.policy.environments:
        if environment.mode is not Mode.PUSH:
            yield from _environment_lines(name, sitting, environment, now)


def _misplaced(policy: Policy, agents: Sequence[Person]) -> Iterator[tuple[str, str]]:
    """By environment, so that a hundred agents of one are one line."""
    known = {environment.name: environment for environment in policy.environments}
    by_name: dict[str, list[str]] = {}
    for agent in agents:
        if agent.charge:
            by_name.setdefault(agent.charge.environment, []).append(agent.name)
    for name, agents_there in sorted(by_name.items()):
        if name not in known:
            words = f"the policy has no environment {name}, and these agents answer for hosts of it: "
            yield words + _named(agents_there), f"add it to the policy; or {_ACCOUNT}"
        elif known[name].mode is Mode.PUSH:
            words = f"{name} is brought by the server alone, and these agents wait for its hosts: "
            yield words + _named(agents_there), f"say mode: pull, or both, for {name} in the policy; or {_ACCOUNT}"


def _environment_lines(name: str, sitting: Sitting, environment: Environment, now: datetime) -> Iterator[Line]:
    agents = agents_of(sitting, environment.name)
    found = [*_host_lines(name, sitting, environment, agents), *_silent_lines(name, sitting, environment, agents, now)]
    yield from found
    if not found:
        yield Line(State.OK, name, f"{environment.name}: each host has its agent, and none of {len(agents)} is silent")


def _host_lines(name: str, sitting: Sitting, environment: Environment, agents: Sequence[Person]) -> Iterator[Line]:
    """Hosts without an agent, and agents without their host; both only where files say which hosts there are."""
    known = frozenset(host for agent in agents if agent.charge for host in agent.charge.hosts)
    add = f"gitops-hooks user add NAME KEY --agent {environment.name} --hosts … -R {sitting.entry.name}"
    meant, inventory = _hosts(sitting, environment)
    left = [host for host in meant if host not in known] if EVERY_HOST not in known else []
    if not agents:
        yield _unkept(name, environment, "no agent answers for any of its hosts", add)
    elif left:
        yield _unkept(name, environment, f"no agent answers for {_named(left)}", add)
    gone = sorted(known - inventory - {EVERY_HOST}) if inventory else []
    if gone:
        words = f"{environment.name}: agents answer for hosts that its inventory does not have: {_named(gone)}"
        yield Line(State.NOTE, name, words, f"add them to {environment.inventory}; or {_ACCOUNT}")


def _unkept(name: str, environment: Environment, words: str, cure: str) -> Line:
    if environment.mode is Mode.BOTH:
        return Line(State.NOTE, name, f"{environment.name}: {words}; the server alone goes there", cure)
    return Line(State.FAIL, name, f"{environment.name}: {words}; nothing brings them anywhere", cure)


def _hosts(sitting: Sitting, environment: Environment) -> tuple[tuple[str, ...], frozenset[str]]:
    """Those that its plays mean, and those of its inventory; nobody where files do not say it."""
    tip = sitting.repository.tip(environment.branch)
    try:
        found = find_meant(sitting.repository, environment, tip) if tip != NO_OID else None
    except (EdgeError, KeyError):
        # The branch is broken, or holds no such inventory: its deployments say so.
        found = None
    return (found.hosts, found.inventory) if found else ((), frozenset())


def _silent_lines(
    name: str, sitting: Sitting, environment: Environment, agents: Sequence[Person], now: datetime
) -> Iterator[Line]:
    seen = {agent.name: agent_notes(sitting.state, agent.name).seen() for agent in agents}
    last = now - timedelta(seconds=environment.silent)
    silent = sorted((at, agent) for agent, at in seen.items() if at is not None and at <= last)
    cure = "on its host: gitops-hooks-agent status"
    for at, agent in silent[:_NAMED]:
        words = f"{environment.name}: {agent} is silent: last seen {at:%Y-%m-%d %H:%M:%S} UTC"
        yield Line(State.NOTE, name, words, cure)
    if more := len(silent) - _NAMED if silent[_NAMED:] else 0:
        yield Line(State.NOTE, name, f"{environment.name}: {more} more agents are silent", cure)
    if never := sorted(agent for agent, at in seen.items() if at is None):
        words = f"{environment.name}: these agents were never seen: {_named(never)}"
        yield Line(State.NOTE, name, words, "on its host: gitops-hooks-agent --check")


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if names[_NAMED:] else ""
    return " ".join(names[:_NAMED]) + more
