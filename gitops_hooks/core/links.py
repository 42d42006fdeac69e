"""Under which names a path counts besides its own: those that lead to it through symlinks of the tree (trust rule 16).

Symlinks are looked for where rules look, along what is literal at the beginning of their globs: a search for all of
them would cost by the size of the repository and not of the change.
"""

from collections.abc import Iterable, Sequence

from gitops_hooks.core.path_pattern import Parts, is_literal
from gitops_hooks.model.lazy_dataclass import dataclass

UNKNOWN = "\udcff"
_MOST_NAMES = 50_000


@dataclass(frozen=True, slots=True)
class Links:
    """Each of `found` is the name of a symlink, as rules reach it, with a path that it leads to ("" is the root).

    `complete` False: there were more symlinks than are followed, and nobody can say what leads where.
    """

    found: tuple[tuple[str, str], ...] = ()
    complete: bool = True

    def names_of(self, paths: Iterable[str]) -> tuple[str, ...]:
        """The other names of these paths; UNKNOWN, which meets every rule, stands for those that nobody can say."""
        if not self.found and self.complete:
            return ()
        leading: dict[str, list[str]] = {}
        for name, path in self.found:
            leading.setdefault(path, []).append(name)
        names: dict[str, None] = {}
        for path in paths:
            names |= dict.fromkeys(_renamed(path, leading))
            if len(names) > _MOST_NAMES:
                return (UNKNOWN,)
        return (*names, *(() if self.complete else (UNKNOWN,)))

    def with_names(self, paths: Sequence[str]) -> tuple[str, ...]:
        """The paths, and after them their other names."""
        return tuple(dict.fromkeys((*paths, *self.names_of(paths))))


NO_LINKS = Links()


def _renamed(path: str, leading: dict[str, list[str]]) -> Iterable[str]:
    for name in leading.get("", ()):
        yield f"{name}/{path}"
    at = path.find("/")
    while at >= 0:
        for name in leading.get(path[:at], ()):
            yield name + path[at:]
        at = path.find("/", at + 1)
    yield from leading.get(path, ())


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is literal where a glob begins; `open` says that wildcards follow, `folded` that case is no matter."""

    parts: Parts
    open: bool
    folded: bool


def beginning(glob: str, folded: bool = True) -> Beginning:
    parts = tuple(glob.split("/"))
    size = next((at for at, part in enumerate(parts) if not is_literal(part)), len(parts))
    return Beginning(parts[:size], size < len(parts), folded)
