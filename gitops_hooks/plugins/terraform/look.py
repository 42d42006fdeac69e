"""How what is there differs from the module that was deployed: a plan that is thrown away; no value is ever told."""

from gitops_hooks.plugin import Deployment, Difference, Drift, HostDrift, Progress, Say, Sync, Workplace
from gitops_hooks.plugins.deployed_program import Ended, last_moment, listen_for_term
from gitops_hooks.plugins.granted import hider, read_variables
from gitops_hooks.plugins.terraform.heard import Heard, Listening
from gitops_hooks.plugins.terraform.laid import Refusal, lay_module
from gitops_hooks.plugins.terraform.secret_values import hide_values
from gitops_hooks.plugins.terraform.started import Started

_MOST = 20
_SAME, _CHANGES = 0, 2
# A look reads, and is killed as soon as a deployment is due: a lock that it held in a remote backend would stay
# there, and hold up every deployment until somebody takes it away.
_WORDS = ("plan", "-input=false", "-no-color", "-json", "-lock=false", "-detailed-exitcode")


def look(deployment: Deployment, workplace: Workplace, say: Say) -> Drift:
    """Errors: EdgeError where what is granted or installed cannot be used."""
    canceled, deadline = listen_for_term(), last_moment(workplace.run_timeout)
    variables = read_variables(workplace.credentials)
    module = deployment.environment.module
    say(Progress(hosts=(module,), task="init"))
    try:
        started = lay_module(module, workplace, variables, Started.limits(deadline, canceled))
    except Refusal as refusal:
        return Drift(detail=str(refusal))
    listening, heard = Listening(module, say, hider(workplace.credentials, variables.values())), Heard()
    listening.say("plan")
    ended = started.run([*_WORDS, f"-out={started.plan}"], listening.hear(heard))
    hide = None if ended.stopped else hide_values(started, workplace, variables.values(), heard)
    return Drift((_judge(module, ended, heard, listening.tell_faults(heard, hide)),))


def _judge(module: str, ended: Ended, heard: Heard, fault: str) -> HostDrift:
    if ended.stopped or heard.faults or ended.status not in (_SAME, _CHANGES):
        why = fault or (f"ended early ({ended.stopped})" if ended.stopped else f"plan ended with {ended.status}")
        return HostDrift(module, Sync.UNKNOWN, detail=why)
    if ended.status == _SAME:
        return HostDrift(module, Sync.SYNCED)
    # Where no resource would change, it is what the module puts out.
    planned = heard.planned or ["update outputs"]
    told = tuple(Difference("", words) for words in planned[:_MOST])
    return HostDrift(module, Sync.OUT, told, len(planned) - len(told))
