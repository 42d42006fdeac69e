"""The deployer `terraform`: plans to a file, and applies exactly that; a plan that is stale by then is made again.

The root module stands for a host; what becomes of its resources are steps.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from gitops_hooks.plugin import (
    Deployer,
    Deployment,
    HostOutcome,
    HostState,
    Outcome,
    Progress,
    RunState,
    Say,
    Workplace,
    hookimpl,
    plan_fault,
)
from gitops_hooks.plugins.deployed_program import Ended, last_moment, listen_for_term
from gitops_hooks.plugins.granted import hider, read_variables
from gitops_hooks.plugins.terraform.heard import Heard, Listening
from gitops_hooks.plugins.terraform.laid import Refusal, lay_module
from gitops_hooks.plugins.terraform.look import changes_of, look, plan, plan_of
from gitops_hooks.plugins.terraform.secret_values import hide_values
from gitops_hooks.plugins.terraform.started import Started

_LOCK_SECONDS = 60.0
_STALE = "Saved plan is stale"
_PLANS = 3
_CHANGES = 2


@hookimpl
def gitops_deployers() -> Iterable[Deployer]:
    words = "plans a root module of Terraform or OpenTofu, and applies exactly that plan"
    return (Deployer("terraform", words, deploy, drift=look, plan=plan),)


def deploy(deployment: Deployment, workplace: Workplace, say: Say) -> Outcome:
    """Errors: EdgeError where what is granted or installed cannot be used."""
    canceled, deadline = listen_for_term(), last_moment(workplace.run_timeout)
    variables = read_variables(workplace.credentials)
    module = deployment.environment.module
    say(Progress(hosts=(module,), task="init"))
    try:
        started = lay_module(module, workplace, variables, Started.limits(deadline, canceled))
    except Refusal as refusal:
        return Outcome(RunState.ERROR, (), detail=str(refusal))
    listening = Listening(module, say, hider(workplace.credentials, variables.values()))

    def refuse(heard: Heard) -> str:
        return plan_fault(deployment.approved, plan_of(module, changes_of(heard)))

    try:
        ended, heard, applying = _bring(started, listening, _lock(workplace.run_timeout), refuse)
    except Unapproved as why:
        host = HostOutcome(module, HostState.FAILED, 0, str(why), untouched=True)
        return Outcome(RunState.FAILED, (host,), detail=f"failed: {module}")
    hide = None if ended.stopped else hide_values(started, workplace, variables.values(), heard)
    outcome = _judge(module, ended, heard, listening.tell_faults(heard, hide), workplace.run_timeout)
    if applying or outcome.state is RunState.SUCCESSFUL:
        return outcome
    # A plan changes nothing: who holds the state, or a text that cannot be read, is no reason to go back.
    return replace(outcome, hosts=tuple(replace(one, untouched=True) for one in outcome.hosts))


class Unapproved(Exception):
    """What was planned is not what was approved; the words say so."""


def _lock(limit: float) -> str:
    """Whoever holds the state is waited for, but not until the time of the run is up."""
    return f"-lock-timeout={max(1, round(min(_LOCK_SECONDS, limit / 4)))}s"


def _bring(
    started: Started, listening: Listening, lock: str, refuse: Callable[[Heard], str]
) -> tuple[Ended, Heard, bool]:
    """Plan and apply, and whether it came to that; a plan that somebody else has overtaken is made again.

    Errors: Unapproved, before anything is applied.
    """
    for _ in range(_PLANS):
        listening.say("plan")
        planned = Heard()
        words = ["plan", "-input=false", "-no-color", "-json", lock, "-detailed-exitcode", f"-out={started.plan}"]
        ended = started.run(words, listening.hear(planned))
        if ended.stopped or ended.status != _CHANGES:
            return ended, planned, False
        if why := refuse(planned):
            raise Unapproved(why)
        listening.say("apply")
        applied = Heard()
        words = ["apply", "-input=false", "-no-color", "-json", lock, str(started.plan)]
        ended = started.run(words, listening.hear(applied))
        if not any(fault.summary == _STALE for fault in applied.faults):
            break
    return ended, applied, True


def _judge(module: str, ended: Ended, heard: Heard, fault: str, limit: float) -> Outcome:
    good = not ended.stopped and not heard.faults and ended.status == 0
    if good:
        state = HostState.CHANGED if heard.changed else HostState.OK
        return Outcome(RunState.SUCCESSFUL, (HostOutcome(module, state, heard.changed),))
    why = fault or f"ended with {ended.status} and gave no reason"
    hosts = (HostOutcome(module, HostState.FAILED, heard.changed, why),)
    if ended.stopped == "canceled":
        return Outcome(
            RunState.CANCELED, hosts, detail="ended on request; deploy again to bring the module to one state"
        )
    if ended.stopped == "timeout":
        words = f"did not end within {limit:.0f} s; raise deploy_seconds in server.toml, or split the module"
        return Outcome(RunState.FAILED, hosts, detail=words)
    return Outcome(RunState.FAILED, hosts, detail=f"failed: {module}")
