"""What rules in evaluate mode would have refused: the same judge, asked with them in force."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from gitops_hooks.core.decide import Case
from gitops_hooks.core.govern import Governing, Right, matching
from gitops_hooks.model.policy import BranchRule, Policy
from gitops_hooks.model.verdict import Requirement, Status, Verdict

Judge = Callable[[Case], tuple[Requirement, ...]]


def rehearse(judge: Judge, case: Case, said: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """The requirements beyond those already `said` that rules on trial would not have let pass, as BYPASSED.

    An ERROR stays one: what cannot be judged refuses, whoever asks.
    """
    seen = {(requirement.rule, requirement.reason) for requirement in said}
    found: dict[tuple[str, str], Requirement] = {}
    for trial in case.trials:
        for requirement in judge(replace(case, governing=trial.governing, demands=trial.demands)):
            if not requirement.holds and (requirement.rule, requirement.reason) not in seen:
                bypassed = Status.BYPASSED if requirement.status is Status.UNSATISFIED else requirement.status
                place = requirement.place or trial.governing.rules[0].place
                told = replace(requirement, status=bypassed, place=place)
                found.setdefault((requirement.rule, requirement.reason), told)
    return tuple(found.values())


def rehearse_right(policy: Policy, ref: str, right: Right, actor: str) -> tuple[Requirement, ...]:
    """What rules on trial say of one right alone."""
    asked = (governing.may(right, actor) for governing in trials(policy, ref))
    return tuple(replace(said, status=Status.BYPASSED) for said in asked if said.status is Status.UNSATISFIED)


def trials(policy: Policy, ref: str) -> Iterator[Governing]:
    """The enforced rules with their entries on trial in force, then each rule on trial as if it stood alone."""
    rules = matching(policy, ref)
    enforced = tuple(rule for rule in rules if not rule.evaluate)
    if any(entry.evaluate for rule in enforced for entry in rule.approvals):
        yield Governing(ref, tuple(in_force(rule) for rule in enforced), policy)
    for rule in rules:
        if rule.evaluate:
            yield Governing(ref, (in_force(rule),), policy)


def in_force(rule: BranchRule) -> BranchRule:
    """The same rule with nothing on trial."""
    approvals = tuple(replace(entry, evaluate=False) for entry in rule.approvals)
    return replace(rule, evaluate=False, approvals=approvals)


def trial_checks(policy: Policy, ref: str) -> tuple[str, ...]:
    """The checks that only rules on trial ask for."""
    rules = matching(policy, ref)
    enforced = {name for rule in rules if not rule.evaluate for name in rule.checks}
    asked = (name for rule in rules if rule.evaluate for name in rule.checks if name not in enforced)
    return tuple(dict.fromkeys(asked))


def waive_on_trial(verdicts: tuple[Verdict, ...], names: tuple[str, ...]) -> tuple[Verdict, ...]:
    """Findings of checks that only rules on trial ask for are told; a check that failed itself refuses."""
    return tuple(
        replace(verdict, waived=Status.BYPASSED) if verdict.check in names and verdict.faulty else verdict
        for verdict in verdicts
    )
