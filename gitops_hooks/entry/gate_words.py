"""What people said of an environment, and what it waits for, in words and for programs."""

from gitops_hooks.core.notices import revert_words
from gitops_hooks.core.plan import Held, said
from gitops_hooks.core.report import escape, field
from gitops_hooks.edge.stopping import Stop
from gitops_hooks.entry.aim import Aim
from gitops_hooks.model.environment_event import Canceled, LetGo, Paused, Resumed, Reverted, RolledBack, Stopped
from gitops_hooks.model.event import Event


def left_out(aim: Aim, name: str) -> str:
    """Of a tip that the server rolled back from."""
    return f"{aim.standing.recorded[:7]} has a tree that failed here, and is left out; to try it: env deploy {name}"


def gate_lines(aim: Aim, name: str, held: Held | None, stop: Stop | None) -> list[str]:
    """What keeps things from beginning in this environment, whether anything is due or not."""
    lines = field("stopped", f"all deployments, {stop.words}") if stop else []
    if aim.log.pinned:
        lines += field("rollback", _by(aim.log.pinned) + _after(aim))
    if aim.barred and not aim.log.pinned:
        lines += field("rollback", left_out(aim, name))
    if aim.log.paused:
        lines += field("paused", _by(aim.log.paused))
    told = {"stopped": stop, "paused": aim.log.paused}
    if held and not told.get(held.gate):
        lines += field("waiting", held.reason)
    return lines


def _after(aim: Aim) -> str:
    """What became of the revert change, where the server rolled back."""
    body = aim.log.reverted.body if aim.log.reverted else None
    return revert_words(body) if isinstance(body, Reverted) else ""


def _by(event: Event) -> str:
    message = getattr(event.body, "message", "")
    to = f"to {event.body.commit[:7]} " if isinstance(event.body, RolledBack) else ""
    return f"{to}by {who(event)} on {event.stamp.at:%Y-%m-%d %H:%M} UTC{said(message)}"


def gate_facts(aim: Aim, held: Held | None, stop: Stop | None) -> dict[str, object]:
    """The same for programs: null where there is no such thing."""
    until = held.until.isoformat() if held and held.until else None
    return {
        "waits": {"gate": held.gate, "reason": held.reason, "until": until} if held else None,
        "paused": operation_facts(aim.log.paused) if aim.log.paused else None,
        "rolled_back": _rollback_facts(aim, aim.log.pinned) if aim.log.pinned else None,
        "barred": aim.barred,
        "stopped": stop.words if stop else None,
    }


def who(event: Event) -> str:
    """Who said it; the server speaks for the administrator, too."""
    by_itself = isinstance(event.body, RolledBack) and event.body.failed
    return "the server" if by_itself else event.stamp.actor


def operation_facts(event: Event) -> dict[str, object]:
    """One word of somebody's on an environment."""
    found: dict[str, object] = {"actor": event.stamp.actor, "at": event.stamp.at.isoformat()}
    match event.body:
        case Paused(message=message):
            found |= {"kind": "paused", "message": message}
        case Resumed(message=message):
            found |= {"kind": "resumed", "message": message}
        case Stopped(message=message):
            found |= {"kind": "stopped", "message": message}
        case LetGo():
            found |= {"kind": "let-go"}
        case Canceled(commit=commit, generation=generation, message=message):
            found |= {"kind": "canceled", "commit": commit, "generation": generation, "message": message}
        case RolledBack(commit=commit, left=left, skips=skips, message=message, failed=failed):
            found |= {"kind": "rolled-back", "commit": commit, "left": left, "skips": list(skips), "message": message}
            found |= {"failed": failed or None}
        case Reverted(rollback=rollback, change=change, reason=reason):
            found |= {"kind": "reverted", "rollback": rollback, "change": change or None, "reason": reason}
    return found


def _rollback_facts(aim: Aim, pinned: Event) -> dict[str, object]:
    body = aim.log.reverted.body if aim.log.reverted else None
    change, reason = (body.change or None, body.reason) if isinstance(body, Reverted) else (None, "")
    return operation_facts(pinned) | {"revert_change": change, "no_revert": reason}


def operation_words(event: Event) -> str:
    """`paused     by bob: the reason`."""
    by = f"by {who(event)}"
    match event.body:
        case Paused(message=message):
            return f"paused     {by}{escape(said(message))}"
        case Resumed(message=message):
            return f"resumed    {by}{escape(said(message))}"
        case Stopped(message=message):
            return f"stopped    all deployments, {escape(message)}"
        case LetGo():
            return "let go     deployments begin again"
        case Canceled(commit=commit, message=message):
            return f"canceled   {commit[:7]} {by}{escape(said(message))}"
        case RolledBack(commit=commit, left=left, message=message):
            return f"rolled back to {commit[:7]} from {left[:7]} {by}{escape(said(message))}"
        case Reverted() as body:
            return f"reverted   {escape(revert_words(body).removeprefix('; '))}"
    return ""
