"""Whether a deployment that is due may begin: every gate is asked each time, and none of them keeps a queue."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from gitops_hooks.core.freeze import frozen_by
from gitops_hooks.core.log_state import LogState
from gitops_hooks.core.plan import Deploy, Held, Next, Wait, is_asked, said
from gitops_hooks.core.policy_times import spoken
from gitops_hooks.core.windows import clock_words, next_opening
from gitops_hooks.model.environment_event import Paused
from gitops_hooks.model.event import Finished
from gitops_hooks.model.gates import Gates
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment


@dataclass(frozen=True, slots=True)
class Upstream:
    """An environment that another waits for: since when it is Healthy with that commit (None: it is not, and why)."""

    name: str
    since: datetime | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the gates of one environment are held against; `stopped` says why nothing begins anywhere, or is empty."""

    environment: Environment
    desired: str
    pinned: bool
    upstreams: tuple[Upstream, ...]
    stopped: str


def hold(step: Next, log: LogState, grounds: Grounds, now: datetime) -> Next:
    """The same step, or what keeps it from beginning."""
    if not isinstance(step, Deploy | Wait):
        return step
    gates = grounds.environment.gates
    held = _stopped(grounds) or _paused_by_policy(grounds.environment)
    if held is None and not grounds.pinned:
        asked = is_asked(grounds.desired, log)
        held = _paused(log) or _manual(grounds, log, asked) or judge_after(gates, grounds.upstreams, now)
        if held is None and not (asked and gates.manual_sync):
            held = judge_windows(gates, now)
    return held or step


def _stopped(grounds: Grounds) -> Held | None:
    return Held("stopped", f"all deployments are stopped{said(grounds.stopped)}") if grounds.stopped else None


def _paused_by_policy(environment: Environment) -> Held | None:
    why = environment.gates.paused
    return Held("paused", f"paused by the policy: {why} ({environment.place})") if why else None


def _paused(log: LogState) -> Held | None:
    if log.paused is None or not isinstance(log.paused.body, Paused):
        return None
    return Held("paused", f"paused by {log.paused.stamp.actor}{said(log.paused.body.message)}")


def _manual(grounds: Grounds, log: LogState, asked: bool) -> Held | None:
    """Asked for once, a commit is tried until it is there."""
    end = log.finished.body if log.finished else None
    begun = isinstance(end, Finished) and end.commit == grounds.desired
    if not grounds.environment.gates.manual or asked or begun:
        return None
    return Held("manual", f"waits for somebody to ask for it: env deploy {grounds.environment.name}")


def judge_after(gates: Gates, upstreams: Iterable[Upstream], now: datetime) -> Held | None:
    """Whether every environment that comes before is Healthy with the commit, and was for long enough."""
    for upstream in upstreams:
        if upstream.since is None:
            return Held("after", f"waits for {upstream.name}, which {upstream.why}")
        if (until := upstream.since + timedelta(seconds=gates.soak)) > now:
            words = f"waits until {upstream.name} was Healthy for {spoken(gates.soak)} ({until:%Y-%m-%d %H:%M:%S} UTC)"
            return Held("soak", words, until)
    return None


def judge_windows(gates: Gates, now: datetime) -> Held | None:
    """Whether this moment lies in a window and in no freeze."""
    opens = next_opening(gates.windows, gates.freeze, now)
    if opens == now:
        return None
    frozen = [freeze for freeze in gates.freeze if frozen_by(freeze, now)]
    zone = (frozen or gates.windows)[0].zone
    when = clock_words(opens, zone, now) if opens else "no end of it is in sight"
    if frozen:
        return Held("freeze", f"is frozen ({frozen[0].text}) until {when}" if opens else f"is frozen; {when}", opens)
    return Held("windows", f"waits for its window ({when})", opens)
