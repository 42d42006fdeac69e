"""Which commit each host of an environment has, as its log tells, in words and for programs."""

from gitops_hooks.core.applied import fold_applied
from gitops_hooks.core.report import field
from gitops_hooks.edge.tree import TooManyPaths
from gitops_hooks.entry.deploying import environment_ref
from gitops_hooks.entry.reaching import reach_between
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.push import NO_OID

_NAMED = 4


@dataclass(frozen=True, slots=True)
class Stands:
    """Hosts with their commits (empty: it may have a part of any), or why nothing is known of them."""

    hosts: tuple[tuple[str, str], ...]
    unknown: str = ""


def see_hosts(sitting: Sitting, environment: Environment, commit: str) -> Stands:
    """Where the hosts of an environment stand that the inventory of this commit has."""
    applied = fold_applied(sitting.record.events(environment_ref(environment.name, "log"))).back()
    if applied.unknown and not applied.base:
        told = [(host, at) for host, at in applied.at]
        return Stands((*told, *((host, "") for host in sorted(applied.doubtful))), applied.unknown)
    at = dict(applied.at) | dict.fromkeys(applied.doubtful, "")
    names = _inventory(sitting, environment, commit) or frozenset(at)
    return Stands(tuple((name, at.get(name, applied.base)) for name in sorted(names)))


def _inventory(sitting: Sitting, environment: Environment, commit: str) -> frozenset[str]:
    """Nobody where it cannot be counted: then those are told of whom the log names."""
    if commit == NO_OID or not environment.inventory:
        return frozenset()
    try:
        tree = sitting.repository.tree_of(commit)
        reached = reach_between(sitting.repository, environment, tree, tree)
    except (EdgeError, KeyError, TooManyPaths):
        return frozenset()
    return reached.inventories[-1].hosts if reached.bounded and reached.inventories else frozenset()


def hosts_lines(stands: Stands) -> list[str]:
    """`9 hosts at 9be0d13, web2 at 88472e5, db1 not known`."""
    groups: dict[str, list[str]] = {}
    for name, commit in stands.hosts:
        groups.setdefault(commit, []).append(name)
    ordered = sorted(groups.items(), key=lambda group: (not group[0], -len(group[1]), group[0]))
    words = [f"{_named(names)} {f'at {commit[:7]}' if commit else 'not known'}" for commit, names in ordered]
    return field("hosts", ", ".join(words)) if words else []


def _named(names: list[str]) -> str:
    return " ".join(names) if len(names) <= _NAMED else f"{len(names)} hosts"


def hosts_facts(stands: Stands) -> dict[str, object]:
    """Every host with the whole commit; null where it may have a part of any."""
    return {"hosts": {name: commit or None for name, commit in stands.hosts}}
