"""Whether a policy leaves enough people who could approve."""

from collections.abc import Iterable

from gitops_hooks.core.approve import counts_bot, needed
from gitops_hooks.core.govern import govern
from gitops_hooks.model.people import People
from gitops_hooks.model.policy import BranchRule, Policy
from gitops_hooks.model.push import ActorKind


def missing_approvers(policy: Policy, ref: str, people: People) -> tuple[str, ...]:
    """The approval rules of one branch that all the people of the server together could not meet, in words."""
    governing = govern(policy, ref)
    return _missing(policy, governing.rules if governing else (), people)


def missing_anywhere(policy: Policy, people: People) -> tuple[str, ...]:
    """The same for every branch that the policy, or the server's floor, speaks of."""
    return _missing(policy, (*policy.floor.rules, *policy.branches), people)


def left_alone(policy: Policy, name: str, people: People) -> tuple[str, ...]:
    """What only `name` may do, once `people` are those who stay: landing on branches, operating environments."""
    rules = (rule for rule in (*policy.floor.rules, *policy.branches) if not rule.evaluate)
    rights = [(rule.land, f"{rule.place}: nobody else may land on {rule.match}") for rule in rules]
    for environment in policy.environments:
        words = f"{environment.place}: nobody else may operate {environment.name}"
        rights += [(environment.operate, words)] if environment.operate is not None else []
    return tuple(
        words
        for names, words in rights
        if policy.allows(names, name) and not any(policy.allows(names, other) for other in people.names)
    )


def _missing(policy: Policy, rules: Iterable[BranchRule], people: People) -> tuple[str, ...]:
    persons = [person.name for person in people.everybody if person.kind is ActorKind.PERSON]
    bots = [person.name for person in people.everybody if person.kind is ActorKind.BOT]
    found = []
    entries = (rule for branch in rules if not branch.evaluate for rule in branch.approvals)
    for rule in (rule for rule in entries if not rule.evaluate):
        able = sum(policy.allows(rule.sources, name) for name in persons)
        # Bots fill an entry up, and the last of several is a person.
        able += min(sum(counts_bot(rule, policy, name) for name in bots), max(rule.count - 1, 1))
        if able < rule.count:
            found.append(f"{rule.place} needs {needed(rule)}, and the server knows {able} who could")
    return tuple(found)
