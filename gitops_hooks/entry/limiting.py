"""Which hosts a deployment visits: those that its commit concerns, and those that missed an earlier one."""

import hashlib
from dataclasses import replace

from gitops_hooks.core.applied import Applied, fold_applied
from gitops_hooks.core.drift import HEALS
from gitops_hooks.core.limit import Limit, everybody, limit_of
from gitops_hooks.core.reach import Reached
from gitops_hooks.edge.tree import TooManyPaths
from gitops_hooks.entry.reaching import reach_between
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.policy import Environment


def definition_of(environment: Environment) -> str:
    """What an environment deploys, as one word: another one makes what hosts have worth nothing."""
    one = environment
    cluster = one.kubernetes
    keys = (cluster.manifests, cluster.namespace, str(cluster.force_conflicts), cluster.prune.value) if cluster else ()
    parts = (one.branch, one.deployer, one.playbook, one.inventory, one.module, *one.run, *keys)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def find_limit(
    sitting: Sitting, environment: Environment, commit: str, log: str, whole: str = "", *, back: bool = False
) -> Limit:
    """The limit of a deployment of this commit; `log` is the environment's log, `whole` why it visits all of them.

    On a way `back` who missed what is undone needs no visit for that.
    """
    if environment.whole or environment.deployer != "ansible" or whole:
        return everybody(whole or ("limit: all" if environment.whole else "its deployer visits all"))
    applied = fold_applied(sitting.record.events(log))
    if not applied.unknown and applied.definition != definition_of(environment):
        applied = replace(applied, unknown="its entry in the policy changed")
    if applied.unknown:
        return everybody(applied.unknown)
    return _limit(sitting, environment, commit, applied.back() if back else applied)


def heal_limit(sitting: Sitting, environment: Environment, commit: str, out: tuple[str, ...]) -> Limit:
    """The limit of a deployment that brings hosts back to what they had: they are the ones that missed something."""
    if environment.whole or environment.deployer != "ansible":
        return everybody(HEALS)
    limit = _limit(sitting, environment, commit, Applied(commit, doubtful=frozenset(out)))
    # Hosts that the inventory's reader does not know are no reason to visit nobody, for ever.
    return replace(limit, reason=HEALS) if limit.hosts != () else everybody(HEALS)


def _limit(sitting: Sitting, environment: Environment, commit: str, applied: Applied) -> Limit:
    repository = sitting.repository

    def reach(old: str) -> Reached:
        return reach_between(repository, environment, repository.tree_of(old), repository.tree_of(commit))

    try:
        return limit_of(applied, reach)
    except TooManyPaths:
        return everybody("too many paths differ")
    except (EdgeError, KeyError):
        # What a host has may have been purged since.
        return everybody("what its hosts have cannot be read any more")
