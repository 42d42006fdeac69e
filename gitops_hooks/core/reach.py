"""Which hosts a change can touch, and why: changed paths held against the inventory and the playbook of an environment.

What cannot be proven narrower reaches every host of an environment. A path touches the hosts of a group or host whose
variables it holds, and those of each play that reads it; one that nothing reads touches nobody. Old tip and result
both count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import field
from posixpath import basename, dirname, splitext

from gitops_hooks.core.ansible_tables import PLUGIN_FOLDER
from gitops_hooks.core.host_pattern import pattern_hosts
from gitops_hooks.core.inventory import Inventory, read_inventory
from gitops_hooks.core.plays import NOT_READ, Play, Usage
from gitops_hooks.core.reach_variables import Variables, is_read, read_variables
from gitops_hooks.model.lazy_dataclass import dataclass
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

    `folder` says that the inventory is one; `complete` that nothing was left out for its number; `usage` is what the
    playbook reads.
    """

    folder: bool
    files: tuple[LaidFile, ...]
    complete: bool = True
    usage: Usage = NOT_READ

    @property
    def linked(self) -> bool:
        """Whether something there may stand somewhere else."""
        return not self.complete or any(file.mode in (SYMLINK, SUBMODULE) for file in self.files)


@dataclass(frozen=True, slots=True)
class Why:
    """Hosts that are touched for the same reason: `group_vars/web.yml → web`."""

    words: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reached:
    """What a change touches in one environment; `bounded` False: nobody can say how many hosts that is.

    Each of the hosts stands once in `why`, with the shortest reason. `together` is why some of the hosts cannot be
    visited without the others.
    """

    environment: str
    hosts: frozenset[str]
    bounded: bool
    inventories: tuple[Inventory, ...] = ()
    why: tuple[Why, ...] = ()
    together: str = ""


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


def variable_roots(environment: Environment, folder: bool, usage: Usage) -> tuple[str, ...]:
    """The folders whose host_vars and group_vars Ansible reads: the inventory's and those of the playbooks."""
    beside = environment.inventory if folder else dirname(environment.inventory)
    return tuple(dict.fromkeys((beside, dirname(environment.playbook), *usage.folders)))


def reach_of(environment: Environment, trees: Sequence[Laid], paths: Iterable[str]) -> Reached:
    """What these changed paths touch in one environment.

    `trees` are the old tip and the result, as far as each has the inventory.
    """
    changed = tuple(paths)
    inventories = [inventory_of(environment, laid) for laid in trees]
    known = tuple(inventory for inventory in inventories if inventory is not None)
    if not changed and not (known and len(known) == len(inventories)):
        return Reached(environment.name, frozenset(), True, known)
    everything = frozenset(host for inventory in known for host in inventory.hosts)
    if not known or len(known) < len(inventories) or environment.deployer != "ansible":
        return Reached(environment.name, everything, False, known)
    tracing = _Tracing(environment, trees, known, everything)
    words = tracing.trace(changed)
    if words and changed:
        why = (Why(words, tuple(sorted(everything))),)
        return Reached(environment.name, everything, True, known, why, tracing.together)
    return Reached(environment.name, frozenset(tracing.hosts), True, known, tracing.why(), tracing.together)


def inventory_of(environment: Environment, laid: Laid) -> Inventory | None:
    """None where a program makes it, or it cannot be read."""
    texts = _sources(environment, laid)
    return read_inventory(texts) if texts else None


def _sources(environment: Environment, laid: Laid) -> list[tuple[str, bytes]]:
    """The texts of an inventory; none where one of them is not there to be read."""
    sources = [file for file in laid.files if is_source(environment, file.path)]
    texts = [(file.path, file.text) for file in sources if file.text is not None and file.mode not in _UNREADABLE]
    return texts if laid.complete and len(texts) == len(sources) else []


_UNREADABLE = (SYMLINK, SUBMODULE, _PROGRAM)
_SETTINGS = ("ansible.cfg", ".ansible.cfg")
_POLICY = ".gitops/policy.yaml"


@dataclass(slots=True)
class _Tracing:
    """Changed paths on their way to hosts; of each host the shortest chain so far."""

    environment: Environment
    trees: Sequence[Laid]
    inventories: Sequence[Inventory]
    everything: frozenset[str]
    hosts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    together: str = ""

    def trace(self, changed: Sequence[str]) -> str:
        """Take all paths; answers why they reach every host, if they do."""
        if any(laid.linked for laid in self.trees):
            self.together = "links stand where hosts and variables are looked for"
            return self.together
        told = [self._variables(laid) for laid in self.trees]
        wide = [one.wide for one in told] + [laid.usage.wide for laid in self.trees]
        crossing = [one.needs.crossing for one in told] + [laid.usage.crossing for laid in self.trees]
        self.together = next(filter(None, (*wide, *crossing)), "")
        if any(wide):
            return self.together
        for path in changed:
            if words := self._take(path, told):
                return words
        return self.together if self.hosts else ""

    def why(self) -> tuple[Why, ...]:
        groups: dict[tuple[str, ...], list[str]] = {}
        for host in sorted(self.hosts):
            groups.setdefault(self.hosts[host], []).append(host)
        return tuple(Why(" → ".join(chain), tuple(hosts)) for chain, hosts in groups.items())

    def _variables(self, laid: Laid) -> Variables:
        roots = variable_roots(self.environment, laid.folder, laid.usage)
        found = [
            (file.path, file.text)
            for file in laid.files
            if _is_below(file.path, roots) and not is_source(self.environment, file.path) and self._is_read(file.path)
        ]
        return read_variables(_sources(self.environment, laid), found)

    def _is_read(self, path: str) -> bool:
        """A host may be named like a file with any ending."""
        name = basename(path)
        return is_read(path) or any(name in one.hosts or name in one.own for one in self.inventories)

    def _take(self, path: str, told: Sequence[Variables]) -> str:
        """Trace one path; answers why it reaches every host, if it does."""
        names = path.split("/")
        if path == _POLICY:
            return f"{path} says what environments are"
        if names[-1] in _SETTINGS or any(PLUGIN_FOLDER.fullmatch(name) for name in names[:-1]):
            return f"{path} may run on the controller"
        if len({one.reached.get(path, ()) for one in told}) > 1:
            return f"{path} changes how hosts are reached"
        if loose := next((one.needs.loose for one in told if one.needs.loose), ""):
            return f"{path} may be read: {loose}"
        # A play may name a file of variables besides.
        return self._take_variables(path) or self._take_plays(path)

    def _take_variables(self, path: str) -> str:
        roots = {root for laid in self.trees for root in variable_roots(self.environment, laid.folder, laid.usage)}
        if named := _named(path, roots, "host_vars"):
            # A name that no inventory has is counted as one host: something may add it while it runs.
            self._add((named & self.everything) or {min(named, key=len)}, (path,))
        elif named := _named(path, roots, "group_vars"):
            return self._take_group(path, named)
        elif path == self.environment.inventory or path.startswith(self.environment.inventory + "/"):
            return f"{path} is a part of the inventory"
        return ""

    def _take_plays(self, path: str) -> str:
        return next(filter(None, (self._take_play(path, play) for laid in self.trees for play in laid.usage.plays)), "")

    def _take_group(self, path: str, named: frozenset[str]) -> str:
        known = {name for name in named if any(inventory.knows(name) for inventory in self.inventories)}
        if not known:
            return f"{path} is of a group that no inventory has"
        for inventory in self.inventories:
            for group in sorted(known):
                self._add(inventory.members((group,)) or frozenset(), (path, group))
        return ""

    def _take_play(self, path: str, play: Play) -> str:
        chain = _chain(path, play)
        if not chain:
            return ""
        for inventory in self.inventories:
            meant = pattern_hosts(play.hosts, inventory)
            if meant is None:
                return f"{play.path}:{play.line} has hosts that cannot be told: {play.hosts[:60]}"
            self._add(meant, chain)
        return ""

    def _add(self, hosts: Iterable[str], chain: tuple[str, ...]) -> None:
        for host in hosts:
            held = self.hosts.get(host)
            if held is None or (len(chain), chain) < (len(held), held):
                self.hosts[host] = chain


def _chain(path: str, play: Play) -> tuple[str, ...]:
    """How a path comes to a play, from the one to the other; empty where it does not."""
    end = f"hosts: {play.hosts}"
    if role := next((role for role in play.roles if path == role or path.startswith(role + "/")), ""):
        return (path, f"role {basename(role)}", end)
    if by := play.texts.get(path):
        return (path, end) if by in (path, play.path) else (path, by, end)
    folders = path.split("/")
    above = ("/".join(folders[:size]) for size in range(len(folders), 0, -1))
    if by := next((by for each in above if (by := play.named.get(each))), ""):
        return (path, by, end)
    return (path, f"any file, since {play.needs.loose}", end) if play.needs.loose else ()


def _is_below(path: str, roots: Iterable[str]) -> bool:
    return any(_named(path, (root,), folder) for root in roots for folder in ("host_vars", "group_vars"))


def _named(path: str, roots: Iterable[str], folder: str) -> frozenset[str]:
    """The hosts or groups that a file below `folder` can be meant for; none where it lies elsewhere."""
    for root in roots:
        start = f"{root}/{folder}/" if root else f"{folder}/"
        if path.startswith(start):
            name = path.removeprefix(start).split("/")[0]
            stem, ending = splitext(name)
            return frozenset({name, stem} if ending in _VARIABLES and stem else {name})
    return frozenset()


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
