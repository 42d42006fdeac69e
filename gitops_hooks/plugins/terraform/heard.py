"""What Terraform says while it runs, one JSON object a line → steps, counts and faults; no value is ever told."""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gitops_hooks.plugin import HostState, Progress, Say, Step
from gitops_hooks.plugins.granted import one_line

_TOLD_EVERY = 0.2
_ALIVE_EVERY = 5.0
_FAULT_LIMIT = 700
_MOST_FAULTS = 10
_MOST_STEPS = 10_000
_ADVICE = re.compile(r"\S+ acquires a state lock.*", re.DOTALL)
_NO_CHANGE = ("read", "noop")
_ENDS = {"apply_complete": HostState.CHANGED, "apply_errored": HostState.FAILED}
WITHHELD = "the rest is withheld, since it may carry a sensitive value"


@dataclass(frozen=True, slots=True)
class Fault:
    """One error: what it is, more of it, the resource, and where it stands (`main.tf:3`, from the module)."""

    summary: str
    detail: str
    address: str
    place: str

    def __str__(self) -> str:
        return f"{self.summary}: {self.detail}" if self.detail else self.summary


@dataclass(slots=True)
class Heard:
    """What was kept of one run."""

    changed: int = 0
    faults: list[Fault] = field(default_factory=list)
    planned: list[str] = field(default_factory=list)


class Listening:
    """Tells what happens to the resources of one module while it happens."""

    def __init__(self, module: str, say: Say, hide: Callable[[str], str]) -> None:
        self._module = module
        self._tell = say
        self._hide = hide
        self._began = self._said = time.monotonic()
        self._task = ""
        self._steps: list[Step] = []
        self._left = _MOST_STEPS

    def say(self, task: str) -> None:
        self._task = task
        self._flush()

    def hear(self, heard: Heard) -> Callable[[bytes], None]:
        """What takes the lines of one run; whatever is no JSON is nothing that was meant for us."""

        def take(line: bytes) -> None:
            try:
                said = json.loads(line) if line else None
            except ValueError:
                said = None
            quiet = time.monotonic() - self._said
            if isinstance(said, dict):
                self._take(said, heard)
            # A resource that takes long is no silence: Terraform says that it goes on, and so does this.
            if (self._steps and quiet >= _TOLD_EVERY) or (said and quiet >= _ALIVE_EVERY):
                self._flush()

        return take

    def _take(self, said: Mapping[str, Any], heard: Heard) -> None:
        kind = said.get("type")
        if kind == "diagnostic" and _mapping(said.get("diagnostic")).get("severity") == "error":
            heard.faults.append(_fault(_mapping(said.get("diagnostic"))))
        elif kind == "planned_change" and (words := self._planned(said)):
            heard.planned.append(words)
        elif kind == "change_summary":
            self._add(HostState.OK, _summary(_mapping(said.get("changes"))))
        elif kind == "apply_start":
            self._task = self._named(said)
        elif kind in _ENDS and _action(said) not in _NO_CHANGE:
            heard.changed += kind == "apply_complete"
            self._add(_ENDS[kind], self._named(said))

    def _planned(self, said: Mapping[str, Any]) -> str:
        change = _mapping(said.get("change"))
        action = str(change.get("action", ""))
        address = _mapping(change.get("resource")).get("addr", "?")
        return "" if action in _NO_CHANGE else self._hide(one_line(f"{action} {address}"))[:300]

    def _named(self, said: Mapping[str, Any]) -> str:
        resource = _mapping(_mapping(said.get("hook")).get("resource"))
        return self._hide(one_line(f"{_action(said)} {resource.get('addr', '?')}"))[:300]

    def _add(self, state: HostState, task: str, place: str = "", detail: str = "") -> None:
        self._left -= 1
        if self._left >= 0:
            at = round(time.monotonic() - self._began, 2)
            self._steps.append(Step(at, self._module, state, task, place, detail))

    def _flush(self) -> None:
        steps, self._steps = tuple(self._steps), []
        self._said = time.monotonic()
        self._tell(Progress(task=self._task, steps=steps))

    def tell_faults(self, heard: Heard, hide: Callable[[str], str] | None) -> str:
        """A step for each fault; answers the first. Without `hide` their details may carry anything, and stay away."""
        told = ""
        for fault in heard.faults[:_MOST_FAULTS]:
            if hide is None:
                text = self._hide(one_line(fault.summary)) + (f"; {WITHHELD}" if fault.detail else "")
            else:
                text = hide(one_line(str(fault)))
            text = text[:_FAULT_LIMIT]
            place = self._place(fault)
            self._add(HostState.FAILED, self._hide(fault.address), place, text)
            told = told or (f"{place}: {text}" if place else text)
        self._flush()
        return told

    def _place(self, fault: Fault) -> str:
        inside = fault.place and self._module != "."
        return f"{self._module}/{fault.place}" if inside else fault.place


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _action(said: Mapping[str, Any]) -> str:
    return str(_mapping(said.get("hook")).get("action", ""))


def _summary(changes: Mapping[str, Any]) -> str:
    counts = [int(changes.get(name) or 0) for name in ("add", "change", "remove")]
    done = changes.get("operation") != "plan"
    words = ("added", "changed", "destroyed") if done else ("to add", "to change", "to destroy")
    numbers = ", ".join(f"{count} {word}" for count, word in zip(counts, words, strict=True))
    return f"{'applied' if done else 'planned'}: {numbers}"


def _fault(found: Mapping[str, Any]) -> Fault:
    stands = _mapping(found.get("range"))
    line = _mapping(stands.get("start")).get("line")
    place = f"{stands.get('filename')}:{line}" if stands.get("filename") and line else ""
    # What follows is the same advice each time, and that to do without a lock is a bad one.
    detail = _ADVICE.sub("", str(found.get("detail") or ""))
    return Fault(str(found.get("summary") or "failed"), detail, str(found.get("address") or ""), one_line(place)[:300])
