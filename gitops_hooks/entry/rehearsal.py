"""What rules in evaluate mode would have refused: judged where no other rule governs, recorded, and told."""

from collections.abc import Iterator

from gitops_hooks.core.decide import holds, judge_unapproved_push
from gitops_hooks.core.govern import Governing, Right, matching
from gitops_hooks.core.rehearse import rehearse, rehearse_right
from gitops_hooks.core.report import field, place_of
from gitops_hooks.edge.record import LOG
from gitops_hooks.edge.terminal import tell
from gitops_hooks.entry.matter import Matter, gather, run_checks_to_land
from gitops_hooks.entry.sitting import Checker, Sitting
from gitops_hooks.model.event import Evaluated
from gitops_hooks.model.event_words import Oid, Text
from gitops_hooks.model.judgement import Judgement
from gitops_hooks.model.push import Actor, RefUpdate
from gitops_hooks.model.record import Standing
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import Decision, Requirement, Status

_MOST = 50


def judge_open(sitting: Sitting, actor: Actor, update: RefUpdate, check: Checker) -> Decision:
    """A ref that no rule governs is moved by git; what rules on trial say of it is told."""
    free = holds("open", "no rule governs it")
    rules = matching(sitting.policy, update.ref)
    if not rules:
        return Decision(update.ref, (free,))
    if right := _right(sitting, update):
        return Decision(update.ref, (free, *rehearse_right(sitting.policy, update.ref, right, actor.name)))
    matter = _matter(sitting, actor, update)
    if isinstance(matter, Requirement):
        return Decision(update.ref, (free, matter))
    said = rehearse(lambda case: judge_unapproved_push(case, actor.name), matter.case, ())
    return Decision(update.ref, (free, *said), run_checks_to_land(sitting, matter, check))


def _right(sitting: Sitting, update: RefUpdate) -> Right | None:
    """The right that a move needs which is no push to a descendant."""
    if update.creates:
        return "create"
    if update.deletes:
        return "delete"
    return None if sitting.repository.descends(update.new, update.old) else "force"


def _matter(sitting: Sitting, actor: Actor, update: RefUpdate) -> Matter | Requirement:
    """What the push would bring, or the requirement that already tells."""
    place = matching(sitting.policy, update.ref)[0].place
    if not sitting.repository.is_commit(update.new):
        return Requirement("object", Status.BYPASSED, f"{update.new[:12]} is not a commit.", place)
    governing = Governing(update.ref, (), sitting.policy)
    standing = Standing(update.ref, update.old, update.old, "")
    found = gather(sitting, governing, standing, update.new, frozenset({actor.name}), None)
    return Requirement(found.rule, Status.BYPASSED, found.reason, place) if isinstance(found, Refusal) else found


def record_rehearsal(sitting: Sitting, actor: Actor, judgement: Judgement) -> tuple[str, ...]:
    """Record what an accepted push would have been refused for, before it is carried out; the same in words."""
    if not judgement.decision.accepted:
        return ()
    lines = tuple(_lines(judgement.decision))[:_MOST]
    if lines:
        update = judgement.update
        sitting.ledger.log(LOG, Evaluated(Text(update.ref), Oid(update.new), Text("\n".join(lines))), actor)
        sitting.record.sync()
    return lines


def tell_rehearsal(lines: tuple[str, ...]) -> None:
    if lines:
        tell([text for line in lines for text in field("evaluate", f"would refuse: {line}")])


def _lines(decision: Decision) -> Iterator[str]:
    for requirement in decision.requirements:
        if requirement.status is Status.BYPASSED:
            place = f" ({requirement.place})" if requirement.place else ""
            yield f"{requirement.rule}: {requirement.reason}{place}"
    for verdict in decision.verdicts:
        if verdict.waived is Status.BYPASSED:
            yield from (f"{verdict.check}: {place_of(f)}: {f.message}" for f in verdict.findings)
