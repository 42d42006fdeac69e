"""May these ref updates happen? The one way to judge, in pre-receive and again under the lock in proc-receive."""

from gitops_hooks.core.decide import (
    fails,
    holds,
    judge_forced_push,
    judge_landing,
    judge_standing,
    judge_unapproved_push,
)
from gitops_hooks.core.govern import Governing, govern
from gitops_hooks.core.magic import parse_request
from gitops_hooks.entry.conclude import Asking, conclude
from gitops_hooks.entry.judge_change import judge_act, judge_proposal_request
from gitops_hooks.entry.judge_moves import gather_forced, judge_create, judge_delete
from gitops_hooks.entry.judge_tags import judge_tag_update
from gitops_hooks.entry.matter import Matter, gather
from gitops_hooks.entry.rehearsal import judge_open
from gitops_hooks.entry.sitting import Checker, Sitting
from gitops_hooks.entry.wording import refusal_judgement, refuse
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.commit import Shape
from gitops_hooks.model.judgement import FallThrough, Judgement
from gitops_hooks.model.push import Actor, RefUpdate
from gitops_hooks.model.record import Standing
from gitops_hooks.model.request import Act, Direct, Operate, Propose, Refusal
from gitops_hooks.model.verdict import Decision, Requirement


def judge_update(
    sitting: Sitting, actor: Actor, update: RefUpdate, options: tuple[str, ...], check: Checker
) -> Judgement:
    """The whole answer to one ref update."""
    request = parse_request(update, options)
    match request:
        case Refusal():
            return refusal_judgement(update, request)
        case Propose():
            return judge_proposal_request(sitting, actor, update, request, check)
        case Act():
            return judge_act(sitting, actor, update, request, check)
        case Operate():
            from gitops_hooks.entry.judge_environment import judge_operate

            return judge_operate(sitting, actor, update, request)
        case Direct() if update.ref.startswith("refs/tags/"):
            return judge_tag_update(sitting, actor, update)
        case Direct():
            return _judge_direct(sitting, actor, request, check)


def _judge_direct(sitting: Sitting, actor: Actor, request: Direct, check: Checker) -> Judgement:
    update = request.update
    governing = govern(sitting.policy, update.ref)
    if governing is None:
        # Who may write was asked before; a ref without a rule is git's own affair.
        decision = judge_open(sitting, actor, update, check)
        return Judgement(update, decision, FallThrough() if decision.accepted else None)
    standing = sitting.record.standing(update.ref)
    first = _judge_move(sitting, update, governing, standing)
    if first is not None:
        return _answer(update, (first,))
    if update.deletes:
        return judge_delete(sitting, actor, update, governing, standing)
    if update.creates:
        return judge_create(sitting, actor, update, governing, standing)
    if not sitting.repository.descends(update.new, standing.real):
        return _judge_forced(sitting, actor, update, governing, standing, check)
    bare = gather(sitting, governing, standing, update.new, frozenset({actor.name}), None)
    if isinstance(bare, Refusal):
        return refusal_judgement(update, bare)
    return _judge_forward(sitting, actor, request, bare, check)


def _judge_move(sitting: Sitting, update: RefUpdate, governing: Governing, standing: Standing) -> Requirement | None:
    """What no right allows on a governed ref, whoever asks."""
    if not (record := judge_standing(standing)).holds:
        return record
    if update.old != standing.real:
        return fails("tip", f"{update.ref} is at {standing.real[:12]}, not at {update.old[:12]}. Fetch and try again.")
    if update.deletes:
        return None
    if not sitting.repository.is_commit(update.new):
        return fails("object", f"{update.new[:12]} is not a commit.")
    by_force = any(rule.force.items for rule in governing.rules)
    if not update.creates and not by_force and not sitting.repository.descends(update.new, standing.real):
        return fails("fast-forward", f"{update.ref} moves to a descendant of its tip only. Fetch, rebase, and propose.")
    return None


def _answer(update: RefUpdate, requirements: tuple[Requirement, ...], advice: tuple[str, ...] = ()) -> Judgement:
    return Judgement(update, Decision(update.ref, requirements, advice=advice), None)


def _judge_forced(
    sitting: Sitting, actor: Actor, update: RefUpdate, governing: Governing, standing: Standing, check: Checker
) -> Judgement:
    """A move away from the branch's history needs the force right, and all that a push without approval needs."""
    matter = gather_forced(sitting, governing, standing, update.new, frozenset({actor.name}))
    if isinstance(matter, Refusal):
        return refusal_judgement(update, matter)
    asking = Asking(actor, "force", lambda case: judge_forced_push(case, actor.name))
    return conclude(sitting, update, matter, asking, check)


def _judge_forward(sitting: Sitting, actor: Actor, request: Direct, bare: Matter, check: Checker) -> Judgement:
    update, branch = request.update, request.update.ref.removeprefix("refs/heads/")
    asking = Asking(actor, "push", lambda case: judge_unapproved_push(case, actor.name))
    requirements = asking.judge(bare.case)
    if all(requirement.holds for requirement in requirements):
        return conclude(sitting, update, bare, asking, check)
    if answer := _judge_approved_head(sitting, actor, request, bare, check):
        return answer
    if request.plea:
        # What is owed afterwards is an approval, and those are given to a change.
        line = f"git push -o break-glass -o reason='…' origin HEAD:refs/for/{branch}"
        reason = "Break-glass lands a change, and no open one has this head."
        return refuse(update, "break-glass", reason, f"Propose it:  {line}")
    if all(requirement.holds for requirement in requirements if requirement.rule == "push"):
        # Whoever may push is told what is wrong with the push; an approval would not mend it.
        return _answer(update, requirements)
    advice = (f"Propose it instead:  git push origin HEAD:refs/for/{branch}",)
    return _answer(update, judge_landing(bare.case, actor.name), advice)


def _judge_approved_head(
    sitting: Sitting, actor: Actor, request: Direct, bare: Matter, check: Checker
) -> Judgement | None:
    """A direct push passes as a fast-forward to the head of a change that may land."""
    update, answer = request.update, None
    for record in _open_changes_at(sitting, update):
        matter = gather(sitting, bare.case.governing, bare.standing, update.new, frozenset(), record)
        if isinstance(matter, Refusal):
            continue
        more = (_judge_direct_landing(update, matter, record),)
        asking = Asking(actor, "change", lambda case: judge_landing(case, actor.name), more, request.plea)
        answer = conclude(sitting, update, matter, asking, check)
        if answer.decision.accepted:
            return answer
    return answer


def _judge_direct_landing(update: RefUpdate, matter: Matter, record: ChangeRecord) -> Requirement:
    """A push to the branch itself moves it to the pushed commit, and so cannot give way to what the server makes."""
    if matter.shape is Shape.ITSELF:
        return holds("land_method")
    line = f"git push origin {update.new}:refs/land/{record.number}"
    made = "merges" if matter.shape is Shape.MERGE else f"a {matter.shape.value} of this"
    return fails("land_method", f"{update.ref} takes {made} by the server only. Land it:\n{line}")


def _open_changes_at(sitting: Sitting, update: RefUpdate) -> list[ChangeRecord]:
    sitting.record.ensure_changes()
    found = [sitting.record.change(number) for number in sitting.record.index.with_head(update.new)]
    return [
        record
        for record in found
        if record
        and record.target == update.ref
        and record.state is ChangeState.OPEN
        and record.revision_at(update.new)
    ]
