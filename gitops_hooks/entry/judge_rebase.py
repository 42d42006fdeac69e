"""The server makes a change's newest revision again on its branch, or on the newest revision of the change below."""

from gitops_hooks.core.decide import judge_proposal
from gitops_hooks.core.events import reads_as_event
from gitops_hooks.core.govern import Governing
from gitops_hooks.core.life import DRAFT
from gitops_hooks.core.rehearse import rehearse
from gitops_hooks.core.results import plan_moved
from gitops_hooks.core.verdict_words import verdict_words
from gitops_hooks.edge.replay import Replayed, replay
from gitops_hooks.entry.matter import gather, judge_policy, run_checks
from gitops_hooks.entry.results import write_result
from gitops_hooks.entry.sitting import Checker, Sitting
from gitops_hooks.entry.stacking import Ground
from gitops_hooks.entry.wording import refusal_judgement
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.commit import Range
from gitops_hooks.model.judgement import Judgement, Life, Rebase
from gitops_hooks.model.push import NO_OID, Actor, RefUpdate
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import Decision


def judge_rebase(
    sitting: Sitting, actor: Actor, update: RefUpdate, record: ChangeRecord, governing: Governing, check: Checker
) -> Judgement:
    """Whoever may propose may ask for it: as with -o change=N, but nothing of it is theirs."""
    may = governing.may("propose", actor.name)
    if not may.holds:
        return Judgement(update, Decision(update.ref, (may,)), None)
    ground = _new_ground(sitting, record)
    onto = ground.tip or sitting.repository.tip(governing.ref)
    made = _make(sitting, record, onto, governing.ref)
    if isinstance(made, Refusal):
        return refusal_judgement(update, made)
    standing = sitting.record.standing(governing.ref)
    pushers = frozenset({record.head.uploader})
    matter = gather(sitting, governing, standing, made, pushers, record, ground)
    if isinstance(matter, Refusal):
        return refusal_judgement(update, matter)
    requirements = (*judge_proposal(matter.case, actor.name), *judge_policy(sitting, matter))
    requirements += rehearse(lambda case: judge_proposal(case, actor.name), matter.case, requirements)
    verdicts = run_checks(sitting, matter, check)
    decision = Decision(update.ref, requirements, verdicts)
    life = Life(record.draft, record.reviewers, record.cc, ground.depends, ground.commit or NO_OID)
    needs = tuple(each for each in matter.case.missing if each.rule != DRAFT.rule) + ((DRAFT,) if life.draft else ())
    effect = Rebase(record, matter.span, verdict_words(verdicts), needs, life)
    return Judgement(update, decision, effect if decision.accepted else None)


def _new_ground(sitting: Sitting, record: ChangeRecord) -> Ground:
    """The newest revision of the change below while that is open; else the branch itself."""
    below = sitting.record.change(record.head.depends) if record.head.depends else None
    if below is None or below.state is not ChangeState.OPEN:
        return Ground()
    return Ground(below.number, below.head.head, below.head.head)


def _make(sitting: Sitting, record: ChangeRecord, onto: str, ref: str) -> str | Refusal:
    """The head of the new commits, which nothing refers to yet."""
    span = _own(sitting, record, ref)
    if isinstance(span, Refusal):
        return span
    if span.base == onto:
        return Refusal("rebase", f"Change {record.number} stands on {onto[:7]} already.")
    if told := next((commit.oid for commit in span.commits if reads_as_event(commit.message)), ""):
        words = "has a message that reads as an event of the record. Reword it: git commit --amend"
        return Refusal("rebase", f"{told[:7]} {words}")
    replayed = replay(sitting.repository, onto, span.commits)
    if isinstance(replayed, Refusal):
        by_hand = f"By hand:  git fetch origin {ref} && git rebase FETCH_HEAD"
        return Refusal(replayed.rule, replayed.reason, by_hand)
    if not replayed:
        close = f"Close it:  git push origin :refs/close/{record.number}"
        return Refusal("rebase", f"Nothing is left of change {record.number}: all of it is there already.", close)
    return _write(sitting, replayed, onto)


def _own(sitting: Sitting, record: ChangeRecord, ref: str) -> Range | Refusal:
    """The commits of the change itself, without those of the change below."""
    newest = record.head
    return sitting.repository.range(newest.ground if newest.depends else sitting.repository.tip(ref), newest.head)


def _write(sitting: Sitting, replayed: tuple[Replayed, ...], onto: str) -> str:
    planned = [plan_moved(each.commit, each.tree) for each in replayed]
    return write_result(sitting.ledger.objects, planned, onto, "", sitting.ledger.now())
