"""Symlinks of a tree, looked for along the beginnings of globs and followed as the kernel follows them."""

from collections.abc import Iterable, Sequence

import pygit2

from gitops_hooks.core.changed_paths import fold
from gitops_hooks.core.links import Beginning, Links
from gitops_hooks.core.path_pattern import Parts
from gitops_hooks.edge.repository import Repository
from gitops_hooks.edge.tree import FOLDER, folders_and_links, read_blob
from gitops_hooks.model.content import SYMLINK
from gitops_hooks.model.push import NO_OID

_HOPS = 40  # Linux opens nothing behind more symlinks in a row
_TARGET = 4096  # PATH_MAX
_MOST_LINKS = 5_000

Inside = dict[str, tuple[int, str]]
Place = tuple[Parts, Parts]


class _TooMany(Exception):
    """More symlinks than are followed in one judgement."""


def find_links(repository: Repository, trees: Iterable[str], beginnings: Iterable[Beginning]) -> Links:
    """What the symlinks of these trees lead to, as far as they lie on one of the beginnings or right behind it."""
    asked = tuple(dict.fromkeys(beginnings))
    found: dict[tuple[str, str], None] = {}
    budget = [_MOST_LINKS]
    try:
        for tree in dict.fromkeys(trees):
            look = _Look(repository.git2, tree, found, budget)
            for one in asked if tree != NO_OID else ():
                look.along(one)
    except _TooMany:
        return Links(tuple(found), complete=False)
    return Links(tuple(found))


class _Look:
    """One tree while it is looked through; `found` collects (name of a symlink, path that it leads to)."""

    def __init__(
        self, git2: pygit2.Repository, tree: str, found: dict[tuple[str, str], None], budget: list[int]
    ) -> None:
        self._git2 = git2
        self._tree = tree
        self._found = found
        self._budget = budget
        self._inside: dict[str, Inside] = {}
        self._spelled: dict[str, dict[str, list[str]]] = {}
        self._places: dict[tuple[Parts, bool], tuple[Place, ...]] = {}

    def along(self, one: Beginning) -> None:
        for name, real in self._at(one.parts, one.folded):
            for inside, (mode, _) in self._folder(real).items() if one.open else ():
                if mode == SYMLINK:
                    self._pass((*name, inside), (*real, inside))

    def _at(self, parts: Parts, folded: bool) -> tuple[Place, ...]:
        """Every way of spelling these names, with the folder that it leads to."""
        if not parts:
            return (((), ()),)
        if (parts, folded) not in self._places:
            before = self._at(parts[:-1], folded)
            self._places[parts, folded] = tuple(at for place in before for at in self._step(*place, parts[-1], folded))
        return self._places[parts, folded]

    def _step(self, name: Parts, real: Parts, part: str, folded: bool) -> Iterable[Place]:
        inside = self._folder(real)
        for spelled in self._spellings(real, part) if folded else (part,):
            mode = inside[spelled][0] if spelled in inside else 0
            if mode == FOLDER:
                yield (*name, spelled), (*real, spelled)
            elif mode == SYMLINK:
                end = self._pass((*name, spelled), (*real, spelled))
                if end is not None:
                    yield (*name, spelled), end

    def _pass(self, name: Parts, real: Parts) -> Parts | None:
        """Follow the symlink that lies at `real`; whatever it passes on its way counts under its name too."""
        hops, here = [real], list(real[:-1])
        waiting = self._target(real)
        while waiting:
            part = waiting.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not here:
                    return None
                here.pop()
            elif self._folder(here).get(part, (0, ""))[0] != SYMLINK:
                here.append(part)
            else:
                hops.append((*here, part))
                if len(hops) > _HOPS:
                    return None
                self._note(name, hops[-1])
                waiting += self._target(hops[-1])
        self._note(name, here)
        return tuple(here)

    def _note(self, name: Parts, path: Sequence[str]) -> None:
        self._found["/".join(name), "/".join(path)] = None

    def _target(self, link: Parts) -> list[str]:
        """The names in a symlink's target, last first. One that is absolute climbs out of every tree."""
        self._budget[0] -= 1
        if self._budget[0] < 0:
            raise _TooMany
        oid = self._folder(link[:-1])[link[-1]][1]
        if self._git2.odb.read_header(oid)[1] > _TARGET:
            return [".."] * (len(link) + 1)
        text = read_blob(self._git2, oid, _TARGET, "/".join(link)).decode("utf-8", "surrogateescape")
        return [".."] * (len(link) + 1) if text.startswith("/") else text.split("/")[::-1]

    def _folder(self, path: Sequence[str]) -> Inside:
        """The folders and symlinks in a folder; none where it is no folder."""
        oid = self._tree
        for part in path:
            mode, oid = self._read(oid).get(part, (0, ""))
            if mode != FOLDER:
                return {}
        return self._read(oid)

    def _read(self, oid: str) -> Inside:
        if oid not in self._inside:
            self._inside[oid] = folders_and_links(self._git2, oid)
        return self._inside[oid]

    def _spellings(self, folder: Parts, part: str) -> Iterable[str]:
        key = "/".join(folder)
        if key not in self._spelled:
            spelled: dict[str, list[str]] = {}
            for name in self._folder(folder):
                spelled.setdefault(fold(name), []).append(name)
            self._spelled[key] = spelled
        return self._spelled[key].get(fold(part), ())
