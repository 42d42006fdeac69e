"""What a host is released to × how it was left last → what an agent does with it next."""

from collections.abc import Mapping
from zlib import crc32

from gitops_hooks.model.agent_mark import EnvironmentMark, Standing, Target
from gitops_hooks.model.deployment import HostState
from gitops_hooks.model.drift import Sync
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment

GOOD = frozenset(state.value for state in HostState if state.is_good)
MOST_HEALS = 3
_JITTER = 10


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: the pause after a first bad end, doubled with each, and the longest one."""

    retry: float = 15.0
    most: float = 900.0

    def after(self, tries: int) -> float:
        return min(self.retry * float(2 ** min(max(tries - 1, 0), 20)), self.most)


@dataclass(frozen=True, slots=True)
class Work:
    """The hosts of one kind of work on one target."""

    target: Target
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agenda:
    """What is to be applied, and looked at, now; and when something is due next by itself (0: never)."""

    apply: tuple[Work, ...] = ()
    look: tuple[Work, ...] = ()
    due: float = 0.0


def plan_work(
    mark: EnvironmentMark, standing: Mapping[str, Standing], environment: Environment, now: float, pace: Pace
) -> Agenda:
    """Newest targets only; a clock that was set back makes things due now, never later than an interval."""
    apply: dict[Target, list[str]] = {}
    look: dict[Target, list[str]] = {}
    due: list[float] = []
    for host, target in mark.targets:
        one = standing.get(host, Standing())
        when, kind = _next(host, one, target, mark, environment, pace)
        if not kind:
            continue
        if when <= now or when > now + _longest(environment, pace):
            (apply if kind == "apply" else look).setdefault(target, []).append(host)
        else:
            due.append(when)
    return Agenda(_works(apply), _works(look), min(due, default=0.0))


def _works(found: Mapping[Target, list[str]]) -> tuple[Work, ...]:
    return tuple(Work(target, tuple(hosts)) for target, hosts in found.items())


def _longest(environment: Environment, pace: Pace) -> float:
    return max(pace.most, environment.drift * (1 + 1 / _JITTER)) + 1


def _next(
    host: str, one: Standing, target: Target, mark: EnvironmentMark, environment: Environment, pace: Pace
) -> tuple[float, str]:
    """When, and whether to apply or to look; an empty word for neither."""
    if target.pushed or mark.stopped or environment.gates.paused:
        return 0.0, ""
    held = mark.paused > target.number or target.generation <= mark.canceled
    if one.generation != target.generation:
        return (0.0, "") if held else (0.0, "apply")
    if one.state not in GOOD:
        return (0.0, "") if held else (one.at + pace.after(one.tries), "apply")
    if held or mark.paused or not environment.drift:
        return 0.0, ""
    if one.sync == Sync.OUT.value and environment.self_heal and one.heals < MOST_HEALS:
        return (one.at + pace.after(one.heals) if one.heals else 0.0), "apply"
    seen = max(one.at, one.looked)
    if one.heals and one.at > one.looked:
        # What was brought back is looked at again at once.
        return 0.0, "look"
    spread = environment.drift // _JITTER + 1
    return seen + environment.drift + crc32(f"{host} {seen}".encode()) % spread, "look"
