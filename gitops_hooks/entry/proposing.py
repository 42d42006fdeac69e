"""One proposed head, judged: a new change, a revision, or something new said about a change whose head stays."""

from dataclasses import replace

from gitops_hooks.core.decide import fails, judge_proposal
from gitops_hooks.core.life import DRAFT
from gitops_hooks.core.override import judge_break_glass, override_findings, refuse_bot
from gitops_hooks.core.rehearse import rehearse
from gitops_hooks.core.verdict_words import verdict_words
from gitops_hooks.entry.matter import Matter, judge_policy, run_checks
from gitops_hooks.entry.noting import find_notes
from gitops_hooks.entry.sitting import Checker, Sitting
from gitops_hooks.entry.stacking import Ground
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.judgement import Edit, Judgement, Life, Revise, Unchanged
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import NO_OID, Actor, RefUpdate
from gitops_hooks.model.request import Propose
from gitops_hooks.model.verdict import Decision, Requirement, Status, Verdict


@dataclass(frozen=True, slots=True)
class Asked:
    """A proposal with what was found out about it."""

    request: Propose
    topic: str
    change_id: str
    ground: Ground


def judge_head(
    sitting: Sitting, actor: Actor, update: RefUpdate, asked: Asked, matter: Matter, check: Checker
) -> Judgement:
    """Whether it may be proposed, and what follows; whether it may land is asked when it lands."""
    requirements = (
        *judge_proposal(matter.case, actor.name),
        *judge_policy(sitting, matter),
        *_judge_auto_land(matter, asked.request, actor),
        *_judge_names(sitting, asked.request),
        *((judge_break_glass(matter.case, actor.name), *refuse_bot(actor)) if asked.request.plea else ()),
    )
    requirements += rehearse(lambda case: judge_proposal(case, actor.name), matter.case, requirements)
    verdicts = run_checks(sitting, matter, check)
    if asked.request.plea:
        verdicts = override_findings(matter.case, actor.name, verdicts)
    decision = Decision(update.ref, requirements, verdicts)
    if not decision.accepted:
        return Judgement(update, decision, None)
    life = _life(matter.record, asked)
    needs = tuple(each for each in matter.case.missing if each.rule != DRAFT.rule) + ((DRAFT,) if life.draft else ())
    same = matter.record and _same_head(matter.record, matter.span.head, life)
    effect: Revise | Edit | Unchanged = _revision(matter, asked, life, verdicts, needs)
    if matter.record and same:
        effect = _said(matter.record, actor, asked.request, life, needs)
    return Judgement(update, decision, replace(effect, notes=find_notes(sitting, matter, check)))


def _judge_auto_land(matter: Matter, request: Propose, actor: Actor) -> tuple[Requirement, ...]:
    return (matter.case.governing.may("land", actor.name),) if request.auto_land else ()


def _judge_names(sitting: Sitting, request: Propose) -> tuple[Requirement, ...]:
    """Whoever is asked must be somebody, and able to look."""
    names = dict.fromkeys((*request.reviewers, *request.cc))
    strange = [name for name in names if name not in sitting.people.names or not sitting.entry.may_read(name)]
    return tuple(
        fails("reviewer", f"The server knows nobody by the name {name} who may read this.") for name in strange
    )


def _life(record: ChangeRecord | None, asked: Asked) -> Life:
    request = asked.request
    draft, reviewers, cc = (record.draft, record.reviewers, record.cc) if record else (False, (), ())
    return Life(
        draft if request.draft is None else request.draft,
        tuple(dict.fromkeys((*reviewers, *request.reviewers))),
        tuple(dict.fromkeys((*cc, *request.cc))),
        asked.ground.depends,
        asked.ground.commit or NO_OID,
    )


def _same_head(record: ChangeRecord, head: str, life: Life) -> bool:
    """Whether nothing of the commits is new: what a change stands on is a matter of its commits too."""
    newest = record.head
    return (newest.head, newest.depends, newest.ground) == (head, life.depends, life.ground)


def _said(
    record: ChangeRecord, actor: Actor, request: Propose, life: Life, needs: tuple[Requirement, ...]
) -> Edit | Unchanged:
    title, description = request.title or record.title, request.description or record.description
    # Whoever asked before may have left, or may not land any more: then it is this one's wish that holds.
    wish = (record.head.auto_land_by, record.head.auto_land_key)
    auto_land = request.auto_land and wish != (actor.name, actor.key)
    now = (title, description, life.draft, life.reviewers, life.cc)
    before = (record.title, record.description, record.draft, record.reviewers, record.cc)
    if now == before and not auto_land:
        return Unchanged(record, needs)
    return Edit(record, title, description, life, auto_land, needs)


def _revision(
    matter: Matter, asked: Asked, life: Life, verdicts: tuple[Verdict, ...], needs: tuple[Requirement, ...]
) -> Revise:
    record, request = matter.record, asked.request
    own = matter.span.commits[0].title[:200]
    kept = record.title if record and not request.stack else own
    return Revise(
        record,
        matter.standing.ref,
        asked.topic,
        request.title or kept,
        request.description,
        asked.change_id,
        matter.span,
        request.auto_land,
        verdict_words(verdicts),
        needs,
        life,
        request.plea if any(verdict.waived is Status.OVERRIDDEN for verdict in verdicts) else "",
    )
