"""What happens to objects, as steps of the one host that the folder of manifests stands for."""

import time
from dataclasses import dataclass, field

from gitops_hooks.plugin import HostState, Progress, Say, Step
from gitops_hooks.plugins.granted import WITHHELD
from gitops_hooks.plugins.kubernetes.objects import SECRET, Object

_MOST_STEPS = 5_000


@dataclass(slots=True)
class Telling:
    """An open record of one run."""

    folder: str
    tell: Say
    changed: int = 0
    fault: str = ""
    _began: float = field(default_factory=time.monotonic)
    _left: int = _MOST_STEPS

    def say(self, task: str) -> None:
        """What goes on now."""
        self.tell(Progress(task=task))

    def change(self, verb: str, one: Object) -> None:
        self.changed += 1
        self._add(HostState.CHANGED, f"{verb} {one}")

    def note(self, words: str) -> None:
        self._add(HostState.OK, words)

    def fail(self, one: Object, words: str) -> None:
        """What the cluster says of a Secret may quote what is in it."""
        words = WITHHELD if one.kind == SECRET else words
        self.fault = self.fault or f"{one}: {words}"
        self._add(HostState.FAILED, str(one), words)

    def _add(self, state: HostState, task: str, detail: str = "") -> None:
        self._left -= 1
        if self._left >= 0:
            at = round(time.monotonic() - self._began, 2)
            self.tell(Progress(task=task, steps=(Step(at, self.folder, state, task, "", detail),)))
