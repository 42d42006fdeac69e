"""Whether a deployment would visit more hosts than the policy lets one visit that nobody asked for."""

from collections.abc import Callable

from gitops_hooks.core.limit import Limit
from gitops_hooks.core.log_state import LogState
from gitops_hooks.core.plan import Deploy, Held, Next, is_asked
from gitops_hooks.model.event import Finished
from gitops_hooks.model.policy import Environment


def hold_mass(step: Next, environment: Environment, log: LogState, find: Callable[[], Limit]) -> Next:
    """The same step, or that it waits for somebody; `find` is asked only where that decides.

    Asked for once, a commit is tried until it is there. A rollback was asked for, too.
    """
    most = environment.rollout.max_changed
    if most is None or not isinstance(step, Deploy) or log.pinned is not None or is_asked(step.commit, log):
        return step
    end = log.finished.body if log.finished else None
    if isinstance(end, Finished) and end.commit == step.commit:
        return step
    limit = find()
    if limit.hosts is None:
        # How many there are is not known where the inventory is none that can be counted.
        over, words = most.of(100) < 100 or not most.percent, "all hosts"
    else:
        count, all_of_them = len(limit.hosts), len(limit.hosts) + limit.left
        over, words = most.exceeded(count, all_of_them), f"{count} of {all_of_them} hosts"
    if not over:
        return step
    why = f"would visit {words} ({limit.reason}), and max_changed is {most}"
    return Held("max_changed", f"{why}; somebody asks for it: env deploy {environment.name}")
