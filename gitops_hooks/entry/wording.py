"""Refusals and decisions turned into each other's shape."""

from gitops_hooks.core.decide import fails
from gitops_hooks.model.judgement import Judgement
from gitops_hooks.model.push import RefUpdate
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import Decision


def refusal_judgement(update: RefUpdate, refusal: Refusal) -> Judgement:
    """A refusal as the answer to one update."""
    advice = (refusal.cure,) if refusal.cure else ()
    return Judgement(update, Decision(update.ref, (fails(refusal.rule, refusal.reason),), advice=advice), None)


def refuse(update: RefUpdate, rule: str, reason: str, cure: str = "") -> Judgement:
    return refusal_judgement(update, Refusal(rule, reason, cure))
