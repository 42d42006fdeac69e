"""One rollout: batch after batch of ready hosts, each a run of its own under the one fence, until one is bad."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitops_hooks.plugin import HostOutcome, Outcome, Progress, listed
from gitops_hooks.plugins.ansible.batches import put_together, stop_reason
from gitops_hooks.plugins.ansible.health import Clinic, examine
from gitops_hooks.plugins.ansible.outcome import judge
from gitops_hooks.plugins.ansible.pinned import Route, pin_routes
from gitops_hooks.plugins.ansible.preflight import Ready
from gitops_hooks.plugins.ansible.run import Rails, Runs


@dataclass(frozen=True, slots=True)
class Site:
    """How a rollout runs, how its hosts are reached, and when it has to end; `deadline` is of the monotonic clock."""

    runs: Runs
    routes: tuple[Route, ...]
    deadline: float
    ready: Mapping[str, Ready]

    @property
    def rails(self) -> Rails:
        """What all its runs have in common."""
        return self.runs.rails

    @property
    def left(self) -> float:
        """The seconds that the run may still take."""
        return self.deadline - time.monotonic()


@dataclass(frozen=True, slots=True)
class Ends:
    """How the batches that were begun ended, how many there are, and why the last one was the last."""

    ends: tuple[Outcome, ...]
    batches: int
    stopped: str

    def put_together(self, intended: Sequence[str], aside: Sequence[HostOutcome]) -> Outcome:
        return put_together(intended, aside, self.ends, self.batches, self.stopped)


def roll_out(site: Site) -> Ends:
    """Run the playbook on the hosts that are ready, in the batches that the policy names.

    Errors: EdgeError where Ansible cannot be run at all.
    """
    rollout, listener = site.rails.deployment.environment.rollout, site.rails.listener
    batches = rollout.cut(tuple(site.ready))
    ends: list[Outcome] = []
    stopped = ""
    for number, batch in enumerate(batches, 1):
        if len(batches) > 1:
            listener.say(Progress(task=f"batch {number} of {len(batches)}: {listed(batch)}"))
        ends.append(examine(_run(site, batch), rollout.health, _clinic(site)))
        if stopped := stop_reason(ends[-1], rollout):
            break
    listener.flush()
    return Ends(tuple(ends), len(batches), stopped)


def _clinic(site: Site) -> Clinic:
    def play(playbook: str, hosts: Sequence[str], seconds: float) -> Outcome:
        return _run(site, hosts, playbook, seconds)

    rails = site.rails
    return Clinic(site.ready, rails.workplace, rails.listener, play, rails.canceled, lambda: site.left)


def _run(site: Site, batch: Sequence[str], playbook: str = "", seconds: float = math.inf) -> Outcome:
    rails = site.rails
    # The names by which routes are known are made anew, so that what a host said in one batch sets none in the next.
    pin_routes(rails.pinned, site.routes, batch, rails.workplace.connect_timeout)
    left = min(site.left, seconds)
    status = "canceled" if rails.canceled() else "timeout" if left <= 0 else site.runs.run(left, playbook)
    return judge(batch, rails.listener.next_record(), status, min(rails.workplace.run_timeout, seconds))
