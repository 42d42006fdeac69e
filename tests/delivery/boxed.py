"""Deployments that need no host: a deployer of ours in its real box, with what it is granted."""

import itertools
import select
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from gitops_hooks.edge.launch import RunningDeployment
from gitops_hooks.model.approved_plan import ApprovedPlan
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import Deployment, Outcome, Progress, Step
from gitops_hooks.model.drift import Drift
from gitops_hooks.model.plan_found import Plan
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.server import Limits, PluginLists
from tests.delivery.conftest import run_name

_Found = TypeVar("_Found", Drift, Plan)
_SECONDS = 180.0
_NUMBERS = itertools.count(1)


@dataclass(slots=True)
class Boxed:
    """One environment; `tree` is what is deployed next, a program where its text is a pair with its mode."""

    environment: Environment
    plugin: str
    tree: dict[str, str | tuple[int, str]]
    granted: Credentials = field(default_factory=lambda: Credentials(network=False))
    limits: Limits = field(default_factory=lambda: Limits(deploy_seconds=60.0))
    approved: ApprovedPlan | None = None
    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def start(self, look: bool = False, plan: bool = False) -> Iterator[RunningDeployment]:
        number = next(_NUMBERS)
        deployment = Deployment(
            "r1", self.environment, "c" * 40, number, run_name(number), look=look, plan=plan, approved=self.approved
        )
        running = RunningDeployment.start(
            deployment,
            self.granted,
            self._files(),
            limits=self.limits,
            plugins=PluginLists(trusted=(self.plugin,)),
        )
        try:
            yield running
        finally:
            running.close()

    def deploy(self) -> Outcome:
        self.steps.clear()
        with self.start() as running:
            return self.follow(running)

    def look(self) -> Drift:
        """What a look finds."""
        with self.start(look=True) as running:
            return next(self._found(running, Drift), None) or Drift(detail=self._end(running))

    def plan(self) -> Plan:
        """What a plan of this tree says."""
        with self.start(look=True, plan=True) as running:
            return next(self._found(running, Plan), None) or Plan(detail=self._end(running))

    def _found(self, running: RunningDeployment, kind: type[_Found]) -> Iterator[_Found]:
        deadline = time.monotonic() + _SECONDS
        while running.outcome is None and time.monotonic() < deadline:
            select.select([running], [], [], 0.2)
            yield from (word for word in running.read() if isinstance(word, kind))

    def _end(self, running: RunningDeployment) -> str:
        return running.outcome.detail if running.outcome else "no end"

    def follow(self, running: RunningDeployment) -> Outcome:
        """Listen to the end, and keep what is done."""
        self.listen(running, lambda: False)
        assert running.outcome is not None, "the deployment did not end"
        return running.outcome

    def listen(self, running: RunningDeployment, enough: Callable[[], bool]) -> None:
        """Listen until that holds, or to the end."""
        deadline = time.monotonic() + _SECONDS
        while running.outcome is None and not enough() and time.monotonic() < deadline:
            select.select([running], [], [], 0.2)
            self.steps += [step for word in running.read() if isinstance(word, Progress) for step in word.steps]

    def _files(self) -> Iterator[tuple[str, int, bytes]]:
        for path, content in self.tree.items():
            mode, text = content if isinstance(content, tuple) else (0o100644, content)
            yield path, mode, text.encode()


def environment(deployer: str, **keys: object) -> Environment:
    return Environment("staging", "refs/heads/main", deployer, "", "", None, "policy.yaml:9", **keys)


def lay(folder: Path, files: Mapping[str, str]) -> dict[str, Path]:
    """Files that are granted, readable by their owner alone."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    return {name: folder / name for name in files}


def without_time(outcome: Outcome) -> Outcome:
    return Outcome(outcome.state, outcome.hosts, 0.0, outcome.detail)
