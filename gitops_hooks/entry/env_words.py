"""What can be read of environments."""

from datetime import datetime
from itertools import islice

from gitops_hooks.core.agent_sync import DEGRADED, OUT, UNKNOWN, AgentSeen
from gitops_hooks.core.log_state import LogState
from gitops_hooks.core.own_fault import to_roll_back
from gitops_hooks.core.plan import Held, Settled, Wait
from gitops_hooks.core.report import escape, field
from gitops_hooks.edge.progress import read_progress
from gitops_hooks.edge.stopping import Stop, read_stop
from gitops_hooks.entry import drift_words
from gitops_hooks.entry.agent_words import agent_facts, agent_lines, see_agents
from gitops_hooks.entry.aim import Aim, take_aim
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.drift_words import Seen, drift_facts, drift_lines, see
from gitops_hooks.entry.follow import count_hosts
from gitops_hooks.entry.gate_words import gate_facts, gate_lines, operation_facts, operation_words
from gitops_hooks.entry.rolling_back import find_last_good, was_good
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.entry.tend import last_end
from gitops_hooks.model.deployment import Progress, RunState
from gitops_hooks.model.environment_event import (
    Canceled,
    Drifted,
    LetGo,
    Paused,
    Released,
    Resumed,
    Reverted,
    RolledBack,
    Stopped,
)
from gitops_hooks.model.event import Event, Finished, Requested, Started
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.record import Standing

_MOST = 50
_NAMED = 4


@dataclass(frozen=True, slots=True)
class View:
    """One environment as it is: what it is meant to be, two commits (NO_OID for none), and what a run says."""

    environment: Environment
    aim: Aim
    attempted: str
    deployed: str
    progress: Progress
    seen: Seen
    stop: Stop | None = None
    no_way_back: bool = False
    agents: tuple[AgentSeen, ...] = ()

    @property
    def standing(self) -> Standing:
        return self.aim.standing

    @property
    def log(self) -> LogState:
        return self.aim.log

    @property
    def retry_at(self) -> datetime | None:
        return self.aim.step.until if isinstance(self.aim.step, Wait) else None

    @property
    def held(self) -> Held | None:
        """What keeps the next run from beginning, where anything is due."""
        step = self.aim.step
        return step if isinstance(step, Held) and step.gate != "suspended" else None

    @property
    def gone(self) -> bool:
        """Whether its branch was deleted, or never made; the hosts stay as they are."""
        return self.standing.trusted and self.standing.real == NO_OID

    @property
    def sync(self) -> str:
        if not self.standing.trusted or self.gone:
            return "Unknown"
        synced = self.deployed == self.standing.real and not self.failed and not self.seen.known.out
        words = {host.word for agent in self.agents for host in agent.hosts}
        if synced and words == {UNKNOWN}:
            return UNKNOWN
        return "Synced" if synced and OUT not in words else "OutOfSync"

    @property
    def failed(self) -> bool:
        end = last_end(self.log)
        return end is not None and end.state is not RunState.SUCCESSFUL

    @property
    def running(self) -> bool:
        return self.log.started is not None and self.log.finished is None

    @property
    def health(self) -> str:
        if not self.standing.trusted or self.gone:
            return "Suspended"
        if self.running:
            return "Progressing"
        degraded = any(host.word == DEGRADED for agent in self.agents for host in agent.hosts)
        if self.failed or self.seen.known.stuck or self.aim.barred or degraded:
            return "Degraded"
        return "Healthy" if last_end(self.log) else "Missing"

    def facts(self) -> dict[str, object]:
        """The environment for programs."""
        end = last_end(self.log)
        return {
            "name": self.environment.name,
            "branch": self.environment.branch,
            "sync": self.sync,
            "health": self.health,
            "state": state_of(self),
            "desired": _oid(self.aim.desired),
            "attempted": _oid(self.attempted),
            "deployed": _oid(self.deployed),
            "last": event_facts(self.log.finished) if self.log.finished and end else None,
            "retry_at": self.retry_at.isoformat() if self.retry_at else None,
            "drift": drift_facts(self.seen),
            "mode": self.environment.mode.value,
            "agents": agent_facts(self.environment, self.agents),
            **gate_facts(self.aim, self.held, self.stop),
        }


def state_of(view: View) -> str:
    """How far the newest deployment is, in the words of runs."""
    if view.running:
        return RunState.RUNNING.value
    match view.aim.step:
        case Held() | Wait():
            return RunState.WAITING.value
        case Settled():
            back = view.log.pinned is not None or view.aim.barred
            return RunState.ROLLED_BACK.value if back else RunState.SUCCESSFUL.value
    return RunState.PENDING.value


def _oid(commit: str) -> str | None:
    return None if commit == NO_OID else commit


def look_at(sitting: Sitting, environment: Environment) -> View:
    name = environment.name
    attempted, deployed = (sitting.repository.tip(environment_ref(name, ref)) for ref in ("attempted", "deployed"))
    aim = take_aim(sitting, environment)
    stop = read_stop(sitting.home)
    seen = see(sitting, environment, deployed)
    failed = to_roll_back(environment, aim.log)
    stays = failed is not None and not (
        was_good(sitting, name, failed.commit) or find_last_good(sitting, environment, failed.commit)
    )
    told = read_progress(sitting.state, name), seen, stop, stays
    return View(environment, aim, attempted, deployed, *told, see_agents(sitting, environment))


def list_lines(found: list[View]) -> list[str]:
    return [_list_line(view) for view in found] or ["no environments"]


def _list_line(view: View) -> str:
    deployed = view.deployed[:7] if view.deployed != NO_OID else "-"
    branch = view.environment.branch.removeprefix("refs/heads/")
    line = f"{view.environment.name:<16} {view.sync:<10} {view.health:<12} {deployed:<8} {branch}"
    return line + (f"  {escape(view.held.reason)}" if view.held else "")


def show_lines(view: View, hosts: list[str]) -> list[str]:
    """One environment for people; `hosts` are the lines about where these stand."""
    lines = [f"{view.environment.name}: {view.sync}, {view.health}"]
    lines += field("branch", view.environment.branch.removeprefix("refs/heads/"))
    for name, commit in (
        ("desired", view.aim.desired),
        ("attempted", view.attempted),
        ("deployed", view.deployed),
    ):
        lines += field(name, commit if commit != NO_OID else "nothing yet")
    lines += hosts
    if not view.standing.trusted:
        reason = f"{view.environment.branch} stands at {view.standing.real[:12]}, which the record does not know"
        lines += field("suspended", f"{reason}; the administrator runs: gitops-hooks recovery restore|adopt")
    if view.gone:
        reason = f"{view.environment.branch} is not there"
        lines += field("suspended", f"{reason}; create it, or take the environment out of the policy")
    if view.running:
        lines += field("running", " ".join((*view.progress.hosts, view.progress.task)).strip() or "starting")
    lines += gate_lines(view.aim, view.environment.name, view.held, view.stop)
    if view.no_way_back:
        lines += field("rollback", "none: no commit ended well here before; it is tried again")
    lines += agent_lines(view.environment, view.agents)
    lines += drift_lines(view.seen)
    end = last_end(view.log)
    if end:
        lines += _end_lines(view, end)
    return lines


def _end_lines(view: View, end: Finished) -> list[str]:
    lines = field("last", f"deployment {end.generation} of {end.commit[:7]} {end.state.value}: {count_hosts(end)}")
    lines += field("", end.detail) if end.detail else []
    for host in end.hosts:
        lines += field("", f"{host.name}: {host.state.value}" + (f": {host.detail}" if host.detail else ""))
    if view.retry_at:
        lines += field("retry", f"at {view.retry_at:%Y-%m-%d %H:%M:%S} UTC, attempt {end.attempt + 1}")
    return lines


def log(sitting: Sitting, environment: Environment) -> list[Event]:
    """The newest 50 events of its log."""
    return list(islice(sitting.record.events(environment_ref(environment.name, "log")), _MOST))


def event_facts(event: Event) -> dict[str, object]:
    """One event of an environment's log for programs."""
    found: dict[str, object] = {"number": event.stamp.number, "at": event.stamp.at.isoformat(), "event": event.oid}
    match event.body:
        case Started() as body:
            found |= {"kind": "started", "commit": body.commit, "attempt": body.attempt}
            found |= {"limit": None if body.whole else list(body.limit), "reason": body.reason}
        case Requested() as body:
            found |= {"kind": "requested", "commit": body.commit, "actor": event.stamp.actor}
            found |= {"skips": list(body.skips)}
        case Finished() as body:
            hosts = [
                {"name": h.name, "state": h.state.value, "changed": h.changed, "detail": h.detail} for h in body.hosts
            ]
            found |= {"kind": "finished", "commit": body.commit, "generation": body.generation, "detail": body.detail}
            found |= {"state": body.state.value, "seconds": body.seconds, "attempt": body.attempt, "hosts": hosts}
            found |= {"left": body.left}
        case Paused() | Resumed() | Canceled() | RolledBack() | Reverted() | Stopped() | LetGo():
            found |= operation_facts(event)
        case Drifted() as body:
            found |= drift_words.event_facts(body)
        case Released() as body:
            found |= {"kind": "released", "generation": body.generation, "commit": body.commit}
            found |= {"hosts": list(body.hosts) or None}
    return found


def log_lines(events: list[Event]) -> list[str]:
    lines = []
    for event in events:
        at = f"{event.stamp.at:%Y-%m-%d %H:%M:%S}"
        match event.body:
            case Started() as body:
                words = f"started    {body.commit[:7]} attempt {body.attempt} {whom(body)}"
                lines.append(f"{at}  {event.stamp.number:>5} {words}")
            case Requested() as body:
                lines.append(f"{at}        requested  {body.commit[:7]} by {event.stamp.actor}")
            case Finished() as body:
                words = f"{body.state.value:<10} {body.commit[:7]} {count_hosts(body)} ({body.seconds} s)"
                lines.append(f"{at}  {body.generation:>5} {words}")
            case Drifted() as body:
                lines.append(f"{at}        {drift_words.event_words(body)}")
            case Released() as body:
                lines.append(f"{at}  {body.generation:>5} released   {body.commit[:7]} {_to_whom(body.hosts)}")
            case _:
                lines.append(f"{at}        {operation_words(event)}")
    return lines or ["no deployments yet"]


def whom(begun: Started) -> str:
    """`for all hosts`, `for web1 web2 and 3 more`."""
    return "for all hosts" if begun.whole else f"for {_names(begun.limit)}"


def _to_whom(hosts: tuple[str, ...]) -> str:
    return f"to the agents of {_names(hosts)}" if hosts else "to all agents"


def _names(hosts: tuple[str, ...]) -> str:
    shown = " ".join(hosts[:_NAMED]) or "nobody"
    more = len(hosts) - _NAMED
    return shown + (f" and {more} more" if more > 0 else "")
