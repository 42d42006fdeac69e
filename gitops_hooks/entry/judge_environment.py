"""Verbs on environments, judged: who may, and whether there is anything for the verb to do."""

from datetime import datetime

from gitops_hooks.core.decide import fails, holds
from gitops_hooks.core.gates import judge_after, judge_windows
from gitops_hooks.core.govern import govern
from gitops_hooks.core.plan import Held, Settled
from gitops_hooks.edge.ledger import SERVER
from gitops_hooks.edge.stopping import read_stop
from gitops_hooks.entry.aim import Aim, find_upstreams, take_aim, without_soak
from gitops_hooks.entry.rolling_back import find_good, find_skipped
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.entry.wording import refusal_judgement
from gitops_hooks.model.environment_event import Canceled, Paused, Resumed, RolledBack
from gitops_hooks.model.event import Event, Requested, Started
from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.judgement import Judgement, Operated
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.push import NO_OID, Actor, RefUpdate
from gitops_hooks.model.request import EnvironmentVerb, Operate, Refusal
from gitops_hooks.model.verdict import Decision, Requirement

Answer = Operated | Refusal

_NOTHING_TO_CANCEL = ("canceled", "suspended")


def judge_operate(sitting: Sitting, actor: Actor, update: RefUpdate, request: Operate) -> Judgement:
    """The whole answer to a verb on an environment; the administrator (SERVER) may operate all of them."""
    environment = find_environment(sitting, request.environment)
    if isinstance(environment, Refusal):
        return refusal_judgement(update, environment)
    right = judge_right(sitting, environment, actor)
    if not right.holds:
        return Judgement(update, Decision(update.ref, (right,)), None)
    answer = _ask(sitting, environment, request)
    if isinstance(answer, Refusal):
        return refusal_judgement(update, answer)
    return Judgement(update, Decision(update.ref, (right,)), answer)


def find_environment(sitting: Sitting, name: str) -> Environment | Refusal:
    """The environment of this name in the policy in force."""
    found = sitting.policy.environment(name)
    if found:
        return found
    names = " ".join(environment.name for environment in sitting.policy.environments) or "none"
    return Refusal("environment", f"There is no environment '{name}'; the policy has: {names}")


def judge_right(sitting: Sitting, environment: Environment, actor: Actor) -> Requirement:
    """Whoever `operate` names; without it, whoever may land on the environment's branch."""
    if actor == SERVER:
        return holds("operate")
    if environment.operate is not None:
        allowed, place = sitting.policy.allows(environment.operate, actor.name), environment.place
    else:
        governing = govern(sitting.policy, environment.branch)
        requirement = governing.may("land", actor.name) if governing else None
        allowed, place = bool(requirement and requirement.holds), requirement.place if requirement else ""
    if allowed:
        return holds("operate")
    return fails("operate", f"{actor.name} may not operate {environment.name}.", place)


def _ask(sitting: Sitting, environment: Environment, request: Operate) -> Answer:
    aim = take_aim(sitting, environment)
    verb = request.verb
    if verb is EnvironmentVerb.ROLLBACK:
        return _rollback(sitting, environment, request, aim)
    if request.commit not in (NO_OID, *_meant(verb, aim)):
        at = f"{aim.desired[:12]}, and {environment.branch} at {aim.standing.recorded[:12]}"
        words = f"{request.commit[:12]} is not what {environment.name} is about: it is meant to be at {at}."
        return Refusal("commit", words, f"Without a commit:  git push origin :refs/{verb.value}/{environment.name}")
    match verb:
        case EnvironmentVerb.DEPLOY:
            return _deploy(sitting, environment, request, aim)
        case EnvironmentVerb.PAUSE:
            body = Paused(Word(environment.name), Text(request.message))
            return Operated(environment.name, body, f"{environment.name} paused", after="; what runs goes on")
        case EnvironmentVerb.RESUME:
            return _resume(environment, request, aim)
        case EnvironmentVerb.CANCEL:
            return _cancel(environment, request, aim)


def _meant(verb: EnvironmentVerb, aim: Aim) -> tuple[str, ...]:
    """The commits by which somebody may name the environment as it is; only the tip can be deployed."""
    if verb is EnvironmentVerb.DEPLOY:
        return (aim.standing.recorded,)
    return (aim.standing.recorded, aim.desired, _commit_of(aim.log.started))


def _commit_of(event: Event | None) -> str:
    return event.body.commit if event and isinstance(event.body, Started) else NO_OID


def _untrusted(environment: Environment, aim: Aim) -> Refusal | None:
    if aim.standing.trusted and aim.standing.real != NO_OID:
        return None
    return Refusal("record", f"{environment.branch} does not stand where the record says; nothing is deployed.")


def _deploy(sitting: Sitting, environment: Environment, request: Operate, aim: Aim) -> Answer:
    """The branch's tip, now: it ends a rollback, and passes no gate but `manual`, and windows where the policy says."""
    if refusal := _untrusted(environment, aim) or _closed(sitting, environment, aim):
        return refusal
    now = sitting.ledger.clock()
    outside = _outside(environment, now)
    if outside and not environment.gates.manual_sync:
        cure = f"It begins by itself then; manual_sync: true would let it begin now ({environment.place})."
        return Refusal(outside.gate, f"{environment.name} {outside.reason}.", cure)
    tip = aim.standing.recorded
    skips = (Word(outside.gate),) if outside else ()
    tree = Oid(sitting.repository.tree_of(tip))
    body = Requested(Word(environment.name), Oid(tip), Text(request.message), skips, tree)
    past = f", outside its {'windows' if outside.gate == 'windows' else 'freeze'}" if outside else ""
    return Operated(environment.name, body, f"deployment of {tip[:7]} to {environment.name} requested", tip, past)


def _outside(environment: Environment, now: datetime) -> Held | None:
    return judge_windows(environment.gates, now)


def _closed(sitting: Sitting, environment: Environment, aim: Aim) -> Refusal | None:
    """What a request does not pass."""
    name = environment.name
    if stop := read_stop(sitting.home):
        return Refusal("stopped", f"All deployments are stopped {stop.words}.", "The administrator:  env start")
    if environment.gates.paused:
        return Refusal("paused", f"{name} is paused by the policy: {environment.gates.paused} ({environment.place}).")
    if aim.log.paused:
        cure = f"First:  ssh <host> env resume {name}"
        return Refusal("paused", f"{name} is paused by {aim.log.paused.stamp.actor}.", cure)
    # What comes before is asked about the tip, whatever was rolled back to.
    upstreams = find_upstreams(sitting, environment, aim.standing.recorded)
    gates = without_soak(sitting, environment, aim.standing.recorded).gates
    held = judge_after(gates, upstreams, sitting.ledger.clock())
    if held:
        return Refusal(held.gate, f"{name} {held.reason}.", f"The rule:  {environment.place}")
    return None


def _resume(environment: Environment, request: Operate, aim: Aim) -> Answer:
    name = environment.name
    if aim.log.paused is None and aim.log.pinned is None:
        by = f" by people; the policy pauses it ({environment.place})" if environment.gates.paused else ""
        return Refusal("resume", f"{name} is neither paused nor rolled back{by}.")
    pin = aim.log.pinned.body if aim.log.pinned else None
    if aim.log.paused is None and isinstance(pin, RolledBack) and pin.failed:
        cure = f"Land something else; or try it again as it is:  ssh <host> env deploy {name}"
        return Refusal("resume", f"{name} was rolled back by the server from {pin.left[:12]}, which failed here.", cure)
    return Operated(name, Resumed(Word(name), Text(request.message)), f"{name} resumed")


def _cancel(environment: Environment, request: Operate, aim: Aim) -> Answer:
    """The run under way, or what would begin next."""
    name, started = environment.name, aim.log.started
    running = started is not None and aim.log.finished is None
    if started is not None and running:
        commit, generation = _commit_of(started), started.stamp.number
    elif isinstance(aim.step, Settled) or (isinstance(aim.step, Held) and aim.step.gate in _NOTHING_TO_CANCEL):
        return Refusal("cancel", f"Nothing runs in {name}, and nothing is about to.")
    else:
        commit, generation = aim.desired, 0
    if request.commit not in (NO_OID, commit):
        return Refusal("cancel", f"What runs or is to begin in {name} is {commit[:12]}, not {request.commit[:12]}.")
    body = Canceled(Word(name), Oid(commit), generation, Text(request.message))
    what = f"deployment {generation} of {commit[:7]}" if generation else f"what was to begin, {commit[:7]},"
    return Operated(name, body, f"{name}: {what} canceled", commit if generation else "")


def _rollback(sitting: Sitting, environment: Environment, request: Operate, aim: Aim) -> Answer:
    """It goes at once: what it brings was live here, and Healthy. The stop and the policy's pause alone hold it."""
    name = environment.name
    if refusal := _untrusted(environment, aim):
        return refusal
    if stop := read_stop(sitting.home):
        return Refusal("stopped", f"All deployments are stopped {stop.words}.", "The administrator:  env start")
    if environment.gates.paused:
        return Refusal("paused", f"{name} is paused by the policy: {environment.gates.paused} ({environment.place}).")
    good = find_good(sitting, environment, aim, request.commit)
    if isinstance(good, Refusal):
        return good
    skips = find_skipped(environment, aim.log, sitting.ledger.clock())
    oids = (Oid(good.commit), Oid(good.record), Oid(aim.desired), Oid(aim.standing.recorded))
    tree = Oid(sitting.repository.tree_of(aim.desired))
    body = RolledBack(Word(name), *oids, tuple(Word(word) for word in skips), Text(request.message), tree)
    past = f", past its gates ({', '.join(skips)})" if skips else ""
    return Operated(name, body, f"{name} rolled back to {good.commit[:7]}", good.commit, past)
