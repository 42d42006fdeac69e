"""Whether a policy leaves enough people who could approve."""

from gitops_hooks.core.approve import needed
from gitops_hooks.core.govern import govern
from gitops_hooks.model.people import People
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.push import ActorKind


def missing_approvers(policy: Policy, ref: str, people: People) -> tuple[str, ...]:
    """The approval rules of one branch that all the people of the server together could not meet, in words."""
    governing = govern(policy, ref)
    persons = [person.name for person in people.everybody if person.kind is ActorKind.PERSON]
    found = []
    for rule in (rule for branch in (governing.rules if governing else ()) for rule in branch.approvals):
        able = sum(policy.allows(rule.sources, name) for name in persons)
        if able < rule.count:
            found.append(f"{rule.place} needs {needed(rule)}, and the server knows {able} who could")
    return tuple(found)
