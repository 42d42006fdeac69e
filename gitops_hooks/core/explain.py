"""`policy explain` and `owners`: the judge's own functions, asked about what somebody has not pushed yet."""

from collections.abc import Iterable
from dataclasses import replace

from gitops_hooks.core.approve import Contributors, Proof, needed
from gitops_hooks.core.decide import Case, judge_approval, judge_landing, judge_proposal, judge_unapproved_push
from gitops_hooks.core.govern import Governing, matching
from gitops_hooks.core.override import judge_break_glass
from gitops_hooks.core.rehearse import Judge, in_force, rehearse
from gitops_hooks.model.explanation import Answer, Counting
from gitops_hooks.model.people import People
from gitops_hooks.model.policy import ApprovalRule, Policy
from gitops_hooks.model.push import ActorKind
from gitops_hooks.model.verdict import Requirement, Status


def imagine(policy: Policy, governing: Governing, paths: Iterable[str], author: str = "") -> Case:
    """A change of these paths by this author, on top of the branch, that nobody has approved yet."""
    hands = frozenset({author} if author else ())
    proof = Proof("", governing.ref, "", "", frozenset(), hands, hands, ())
    return Case(policy, governing, proof, Contributors(hands), tuple(paths), True)


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


def explain_person(policy: Policy, governing: Governing, person: str) -> tuple[Answer, ...]:
    """What this person may do on one branch, with a change that they have no hand in where they approve."""
    case = imagine(policy, governing, ())
    entries = tuple(entry for rule in matching(policy, governing.ref) for entry in in_force(rule).approvals)
    return (
        Answer("propose", (governing.may("propose", person),)),
        Answer("approve", tuple(_would_count(case, entry, person) for entry in entries)),
        Answer("land", (governing.may("land", person),)),
        Answer("push without approval", (governing.may("push", person),)),
        Answer("create", (governing.may("create", person),)),
        Answer("break the glass", (judge_break_glass(case, person),)),
    )


def _would_count(case: Case, entry: ApprovalRule, person: str) -> Requirement:
    alone = replace(case.governing.rules[0], approvals=(replace(entry, paths=()),))
    governing = replace(case.governing, rules=(alone,))
    said = judge_approval(replace(case, governing=governing), person)
    reason = f"counts towards {needed(entry)}" if said.holds else f"does not count towards {needed(entry)}"
    return replace(said, reason=f"{person} {reason}", place=entry.place)


def _asked(judge: Judge, case: Case) -> tuple[Requirement, ...]:
    said = judge(case)
    return (*said, *rehearse(judge, case, said))


def beside(case: Case) -> tuple[Requirement, ...]:
    """The entries of approvals that these paths do not concern."""
    applying = {rule.place for rule in case.governing.approval_rules(case.paths)}
    entries = (entry for rule in case.governing.rules for entry in rule.approvals if not entry.evaluate)
    return tuple(
        Requirement("approvals", Status.NOT_APPLICABLE, f"{needed(entry)}: no such path changes.", entry.place)
        for entry in entries
        if entry.place not in applying
    )


def who_counts(governing: Governing, paths: Iterable[str], people: People) -> tuple[Counting, ...]:
    """Each entry of approvals that a change of these paths would have to meet, and the people whom it counts."""
    changed = tuple(paths)
    everything = replace(governing, rules=tuple(in_force(rule) for rule in governing.rules))
    on_trial = {entry.place for rule in governing.rules for entry in rule.approvals if entry.evaluate}
    enforced = governing.approval_rules(changed)
    tried = (entry for entry in everything.approval_rules(changed) if entry.place in on_trial)
    persons = [person.name for person in people.everybody if person.kind is ActorKind.PERSON]
    return tuple(
        Counting(
            needed(entry),
            tuple(name for name in persons if governing.policy.allows(entry.sources, name)),
            entry.place,
            entry.place in on_trial,
        )
        for entry in (*enforced, *tried)
    )
