"""One tree of the object store as checks see it, and the paths in which two trees differ."""

import re
from collections.abc import Iterator
from dataclasses import field

import pygit2

from gitops_hooks.edge.folders import Folders, split_entry
from gitops_hooks.hookspec import Entry
from gitops_hooks.model.change import ChangedFile
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import NO_OID

FOLDER = 0o40000
SUBMODULE = 0o160000
_ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)
_DEPTH = 100
_KEPT_FOLDERS = 8

_NOTHING = (0, NO_OID)

Raw = tuple[bytes, bytes, bytes]
Side = tuple[int, str]


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class GitTree:
    """A Tree (hookspec.py) on one tree object; `most` bounds the bytes of one read.

    The folders looked into last are kept: one with 50,000 entries is then read once and not for every name.
    """

    repository: pygit2.Repository
    oid: str
    most: int
    _folders: dict[str, dict[bytes, Raw]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def entry(self, path: str) -> Entry | None:
        here: Entry | None = Entry("", FOLDER, self.oid)
        for name in path.split("/"):
            if here is None or here.mode != FOLDER:
                return None
            here = self._named(here.oid, name)
        return here

    def _named(self, folder: str, name: str) -> Entry | None:
        """One entry of a folder; no value is made of the others."""
        found = self._names(folder).get(name.encode("utf-8", "surrogateescape"))
        return Entry(name, int(found[0], 8), found[2].hex()) if found else None

    def _names(self, folder: str) -> dict[bytes, Raw]:
        if (names := self._folders.pop(folder, None)) is None:
            # Of a name that stands twice, which no sound tree has, the first counts, as for git.
            names = {entry[1]: entry for entry in reversed(_raw(self.repository, folder))}
        self._folders[folder] = names
        if len(self._folders) > _KEPT_FOLDERS:
            del self._folders[next(iter(self._folders))]
        return names

    def size(self, path: str) -> int:
        entry = self.entry(path)
        if entry is None or entry.mode == FOLDER or entry.oid not in self.repository.odb:
            return -1
        return int(self.repository.odb.read_header(entry.oid)[1])

    def read(self, path: str) -> bytes:
        entry = self.entry(path)
        if entry is None or entry.mode == FOLDER:
            raise EdgeError(path, "there is no such file in this tree")
        return read_blob(self.repository, entry.oid, self.most, path)

    def list(self, path: str = "") -> Iterator[Entry]:
        entry = self.entry(path) if path else Entry("", FOLDER, self.oid)
        if entry is not None and entry.mode == FOLDER:
            yield from _entries(self.repository, entry.oid)


def read_blob(repository: pygit2.Repository, oid: str, most: int, path: str) -> bytes:
    """A blob's bytes. Errors: EdgeError where it is missing, no blob, or over `most` bytes (read from its header)."""
    if oid not in repository.odb:
        raise EdgeError(path, "its content is not in the repository")
    kind, size = repository.odb.read_header(oid)
    if kind != pygit2.enums.ObjectType.BLOB:
        raise EdgeError(path, "is not a file")
    if size > most:
        raise EdgeError(path, f"is {size} bytes; at most {most} are read")
    return bytes(repository.odb.read(oid)[1])


def _raw(repository: pygit2.Repository, oid: str) -> list[Raw]:
    # The raw bytes are read, because pygit2 costs microseconds an entry and a folder may hold 50,000.
    return _ENTRY.findall(repository.odb.read(oid)[1]) if oid != NO_OID else []


def _entries(repository: pygit2.Repository, oid: str) -> Iterator[Entry]:
    for mode, name, raw in _raw(repository, oid):
        yield Entry(_text(name), int(mode, 8), raw.hex())


def folders_and_links(repository: pygit2.Repository, oid: str) -> dict[str, tuple[int, str]]:
    """The folders and symlinks right in a folder, by name, with mode and id; no value is made of files."""
    return {_text(name): (int(mode, 8), raw.hex()) for mode, name, raw in _raw(repository, oid) if mode in _LEADING}


_LEADING = (b"40000", b"120000")


def whole_tree(repository: pygit2.Repository, oid: str, most: int) -> Iterator[tuple[str, int, bytes]]:
    """Every file of a tree as (path, mode, bytes), for a deployment and never in a hook.

    A submodule comes with its mode and no bytes. Errors: EdgeError for a blob over `most` bytes or too deep a tree.
    """
    yield from _below(repository, oid, "", most, 0)


def _below(
    repository: pygit2.Repository, oid: str, folder: str, most: int, depth: int
) -> Iterator[tuple[str, int, bytes]]:
    if depth > _DEPTH:
        raise EdgeError(folder, f"folders are nested deeper than {_DEPTH}")
    for entry in _entries(repository, oid):
        path = folder + entry.name
        if entry.mode == FOLDER:
            yield from _below(repository, entry.oid, path + "/", most, depth + 1)
        else:
            content = b"" if entry.mode == SUBMODULE else read_blob(repository, entry.oid, most, path)
            yield path, entry.mode, content


class TooManyPaths(Exception):
    """More paths differ than the server's limit allows; raised before they are listed."""


def changed_files(folders: Folders, old: str, new: str, most: int) -> tuple[ChangedFile, ...]:
    """The paths in which two trees (NO_OID for none) differ; only differing folders are opened.

    Errors: TooManyPaths as soon as the count passes `most`, since 10^10 paths fit in 108 kB of trees.
    """
    found: list[ChangedFile] = []
    for file in _differences(folders, old, new, "", 0):
        found.append(file)
        if len(found) > most:
            raise TooManyPaths
    return tuple(sorted(found, key=lambda file: file.path))


def _differences(folders: Folders, old: str, new: str, folder: str, depth: int) -> Iterator[ChangedFile]:
    if old == new:
        return
    if depth > _DEPTH:
        raise TooManyPaths
    before, after = folders.entries(old), folders.entries(new)
    names: dict[bytes, list[Side]] = {}
    for at, entries in enumerate((before - after, after - before)):
        for entry in entries:
            mode, name, oid = split_entry(entry)
            names.setdefault(name, [_NOTHING, _NOTHING])[at] = (mode, oid)
    for name, (was, now) in names.items():
        yield from _one(folders, was, now, folder + _text(name), depth)


def _one(folders: Folders, was: Side, now: Side, path: str, depth: int) -> Iterator[ChangedFile]:
    if FOLDER in (was[0], now[0]):
        below = (was[1] if was[0] == FOLDER else NO_OID, now[1] if now[0] == FOLDER else NO_OID)
        yield from _differences(folders, *below, path + "/", depth + 1)
        was, now = (_NOTHING if side[0] == FOLDER else side for side in (was, now))
    if was[0] or now[0]:
        yield ChangedFile(path, *was, *now)
