"""What trees hold of the environments' inventories, read for core/reach."""

from collections.abc import Iterator, Sequence

from gitops_hooks.core.inventory import LIMITS
from gitops_hooks.core.reach import Laid, LaidFile, Reached, is_source, reach_of, variable_roots
from gitops_hooks.edge.repository import Repository
from gitops_hooks.edge.tree import FOLDER, GitTree
from gitops_hooks.hookspec import Entry
from gitops_hooks.model.policy import Environment, Policy
from gitops_hooks.model.push import NO_OID

_MOST_FILES = 50_000
_MOST_BYTES = 4 * 1024 * 1024


class _TooMuch(Exception):
    """More files or bytes than are looked through."""


def find_reach(
    repository: Repository, policy: Policy, ref: str, trees: Sequence[str], paths: Sequence[str]
) -> tuple[Reached, ...]:
    """What these paths touch in each environment of a branch; `trees` are the old tip's and the result."""
    laid = {environment: _lay_all(repository, trees, environment) for environment in policy.environments}
    return tuple(
        reach_of(
            environment,
            laid[environment],
            [(other, all(tree.folder for tree in found)) for other, found in laid.items() if other != environment],
            paths,
        )
        for environment in policy.environments
        if environment.branch == ref
    )


def _lay_all(repository: Repository, trees: Sequence[str], environment: Environment) -> list[Laid]:
    found = (_lay(repository.tree(tree), environment) for tree in dict.fromkeys(trees) if tree != NO_OID)
    return [laid for laid in found if laid]


def _lay(tree: GitTree, environment: Environment) -> Laid | None:
    """None where the tree has no such inventory."""
    linked = [name for name in (environment.inventory, environment.playbook) if _passes_link(tree, name)]
    if linked:
        return Laid(True, (), complete=False)
    entry = tree.entry(environment.inventory)
    if entry is None:
        return None
    folder = entry.mode == FOLDER
    try:
        return Laid(folder, tuple(_files(tree, environment, entry)))
    except _TooMuch:
        return Laid(folder, (), complete=False)


def _passes_link(tree: GitTree, path: str) -> bool:
    """Whether some folder on the way to a path is none, but stands for one."""
    names = path.split("/")
    for size in range(1, len(names) + 1):
        entry = tree.entry("/".join(names[:size]))
        if entry is None:
            return False
        if entry.mode == 0o120000 or (entry.mode != FOLDER and size < len(names)):
            return True
    return False


def _files(tree: GitTree, environment: Environment, entry: Entry) -> Iterator[LaidFile]:
    budget = [_MOST_FILES, _MOST_BYTES]
    folder = entry.mode == FOLDER
    starts = [environment.inventory]
    for root in variable_roots(environment, folder):
        starts += [f"{root}/{name}" if root else name for name in ("host_vars", "group_vars")]
    for path, found in _walk(tree, dict.fromkeys(starts)):
        budget[0] -= 1
        text = None
        if is_source(environment, path) and found.mode in (0o100644, 0o100755):
            size = tree.size(path)
            if 0 <= size <= LIMITS.size:
                budget[1] -= size
                text = tree.read(path) if budget[1] >= 0 else None
        if min(budget) < 0:
            raise _TooMuch
        yield LaidFile(path, found.mode, text)


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
