"""What one environment is to be brought to, and what happens next there: one answer for all who ask."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice

from gitops_hooks.core.gates import Grounds, Upstream, hold
from gitops_hooks.core.limit import Limit
from gitops_hooks.core.log_state import LogState, fold_log
from gitops_hooks.core.mass import hold_mass
from gitops_hooks.core.plan import Deploy, Held, Next, Settled, plan
from gitops_hooks.edge.stopping import read_stop
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.limiting import find_limit
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.environment_event import RolledBack, Stopped
from gitops_hooks.model.event import Event, Finished, Started
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment, Mode
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.record import Standing

_MOST_BACK = 1000


@dataclass(frozen=True, slots=True)
class Aim:
    """`desired` is the branch's recorded tip, or what was rolled back to; `record` the event that recorded it.

    `barred`: the branch stands at a tree that the server rolled back from here. `limit` is whom a run would visit,
    where that was worked out already.
    """

    desired: str
    record: str
    standing: Standing
    log: LogState
    step: Next
    barred: bool = False
    limit: Limit | None = None


def take_aim(sitting: Sitting, environment: Environment, now: datetime | None = None) -> Aim:
    """Everything is compared anew each time; nothing is remembered."""
    standing, log = sitting.record.standing(environment.branch), read_log(sitting, environment.name)
    if not standing.trusted or standing.real == NO_OID:
        words = "is Suspended: its branch is not as recorded"
        return Aim(standing.recorded, standing.record, standing, log, Held("suspended", words))
    at, tree = now or sitting.ledger.clock(), _tree_of_tip(sitting, standing, log)
    barred, pin = tree in log.bad, _pin(log)
    if pin and (pin.tip == standing.recorded or barred or pin.tree == tree):
        return _aim(sitting, environment, (standing, log), (pin.commit, pin.record), at, barred=barred)
    free = replace(log, pinned=None)
    began = log.started.body if log.started else None
    if barred and isinstance(began, Started):
        # It landed again after something else went well, which therefore stays.
        return _aim(sitting, environment, (standing, free), (began.commit, began.record), at, barred=True)
    aim = _aim(sitting, environment, (standing, free), (standing.recorded, standing.record), at)
    if pin and pin.failed and isinstance(aim.step, Held):
        # What came later waits: until it goes, hosts are not left with what failed.
        back = _aim(sitting, environment, (standing, log), (pin.commit, pin.record), at)
        return aim if isinstance(back.step, Settled) else back
    return aim


def _tree_of_tip(sitting: Sitting, standing: Standing, log: LogState) -> str:
    return sitting.repository.tree_of(standing.recorded) if log.bad or log.pinned else ""


def _pin(log: LogState) -> RolledBack | None:
    return log.pinned.body if log.pinned and isinstance(log.pinned.body, RolledBack) else None


def _aim(
    sitting: Sitting,
    environment: Environment,
    found: tuple[Standing, LogState],
    goal: tuple[str, str],
    at: datetime,
    *,
    barred: bool = False,
) -> Aim:
    """What happens next on the way to this goal: a commit, and the event that recorded it."""
    (standing, log), (desired, record), limits = found, goal, sitting.server.limits
    step = plan(desired, log, at, limits.retry_seconds, limits.retry_most_seconds)
    grounds = _grounds(sitting, environment, desired, log)
    held = hold(step, log, grounds, at)

    visited: list[Limit] = []

    def find() -> Limit:
        visited.append(find_limit(sitting, environment, desired, environment_ref(environment.name, "log")))
        return visited[0]

    step = hold_mass(held, environment, log, find)
    return Aim(desired, record, standing, log, step, barred, next(iter(visited), None))


def would_hold(sitting: Sitting, environment: Environment, commit: str, log: LogState) -> Next:
    """Whether a run of this commit might begin, were nothing under way."""
    grounds = _grounds(sitting, environment, commit, replace(log, pinned=None))
    held = hold(Deploy(commit, 1), replace(log, canceled=None), grounds, sitting.ledger.clock())
    ref = environment_ref(environment.name, "log")
    # Whatever runs counts as what may have touched all of its hosts: how many that are in the end is not known yet.
    return hold_mass(held, environment, log, lambda: find_limit(sitting, environment, commit, ref))


def gate_again(sitting: Sitting, environment: Environment, aim: Aim) -> Next:
    """Whether another run of what is deployed may begin now.

    A rollback goes past gates to come there; what follows by itself once it is there does not.
    """
    log = replace(aim.log, pinned=None)
    grounds = _grounds(sitting, environment, aim.desired, log)
    return hold(Deploy(aim.desired, 1), log, grounds, sitting.ledger.clock())


def _grounds(sitting: Sitting, environment: Environment, desired: str, log: LogState) -> Grounds:
    words = _why_stopped(sitting, environment, log)
    if log.pinned:
        return Grounds(environment, desired, True, (), words)
    upstreams = tuple(find_upstreams(sitting, environment, desired))
    return Grounds(without_soak(sitting, environment, desired), desired, False, upstreams, words)


def _why_stopped(sitting: Sitting, environment: Environment, log: LogState) -> str:
    if stop := read_stop(sitting.home):
        return stop.words
    # Agents have not been told yet that it is over: first that, then what begins.
    told = log.stopped.body if log.stopped and environment.mode is not Mode.PUSH else None
    return str(told.message) if isinstance(told, Stopped) else ""


def without_soak(sitting: Sitting, environment: Environment, commit: str) -> Environment:
    """The environment as it is for this commit: a revert has nothing in it that must prove itself first."""
    gates = environment.gates
    if not gates.soak or not find_reverted(sitting, environment.name, commit):
        return environment
    return replace(environment, gates=replace(gates, soak=0))


def find_reverted(sitting: Sitting, name: str, commit: str) -> str:
    """The earlier commit to whose tree this one brings an environment back, where it ended well; an empty string.

    Known by what it results in: no message makes a revert of anything.
    """
    repository, tree = sitting.repository, sitting.repository.tree_of(commit)
    for event in islice(sitting.record.events(environment_ref(name, "log")), _MOST_BACK):
        match event.body:
            case Finished(state=RunState.SUCCESSFUL, commit=at) if at != commit and repository.is_commit(at):
                if repository.tree_of(at) == tree and repository.descends(commit, at):
                    return at
    return ""


def read_log(sitting: Sitting, environment: str) -> LogState:
    """What an environment's log amounts to."""
    return fold_log(sitting.record.events(environment_ref(environment, "log")))


def find_upstreams(sitting: Sitting, environment: Environment, desired: str) -> Iterator[Upstream]:
    """How each environment of `after` stands to this commit."""
    for name in environment.gates.after:
        other = sitting.policy.environment(name)
        if other is None:
            yield Upstream(name, None, "is not in the policy any more")
        elif not sitting.record.standing(other.branch).trusted:
            yield Upstream(name, None, "is Suspended")
        else:
            yield _upstream(sitting, name, desired)


def _upstream(sitting: Sitting, name: str, desired: str) -> Upstream:
    """Since the first of the newest successful runs that all have the commit, or one that follows it."""
    since: datetime | None = None
    why = "has nothing deployed yet"
    for event in islice(sitting.record.events(environment_ref(name, "log")), _MOST_BACK):
        fault = _fault(sitting, event, desired, since)
        if fault:
            why = fault
            break
        if isinstance(event.body, Finished):
            since = event.stamp.at
    return Upstream(name, since, why)


def _fault(sitting: Sitting, event: Event, desired: str, since: datetime | None) -> str:
    """Why the upstream is not Healthy with this commit at this event, or an empty string."""
    match event.body:
        case Started(commit=commit) if since is None:
            return f"is being brought to {commit[:7]}"
        case RolledBack(commit=commit) if since is None:
            return f"is being rolled back to {commit[:7]}"
        case Finished(state=state, commit=commit) if state is not RunState.SUCCESSFUL:
            return f"is not Healthy: its deployment of {commit[:7]} {_ENDED[state]}"
        case Finished(commit=commit) if commit != desired and not sitting.repository.descends(commit, desired):
            return f"is at {commit[:7]}"
    return ""


_ENDED = {state: "failed" if state is not RunState.CANCELED else "was canceled" for state in RunState}
