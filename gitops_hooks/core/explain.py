"""`policy explain` and `owners`: the judge's own functions, asked about what somebody has not pushed yet."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from gitops_hooks.core.approve import Contributors, Proof, needed
from gitops_hooks.core.decide import Case, judge_approval, judge_landing, judge_proposal, judge_unapproved_push
from gitops_hooks.core.demands import Demands, Trial, demand
from gitops_hooks.core.govern import Governing, matching
from gitops_hooks.core.override import judge_break_glass
from gitops_hooks.core.rehearse import Judge, in_force, rehearse, trials
from gitops_hooks.model.content import Content
from gitops_hooks.model.explanation import Answer, Counting
from gitops_hooks.model.people import People
from gitops_hooks.model.policy import ApprovalRule
from gitops_hooks.model.push import ActorKind
from gitops_hooks.model.verdict import Requirement, Status


def imagine(
    governing: Governing, paths: Iterable[str], at: datetime, author: str = "", demands: Demands | None = None
) -> Case:
    """A change of these paths by this author, on top of the branch, that nobody has approved yet.

    Without `demands` nobody knows how far it reaches, and whose code it is.
    """
    changed, policy = tuple(paths), governing.policy
    hands = frozenset({author} if author else ())
    proof = Proof("", governing.ref, "", "", frozenset(), hands, hands, ())
    asked = demands or demand(governing, changed, None)
    on_trial = tuple(Trial(one, demand(one, changed, None)) for one in trials(policy, governing.ref))
    told = (Content((), (), frozenset(), at), asked, (), (), on_trial)
    return Case(policy, governing, proof, Contributors(hands), changed, True, *told)


def explain_case(case: Case, person: str) -> tuple[Answer, ...]:
    """Whether this person may propose, approve, land and push this case, each rule with its answer."""
    return (
        Answer("propose", _asked(lambda one: judge_proposal(one, person), case)),
        Answer("approve", (judge_approval(case, person),)),
        Answer("land", (*_asked(lambda one: judge_landing(one, person), case), *beside(case))),
        Answer("push without approval", _asked(lambda one: judge_unapproved_push(one, person), case)),
        Answer("break the glass", (judge_break_glass(case, person),)),
    )


def explain_approvals(case: Case) -> tuple[Answer, ...]:
    """What a case needs, whoever lands it."""
    return (Answer("land", (*_asked(lambda one: one.approvals, case), *beside(case))),)


def explain_person(governing: Governing, person: str, at: datetime) -> tuple[Answer, ...]:
    """What this person may do on one branch, with a change that they have no hand in where they approve."""
    case = imagine(governing, (), at)
    entries = tuple(entry for rule in matching(governing.policy, governing.ref) for entry in in_force(rule).approvals)
    return (
        Answer("propose", (governing.may("propose", person),)),
        Answer("approve", tuple(_would_count(case, entry, person) for entry in entries)),
        Answer("land", (governing.may("land", person),)),
        Answer("push without approval", (governing.may("push", person),)),
        Answer("create", (governing.may("create", person),)),
        Answer("delete", (governing.may("delete", person),)),
        Answer("force", (governing.may("force", person),)),
        Answer("break the glass", (judge_break_glass(case, person),)),
    )


def _would_count(case: Case, entry: ApprovalRule, person: str) -> Requirement:
    said = judge_approval(replace(case, demands=Demands((entry,))), person)
    reason = f"counts towards {needed(entry)}" if said.holds else f"does not count towards {needed(entry)}"
    return replace(said, reason=f"{person} {reason}", place=entry.place)


def _asked(judge: Judge, case: Case) -> tuple[Requirement, ...]:
    said = judge(case)
    return (*said, *rehearse(judge, case, said))


def beside(case: Case) -> tuple[Requirement, ...]:
    """The entries of approvals that these paths, or their reach, do not concern."""
    applying = {rule.place for rule in case.demands.rules}
    entries = (entry for rule in case.governing.rules for entry in rule.approvals if not entry.evaluate)
    return tuple(
        Requirement("approvals", Status.NOT_APPLICABLE, f"{needed(entry)}: {_beyond(entry)}.", entry.place)
        for entry in entries
        if entry.place not in applying
    )


def _beyond(entry: ApprovalRule) -> str:
    return "it does not reach that far" if entry.reach else "no such path changes"


def who_counts(case: Case, people: People) -> tuple[Counting, ...]:
    """Each entry of approvals that a case would have to meet, and the people whom it counts."""
    enforced = case.demands.rules
    on_trial = {entry.place for rule in case.governing.rules for entry in rule.approvals if entry.evaluate}
    trying = dict.fromkeys(entry for trial in case.trials for entry in trial.demands.rules)
    tried = tuple(entry for entry in trying if entry.place in on_trial)
    persons = [person.name for person in people.everybody if person.kind is ActorKind.PERSON]
    return tuple(
        Counting(
            needed(entry),
            tuple(name for name in persons if case.policy.allows(entry.sources, name)),
            entry.place,
            entry.place in on_trial,
        )
        for entry in (*enforced, *tried)
    )
