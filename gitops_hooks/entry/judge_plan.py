"""`refs/plan/<n>`: may this be planned? By the judge of landings, with everything that a landing needs but the plan."""

from dataclasses import replace

from gitops_hooks.core.decide import fails, holds, judge_landing
from gitops_hooks.entry.judge_environment import judge_right
from gitops_hooks.entry.matter import Matter, judge_policy, run_checks_to_land
from gitops_hooks.entry.planned import (
    CREDENTIAL_CURE,
    Concerned,
    credential_words,
    find_concerned,
    without_credential,
)
from gitops_hooks.entry.sitting import Checker, Sitting
from gitops_hooks.entry.wording import refuse
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.change_plan import WAIVED_PLAN
from gitops_hooks.model.judgement import AskPlan, Judgement
from gitops_hooks.model.push import Actor, RefUpdate
from gitops_hooks.model.request import Act
from gitops_hooks.model.verdict import Decision, Requirement, Verdict

_SHORTEST = 12


def judge_plan_asked(
    sitting: Sitting, actor: Actor, update: RefUpdate, request: Act, matter: Matter, check: Checker
) -> Judgement:
    """Somebody who operates what it touches, or may land it, asks for a plan of the head."""
    record = matter.record
    concerned = find_concerned(sitting, matter.standing.ref, matter.span, matter.merged)
    if record is None or not concerned:
        return refuse(
            update, "plan", "It touches no environment whose hosts the server sees, so there is nothing to plan."
        )
    if missing := without_credential(sitting, concerned):
        return refuse(update, "plan", credential_words(missing), CREDENTIAL_CURE)
    right = _may_ask(sitting, matter, concerned, actor)
    requirements, verdicts = judge_ready(sitting, matter, check) if right.holds else ((), ())
    decision = Decision(update.ref, (right, *requirements), verdicts)
    names = tuple(one.environment.name for one in concerned)
    return Judgement(update, decision, AskPlan(record, names, request.message) if decision.accepted else None)


def _may_ask(sitting: Sitting, matter: Matter, concerned: tuple[Concerned, ...], actor: Actor) -> Requirement:
    rights = [judge_right(sitting, one.environment, actor) for one in concerned]
    if matter.case.governing.may("land", actor.name).holds or any(right.holds for right in rights):
        return holds("plan")
    names = ", ".join(one.environment.name for one in concerned)
    return fails("plan", f"{actor.name} may neither land it nor operate {names}.", rights[0].place)


def judge_ready(
    sitting: Sitting, matter: Matter, check: Checker
) -> tuple[tuple[Requirement, ...], tuple[Verdict, ...]]:
    """All that a landing needs but a plan and somebody who lands it; checks are asked last, once the rest holds."""
    waived = replace(matter.case, plan=WAIVED_PLAN)
    asked = (*judge_landing(waived, ""), *judge_policy(sitting, matter))
    found = tuple(requirement for requirement in asked if requirement.rule != "land")
    ready = all(requirement.holds for requirement in found)
    return found, run_checks_to_land(sitting, matter, check) if ready else ()


def judge_said_plan(
    record: ChangeRecord, head: str, bound: tuple[str, ...]
) -> tuple[tuple[Requirement, ...], tuple[str, ...]]:
    """Whether the plan that an approval names (`plan=…`) is the newest of its head; and what else it names."""
    said = [word.partition("=")[2] for word in bound if word.startswith("plan=")]
    rest = tuple(word for word in bound if not word.startswith("plan="))
    made = record.plan_of(head)
    if not said or (made and len(said[0]) >= _SHORTEST and made.digest.startswith(said[0])):
        return (), rest
    newest = f"the newest plan of it is {made.digest[:_SHORTEST]}" if made else "there is no plan of it"
    words = f"{said[0][:64]} is not what would be approved: {newest}."
    return (fails("plan", f"{words}\nLook at it:  ssh <host> change plan {record.number}"),), rest
