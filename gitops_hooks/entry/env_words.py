"""What can be read of environments, and the one verb that asks for a deployment now."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from gitops_hooks.core.govern import govern
from gitops_hooks.core.plan import LogState, Wait, plan
from gitops_hooks.core.report import field
from gitops_hooks.edge.bell import ensure_reconciler, ring
from gitops_hooks.edge.progress import read_progress
from gitops_hooks.edge.terminal import tell
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.follow import Watched, count_hosts, follow, log_length
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.entry.tend import last_end, read_log
from gitops_hooks.model.deployment import Progress, RunState
from gitops_hooks.model.event import Event, Finished, Requested, Started
from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.push import NO_OID, Actor
from gitops_hooks.model.record import Standing
from gitops_hooks.model.request import Refusal

_MOST = 50
_NAMED = 4


@dataclass(frozen=True, slots=True)
class View:
    """One environment as it is: two commits (NO_OID for none), its log's state, and what a run says."""

    environment: Environment
    standing: Standing
    attempted: str
    deployed: str
    log: LogState
    progress: Progress
    retry_at: datetime | None

    @property
    def gone(self) -> bool:
        """Whether its branch was deleted, or never made; the hosts stay as they are."""
        return self.standing.trusted and self.standing.real == NO_OID

    @property
    def sync(self) -> str:
        if not self.standing.trusted or self.gone:
            return "Unknown"
        return "Synced" if self.deployed == self.standing.real and not self.failed else "OutOfSync"

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
        if self.failed:
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
            "desired": _oid(self.standing.recorded),
            "attempted": _oid(self.attempted),
            "deployed": _oid(self.deployed),
            "last": event_facts(self.log.finished) if self.log.finished and end else None,
            "retry_at": self.retry_at.isoformat() if self.retry_at else None,
        }


def _oid(commit: str) -> str | None:
    return None if commit == NO_OID else commit


def find(sitting: Sitting, name: str) -> Environment | Refusal:
    """The environment of this name in the policy in force."""
    found = sitting.policy.environment(name)
    if found:
        return found
    names = " ".join(environment.name for environment in sitting.policy.environments) or "none"
    return Refusal("environment", f"There is no environment '{name}'; the policy has: {names}")


def look_at(sitting: Sitting, environment: Environment) -> View:
    name = environment.name
    attempted, deployed = (sitting.repository.tip(environment_ref(name, ref)) for ref in ("attempted", "deployed"))
    log = read_log(sitting, name)
    standing = sitting.record.standing(environment.branch)
    limits = sitting.server.limits
    step = plan(standing.recorded, log, sitting.ledger.clock(), limits.retry_seconds, limits.retry_most_seconds)
    retry = step.until if isinstance(step, Wait) else None
    return View(environment, standing, attempted, deployed, log, read_progress(sitting.state, name), retry)


def list_lines(found: list[View]) -> list[str]:
    return [_list_line(view) for view in found] or ["no environments"]


def _list_line(view: View) -> str:
    deployed = view.deployed[:7] if view.deployed != NO_OID else "-"
    branch = view.environment.branch.removeprefix("refs/heads/")
    return f"{view.environment.name:<16} {view.sync:<10} {view.health:<12} {deployed:<8} {branch}"


def show_lines(view: View) -> list[str]:
    """One environment for people."""
    lines = [f"{view.environment.name}: {view.sync}, {view.health}"]
    lines += field("branch", view.environment.branch.removeprefix("refs/heads/"))
    for name, commit in (
        ("desired", view.standing.recorded),
        ("attempted", view.attempted),
        ("deployed", view.deployed),
    ):
        lines += field(name, commit if commit != NO_OID else "nothing yet")
    if not view.standing.trusted:
        reason = f"{view.environment.branch} stands at {view.standing.real[:12]}, which the record does not know"
        lines += field("suspended", f"{reason}; the administrator runs: gitops-hooks recovery restore|adopt")
    if view.gone:
        reason = f"{view.environment.branch} is not there"
        lines += field("suspended", f"{reason}; create it, or take the environment out of the policy")
    if view.running:
        lines += field("running", " ".join((*view.progress.hosts, view.progress.task)).strip() or "starting")
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
        case Finished() as body:
            hosts = [
                {"name": h.name, "state": h.state.value, "changed": h.changed, "detail": h.detail} for h in body.hosts
            ]
            found |= {"kind": "finished", "commit": body.commit, "generation": body.generation, "detail": body.detail}
            found |= {"state": body.state.value, "seconds": body.seconds, "attempt": body.attempt, "hosts": hosts}
            found |= {"left": body.left}
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
    return lines or ["no deployments yet"]


def whom(begun: Started) -> str:
    """`for all hosts`, `for web1 web2 and 3 more`."""
    if begun.whole:
        return "for all hosts"
    shown = " ".join(begun.limit[:_NAMED]) or "nobody"
    more = len(begun.limit) - _NAMED
    return f"for {shown}" + (f" and {more} more" if more > 0 else "")


def deploy(sitting: Sitting, environment: Environment, actor: Actor, *, administrator: bool) -> bool | Refusal:
    """Ask for a deployment of what is desired, ring the bell and follow it; whether it ended well."""
    if not administrator and (refusal := _may_not_operate(sitting, environment, actor)):
        return refusal
    desired = sitting.record.standing(environment.branch)
    if not desired.trusted or desired.real == NO_OID:
        return Refusal("record", f"{environment.branch} does not stand where the record says; nothing is deployed.")
    before = log_length(sitting.record, environment.name)
    body = Requested(Word(environment.name), Oid(desired.real), Text(""))
    event = sitting.ledger.log(environment_ref(environment.name, "log"), body, actor)
    tell([f"gitops: deployment of {desired.real[:7]} to {environment.name} requested by {actor.name}"])
    ensure_reconciler(sitting.home)
    ring(sitting.home)
    watched = [Watched(environment.name, desired.real, max(before, event.stamp.number))]
    return follow(sitting, watched, sitting.server.limits.follow_seconds, tell)


def _may_not_operate(sitting: Sitting, environment: Environment, actor: Actor) -> Refusal | None:
    if environment.operate is not None:
        allowed, place = sitting.policy.allows(environment.operate, actor.name), environment.place
    else:
        governing = govern(sitting.policy, environment.branch)
        requirement = governing.may("land", actor.name) if governing else None
        allowed, place = bool(requirement and requirement.holds), requirement.place if requirement else ""
    if allowed:
        return None
    return Refusal("operate", f"{actor.name} may not operate {environment.name} ({place}).")
