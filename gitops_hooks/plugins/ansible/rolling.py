"""One rollout: batch after batch of ready hosts, each a run of its own under the one fence, until one is bad."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gitops_hooks.plugin import Deployment, HostOutcome, Outcome, Progress, Workplace, listed
from gitops_hooks.plugins.ansible.batches import put_together, stop_reason
from gitops_hooks.plugins.ansible.events import Listener
from gitops_hooks.plugins.ansible.health import Clinic, examine
from gitops_hooks.plugins.ansible.outcome import judge
from gitops_hooks.plugins.ansible.pinned import Pinned, Route, pin_routes
from gitops_hooks.plugins.ansible.preflight import Ready
from gitops_hooks.plugins.ansible.run import run_playbook


@dataclass(frozen=True, slots=True)
class Site:
    """Where a rollout runs, how its hosts are reached, and when it has to end; `deadline` is of the monotonic clock."""

    deployment: Deployment
    workplace: Workplace
    pinned: Pinned
    routes: tuple[Route, ...]
    listener: Listener
    canceled: Callable[[], bool]
    deadline: float
    ready: Mapping[str, Ready]

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
    rollout = site.deployment.environment.rollout
    batches = rollout.cut(tuple(site.ready))
    ends: list[Outcome] = []
    stopped = ""
    for number, batch in enumerate(batches, 1):
        if len(batches) > 1:
            site.listener.say(Progress(task=f"batch {number} of {len(batches)}: {listed(batch)}"))
        ends.append(examine(_run(site, batch), rollout.health, _clinic(site)))
        if stopped := stop_reason(ends[-1], rollout):
            break
    site.listener.flush()
    return Ends(tuple(ends), len(batches), stopped)


def _clinic(site: Site) -> Clinic:
    def play(playbook: str, hosts: Sequence[str], seconds: float) -> Outcome:
        return _run(site, hosts, playbook, seconds)

    return Clinic(site.ready, site.workplace, site.listener, play, site.canceled, lambda: site.left)


def _run(site: Site, batch: Sequence[str], playbook: str = "", seconds: float = math.inf) -> Outcome:
    # The names by which routes are known are made anew, so that what a host said in one batch sets none in the next.
    pin_routes(site.pinned, site.routes, batch, site.workplace.connect_timeout)
    left = dataclasses.replace(site.workplace, run_timeout=min(site.left, seconds))
    status = "canceled" if site.canceled() else "timeout" if left.run_timeout <= 0 else ""
    status = status or run_playbook(site.deployment, left, site.pinned, site.listener, site.canceled, playbook)
    return judge(batch, site.listener.next_record(), status, min(site.workplace.run_timeout, seconds))
