"""How what is there differs from a module, deployed or not: a plan that is thrown away; no value is ever told."""

from collections.abc import Sequence

from gitops_hooks.plugin import (
    Deployment,
    Difference,
    Drift,
    HostPlan,
    Plan,
    Progress,
    Prospect,
    Say,
    Workplace,
)
from gitops_hooks.plugins.deployed_program import last_moment, listen_for_term
from gitops_hooks.plugins.granted import hider, read_variables
from gitops_hooks.plugins.looked import drift_of
from gitops_hooks.plugins.terraform.heard import Heard, Listening
from gitops_hooks.plugins.terraform.laid import Refusal, lay_module
from gitops_hooks.plugins.terraform.secret_values import hide_values
from gitops_hooks.plugins.terraform.started import Started

_MOST = 500
_SAME, _CHANGES = 0, 2
# It reads, and is killed as soon as a deployment is due: a lock that it held in a remote backend would stay
# there, and hold up every deployment until somebody takes it away.
_WORDS = ("plan", "-input=false", "-no-color", "-json", "-lock=false", "-detailed-exitcode")


def look(deployment: Deployment, workplace: Workplace, say: Say) -> Drift:
    """How it differs. Errors: EdgeError where what is granted or installed cannot be used."""
    return drift_of(plan(deployment, workplace, say))


def plan(deployment: Deployment, workplace: Workplace, say: Say) -> Plan:
    """What a change would do: one plan that nobody keeps. Errors: as look."""
    module = deployment.environment.module
    canceled, deadline = listen_for_term(), last_moment(workplace.run_timeout)
    variables = read_variables(workplace.credentials)
    say(Progress(hosts=(module,), task="init"))
    try:
        started = lay_module(module, workplace, variables, Started.limits(deadline, canceled))
    except Refusal as refusal:
        return Plan(detail=str(refusal))
    listening, heard = Listening(module, say, hider(workplace.credentials, variables.values())), Heard()
    listening.say("plan")
    ended = started.run([*_WORDS, f"-out={started.plan}"], listening.hear(heard))
    hide = None if ended.stopped else hide_values(started, workplace, variables.values(), heard)
    fault = listening.tell_faults(heard, hide)
    if ended.stopped or heard.faults or ended.status not in (_SAME, _CHANGES):
        early = f"ended early ({ended.stopped})" if ended.stopped else f"plan ended with {ended.status}"
        return Plan((HostPlan(module, Prospect.UNKNOWN, detail=fault or early),))
    return plan_of(module, changes_of(heard) if ended.status == _CHANGES else ())


def plan_of(module: str, planned: Sequence[str]) -> Plan:
    """What was found, as a plan."""
    told = tuple(Difference("", words) for words in planned[:_MOST])
    prospect = Prospect.CHANGES if planned else Prospect.UNCHANGED
    # No value is told, so that every difference stands for what exactly this tree would do.
    return Plan((HostPlan(module, prospect, told, len(planned) - len(told), len(told)),))


def changes_of(heard: Heard) -> tuple[str, ...]:
    """All that would change; where no resource would, it is what the module puts out."""
    return tuple(heard.planned or ["update outputs"])
