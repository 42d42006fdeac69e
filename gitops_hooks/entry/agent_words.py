"""The agents of an environment: when each was seen, and how its hosts stand, in words and for programs."""

from collections.abc import Iterator

from gitops_hooks.core.agent_sync import DEGRADED, AgentSeen, HostSeen, released_now, see_agent
from gitops_hooks.core.report import field
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.pulling import keepers_of
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.policy import Environment, Mode

_NAMED = 4
_MOST_LINES = 5


def see_agents(sitting: Sitting, environment: Environment) -> tuple[AgentSeen, ...]:
    """Nobody where the server brings the hosts there itself."""
    if environment.mode is Mode.PUSH:
        return ()
    given = released_now(sitting.record.events(environment_ref(environment.name, "log")))
    keepers, now = keepers_of(sitting, environment.name), sitting.ledger.clock()
    return tuple(see_agent(keeper, given, environment.silent, now) for keeper in keepers)


def agent_lines(environment: Environment, seen: tuple[AgentSeen, ...]) -> list[str]:
    """`agents     web-agent: last seen 2026-11-26 09:00:12 UTC; web1 web2 Synced`, a line for each."""
    if environment.mode is Mode.PUSH:
        return []
    if not seen:
        return field("agents", f"none: gitops-hooks user add NAME KEY --agent {environment.name} --hosts …")
    lines: list[str] = []
    for agent in seen:
        lines += field("" if lines else "agents", f"{agent.keeper.name}: {_seen(agent)}{_hosts(agent)}")
        if agent.keeper.report and agent.keeper.report.alarm:
            lines += field("", f"it refuses what it is given: {agent.keeper.report.alarm}")
    for host in [host for agent in seen for host in agent.hosts if host.word == DEGRADED][:_MOST_LINES]:
        lines += field("", f"{host.told.name}: {host.told.state.value if host.told.state else ''}: {host.told.detail}")
    return lines


def _seen(agent: AgentSeen) -> str:
    at = f"last seen {agent.keeper.seen:%Y-%m-%d %H:%M:%S} UTC" if agent.keeper.seen else "never seen"
    return f"silent, {at}" if agent.silent and agent.keeper.seen else at


def _hosts(agent: AgentSeen) -> str:
    return "".join(f"; {words}" for words in _groups(agent.hosts))


def _groups(hosts: tuple[HostSeen, ...]) -> Iterator[str]:
    words: dict[str, list[str]] = {}
    for host in hosts:
        words.setdefault(host.word, []).append(host.told.name)
    for word, names in words.items():
        yield f"{' '.join(names) if len(names) <= _NAMED else f'{len(names)} hosts'} {word}"


def agent_facts(environment: Environment, seen: tuple[AgentSeen, ...]) -> list[dict[str, object]] | None:
    """The same for programs; null where the server brings the hosts there itself."""
    return None if environment.mode is Mode.PUSH else [_facts(agent) for agent in seen]


def _facts(agent: AgentSeen) -> dict[str, object]:
    keeper = agent.keeper
    return {
        "name": keeper.name,
        "last_seen": keeper.seen.isoformat() if keeper.seen else None,
        "silent": agent.silent,
        "alarm": keeper.report.alarm if keeper.report else "",
        "hosts": [_host_facts(host) for host in agent.hosts],
    }


def _host_facts(host: HostSeen) -> dict[str, object]:
    told = host.told
    facts: dict[str, object] = {"name": told.name, "sync": host.word, "state": told.state.value if told.state else None}
    facts |= {"commit": told.commit or None, "generation": told.generation or None}
    return facts | {"changed": told.changed, "detail": told.detail}
