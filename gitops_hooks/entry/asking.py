"""What the checks of one change are run with: always from what is recorded, never from what is pushed."""

from collections.abc import Iterable

from gitops_hooks.core.check_options import bind_options, options_for
from gitops_hooks.core.govern import govern
from gitops_hooks.edge.tree import GitTree
from gitops_hooks.edge.workbench import Asked
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import Change


def asked_checks(sitting: Sitting, change: Change, names: Iterable[str]) -> list[Asked]:
    """Those of the named checks that this server has, with what the policy in force says about each."""
    offered, governing = sitting.plugins.checks(), govern(sitting.policy, change.target)
    found = []
    for check in (offered[name] for name in names if name in offered):
        options, faults = bind_options(check.name, check.options, options_for(governing, check.name))
        found.append(Asked(check, options, faults))
    return found


def target_tree(sitting: Sitting, change: Change) -> GitTree:
    """The tree of the target branch's recorded tip; an empty one for a branch that is new."""
    repository = sitting.repository
    return repository.tree(repository.tree_of(sitting.record.standing(change.target).recorded))
