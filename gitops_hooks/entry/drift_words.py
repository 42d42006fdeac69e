"""What the last look at an environment's hosts found, in words and for programs; and the asking for one now."""

import secrets
import time
from collections.abc import Iterable, Iterator

from gitops_hooks.core.drift import MOST_TRIES, Drifting, fold_drift
from gitops_hooks.core.plan import Settled
from gitops_hooks.core.report import escape, field
from gitops_hooks.edge.bell import ensure_reconciler, ring
from gitops_hooks.edge.drift_notes import Looked, drift_notes
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.edge.terminal import is_open, tell
from gitops_hooks.entry.aim import take_aim
from gitops_hooks.entry.caller import Caller
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.judge_environment import judge_right
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.drift import Difference, HostDrift, Sync
from gitops_hooks.model.environment_event import Drifted
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment, Mode
from gitops_hooks.model.request import Refusal

_SHOWN = 5
_PAUSE = 0.3
_NOT_SHOWN = "not shown (no_log, too many, or too large)"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the log says of looks, and the notes of the last one."""

    known: Drifting
    last: Looked | None

    @property
    def hosts(self) -> tuple[HostDrift, ...]:
        return self.last.found.hosts if self.last else ()


def see(sitting: Sitting, environment: Environment, deployed: str) -> Seen:
    """What is known of an environment at this moment; nothing where nobody looks at its hosts."""
    # What agents told last stands in the lines about them.
    last = None if environment.mode is Mode.PULL else drift_notes(sitting.state, environment.name).read()
    if last is None and not environment.drift and environment.mode is Mode.PUSH:
        return Seen(Drifting(), None)
    events = sitting.record.events(environment_ref(environment.name, "log"))
    return Seen(fold_drift(events, deployed), last)


def drift_lines(seen: Seen) -> list[str]:
    """The lines of `env show`: counts, and the first hosts that are out of sync or could not be looked at."""
    out = seen.known.out
    if seen.last is None and not out:
        return []
    unknown = [host for host in seen.hosts if host.sync is Sync.UNKNOWN and host.name not in out]
    counts = [f"{len(out)} out of sync"] + ([f"{len(unknown)} unknown"] if unknown else [])
    at = f", looked at {seen.last.at:%Y-%m-%d %H:%M:%S} UTC" if seen.last else ""
    lines = field("drift", ", ".join(counts) + at)
    if seen.last and seen.last.found.detail and not seen.hosts:
        lines += field("", f"unknown: {seen.last.found.detail}")
    found = {host.name: host for host in seen.hosts}
    for name in sorted(out)[:_SHOWN]:
        lines += field("", f"{name}: {_summary(found.get(name))}")
    for host in unknown[:_SHOWN]:
        lines += field("", f"{host.name}: unknown: {host.detail}")
    if (more := max(0, len(out) - _SHOWN) + max(0, len(unknown) - _SHOWN)) > 0:
        lines += field("", f"and {more} more hosts")
    if stuck := seen.known.stuck:
        lines += field("", f"{' '.join(stuck[:_SHOWN])}: out of sync again after {MOST_TRIES} tries to bring it back")
    return lines


def _summary(host: HostDrift | None) -> str:
    if host is None or not (host.differences or host.more):
        return "out of sync"
    named = [_title(one) for one in host.differences[:_SHOWN]]
    named += [f"{more} more"] if (more := len(host.differences) - len(named)) else []
    return ", ".join(named + ([f"{host.more} {_NOT_SHOWN}"] if host.more else []))


def _title(one: Difference) -> str:
    return ": ".join(filter(None, (one.place, one.task)))


def drift_facts(seen: Seen, *, whole: bool = False) -> dict[str, object] | None:
    """The same for programs, with `whole` the differences too; null where there was no look."""
    if seen.last is None and not seen.known.out:
        return None
    found: dict[str, object] = {
        "at": seen.last.at.isoformat() if seen.last else None,
        "commit": seen.last.commit if seen.last else None,
        "out_of_sync": sorted(seen.known.out),
        "stuck": list(seen.known.stuck),
        "detail": seen.last.found.detail if seen.last else "",
    }
    return found | {"hosts": [_host_facts(host, whole) for host in seen.hosts]}


def _host_facts(host: HostDrift, whole: bool) -> dict[str, object]:
    count = len(host.differences) + host.more
    facts: dict[str, object] = {"name": host.name, "sync": host.sync.value, "differences": count, "detail": host.detail}
    if whole:
        listed = [{"place": one.place, "task": one.task, "text": one.text} for one in host.differences]
        facts |= {"differences": listed, "more": host.more}
    return facts


def tell_drift(name: str, seen: Seen, host: str) -> Iterator[str]:
    """The last look in full, of all hosts or of one."""
    if seen.last is None:
        yield f"{name}: its hosts were never looked at; now:  env drift {name} --now"
        return
    hosts = [one for one in seen.hosts if host in ("", one.name)]
    yield f"{name} at {seen.last.commit[:12]}, looked at {seen.last.at:%Y-%m-%d %H:%M:%S} UTC"
    if seen.last.found.detail:
        yield f"  {escape(seen.last.found.detail)}"
    if seen.known.ended and seen.known.ended > seen.last.at:
        yield "  something was deployed since"
    for one in hosts:
        yield from _host_lines(one)
    if host and not hosts:
        yield f"  it found no host {escape(host)}"


def _host_lines(host: HostDrift) -> Iterable[str]:
    yield f"{escape(host.name)}: {host.sync.value}" + (f": {escape(host.detail)}" if host.detail else "")
    for one in host.differences:
        yield f"  {escape(_title(one))}"
        yield from (f"    {escape(line)}" for line in one.text.splitlines())
    if host.more:
        yield f"  {host.more} {_NOT_SHOWN}"


def look_now(caller: Caller, sitting: Sitting, environment: Environment) -> bool | Refusal:
    """Ask for a look and wait for it, at most as long as a deployment is followed; whether it came to its end."""
    actor = caller.actor or SERVER
    if caller.actor and not sitting.entry.may_write(actor.name):
        return Refusal("write", f"you may read '{sitting.entry.name}' but not push to it")
    right = judge_right(sitting, environment, actor)
    if not right.holds:
        return Refusal("operate", f"{right.reason} ({right.place})" if right.place else right.reason)
    if environment.mode is Mode.PULL:
        words = f"{environment.name} is pulled: its agents look at its hosts, by themselves."
        return Refusal("drift", words, f"What they found:  env show {environment.name}")
    if not isinstance(take_aim(sitting, environment).step, Settled):
        words = f"{environment.name} is not at what is desired; its hosts are looked at when that is deployed."
        return Refusal("drift", words, f"How far it is:  env show {environment.name}")
    notes, word = drift_notes(sitting.state, environment.name), secrets.token_hex(8)
    notes.ask(word)
    ensure_reconciler(sitting.home)
    ring(sitting.home)
    deadline = time.monotonic() + sitting.server.limits.follow_seconds
    while notes.asked() == word and time.monotonic() < deadline and is_open(1):
        time.sleep(_PAUSE)
    if notes.asked() == word:
        tell([f"gitops: the look goes on; what it finds:  ssh <host> env drift {environment.name}"])
        return False
    return True


def event_words(body: Drifted) -> str:
    """`drifted    1 out of sync, 3 in sync: web1`."""
    unknown = f", {len(body.unknown)} unknown" if body.unknown else ""
    names = f": {' '.join(body.hosts[:_SHOWN])}" if body.hosts else ""
    more = f" and {body.out - _SHOWN} more" if body.out > _SHOWN else ""
    return f"drifted    {body.out} out of sync, {body.clean} in sync{unknown}{names}{more}"


def event_facts(body: Drifted) -> dict[str, object]:
    """One event of a look for programs."""
    facts: dict[str, object] = {"kind": "drifted", "commit": body.commit, "generation": body.generation}
    facts |= {"hosts": list(body.hosts), "unknown": list(body.unknown)}
    return facts | {"out": body.out, "clean": body.clean, "differences": body.differences}
