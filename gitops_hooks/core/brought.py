"""The files that a change brings, asked by many rules: what they have in common is made out once for all of them."""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property

from gitops_hooks.core.changed_paths import ChangedPaths
from gitops_hooks.core.links import NO_LINKS, Links
from gitops_hooks.core.path_pattern import Parts
from gitops_hooks.core.path_set import PathSet
from gitops_hooks.model.bounds import FileBounds
from gitops_hooks.model.content import Introduced


class Brought:
    """`files` as each commit brings them, and `paths`, all that differ in the end; built once and then only asked."""

    def __init__(self, files: Sequence[Introduced], paths: Sequence[str], links: Links = NO_LINKS) -> None:
        self.files = files
        self.paths = paths
        self._links = links

    def suspects(self, bounds: FileBounds) -> Sequence[Introduced]:
        """All files, or none where even the largest and longest keeps to the bounds."""
        too_large = bounds.max_size and self._largest > bounds.max_size
        too_long = bounds.max_path and self._longest > bounds.max_path
        strange = bounds.allowed_extensions is not None and not self._extensions <= set(bounds.allowed_extensions)
        forbidden = not self._extensions.isdisjoint(bounds.forbidden_extensions)
        return self.files if too_large or too_long or strange or forbidden else ()

    def hit_by(self, globs: tuple[str, ...]) -> frozenset[str]:
        """The files' paths that match, under any of their names and in any spelling."""
        if not globs:
            return frozenset()
        hit = self._named.matching(globs)
        return hit | {path for name in hit for path in self._aliases.get(name, ())} if self._aliases else hit

    def outside(self, globs: Iterable[str]) -> list[str]:
        """The paths that none of these covers exactly as written: another spelling is another path."""
        covered = 0
        for glob in globs:
            covered |= self._exact.mask(tuple(glob.split("/")))
        if covered == self._exact.everything:
            return []
        inside = frozenset(self._exact.covered(covered))
        return [path for path, parts in self._spelled.items() if parts not in inside]

    @cached_property
    def _largest(self) -> int:
        return max((file.size for file in self.files), default=0)

    @cached_property
    def _longest(self) -> int:
        return max((len(file.path.encode("utf-8", "surrogateescape")) for file in self.files), default=0)

    @cached_property
    def _extensions(self) -> frozenset[str]:
        return frozenset(extension_of(file.path) for file in self.files)

    @cached_property
    def _aliases(self) -> dict[str, list[str]]:
        """Other names → paths, where symlinks give them any."""
        found: dict[str, list[str]] = {}
        if self._links.names_of(file.path for file in self.files):
            for path in dict.fromkeys(file.path for file in self.files):
                for name in self._links.names_of((path,)):
                    found.setdefault(name, []).append(path)
        return found

    @cached_property
    def _named(self) -> ChangedPaths:
        return ChangedPaths(dict.fromkeys((*(file.path for file in self.files), *self._aliases)))

    @cached_property
    def _spelled(self) -> dict[str, Parts]:
        every = dict.fromkeys((*self.paths, *(file.path for file in self.files)))
        return {path: tuple(unicodedata.normalize("NFC", path).split("/")) for path in every}

    @cached_property
    def _exact(self) -> PathSet:
        return PathSet(self._spelled.values())


def extension_of(path: str) -> str:
    """What follows the last dot of the name, in small letters; nothing for `.hidden` and names without one."""
    stem, dot, extension = path.rsplit("/", 1)[-1].rpartition(".")
    return extension.casefold() if dot and stem else ""
