"""What one environment is to be brought to, and what happens next there: one answer for all who ask."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from gitops_hooks.core.gates import Grounds, Upstream, hold
from gitops_hooks.core.limit import Limit
from gitops_hooks.core.mass import hold_mass
from gitops_hooks.core.plan import Deploy, Held, LogState, Next, fold_log, plan
from gitops_hooks.edge.stopping import read_stop
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.limiting import find_limit
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.environment_event import RolledBack
from gitops_hooks.model.event import Event, Finished, Started
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.record import Standing

_MOST_BACK = 1000


@dataclass(frozen=True, slots=True)
class Aim:
    """`desired` is the branch's recorded tip, or what people rolled back to; `record` the event that recorded it."""

    desired: str
    record: str
    standing: Standing
    log: LogState
    step: Next


def take_aim(sitting: Sitting, environment: Environment, now: datetime | None = None) -> Aim:
    """Everything is compared anew each time; nothing is remembered."""
    standing = sitting.record.standing(environment.branch)
    log = _in_force(read_log(sitting, environment.name), standing)
    pin = log.pinned.body if log.pinned else None
    pinned = isinstance(pin, RolledBack)
    desired, record = (pin.commit, pin.record) if isinstance(pin, RolledBack) else (standing.recorded, standing.record)
    if not standing.trusted or standing.real == NO_OID:
        return Aim(desired, record, standing, log, Held("suspended", "is Suspended: its branch is not as recorded"))
    limits, at = sitting.server.limits, now or sitting.ledger.clock()
    step = plan(desired, log, at, limits.retry_seconds, limits.retry_most_seconds)
    grounds = _grounds(sitting, environment, desired, pinned=pinned)
    held = hold(step, log, grounds, at)

    def find() -> Limit:
        return find_limit(sitting, environment, desired, environment_ref(environment.name, "log"))

    return Aim(desired, record, standing, log, hold_mass(held, environment, log, find))


def gate_again(sitting: Sitting, environment: Environment, aim: Aim) -> Next:
    """Whether another run of what is deployed may begin now."""
    grounds = _grounds(sitting, environment, aim.desired, pinned=aim.log.pinned is not None)
    return hold(Deploy(aim.desired, 1), aim.log, grounds, sitting.ledger.clock())


def _grounds(sitting: Sitting, environment: Environment, desired: str, *, pinned: bool) -> Grounds:
    stop = read_stop(sitting.home)
    upstreams = () if pinned else tuple(find_upstreams(sitting, environment, desired))
    return Grounds(environment, desired, pinned, upstreams, stop.words if stop else "")


def _in_force(log: LogState, standing: Standing) -> LogState:
    """A rollback holds until the branch moves on."""
    pin = log.pinned.body if log.pinned else None
    return log if isinstance(pin, RolledBack) and pin.tip == standing.recorded else replace(log, pinned=None)


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
