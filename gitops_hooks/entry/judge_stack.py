"""One push of several commits as a stack: one change a commit, each standing on the one below; all of them or none."""

from collections.abc import Sequence
from dataclasses import replace

from gitops_hooks.core.govern import Governing
from gitops_hooks.entry.choose import change_id_of, no_room, open_on
from gitops_hooks.entry.matter import gather
from gitops_hooks.entry.proposing import Asked, judge_head
from gitops_hooks.entry.sitting import Checker, Sitting
from gitops_hooks.entry.stacking import Ground, choose_ground
from gitops_hooks.entry.wording import refusal_judgement, refuse
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.commit import Commit, Range
from gitops_hooks.model.judgement import Edit, Judgement, Revise, Stack, Unchanged
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import Actor, RefUpdate
from gitops_hooks.model.request import Propose, Refusal
from gitops_hooks.model.verdict import Decision, Requirement

MOST = 50


@dataclass(frozen=True, slots=True)
class _Part:
    """One commit of the stack, the change that it revises (None: a new one), and the commit that it stands on."""

    commit: Commit
    record: ChangeRecord | None
    below: "_Part | None"


def judge_stack(
    sitting: Sitting,
    actor: Actor,
    update: RefUpdate,
    request: Propose,
    place: tuple[Governing, str],
    check: Checker,
) -> Judgement:
    """The answer to the whole stack: what is wrong with any of its commits refuses all of them."""
    governing, topic = place
    span = _stacked(sitting, governing, request.head)
    parts = span if isinstance(span, Refusal) else _parts(sitting, actor, governing.ref, topic, span)
    if isinstance(parts, Refusal):
        return refusal_judgement(update, parts)
    judged: list[Judgement] = []
    for part in parts:
        judgement = _judge_part(sitting, actor, update, (request, governing, topic), part, check)
        judged.append(judgement)
    return _together(update, parts, judged)


def _stacked(sitting: Sitting, governing: Governing, head: str) -> Range | Refusal:
    """The commits of the stack: a line of single parents on the branch."""
    span = sitting.repository.range(sitting.repository.tip(governing.ref), head)
    if isinstance(span, Refusal):
        return span
    if not span.commits:
        return Refusal("nothing", f"{head[:12]} is in {governing.ref} already.")
    if len(span.commits) > MOST:
        return Refusal("stack", f"{len(span.commits)} commits; a stack has at most {MOST}.", "Push a part of them.")
    if merge := next((commit for commit in span.commits if len(commit.parents) != 1), None):
        return Refusal("stack", f"{merge.oid[:7]} is a merge; a stack is a line.", "Rebase, or push without -o stack.")
    return span


def _parts(sitting: Sitting, actor: Actor, target: str, topic: str, span: Range) -> tuple[_Part, ...] | Refusal:
    """Each commit with its change: by Change-Id where it has one, else by being the head of one already."""
    sitting.record.ensure_changes()
    mine = open_on(sitting, actor, target, topic)
    parts: list[_Part] = []
    for commit in reversed(span.commits):
        parts.append(_Part(commit, _change_of(commit, mine), parts[-1] if parts else None))
    if twice := _twice([change_id_of(part.commit) for part in parts]):
        return Refusal("stack", f"Two commits have the Change-Id {twice}.", "Give each its own, or squash them.")
    taken = {part.record.number for part in parts if part.record}
    left = [record for record in mine if record.number not in taken]
    unnamed = [part.commit for part in parts if not part.record and not change_id_of(part.commit)]
    if left and unnamed:
        return _undecided(unnamed, left, target)
    new = sum(part.record is None for part in parts)
    return (no_room(sitting, actor.name, new) if new else None) or tuple(parts)


def _change_of(commit: Commit, mine: Sequence[ChangeRecord]) -> ChangeRecord | None:
    name = change_id_of(commit)
    named = [record for record in mine if name and record.change_id == name]
    return next(iter(named or [record for record in mine if record.head.head == commit.oid]), None)


def _twice(names: Sequence[str]) -> str:
    return next((name for name in names if name and names.count(name) > 1), "")


def _undecided(unnamed: Sequence[Commit], left: Sequence[ChangeRecord], target: str) -> Refusal:
    commits = ", ".join(commit.oid[:7] for commit in unnamed)
    numbers = ", ".join(str(record.number) for record in left)
    branch = target.removeprefix("refs/heads/")
    return Refusal(
        "stack",
        f"{commits} without a Change-Id: new, or a revision of your open change {numbers}?",
        f"New ones:  git push origin HEAD:refs/for/{branch}/<topic> -o stack\n"
        "Revisions:  a line `Change-Id: I…` of 40 hexadecimal digits in each message names its change",
    )


def _judge_part(
    sitting: Sitting,
    actor: Actor,
    update: RefUpdate,
    asked: tuple[Propose, Governing, str],
    part: _Part,
    check: Checker,
) -> Judgement:
    request, governing, topic = asked
    ground = _ground(sitting, part, governing.ref)
    if isinstance(ground, Refusal):
        return refusal_judgement(update, ground)
    standing = sitting.record.standing(governing.ref)
    head = part.commit.oid
    matter = gather(sitting, governing, standing, head, frozenset({actor.name}), part.record, ground)
    if isinstance(matter, Refusal):
        return refusal_judgement(update, matter)
    if not matter.span.commits:
        return refuse(update, "nothing", f"{head[:12]} is in {governing.ref} already.")
    said = Asked(replace(request, head=head), topic, change_id_of(part.commit), ground)
    return judge_head(sitting, actor, update, said, matter, check)


def _ground(sitting: Sitting, part: _Part, target: str) -> Ground | Refusal:
    """The lowest stands on what it stood on; for each other one, its change's number is known once it is written."""
    if part.below is None:
        return choose_ground(sitting, 0, part.record, part.commit.oid, target)
    below = part.below.commit.oid
    return Ground(part.below.record.number if part.below.record else 0, below, below)


def _together(update: RefUpdate, parts: Sequence[_Part], judged: Sequence[Judgement]) -> Judgement:
    requirements = [
        each if each.holds else _of(part.commit, each)
        for part, judgement in zip(parts, judged, strict=True)
        for each in judgement.decision.requirements
    ]
    verdicts = tuple(judgement.decision.verdicts for judgement in judged)
    flat = tuple(dict.fromkeys(verdict for each in verdicts for verdict in each))
    advice = tuple(dict.fromkeys(line for judgement in judged for line in judgement.decision.advice))
    decision = Decision(update.ref, tuple(dict.fromkeys(requirements)), flat, advice)
    effects = tuple(each.effect for each in judged if isinstance(each.effect, Revise | Edit | Unchanged))
    whole = decision.accepted and len(effects) == len(parts)
    return Judgement(update, decision, Stack(effects, verdicts) if whole else None)


def _of(commit: Commit, requirement: Requirement) -> Requirement:
    """Says which commit of the stack it is about."""
    return replace(requirement, reason=f"{commit.oid[:7]} {commit.title[:60]}: {requirement.reason}")
