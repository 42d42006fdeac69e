"""How what is there differs from a module, deployed or not: a plan that is thrown away; no value is ever told."""

from dataclasses import dataclass

from gitops_hooks.plugin import (
    Deployment,
    Difference,
    Drift,
    HostDrift,
    HostPlan,
    Plan,
    Progress,
    Prospect,
    Say,
    Sync,
    Workplace,
)
from gitops_hooks.plugins.deployed_program import Ended, last_moment, listen_for_term
from gitops_hooks.plugins.granted import hider, read_variables
from gitops_hooks.plugins.terraform.heard import Heard, Listening
from gitops_hooks.plugins.terraform.laid import Refusal, lay_module
from gitops_hooks.plugins.terraform.secret_values import hide_values
from gitops_hooks.plugins.terraform.started import Started

_MOST, _MOST_PLANNED = 20, 500
_SAME, _CHANGES = 0, 2
# It reads, and is killed as soon as a deployment is due: a lock that it held in a remote backend would stay
# there, and hold up every deployment until somebody takes it away.
_WORDS = ("plan", "-input=false", "-no-color", "-json", "-lock=false", "-detailed-exitcode")


def look(deployment: Deployment, workplace: Workplace, say: Say) -> Drift:
    """How it differs. Errors: EdgeError where what is granted or installed cannot be used."""
    module = deployment.environment.module
    found = _plan(module, workplace, say)
    if isinstance(found, str):
        return Drift(detail=found)
    if found.why:
        return Drift((HostDrift(module, Sync.UNKNOWN, detail=found.why),))
    told = _told(found, _MOST)
    sync = Sync.OUT if found.planned else Sync.SYNCED
    return Drift((HostDrift(module, sync, told, len(found.planned) - len(told)),))


def plan(deployment: Deployment, workplace: Workplace, say: Say) -> Plan:
    """What a change would do. Errors: as look."""
    module = deployment.environment.module
    found = _plan(module, workplace, say)
    if isinstance(found, str):
        return Plan(detail=found)
    if found.why:
        return Plan((HostPlan(module, Prospect.UNKNOWN, detail=found.why),))
    told = _told(found, _MOST_PLANNED)
    prospect = Prospect.CHANGES if found.planned else Prospect.UNCHANGED
    # No value is told, so that every difference stands for what exactly this tree would do.
    return Plan((HostPlan(module, prospect, told, len(found.planned) - len(told), len(told)),))


@dataclass(frozen=True, slots=True)
class _Planned:
    """What a plan would change, or why that is not known."""

    planned: tuple[str, ...] = ()
    why: str = ""


def _plan(module: str, workplace: Workplace, say: Say) -> _Planned | str:
    """One plan that nobody keeps; a text where the module cannot even be made ready."""
    canceled, deadline = listen_for_term(), last_moment(workplace.run_timeout)
    variables = read_variables(workplace.credentials)
    say(Progress(hosts=(module,), task="init"))
    try:
        started = lay_module(module, workplace, variables, Started.limits(deadline, canceled))
    except Refusal as refusal:
        return str(refusal)
    listening, heard = Listening(module, say, hider(workplace.credentials, variables.values())), Heard()
    listening.say("plan")
    ended = started.run([*_WORDS, f"-out={started.plan}"], listening.hear(heard))
    hide = None if ended.stopped else hide_values(started, workplace, variables.values(), heard)
    return _judge(ended, heard, listening.tell_faults(heard, hide))


def _judge(ended: Ended, heard: Heard, fault: str) -> _Planned:
    if ended.stopped or heard.faults or ended.status not in (_SAME, _CHANGES):
        early = f"ended early ({ended.stopped})" if ended.stopped else f"plan ended with {ended.status}"
        return _Planned(why=fault or early)
    # Where no resource would change, it is what the module puts out.
    return _Planned(tuple(heard.planned or ["update outputs"]) if ended.status == _CHANGES else ())


def _told(found: _Planned, most: int) -> tuple[Difference, ...]:
    return tuple(Difference("", words) for words in found.planned[:most])
