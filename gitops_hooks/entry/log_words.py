"""`change log`: what the commands of a change wrote and how they ended, as it stands or as it goes on."""

import time
from collections.abc import Callable
from dataclasses import field
from datetime import UTC, datetime

from gitops_hooks.core.report import escape
from gitops_hooks.edge.command_log import Kept, kept_runs, log_path, read_log
from gitops_hooks.entry.awaiting import command_checks, read_result
from gitops_hooks.entry.sitting import Sitting, brought_up
from gitops_hooks.entry.wanting import open_verdicts, wanted_of
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.command import Awaited, CommandState
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.verdict import Verdict

_PAUSE = 0.3
_PART = 64 * 1024
_SOON = 5.0


@dataclass(frozen=True, slots=True)
class View:
    """The commands of a change now: each with what is known of it, and whether the server has still to run one."""

    awaited: tuple[tuple[Verdict, Awaited], ...]
    running: bool

    @property
    def passed(self) -> bool:
        return all(one.passed for _, one in self.awaited)


def look_at(sitting: Sitting, record: ChangeRecord) -> View:
    """Of an open change; another has no commands to wait for any more."""
    found = open_verdicts(sitting, record, command_checks(sitting))
    if found is None:
        return View((), False)
    matter, verdicts = found
    awaited = tuple((verdict, one) for verdict in verdicts for one in verdict.awaited)
    return View(awaited, bool(wanted_of(record, matter, verdicts)))


def state_lines(sitting: Sitting, record: ChangeRecord) -> list[str]:
    """A line a command: how far it is on what would land now."""
    view = look_at(sitting, record)
    running = {(kept.check, kept.name) for kept in kept_runs(sitting.state, record.number) if kept.running}
    return [
        _state(sitting, verdict, one, (verdict.check, one.command.name) in running) for verdict, one in view.awaited
    ]


def _state(sitting: Sitting, verdict: Verdict, one: Awaited, running: bool) -> str:
    name = f"{verdict.check}/{one.command.name}"
    if one.state is CommandState.PENDING:
        words = "running" if running else "pending"
        return f"{name}: {words}; the branch has moved since it ran last" if one.before else f"{name}: {words}"
    result = read_result(sitting, one.event)
    seconds = f" in {result.seconds} s" if result else ""
    return f"{name}: {one.state.value}{seconds}" + (f" ({one.detail})" if one.detail else "")


@dataclass(slots=True)
class Teller:
    """Tells each log on from where it was told to; `say` writes one line."""

    sitting: Sitting
    number: int
    say: Callable[[str], object]
    _told: dict[str, int] = field(default_factory=dict)
    _half: dict[str, bytes] = field(default_factory=dict)

    def go_on(self) -> None:
        """What was written since, of every run in the order of their beginnings."""
        for kept in kept_runs(self.sitting.state, self.number):
            if kept.run not in self._told:
                self._told[kept.run], self._half[kept.run] = 0, b""
                self.say(heading(kept))
            self._tell(kept)

    def _tell(self, kept: Kept) -> None:
        path = log_path(self.sitting.state, self.number, kept.check, kept.name)
        while part := read_log(path, self._told[kept.run], _PART):
            self._told[kept.run] += len(part)
            *lines, self._half[kept.run] = (self._half[kept.run] + part).split(b"\n")
            for line in lines:
                self.say(shown_line(line))

    def finish(self) -> None:
        for run, half in self._half.items():
            if half:
                self.say(shown_line(half))
                self._half[run] = b""


def heading(kept: Kept) -> str:
    at = datetime.fromtimestamp(kept.began, UTC)
    return f"gitops: {kept.check}/{kept.name} on {kept.head[:7]}, {at:%Y-%m-%d %H:%M:%S} UTC"


def shown_line(line: bytes) -> str:
    """Whatever a command writes was chosen by who proposed it: no terminal is steered by it."""
    return "  " + escape(line.removesuffix(b"\r").decode("utf-8", "surrogateescape").replace("\t", "    "))


def tell_log(sitting: Sitting, record: ChangeRecord, say: Callable[[str], object], follow: bool) -> bool:
    """Tell the logs, then how each command stands; whether all have passed.

    With `follow` only once nothing runs any more, or the longest time that a command may take is over.
    """
    teller = Teller(sitting, record.number, say)
    teller.go_on()
    deadline = time.monotonic() + sitting.server.limits.command_seconds
    while follow and _goes_on(sitting, record) and time.monotonic() < deadline:
        tip = record.tip
        for _ in range(round(_SOON / _PAUSE)):
            teller.go_on()
            time.sleep(_PAUSE)
            record = sitting.record.change(record.number) or record
            if record.tip != tip:
                break
    teller.go_on()
    teller.finish()
    return _tell_end(brought_up(sitting), record, say)


def _goes_on(sitting: Sitting, record: ChangeRecord) -> bool:
    sitting.record.sync()
    return look_at(brought_up(sitting), record).running


def _tell_end(sitting: Sitting, record: ChangeRecord, say: Callable[[str], object]) -> bool:
    if record.state is not ChangeState.OPEN:
        say(f"gitops: change {record.number} is {record.state.value}")
        return record.state is ChangeState.LANDED
    lines = state_lines(sitting, record)
    for line in lines or ["the policy asks for no command here"]:
        say(f"gitops: {escape(line)}")
    return look_at(sitting, record).passed


def facts(sitting: Sitting, record: ChangeRecord) -> dict[str, object]:
    """Everything for programs: how each command stands, all results that are recorded, and the logs as texts."""
    logs = {
        f"{kept.check}/{kept.name}": {"run": kept.run, "head": kept.head, "tree": kept.tree, "running": kept.running}
        | {"log": _text(sitting, record.number, kept)}
        for kept in kept_runs(sitting.state, record.number)
    }
    now = [
        {"check": verdict.check, "name": one.command.name, "state": one.state.value, "tree": verdict.tree}
        | {"detail": one.detail, "event": one.event}
        for verdict, one in look_at(sitting, record).awaited
    ]
    return {"number": record.number, "commands": now, "results": result_facts(record), "logs": logs}


def _text(sitting: Sitting, number: int, kept: Kept) -> str:
    found = read_log(log_path(sitting.state, number, kept.check, kept.name), 0, sitting.server.limits.command_log)
    return found.decode("utf-8", "replace")


def result_facts(record: ChangeRecord) -> list[dict[str, object]]:
    """What the record says of the runs of a change."""
    return [
        {"check": r.check, "name": r.name, "state": r.state.value, "head": r.head, "tree": r.tree}
        | {"seconds": r.seconds, "detail": r.detail, "event": r.event}
        for r in record.results
    ]
