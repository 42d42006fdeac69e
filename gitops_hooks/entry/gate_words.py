"""What people said of an environment, and what it waits for, in words and for programs."""

from gitops_hooks.core.plan import Held, said
from gitops_hooks.core.report import escape, field
from gitops_hooks.edge.stopping import Stop
from gitops_hooks.entry.aim import Aim
from gitops_hooks.model.environment_event import Canceled, Paused, Resumed, RolledBack
from gitops_hooks.model.event import Event


def gate_lines(aim: Aim, held: Held | None, stop: Stop | None) -> list[str]:
    """What keeps things from beginning, whether anything is due or not."""
    lines = field("stopped", f"all deployments, {stop.words}") if stop else []
    if aim.log.pinned:
        lines += field("rollback", _by(aim.log.pinned))
    if aim.log.paused:
        lines += field("paused", _by(aim.log.paused))
    told = {"stopped": stop, "paused": aim.log.paused}
    if held and not told.get(held.gate):
        lines += field("waiting", held.reason)
    return lines


def _by(event: Event) -> str:
    message = getattr(event.body, "message", "")
    to = f"to {event.body.commit[:7]} " if isinstance(event.body, RolledBack) else ""
    return f"{to}by {event.stamp.actor} on {event.stamp.at:%Y-%m-%d %H:%M} UTC{said(message)}"


def gate_facts(aim: Aim, held: Held | None, stop: Stop | None) -> dict[str, object]:
    """The same for programs: null where there is no such thing."""
    until = held.until.isoformat() if held and held.until else None
    return {
        "waits": {"gate": held.gate, "reason": held.reason, "until": until} if held else None,
        "paused": operation_facts(aim.log.paused) if aim.log.paused else None,
        "rolled_back": operation_facts(aim.log.pinned) if aim.log.pinned else None,
        "stopped": stop.words if stop else None,
    }


def operation_facts(event: Event) -> dict[str, object]:
    """One word of somebody's on an environment."""
    found: dict[str, object] = {"actor": event.stamp.actor, "at": event.stamp.at.isoformat()}
    match event.body:
        case Paused(message=message):
            found |= {"kind": "paused", "message": message}
        case Resumed(message=message):
            found |= {"kind": "resumed", "message": message}
        case Canceled(commit=commit, generation=generation, message=message):
            found |= {"kind": "canceled", "commit": commit, "generation": generation, "message": message}
        case RolledBack(commit=commit, left=left, skips=skips, message=message):
            found |= {"kind": "rolled-back", "commit": commit, "left": left, "skips": list(skips), "message": message}
    return found


def operation_words(event: Event) -> str:
    """`paused     by bob: the reason`."""
    by = f"by {event.stamp.actor}"
    match event.body:
        case Paused(message=message):
            return f"paused     {by}{escape(said(message))}"
        case Resumed(message=message):
            return f"resumed    {by}{escape(said(message))}"
        case Canceled(commit=commit, message=message):
            return f"canceled   {commit[:7]} {by}{escape(said(message))}"
        case RolledBack(commit=commit, left=left, message=message):
            return f"rolled back to {commit[:7]} from {left[:7]} {by}{escape(said(message))}"
    return ""
