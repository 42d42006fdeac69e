"""Terraform or OpenTofu as a deployment starts it: its environment, its ends, and an interrupt instead of a kill."""

import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gitops_hooks.plugin import EdgeError
from gitops_hooks.plugins.deployed_program import Ended, Place, run_program

_SHOWN_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Started:
    """One program in one root module; `plan` is where its plan lies, in the deployment's own scratch."""

    program: str
    place: Place
    plan: Path

    @staticmethod
    def limits(deadline: float, canceled: Callable[[], bool]) -> Place:
        """When it has to end; where it runs is not known yet."""
        return Place(Path("/"), {}, deadline, canceled)

    def run(self, words: Sequence[str], hear: Callable[[bytes], object], merged: bool = False) -> Ended:
        """`merged` hears what is written for people, too. Its interrupt lets it store its state and unlock it."""
        place = replace(self.place, merged=merged)
        return run_program([self.program, *words], place, hear, _interrupt)

    def show(self, plan: Path | None = None) -> Mapping[str, Any]:
        """The state, or a plan, as JSON. Errors: EdgeError where it is not told."""
        parts: list[bytes] = []
        ended = self.run(["show", "-json", "-no-color", *([str(plan)] if plan else [])], parts.append)
        if ended.stopped or ended.status or sum(map(len, parts)) > _SHOWN_LIMIT:
            raise EdgeError(self.program, "does not show its state")
        try:
            found = json.loads(b"".join(parts))
        except ValueError:
            raise EdgeError(self.program, "shows a state that is no JSON") from None
        return found if isinstance(found, dict) else {}


def _interrupt(pid: int, _: int) -> None:
    # The program alone: providers that are interrupted too could not finish what they have begun.
    os.kill(pid, signal.SIGINT)
