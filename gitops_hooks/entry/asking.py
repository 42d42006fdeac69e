"""What the checks of one change are run with: always from what is recorded, never from what is pushed."""

from collections.abc import Iterable, Mapping

from gitops_hooks.core.check_options import bind_options, options_for
from gitops_hooks.core.globs import matches_any
from gitops_hooks.core.govern import Governing, govern
from gitops_hooks.edge.tree import GitTree
from gitops_hooks.edge.workbench import Asked, Grounds
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.hookspec import Check
from gitops_hooks.model.change import Change
from gitops_hooks.model.policy import CONTROLLER, Policy


def asked_checks(sitting: Sitting, change: Change, names: Iterable[str]) -> list[Asked]:
    """Those of the named checks that this server has, with what the policy in force says about each."""
    return bind_checks(sitting.plugins.checks(), govern(sitting.policy, change.target), names, change)


def bind_checks(
    offered: Mapping[str, Check], governing: Governing | None, names: Iterable[str], change: Change
) -> list[Asked]:
    """The same for who has a policy and plugins, and no server."""
    found = []
    for check in (offered[name] for name in names if name in offered):
        options, faults = bind_options(check.name, check.options, options_for(governing, check.name))
        if check.name == CONTROLLER:
            options = {**options, "allowed": _allowed(governing, change)}
        found.append(Asked(check, options, faults))
    return found


def _allowed(governing: Governing | None, change: Change) -> tuple[str, ...]:
    """The changed paths that may run on the deployer: no option of the check's, since each needs its approval."""
    groups = governing.controller if governing else ()
    if not groups:
        return ()
    return tuple(file.path for file in change.files if all(matches_any(globs, file.path) for globs in groups))


def told_to_checks(policy: Policy) -> str:
    """All that a policy, and the floor below it, says to checks: another word is another question."""
    rules = (*policy.floor.rules, *policy.branches)
    controller = [(rule.match, [one.paths for one in rule.approvals if one.rule == CONTROLLER]) for rule in rules]
    by_floor = [(rule.match, rule.checks) for rule in policy.floor.rules]
    return repr((policy.options, policy.floor.options, by_floor, [each for each in controller if each[1]]))


def grounds_of(sitting: Sitting, change: Change, tree: str) -> Grounds:
    """What is looked at; the target is the branch as it is recorded, empty where it is new."""
    repository, limits = sitting.repository, sitting.server.limits
    target = repository.tree_of(sitting.record.standing(change.target).recorded)
    return Grounds(
        tree,
        repository.tree(tree),
        repository.tree(target),
        GitTree(repository.git2, tree, limits.tool_tree),
        repository.object_folders,
        sitting.state / "tools",
        sitting.server.tool_folders,
        sitting.server.own_network,
    )
