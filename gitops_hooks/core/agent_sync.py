"""How the hosts of agents stand, by their last reports: in the words of `env show`."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from gitops_hooks.core.awaited import Keeper
from gitops_hooks.model.agent import HostReport
from gitops_hooks.model.deployment import HostState
from gitops_hooks.model.drift import Drift, HostDrift, Sync
from gitops_hooks.model.environment_event import Released
from gitops_hooks.model.event import Event, Finished, Started
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.people import EVERY_HOST

SYNCED, OUT, DEGRADED, UNKNOWN = "Synced", "OutOfSync", "Degraded", "Unknown"


@dataclass(frozen=True, slots=True)
class HostSeen:
    """One host: Synced, OutOfSync, Degraded or Unknown, and what its agent told of it last."""

    word: str
    told: HostReport


@dataclass(frozen=True, slots=True)
class AgentSeen:
    """One agent with its hosts; `silent` where nothing was seen of it for too long, or ever."""

    keeper: Keeper
    silent: bool
    hosts: tuple[HostSeen, ...]


def released_now(newest_first: Iterable[Event]) -> tuple[int, frozenset[str] | None]:
    """The generation that agents were given last, and its hosts (None: all); 0 and nobody where nothing was."""
    generation, hosts, everybody = 0, set[str](), False
    for event in newest_first:
        match event.body:
            case Released(generation=number, hosts=named):
                if generation and number != generation:
                    break
                generation, everybody = number, everybody or not named
                hosts |= set(named)
            case Started():
                break
    return generation, None if everybody else frozenset(hosts)


def see_agent(keeper: Keeper, given: tuple[int, frozenset[str] | None], silent: int, now: datetime) -> AgentSeen:
    """How its hosts stand at this moment; `silent` are seconds."""
    is_silent = keeper.seen is None or keeper.seen + timedelta(seconds=silent) <= now
    told = {one.name: one for one in keeper.report.hosts} if keeper.report else {}
    named = () if EVERY_HOST in keeper.charge.hosts else keeper.charge.hosts
    names = sorted({*told, *named})
    hosts = (told.get(name) or HostReport(name) for name in names)
    return AgentSeen(keeper, is_silent, tuple(HostSeen(_word(one, given, is_silent), one) for one in hosts))


def _word(told: HostReport, given: tuple[int, frozenset[str] | None], silent: bool) -> str:
    generation, hosts = given
    if silent or (told.state is None and told.sync is Sync.UNKNOWN):
        return UNKNOWN
    if told.generation < generation and (hosts is None or told.name in hosts):
        return OUT
    if told.state is not None and not told.state.is_good:
        return DEGRADED
    return {Sync.SYNCED: SYNCED, Sync.OUT: OUT}.get(told.sync, UNKNOWN)


def drift_told(seen: Iterable[AgentSeen], out: frozenset[str]) -> Drift:
    """What agents say of drift, as a look would; a host that was `out` stays so while nothing is known of it."""
    return Drift(tuple(_drift_hosts(seen, out)))


def _drift_hosts(seen: Iterable[AgentSeen], out: frozenset[str]) -> Iterator[HostDrift]:
    for agent in seen:
        for host in agent.hosts:
            sync = Sync.UNKNOWN if agent.silent else host.told.sync
            if sync is not Sync.UNKNOWN or host.told.name in out:
                yield HostDrift(host.told.name, sync, detail=host.told.detail if sync is Sync.OUT else "")


def caught_up(end: Finished, keepers: Mapping[str, Keeper]) -> frozenset[str]:
    """The hosts that a run left as unreachable, whose agents have brought them to it since; `keepers` by host."""
    found = {host.name for host in end.hosts if host.state is HostState.UNREACHABLE}
    told = {name: keepers[name].told(name) for name in found if name in keepers}
    return frozenset(
        name
        for name, one in told.items()
        if one and one.generation == end.generation and one.commit == end.commit and one.state and one.state.is_good
    )
