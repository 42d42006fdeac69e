"""proc-receive: takes the branch's lock, judges again, records, moves, and reports to git what was done."""

import os
import time
from contextlib import suppress

from gitops_hooks.core.pktline import Conversation, Report, encode_report
from gitops_hooks.edge.disk import needing_room
from gitops_hooks.edge.handoff import Followed, note_followed, take_certificate, take_over
from gitops_hooks.edge.hooks_folder import lay_last
from gitops_hooks.edge.locks import hold
from gitops_hooks.entry.awaiting import ring_for_commands
from gitops_hooks.entry.carry_out import carry_out, lock_name
from gitops_hooks.entry.checkers import Recalled
from gitops_hooks.entry.done import Done
from gitops_hooks.entry.hook import open_hook, push_folder
from gitops_hooks.entry.judge import judge_update
from gitops_hooks.entry.rehearsal import record_rehearsal, tell_rehearsal
from gitops_hooks.entry.settling import settled
from gitops_hooks.entry.signing import certificate_words, with_certificate
from gitops_hooks.entry.sitting import Sitting, find_actor, reopened
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.push import Actor, RefUpdate

_LOCK_SECONDS = 30.0
# In a queue that takes longer, whoever may push or approve may have been removed.
_MOMENT = 0.1


def main(protocol_in: int, protocol_out: int) -> bool:
    """Answer git's proc-receive protocol; each update is done or refused on its own."""
    hook, sitting, actor = open_hook(os.environ, quarantine=False)
    limits = sitting.server.limits
    conversation = _converse(protocol_in, protocol_out, limits.refs, limits.options)
    updates, options = conversation.commands, conversation.options
    folder = push_folder(hook, sitting)
    oid, nonce = take_certificate(folder)
    sitting = with_certificate(sitting, certificate_words(oid, nonce))
    recall = Recalled(*take_over(folder, updates, options))
    done = [_do(sitting, actor, update, options, recall) for update in updates]
    ring_for_commands(sitting)
    landed = tuple(ref for one in done for ref in one.landed)
    followed = Followed(landed, tuple(one.operated for one in done if one.operated))
    if followed != Followed():
        # Without it the reconciler looks a little later; the push is done all the same.
        with suppress(OSError):
            note_followed(folder, followed)
            lay_last(folder / "hooks")
    _write_all(protocol_out, encode_report([one.report for one in done]))
    return True


def _converse(protocol_in: int, protocol_out: int, refs: int, options: int) -> Conversation:
    conversation = Conversation(most_refs=refs, most_options=options)
    while not conversation.done_reading:
        conversation.feed(os.read(protocol_in, 1 << 16))
        _write_all(protocol_out, conversation.outgoing())
    if conversation.refusal:
        raise EdgeError("git's proc-receive protocol", conversation.refusal.reason)
    return conversation


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _do(sitting: Sitting, actor: Actor, update: RefUpdate, options: tuple[str, ...], recall: Recalled) -> Done:
    try:
        name, began = lock_name(sitting, update, options), time.monotonic()
        with needing_room(), hold(sitting.state, name, _LOCK_SECONDS):
            if time.monotonic() - began > _MOMENT:
                sitting = reopened(sitting)
                actor = find_actor(sitting, os.environ)
            sitting = settled(sitting, name)
            recall = recall.under(sitting.policy)
            judgement = judge_update(sitting, actor, update, options, recall)
            on_trial = record_rehearsal(sitting, actor, judgement)
            done = carry_out(sitting, actor, judgement, recall)
            tell_rehearsal(on_trial)
            return done
    except EdgeError as error:
        return Done(Report(update.ref, False, str(error)))
