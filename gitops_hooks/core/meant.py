"""The hosts of an environment that its playbook means, read from a tree without running anything."""

from gitops_hooks.core.host_pattern import pattern_hosts
from gitops_hooks.core.reach import Laid, inventory_of
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment


@dataclass(frozen=True, slots=True)
class Meant:
    """All hosts of the inventory, and those of them that some play means."""

    inventory: frozenset[str]
    hosts: tuple[str, ...]


def meant_by(environment: Environment, laid: Laid) -> Meant | None:
    """None where nobody can count them; where a play makes its hosts at run time, all of them are meant."""
    inventory = None if laid.linked else inventory_of(environment, laid)
    if inventory is None:
        return None
    told = [pattern_hosts(play.hosts, inventory) for play in laid.usage.plays]
    if laid.usage.wide or None in told:
        return Meant(inventory.hosts, tuple(sorted(inventory.hosts)))
    found = frozenset(host for hosts in told if hosts for host in hosts)
    return Meant(inventory.hosts, tuple(sorted(found & inventory.hosts)))
