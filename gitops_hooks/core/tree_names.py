"""Where in a tree a name can lead that Ansible looks for in several folders."""

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from posixpath import dirname, join, normpath
from typing import Protocol

from gitops_hooks.core.play_text import Wide
from gitops_hooks.model.lazy_dataclass import dataclass

_INSIDE = ("", "tasks", "handlers", "templates", "files", "vars")
# What needs no normpath, which costs most here.
_PLAIN = re.compile(r"[^./][^/]*(?:/[^./][^/]*)*")
DEEPEST = 24


class Kind(Enum):
    """What stands at a path."""

    NOTHING = "nothing"
    FILE = "file"
    FOLDER = "folder"
    ODD = "odd"


class Source(Protocol):
    """One tree. Each method raises Wide once more was read than may be; ODD is a link, or what lies behind one."""

    def kind(self, path: str) -> Kind: ...

    def text(self, path: str) -> bytes: ...

    def below(self, folder: str) -> Iterable[tuple[str, Kind]]: ...

    def names(self, folder: str) -> Iterable[str]: ...


@dataclass(frozen=True, slots=True)
class Place:
    """From where names are looked for: folders, those of includes on the way, and how it was come here."""

    bases: tuple[str, ...]
    steps: tuple[str, ...] = ()
    deep: int = 0

    def inside(self, *folders: str, step: str = "") -> "Place":
        if self.deep >= DEEPEST:
            raise Wide("texts include each other deeper than is followed")
        steps = (*self.steps, step) if step else self.steps
        return Place(tuple(dict.fromkeys((*self.bases, *folders))), steps, self.deep + 1)


def inside_tree(base: str, name: str) -> str | None:
    """A path below the root of the tree, or None outside of it."""
    found = normpath(join(base, name))
    return None if found == ".." or found.startswith(("../", "/")) else found.removeprefix("./")


def candidates(place: Place, name: str) -> tuple[str, ...]:
    """Wherever Ansible may look for a name: up from each base, beside the folders of includes, and in their kinds."""
    if name.startswith(("/", "~")):
        raise Wide(f"{name[:60]} is no path of the repository")
    starts = dict.fromkeys(above for base in place.bases for above in _above(base))
    walked = ("", *(join(*place.steps[index:]) for index in range(len(place.steps))))
    plain = _PLAIN.fullmatch(name) is not None
    found = (
        join(start, inside, walk, name) if plain and not walk else inside_tree(join(start, inside, walk), name)
        for start in starts
        for walk in walked
        for inside in _INSIDE
    )
    return tuple(dict.fromkeys(filter(None, found)))


def _above(path: str) -> Iterator[str]:
    yield path
    while path:
        path = dirname(path)
        yield path
