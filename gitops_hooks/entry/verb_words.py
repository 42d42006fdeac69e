"""`change approve 12 COMMIT` and the like over SSH: the same judge, lock and write order as the push of a verb."""

import re
import sys

from gitops_hooks.core.report import refused
from gitops_hooks.edge.bell import ensure_reconciler, ring
from gitops_hooks.edge.locks import hold
from gitops_hooks.edge.terminal import tell
from gitops_hooks.entry.awaiting import ring_for_commands
from gitops_hooks.entry.caller import Caller
from gitops_hooks.entry.carry_out import carry_out, lock_name
from gitops_hooks.entry.checkers import Confined, Recalled
from gitops_hooks.entry.done import Done
from gitops_hooks.entry.hook import refuse_open_ways
from gitops_hooks.entry.judge import judge_update
from gitops_hooks.entry.rehearsal import record_rehearsal, tell_rehearsal
from gitops_hooks.entry.settling import settled
from gitops_hooks.entry.sitting import Sitting, find_present, reopened
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.push import NO_OID, Actor, Push, RefUpdate
from gitops_hooks.model.request import Refusal

_LOCK_SECONDS = 30.0
_MOST_BYTES = 16 * 1024
_OID = re.compile("[0-9a-f]{40}")


def read_message() -> str:
    """The reason or comment, bounded like one that is pushed."""
    return sys.stdin.buffer.read(_MOST_BYTES + 1).decode("utf-8", "replace").strip()


def say_verb(caller: Caller, sitting: Sitting, asked: tuple[str, int, str], message: str) -> Done | Refusal:
    """Verb, number and full commit: judged, and carried out where that is accepted; what is to be read was told."""
    verb, number, commit = asked
    actor = caller.actor
    update = RefUpdate(NO_OID, commit, f"refs/{verb}/{number}")
    if actor is None:
        return Refusal("words", "a verb is somebody's own word", f"As yourself:  git push origin COMMIT:{update.ref}")
    if not _OID.fullmatch(commit):
        return Refusal("words", f"{verb} names the whole commit, 40 digits", f"See it:  change show {number}")
    if not sitting.entry.may_write(actor.name):
        return Refusal("write", f"you may read '{sitting.entry.name}' but not push to it")
    refuse_open_ways(sitting)
    options = (f"reason={message}",) if message else ()
    checker = Confined(sitting)
    judgement = judge_update(sitting, actor, update, options, checker)
    sitting.plugins.decided(Push(sitting.entry.id, actor, (update,), options), judgement.decision)
    if not judgement.decision.accepted:
        tell(refused(judgement.decision))
        return Refusal(update.ref, "")
    done = _do(sitting, actor, update, options, Recalled(checker.verdicts))
    if done.landed:
        ensure_reconciler(sitting.home)
        ring(sitting.home)
    else:
        ring_for_commands(sitting)
    return done


def _do(sitting: Sitting, actor: Actor, update: RefUpdate, options: tuple[str, ...], recall: Recalled) -> Done:
    name = lock_name(sitting, update, options)
    with hold(sitting.state, name, _LOCK_SECONDS):
        sitting = settled(reopened(sitting), name)
        refuse_open_ways(sitting)
        if find_present(sitting, actor.name, actor.key) is None:
            raise EdgeError(actor.name, "may not write to this repository any more")
        recall = recall.under(sitting.policy)
        judgement = judge_update(sitting, actor, update, options, recall)
        on_trial = record_rehearsal(sitting, actor, judgement)
        done = carry_out(sitting, actor, judgement, recall)
        tell_rehearsal(on_trial)
        return done
