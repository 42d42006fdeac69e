"""Whether a deployment failed for what it deployed: what the server then rolls back from, and does not try again."""

from gitops_hooks.core.log_state import PINNED, LogState
from gitops_hooks.model.deployment import HostOutcome, HostState, RunState
from gitops_hooks.model.event import Finished, Started
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.rollout import Rollout


def to_roll_back(environment: Environment, log: LogState) -> Finished | None:
    """The newest end, where it is to be rolled back from: nobody has said anything since, and it was no way back."""
    began = log.started.body if log.started else None
    end = log.finished.body if log.finished else None
    if not isinstance(began, Started) or not isinstance(end, Finished) or not environment.rolls_back:
        return None
    if log.requested or log.canceled or PINNED in began.carries:
        return None
    return end if is_own_fault(end, environment.rollout) else None


def is_own_fault(end: Finished, rollout: Rollout) -> bool:
    """Whether hosts failed on which it was begun, and more of a batch than may; without hosts, the deployer's word.

    Hosts that cannot be reached are nobody's fault, nor is an error on the server, nor what somebody ended.
    """
    if end.state is not RunState.FAILED:
        return False
    if not end.hosts:
        return True
    if not any(host.state is HostState.FAILED and not host.untouched for host in end.hosts):
        return False
    return any(_is_bad(batch, rollout) for batch in _batches(end.hosts, rollout))


def _batches(hosts: tuple[HostOutcome, ...], rollout: Rollout) -> tuple[tuple[HostOutcome, ...], ...]:
    """As the rollout cut them: who was set aside before the first task is in none."""
    ready = tuple(host for host in hosts if not host.untouched or host.state is HostState.SKIPPED)
    return rollout.cut(ready)


def _is_bad(batch: tuple[HostOutcome, ...], rollout: Rollout) -> bool:
    begun = any(not host.untouched for host in batch)
    bad = sum(not host.state.is_good for host in batch)
    return begun and rollout.max_failed.exceeded(bad, len(batch))
