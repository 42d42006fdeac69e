"""The files that commits bring, each held against its parents: what comes and goes again is in the history too."""

from collections.abc import Iterable

import pygit2

from gitops_hooks.edge.repository import Repository
from gitops_hooks.edge.tree import TooManyPaths, read_blob
from gitops_hooks.model.change import ChangedFile
from gitops_hooks.model.commit import Commit
from gitops_hooks.model.content import SUBMODULE, SYMLINK, Introduced
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.request import Refusal

_LFS = b"version https://git-lfs.github.com/spec/"
_LFS_MOST = 1024  # the size below which LFS itself looks for a pointer
_TARGET_MOST = 4096  # PATH_MAX; a longer target opens nowhere


def introduced(repository: Repository, commits: Iterable[Commit]) -> tuple[Introduced, ...] | Refusal:
    """Every file that a commit adds or changes; a merge brings what none of its parents has.

    Refused as soon as they are more than the server's limit on changed files.
    """
    found: list[Introduced] = []
    most = repository.limits.changed_files
    try:
        for commit in commits:
            found += [_look(repository, commit.oid, file) for file in _brought(repository, commit)]
            if len(found) > most:
                raise TooManyPaths
    except TooManyPaths:
        return Refusal("limits", f"the commits change more than {most} files", "Split the change.")
    return tuple(found)


def _brought(repository: Repository, commit: Commit) -> list[ChangedFile]:
    trees = [repository.tree_of(parent) for parent in commit.parents] or [NO_OID]
    first, *others = (repository.changed(tree, commit.tree) for tree in trees)
    new_to_all = [{(file.path, file.mode, file.oid) for file in files} for files in others]
    return [
        file
        for file in first
        if not file.deleted and all((file.path, file.mode, file.oid) in files for files in new_to_all)
    ]


def _look(repository: Repository, commit: str, file: ChangedFile) -> Introduced:
    if file.mode == SUBMODULE:
        return Introduced(file.path, file.mode, commit)
    odb: pygit2.Odb = repository.git2.odb
    size = int(odb.read_header(file.oid)[1])
    if file.mode == SYMLINK:
        # What cannot be read whole leads nowhere that can be known, and is taken to lead outside.
        raw = read_blob(repository.git2, file.oid, _TARGET_MOST, file.path) if size <= _TARGET_MOST else b"/"
        return Introduced(file.path, file.mode, commit, size, raw.decode("utf-8", "surrogateescape"))
    lfs = size < _LFS_MOST and bytes(odb.read(file.oid)[1]).startswith(_LFS)
    return Introduced(file.path, file.mode, commit, size, lfs=lfs)
