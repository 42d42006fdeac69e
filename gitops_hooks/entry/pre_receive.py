"""pre-receive: everything that can be refused is refused here, while the objects are in quarantine."""

import os

from gitops_hooks.core.receive import read_commands, read_options, whole_push
from gitops_hooks.core.report import refused
from gitops_hooks.edge.handoff import hand_on, hand_on_certificate
from gitops_hooks.edge.quota import over_size
from gitops_hooks.edge.terminal import tell
from gitops_hooks.entry.agent_push import judge_agent_push, read_all
from gitops_hooks.entry.checkers import Confined
from gitops_hooks.entry.environment import is_agent
from gitops_hooks.entry.hook import open_hook, push_folder
from gitops_hooks.entry.judge import judge_update
from gitops_hooks.entry.signing import with_certificate
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.entry.wording import refusal_judgement
from gitops_hooks.model.judgement import Judgement
from gitops_hooks.model.push import NO_OID, Push, RefUpdate
from gitops_hooks.model.request import Refusal

_MOST_INPUT = 64 * 1024 * 1024


def main(protocol_in: int, protocol_out: int) -> bool:
    """Judge the whole push: one refused update refuses all."""
    environ = dict(os.environ)
    if is_agent(environ):
        return judge_agent_push(environ, read_all(protocol_in, _MOST_INPUT))
    hook, sitting, actor = open_hook(environ, quarantine=True)
    sitting = with_certificate(sitting, environ)
    limits = sitting.server.limits
    updates = read_commands(read_all(protocol_in, _MOST_INPUT), most=limits.refs)
    options = read_options(environ, limits.options)
    fault = next((f for f in (updates, options) if isinstance(f, Refusal)), None)
    if isinstance(updates, Refusal) or isinstance(options, Refusal):
        return _refuse_whole(fault)
    if fault := whole_push(updates) or over_size(sitting.repository):
        return _refuse_whole(fault)
    checker = Confined(sitting)
    judgements = [judge_update(sitting, actor, update, options, checker) for update in updates]
    _tell_plugins(sitting, Push(sitting.entry.id, actor, updates, options), judgements)
    failed = [judgement for judgement in judgements if not judgement.decision.accepted]
    for judgement in failed:
        tell(refused(judgement.decision))
    if failed:
        return False
    if sitting.certificate:
        hand_on_certificate(push_folder(hook, sitting), sitting.certificate)
    hand_on(push_folder(hook, sitting), updates, options, checker.verdicts, checker.notes)
    return True


def _refuse_whole(fault: Refusal | None) -> bool:
    if fault:
        update = RefUpdate(NO_OID, NO_OID, "the whole push")
        tell(refused(refusal_judgement(update, fault).decision))
    return False


def _tell_plugins(sitting: Sitting, push: Push, judgements: list[Judgement]) -> None:
    for judgement in judgements:
        sitting.plugins.decided(push, judgement.decision)
