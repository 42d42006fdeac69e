"""A run that is to end before it is done: asked first, killed where it does not listen, and recorded as what it was."""

import dataclasses
import time
from collections.abc import Iterable
from dataclasses import field

from gitops_hooks.core.plan import said
from gitops_hooks.edge.launch import RunningDeployment
from gitops_hooks.model.deployment import Outcome, RunState
from gitops_hooks.model.environment_event import Canceled
from gitops_hooks.model.event import Event, Started
from gitops_hooks.model.lazy_dataclass import dataclass

_KILL_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a run is ended, and what it is then."""

    state: RunState
    detail: str


@dataclass(slots=True)
class Watch:
    """When a run spoke last and what of, and whether it was asked to end."""

    heard: float = field(default_factory=time.monotonic)
    task: str = ""
    ending: Ending | None = None
    asked: float = 0.0

    def hear(self, task: str) -> None:
        self.heard, self.task = time.monotonic(), task or self.task

    def silent(self, seconds: float) -> Ending | None:
        """The end of a run that has said nothing for so long."""
        if time.monotonic() - self.heard < seconds:
            return None
        last = f"the last it said was: {self.task}" if self.task else "it never said what it does"
        return Ending(RunState.ERROR, f"said nothing for {seconds:.0f} s and was ended; {last}")

    def due(self, seconds: float) -> float:
        """When (by the monotonic clock) it is to be looked at again, whatever happens."""
        return self.heard + seconds if self.ending is None else self.asked + _KILL_SECONDS

    def press(self, child: RunningDeployment, ending: Ending | None) -> None:
        """Ask the run to end, the first time; kill it where that was long ago."""
        if self.ending is None and ending is not None:
            self.ending, self.asked = ending, time.monotonic()
            child.terminate()
        elif self.ending is not None and time.monotonic() - self.asked > _KILL_SECONDS:
            child.kill()

    def judge(self, outcome: Outcome) -> Outcome:
        """The outcome with the reason why it was ended; what came to its own end all the same stays what it was."""
        if self.ending is None or outcome.state is not RunState.CANCELED:
            return outcome
        return dataclasses.replace(outcome, state=self.ending.state, detail=self.ending.detail)


def find_cancel(newest_first: Iterable[Event]) -> Ending | None:
    """Whether somebody has canceled the newest start of a log."""
    for event in newest_first:
        match event.body:
            case Canceled(message=message):
                return Ending(RunState.CANCELED, f"canceled by {event.stamp.actor}{said(message)}")
            case Started():
                return None
    return None
