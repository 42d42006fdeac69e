"""How the environments stand that a branch's rules ask about, as a landing records it."""

from gitops_hooks.core.deployed import NONE, SUCCESSFUL
from gitops_hooks.core.govern import matching
from gitops_hooks.core.plan import Deploy
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.event import Finished
from gitops_hooks.model.policy import Environment


def find_deployed(sitting: Sitting, ref: str) -> tuple[str, ...]:
    """`environment:state` for each that a rule of this ref names, those on trial too."""
    names = dict.fromkeys(name for rule in matching(sitting.policy, ref) for name in rule.deployed)
    found = [environment for name in names if (environment := sitting.policy.environment(name))]
    return tuple(f"{environment.name}:{_state(sitting, environment)}" for environment in found)


def _state(sitting: Sitting, environment: Environment) -> str:
    # Most branches ask for nothing of this, and load nothing of what deploys.
    from gitops_hooks.entry.aim import take_aim

    aim = take_aim(sitting, environment)
    if aim.log.started and not aim.log.finished:
        return RunState.RUNNING.value
    end = aim.log.finished.body if aim.log.finished else None
    failed = isinstance(end, Finished) and end.state is not RunState.SUCCESSFUL
    if isinstance(aim.step, Deploy) and not failed:
        # Landed a moment ago: what nobody has begun yet has not arrived either.
        return RunState.PENDING.value
    if not isinstance(end, Finished):
        return NONE
    return SUCCESSFUL if end.state is RunState.SUCCESSFUL else end.state.value
