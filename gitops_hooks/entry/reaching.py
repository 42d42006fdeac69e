"""What trees hold of the environments' inventories and playbooks, read for core/reach."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field

from gitops_hooks.core.host_pattern import pattern_hosts
from gitops_hooks.core.inventory import LIMITS
from gitops_hooks.core.meant import Meant, meant_by
from gitops_hooks.core.play_text import Wide
from gitops_hooks.core.plays import Usage
from gitops_hooks.core.policy_deployers import ANSIBLE
from gitops_hooks.core.reach import SYMLINK, Laid, LaidFile, Reached, inventory_of, is_source, reach_of, variable_roots
from gitops_hooks.core.tree_names import Kind
from gitops_hooks.core.usage import read_usage
from gitops_hooks.edge.repository import Repository
from gitops_hooks.edge.tree import FOLDER, GitTree
from gitops_hooks.hookspec import Entry, Side
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment, Policy
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.rendered import PlayReads

_MOST_FILES = 50_000
_MOST_BYTES = 4 * 1024 * 1024
_PLAY_FILES = 5_000
_PLAY_BYTES = 1024 * 1024
_FILES = (0o100644, 0o100755)


class _TooMuch(Wide):
    """More files or bytes than are looked through."""


def find_reach(
    repository: Repository, policy: Policy, ref: str, trees: Sequence[str], paths: Sequence[str]
) -> tuple[Reached, ...]:
    """What these paths touch in each environment of a branch; `trees` are the old tip's and the result."""
    concerned = [environment for environment in policy.environments if environment.branch == ref]
    reading = _Reading(repository)
    return tuple(reach_of(one, reading.lay_all(trees, one), paths) for one in concerned)


def read_sides(repository: Repository, environment: Environment, trees: tuple[str, str]) -> tuple[Side, Side]:
    """What an environment's hosts and plays are before and after."""
    reading = _Reading(repository)
    before, after = (_side(reading, environment, tree) for tree in trees)
    return before, after


def _side(reading: "_Reading", environment: Environment, oid: str) -> Side:
    tree = reading.repository.tree(oid)
    laid = reading.lay(tree, environment) if oid != NO_OID else None
    inventory = inventory_of(environment, laid) if laid and not laid.linked else None
    if laid is None or inventory is None or laid.usage.wide:
        return Side(tree, inventory)
    reads = (
        PlayReads(play.path, pattern_hosts(play.hosts, inventory), tuple(play.texts), tuple(play.roles))
        for play in laid.usage.plays
    )
    return Side(tree, inventory, tuple(reads))


def reach_between(repository: Repository, environment: Environment, old: str, new: str) -> Reached:
    """What touches an environment on the way from one tree to another. Errors: TooManyPaths."""
    paths = [file.path for file in repository.changed(old, new)]
    return reach_of(environment, _Reading(repository).lay_all((old, new), environment), paths)


def find_meant(repository: Repository, environment: Environment, commit: str) -> Meant | None:
    """Whom the playbook of a commit means; None where nobody can count them. Errors: EdgeError, KeyError."""
    laid = _Reading(repository).lay_all((repository.tree_of(commit),), environment)
    return meant_by(environment, laid[0]) if laid and environment.deployer == ANSIBLE else None


@dataclass(slots=True)
class _Reading:
    """Trees while they are read: environments that share a playbook have it read once."""

    repository: Repository
    usages: dict[tuple[str, str], Usage] = field(default_factory=dict)

    def lay_all(self, trees: Sequence[str], environment: Environment) -> list[Laid]:
        found = (self.lay(self.repository.tree(tree), environment) for tree in dict.fromkeys(trees) if tree != NO_OID)
        return [laid for laid in found if laid]

    def lay(self, tree: GitTree, environment: Environment) -> Laid | None:
        """None where the tree has no such inventory, or the environment needs none."""
        if not environment.inventory:
            return None
        linked = [name for name in (environment.inventory, environment.playbook) if _passes_link(tree, name)]
        if linked:
            return Laid(True, (), complete=False)
        entry = tree.entry(environment.inventory)
        if entry is None:
            return None
        folder = entry.mode == FOLDER
        usage = self._usage(tree, environment.playbook)
        try:
            return Laid(folder, tuple(_files(tree, environment, folder, usage)), usage=usage)
        except _TooMuch:
            return Laid(folder, (), complete=False)

    def _usage(self, tree: GitTree, playbook: str) -> Usage:
        key = (tree.oid, playbook)
        if key not in self.usages:
            self.usages[key] = read_usage(playbook, _Source(tree))
        return self.usages[key]


@dataclass(slots=True)
class _Source:
    """A tree as core/usage reads it, within budgets."""

    tree: GitTree
    kinds: dict[str, Kind] = field(default_factory=dict)
    files: int = _PLAY_FILES
    left: int = _PLAY_BYTES

    def kind(self, path: str) -> Kind:
        if path in ("", "."):
            return Kind.FOLDER
        if path not in self.kinds:
            self.kinds[path] = self._kind(path)
        return self.kinds[path]

    def _kind(self, path: str) -> Kind:
        above = path.rpartition("/")[0]
        under = self.kind(above)
        if under is not Kind.FOLDER:
            return under if under is Kind.ODD else Kind.NOTHING
        entry = self.tree.entry(path)
        return _kind_of(entry) if entry else Kind.NOTHING

    def text(self, path: str) -> bytes:
        size = self.tree.size(path)
        self.left -= max(size, 0)
        if size < 0 or self.left < 0:
            raise Wide("its playbook reads more than is looked through")
        return self.tree.read(path)

    def below(self, folder: str) -> Iterator[tuple[str, Kind]]:
        for path, entry in _walk(self.tree, {folder: None}):
            self.files -= 1
            if self.files < 0:
                raise Wide("its playbook reads more files than are looked through")
            yield path, _kind_of(entry)

    def names(self, folder: str) -> Iterable[str]:
        return [entry.name for entry in self.tree.list(folder)]


def _kind_of(entry: Entry) -> Kind:
    if entry.mode == FOLDER:
        return Kind.FOLDER
    return Kind.FILE if entry.mode in _FILES else Kind.ODD


def _passes_link(tree: GitTree, path: str) -> bool:
    """Whether some folder on the way to a path is none, but stands for one."""
    names = path.split("/")
    for size in range(1, len(names) + 1):
        entry = tree.entry("/".join(names[:size]))
        if entry is None:
            return False
        if entry.mode == SYMLINK or (entry.mode != FOLDER and size < len(names)):
            return True
    return False


def _files(tree: GitTree, environment: Environment, folder: bool, usage: Usage) -> Iterator[LaidFile]:
    budget = [_MOST_FILES, _MOST_BYTES]
    starts = [environment.inventory]
    for root in variable_roots(environment, folder, usage):
        starts += [f"{root}/{name}" if root else name for name in ("host_vars", "group_vars")]
    for path, found in _walk(tree, dict.fromkeys(starts)):
        budget[0] -= 1
        text = None
        if found.mode in _FILES and (is_source(environment, path) or _is_variables(path)):
            size = tree.size(path)
            if 0 <= size <= LIMITS.size:
                budget[1] -= size
                text = tree.read(path) if budget[1] >= 0 else None
        if min(budget) < 0:
            raise _TooMuch
        yield LaidFile(path, found.mode, text)


def _is_variables(path: str) -> bool:
    return "/host_vars/" in f"/{path}" or "/group_vars/" in f"/{path}"


def _walk(tree: GitTree, starts: dict[str, None]) -> Iterator[tuple[str, Entry]]:
    seen = set[str]()
    waiting = [(path, entry) for path in starts if (entry := tree.entry(path))]
    while waiting:
        path, entry = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        if entry.mode != FOLDER:
            yield path, entry
        else:
            if len(seen) + len(waiting) > _MOST_FILES:
                raise _TooMuch
            waiting += [(f"{path}/{inside.name}", inside) for inside in tree.list(path)]
