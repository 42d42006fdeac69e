"""Which hosts a change can touch: changed paths held against the inventories of the environments that deploy them.

What cannot be proven narrower reaches every host of an environment. Narrower are only host_vars and group_vars where
Ansible looks for them, and what lies in the inventory of another environment. Old tip and result both count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from posixpath import dirname, splitext

from gitops_hooks.core.inventory import Inventory, read_inventory
from gitops_hooks.model.policy import Environment, ReachLimit

SYMLINK, SUBMODULE = 0o120000, 0o160000
_PROGRAM = 0o100755
_VARIABLES = (".yml", ".yaml", ".json")
_SKIPPED_FOLDERS = ("host_vars", "group_vars", "vars_plugins")
_SKIPPED_ENDINGS = (".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry")


@dataclass(frozen=True, slots=True)
class LaidFile:
    """One file of a tree; `text` is None where it was not asked for, or is too large."""

    path: str
    mode: int
    text: bytes | None = None


@dataclass(frozen=True, slots=True)
class Laid:
    """What one tree holds where an environment's inventory and variables are looked for.

    `folder` says that the inventory is one; `complete` that nothing was left out for its number.
    """

    folder: bool
    files: tuple[LaidFile, ...]
    complete: bool = True

    @property
    def linked(self) -> bool:
        """Whether something there may stand somewhere else."""
        return not self.complete or any(file.mode in (SYMLINK, SUBMODULE) for file in self.files)


@dataclass(frozen=True, slots=True)
class Reached:
    """What a change touches in one environment; `bounded` False: nobody can say how many hosts that is."""

    environment: str
    hosts: frozenset[str]
    bounded: bool
    inventories: tuple[Inventory, ...] = ()


def is_source(environment: Environment, path: str) -> bool:
    """Whether Ansible reads this file as a part of the inventory."""
    if path == environment.inventory:
        return True
    if not path.startswith(environment.inventory + "/"):
        return False
    inside = path.removeprefix(environment.inventory + "/").split("/")
    return not any(
        name.startswith(".") or name in _SKIPPED_FOLDERS or name.endswith(_SKIPPED_ENDINGS) for name in inside
    )


def variable_roots(environment: Environment, folder: bool) -> tuple[str, ...]:
    """The folders whose host_vars and group_vars Ansible reads: the inventory's and the playbook's."""
    beside = environment.inventory if folder else dirname(environment.inventory)
    return tuple(dict.fromkeys((beside, dirname(environment.playbook))))


def reach_of(
    environment: Environment, trees: Sequence[Laid], others: Sequence[tuple[Environment, bool]], paths: Iterable[str]
) -> Reached:
    """What these changed paths touch in one environment.

    `trees` are the old tip and the result, as far as each has the inventory; `others` are the other environments
    with whether their inventory is a folder.
    """
    changed = tuple(paths)
    inventories = [_inventory_of(environment, laid) for laid in trees]
    known = tuple(inventory for inventory in inventories if inventory is not None)
    if not changed:
        return Reached(environment.name, frozenset(), True, known)
    everything = frozenset(host for inventory in known for host in inventory.hosts)
    if not known or len(known) < len(inventories) or environment.deployer != "ansible":
        return Reached(environment.name, everything, False, known)
    hosts = None if any(laid.linked for laid in trees) else _touched(environment, trees, others, changed, known)
    return Reached(environment.name, everything if hosts is None else hosts, True, known)


def _inventory_of(environment: Environment, laid: Laid) -> Inventory | None:
    sources = [file for file in laid.files if is_source(environment, file.path)]
    if not laid.complete or not sources:
        return None
    texts = [(file.path, file.text) for file in sources if file.text is not None and file.mode not in _NOT_READ]
    return read_inventory(texts) if len(texts) == len(sources) else None


_NOT_READ = (SYMLINK, SUBMODULE, _PROGRAM)


def _touched(
    environment: Environment,
    trees: Sequence[Laid],
    others: Sequence[tuple[Environment, bool]],
    changed: Sequence[str],
    inventories: Sequence[Inventory],
) -> frozenset[str] | None:
    """The hosts, or None for all of them."""
    roots = {root for laid in trees for root in variable_roots(environment, laid.folder)}
    everything = frozenset(host for inventory in inventories for host in inventory.hosts)
    hosts, groups = set[str](), set[str]()
    for path in changed:
        if named := _named(path, roots, "host_vars"):
            # A name that no inventory has is counted as one host: something may add it while it runs.
            hosts |= (named & everything) or {min(named, key=len)}
        elif named := _named(path, roots, "group_vars"):
            groups |= {name for name in named if any(inventory.knows(name) for inventory in inventories)} or named
        elif not _is_foreign(path, environment, others):
            return None
    if not all(any(inventory.knows(group) for inventory in inventories) for group in groups):
        return None
    for inventory in inventories:
        hosts |= inventory.members(group for group in groups if inventory.knows(group)) or set()
    return frozenset(hosts)


def _named(path: str, roots: Iterable[str], folder: str) -> frozenset[str]:
    """The hosts or groups that a file below `folder` can be meant for; none where it lies elsewhere."""
    for root in roots:
        start = f"{root}/{folder}/" if root else f"{folder}/"
        if path.startswith(start):
            name = path.removeprefix(start).split("/")[0]
            stem, ending = splitext(name)
            return frozenset({name, stem} if ending in _VARIABLES and stem else {name})
    return frozenset()


def _is_foreign(path: str, environment: Environment, others: Sequence[tuple[Environment, bool]]) -> bool:
    """Whether a path is read as the inventory or the variables of another environment, and not by this one."""
    if path == environment.inventory or path.startswith(environment.inventory + "/"):
        return False
    for other, folder in others:
        inside = other.inventory + "/"
        if environment.inventory.startswith(inside) or environment.playbook.startswith(inside):
            continue
        roots = (other.inventory if folder else dirname(other.inventory),)
        if is_source(other, path) or _named(path, roots, "host_vars") or _named(path, roots, "group_vars"):
            return True
    return False


def reaches(limit: ReachLimit, reached: Sequence[Reached] | None) -> bool:
    """Whether a change reaches so far; one whose reach nobody knows does."""
    if reached is None:
        return True
    touched = [one for one in reached if one.hosts or not one.bounded]
    if limit.more_than is not None:
        count = sum(len(one.hosts) for one in touched)
        if count > limit.more_than or any(not one.bounded for one in touched):
            return True
    return bool(touched) and any(_reaches_group(group, touched, reached) for group in limit.groups)


def _reaches_group(group: str, touched: Sequence[Reached], reached: Sequence[Reached]) -> bool:
    if any(not one.bounded for one in touched):
        return True
    known = [(one, found) for one in reached for found in _members(group, one)]
    # A group that no inventory knows binds everything: a misspelt name must not open what it was to guard.
    return not known or any(found & one.hosts for one, found in known)


def _members(group: str, one: Reached) -> list[frozenset[str]]:
    return [found for inventory in one.inventories if (found := inventory.members((group,))) is not None]
