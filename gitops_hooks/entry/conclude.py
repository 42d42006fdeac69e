"""The end of judging a landing: rules, break-glass where it is asked for, what is on trial, then the checks."""

from dataclasses import replace

from gitops_hooks.core.override import Terms, overridden, override, override_findings, refuse_bot, terms_of
from gitops_hooks.core.rehearse import Judge, rehearse
from gitops_hooks.entry.matter import Matter, judge_policy, run_checks_to_land
from gitops_hooks.entry.sitting import Checker, Sitting
from gitops_hooks.model.debt import Override
from gitops_hooks.model.judgement import Judgement, Land
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import Actor, RefUpdate
from gitops_hooks.model.verdict import Decision, Requirement


@dataclass(frozen=True, slots=True)
class Asking:
    """A landing that is asked for: by whom, in which way, judged how, and with what plea to break the glass."""

    actor: Actor
    way: str
    judge: Judge
    more: tuple[Requirement, ...] = ()
    plea: str = ""


def conclude(sitting: Sitting, update: RefUpdate, matter: Matter, asking: Asking, check: Checker) -> Judgement:
    """The whole answer to a landing whose matter is gathered."""
    said = (*asking.judge(matter.case), *asking.more, *judge_policy(sitting, matter))
    answers = _plead(matter, asking, said)
    answers += rehearse(asking.judge, matter.case, said)
    held = all(requirement.holds for requirement in answers)
    verdicts = run_checks_to_land(sitting, matter, check) if held else ()
    if asking.plea:
        verdicts = override_findings(matter.case, asking.actor.name, verdicts)
    decision = Decision(update.ref, answers, verdicts)
    effect = _land(matter, asking, decision) if decision.accepted else None
    return Judgement(update, decision, effect)


def _plead(matter: Matter, asking: Asking, said: tuple[Requirement, ...]) -> tuple[Requirement, ...]:
    if not asking.plea:
        return said
    if refused := refuse_bot(asking.actor):
        return (*said, *refused)
    return override(matter.case, asking.actor.name, said)


def _land(matter: Matter, asking: Asking, decision: Decision) -> Land:
    """The landing; one that needed no break-glass after all owes nothing."""
    effect = matter.land(asking.way, decision.verdicts)
    lines = overridden(decision.requirements, decision.verdicts)
    terms = terms_of(matter.case.governing)
    if not lines or not isinstance(terms, Terms):
        return effect
    return replace(effect, override=Override(asking.plea, lines, terms.settle))
