"""What happens in a run, kept from ansible-runner's events while they come: only what judging and telling need."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitops_hooks.plugin import HostState, Progress, Say, Step

# What the fence and our ssh programs say, word for word; Ansible's guesses around it are dropped.
_OURS = re.compile(
    r"gitops-hooks: (nothing runs here but on hosts of the inventory|[\w.-]+ is not ready in this run|"
    r"this host belongs to run [\w.-]* now, and run [\w.-]+ is over|"
    r"the lock of this host is held or missing; another run takes the host)"
)
_SAYING = ("msg", "reason", "stderr", "module_stderr", "module_stdout")
_TOLD_EVERY = 0.1
_NAME_LIMIT = 200
_TEXT_LIMIT = 500
_MOST_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Trouble:
    """One task that went wrong on one host: where it stands, what it is called, and what it said.

    `refused` says that our own fence ended it, and not the host.
    """

    place: str
    task: str
    message: str
    refused: bool = False

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.task}: {self.message}" if self.task else f"{where}{self.message}"


@dataclass(slots=True)
class Record:
    """Everything that was kept of one run; `stats` is None until Ansible has summed up."""

    stats: Mapping[str, Mapping[str, int]] | None = None
    failed: dict[str, Trouble] = field(default_factory=dict)
    lost: dict[str, Trouble] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    fault: str = ""
    complaint: str = ""


class Listener:
    """Takes events; never raises, since ansible-runner swallows some errors and dies of others."""

    def __init__(self, project: Path, say: Say, withhold: Callable[[str], str]) -> None:
        """`withhold` answers the text that may be shown instead of a message, empty for the message itself."""
        self.record = Record()
        self._project = f"{project}/"
        self.say = say
        self._withhold = withhold
        self._began = time.monotonic()
        self._told = 0.0
        self._begun = 0.0
        self._task = ""
        self._steps: list[Step] = []

    def next_record(self) -> Record:
        """What was kept so far; what comes now is kept anew."""
        self.flush()
        kept, self.record = self.record, Record()
        return kept

    def note(self, host: str, state: HostState, task: str, detail: str) -> None:
        """What somebody beside Ansible found out about a host, in words that may be shown."""
        self._steps.append(Step(round(time.monotonic() - self._began, 2), host, state, task, "", detail))

    def take(self, event: dict[str, object]) -> bool:
        """False: nothing of the event is to be written to disk."""
        try:
            self._take(str(event.get("event")), mapping(event.get("event_data")), str(event.get("stdout", "")))
        except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
            self.record.fault = f"an event of Ansible could not be read ({type(error).__name__})"
        return False

    def _take(self, kind: str, event: Mapping[str, object], stdout: str) -> None:
        host = str(event.get("host", ""))
        if kind == "playbook_on_task_start":
            self._begin(self._name(event) or self._place(event))
        elif kind == "playbook_on_stats":
            self.record.stats = {name: _counts(event.get(name)) for name in _STATS}
        elif kind in ("error", "verbose") and "ERROR" in stdout:
            self.record.complaint = self.shown(stdout)
        elif kind in ("runner_on_ok", "runner_on_failed", "runner_on_skipped", "runner_on_unreachable"):
            self._take_result(kind, host, event)
            self._tell()

    def flush(self) -> None:
        """Tell what was not told yet: nothing else comes."""
        self._tell_now()

    def _take_result(self, kind: str, host: str, event: Mapping[str, object]) -> None:
        result = mapping(event.get("res"))
        self.record.touched.add(host)
        self.record.lost.pop(host, None)
        state, detail = _STATES[kind], ""
        if kind in ("runner_on_unreachable", "runner_on_failed"):
            trouble = self._trouble(event, result)
            detail = trouble.message
            if kind == "runner_on_unreachable":
                self.record.lost[host] = trouble
            elif event.get("ignore_errors"):
                detail = f"ignored: {detail}"
            else:
                self.record.failed[host] = trouble
        elif kind == "runner_on_ok" and result.get("changed") is True:
            self.record.changed[host] = self.record.changed.get(host, 0) + 1
            state = HostState.CHANGED
        at = round(time.monotonic() - self._began, 2)
        self._steps.append(Step(at, host, state, self._name(event), self._place(event), detail))

    def _begin(self, task: str) -> None:
        """A task that begins is told however shortly before a result was: it may be long until anything follows."""
        self._task = task
        now = time.monotonic()
        if now - self._begun >= _TOLD_EVERY:
            self._begun = now
            self._tell_now()

    def _tell(self) -> None:
        if time.monotonic() - self._told >= _TOLD_EVERY or len(self._steps) >= _MOST_STEPS:
            self._tell_now()

    def _tell_now(self) -> None:
        self._told = time.monotonic()
        steps, self._steps = tuple(self._steps), []
        self.say(Progress(task=self._task, steps=steps))

    def _trouble(self, event: Mapping[str, object], result: Mapping[str, object]) -> Trouble:
        place, name = self._place(event), self._name(event)
        if refused := _refusal(result):
            return Trouble(place, name, refused, refused=True)
        return Trouble(place, name, self._message(result))

    def _place(self, event: Mapping[str, object]) -> str:
        return str(event.get("task_path") or "").removeprefix(self._project)

    def _name(self, event: Mapping[str, object]) -> str:
        """The task's name, if it stands in its file as it is: a name made from variables may carry a value."""
        name = _one_line(str(event.get("name") or event.get("task") or ""))[:_NAME_LIMIT]
        path = Path(str(event.get("task_path") or "").rpartition(":")[0])
        if not self._withhold(name):
            return name
        try:
            return name if name in path.read_text(encoding="utf-8") else ""
        except (OSError, ValueError):
            return ""

    def _message(self, result: Mapping[str, object]) -> str:
        if "censored" in result or result.get("_ansible_no_log"):
            return "its output is withheld (no_log)"
        if not result:
            return "its result was too large to be shown"
        return self.shown(_words(result))

    def shown(self, message: str) -> str:
        """What may be shown of what a host or Ansible said."""
        message = _one_line(message.replace(self._project, ""))
        return self._withhold(message) or message[:_TEXT_LIMIT]


_STATES = {
    "runner_on_ok": HostState.OK,
    "runner_on_failed": HostState.FAILED,
    "runner_on_skipped": HostState.SKIPPED,
    "runner_on_unreachable": HostState.UNREACHABLE,
}
_STATS = ("ok", "changed", "dark", "failures", "processed", "skipped", "rescued", "ignored")


def _counts(found: object) -> Mapping[str, int]:
    return {str(host): int(str(count)) for host, count in mapping(found).items()}


def mapping(found: object) -> Mapping[str, object]:
    """What was found, where it is a mapping."""
    return found if isinstance(found, dict) else {}


def _words(result: Mapping[str, object]) -> str:
    """What a person reads first: the message, then what the command or the module's start wrote."""
    items = [item for item in listed(result.get("results")) if item.get("failed") or item.get("unreachable")]
    if items:
        return _words(items[0])
    parts = [result.get(name) for name in _SAYING]
    said = [str(part).strip() for part in parts if part and str(part).strip()]
    return " | ".join(dict.fromkeys(said)) or "no reason given"


def _refusal(result: Mapping[str, object]) -> str:
    found = (_OURS.search(str(result.get(name, ""))) for name in _SAYING)
    return next((match[1] for match in found if match), "")


def listed(found: object) -> list[Mapping[str, object]]:
    """What was found as mappings, where it is a list."""
    return [mapping(item) for item in found] if isinstance(found, list) else []


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
