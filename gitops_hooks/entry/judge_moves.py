"""Moves of a governed branch that are no landing: created, deleted, or forced away from its history."""

from gitops_hooks.core.decide import fails, holds, judge_moved
from gitops_hooks.core.govern import Governing, govern
from gitops_hooks.core.rehearse import rehearse_right
from gitops_hooks.entry.matter import Matter, weigh
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.entry.wording import refuse
from gitops_hooks.model.commit import Merged, Range
from gitops_hooks.model.judgement import Judgement, Land
from gitops_hooks.model.push import NO_OID, Actor, RefUpdate
from gitops_hooks.model.record import Standing
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import Decision


def judge_create(
    sitting: Sitting, actor: Actor, update: RefUpdate, governing: Governing, standing: Standing
) -> Judgement:
    """A new governed ref needs the create right and begins at a tip that the record knows."""
    known = any(tip.tip == update.new and govern(sitting.policy, tip.ref) for tip in sitting.record.index.tips())
    reason = f"{update.new[:12]} is not the recorded tip of any protected branch; begin at one."
    at = sitting.ledger.clock().replace(microsecond=0)
    asked = judge_moved(governing, "create", actor.name, at)
    on_trial = rehearse_right(sitting.policy, update.ref, "create", actor.name)
    requirements = (*asked, holds("tip") if known else fails("tip", reason), *on_trial)
    decision = Decision(update.ref, requirements)
    span = Range(standing.real, update.new, update.new, ())
    merged = Merged(sitting.repository.tree_of(update.new), ())
    effect = Land("create", update.ref, span, merged, None, (actor.name,), (), (), (), at)
    return Judgement(update, decision, effect if decision.accepted else None)


def judge_delete(
    sitting: Sitting, actor: Actor, update: RefUpdate, governing: Governing, standing: Standing
) -> Judgement:
    """A governed branch goes by the delete right, and the default branch never."""
    if update.ref == sitting.default.ref:
        return refuse(update, "delete", f"{update.ref} is the default branch, which is never deleted.")
    at = sitting.ledger.clock().replace(microsecond=0)
    on_trial = rehearse_right(sitting.policy, update.ref, "delete", actor.name)
    requirements = (*judge_moved(governing, "delete", actor.name, at), *on_trial)
    decision = Decision(update.ref, requirements)
    span = Range(standing.real, NO_OID, NO_OID, ())
    effect = Land("delete", update.ref, span, Merged(NO_OID, ()), None, (actor.name,), (), (), (), at)
    return Judgement(update, decision, effect if decision.accepted else None)


def gather_forced(
    sitting: Sitting, governing: Governing, standing: Standing, head: str, pushers: frozenset[str]
) -> Matter | Refusal:
    """What a move to `head` brings: every commit that the tip does not have, and the trees of both held together."""
    commits = sitting.repository.between_at_most(standing.real, head)
    if isinstance(commits, Refusal):
        return commits
    span = Range(standing.real, head, NO_OID, commits)
    merged = sitting.repository.replaced(span)
    if isinstance(merged, Refusal):
        return merged
    return weigh(sitting, governing, standing, (span, merged), pushers, None)
