"""A verb on an environment, carried out: one event in its log, and the reconciler is rung."""

from gitops_hooks.core.pktline import Report
from gitops_hooks.core.report import refused
from gitops_hooks.edge.bell import ensure_reconciler, ring
from gitops_hooks.edge.handoff import Said
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.edge.locks import hold
from gitops_hooks.edge.terminal import tell
from gitops_hooks.entry.caller import Caller
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.done import Done
from gitops_hooks.entry.follow import follow, watch_verb
from gitops_hooks.entry.judge_environment import judge_operate
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.event import Event
from gitops_hooks.model.judgement import Operated
from gitops_hooks.model.push import NO_OID, Actor, Push, RefUpdate
from gitops_hooks.model.request import EnvironmentVerb, Operate, Refusal

_LOCK_SECONDS = 30.0


def operate(sitting: Sitting, actor: Actor, update: RefUpdate, effect: Operated) -> Done:
    """By push: what follows is told as after a landing, once the lock is free."""
    event = _write(sitting, actor, effect)
    verb = update.ref.split("/")[1]
    said = Said(verb, effect.environment, effect.follow, event.stamp.number) if effect.follow else None
    return Done(Report(update.ref, True), operated=said)


def _write(sitting: Sitting, actor: Actor, effect: Operated) -> Event:
    event = sitting.ledger.log(environment_ref(effect.environment, "log"), effect.body, actor)
    tell([f"gitops: {effect.words} by {actor.name}{effect.after}"])
    # The event is the whole act: who is not rung finds it at the next look.
    ensure_reconciler(sitting.home)
    ring(sitting.home)
    return event


def say_operation(
    caller: Caller, sitting: Sitting, verb: EnvironmentVerb, name: str, commit: str, message: str
) -> bool | Refusal:
    """By a word, over SSH or on the server's shell: the same judge; whether the run that follows ended well."""
    actor = caller.actor or SERVER
    if caller.actor and not sitting.entry.may_write(actor.name):
        return Refusal("write", f"you may read '{sitting.entry.name}' but not push to it")
    update = RefUpdate(NO_OID, commit or NO_OID, f"refs/{verb.value}/{name}")
    request = Operate(verb, name, update.new, message)
    with hold(sitting.state, update.ref, _LOCK_SECONDS):
        judgement = judge_operate(sitting, actor, update, request)
        options = (f"reason={message}",) if message else ()
        sitting.plugins.decided(Push(sitting.entry.id, actor, (update,), options), judgement.decision)
        effect = judgement.effect
        if not isinstance(effect, Operated):
            tell(refused(judgement.decision))
            return Refusal(update.ref, "")
        event = _write(sitting, actor, effect)
    if not effect.follow:
        return True
    watched = watch_verb(verb, name, effect.follow, event.stamp.number)
    well = follow(sitting, [watched], sitting.server.limits.follow_seconds, tell)
    return well or verb is EnvironmentVerb.CANCEL
