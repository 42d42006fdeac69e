"""Commits made again on another parent, or undone: clean three-way merges without renames, or what conflicts."""

from collections.abc import Sequence

import pygit2

from gitops_hooks.edge.disk import needing_room
from gitops_hooks.edge.repository import Repository
from gitops_hooks.model.commit import Commit
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.request import Refusal


@dataclass(frozen=True, slots=True)
class Replayed:
    """One commit, and the tree that it has on its new parent."""

    commit: Commit
    tree: str


def undo(repository: Repository, onto: str, good: str, bad: str) -> str | Refusal:
    """The tree of `onto` without what differs from `good` to `bad`: one three-way merge, without renames.

    Refused: a conflict, where nothing of it is left, and where some of it was purged.
    """
    ours = repository.tree_of(onto)
    try:
        before, after = repository.tree_of(bad), repository.tree_of(good)
        index = repository.git2.merge_trees(before, ours, after, flags=pygit2.enums.MergeFlag(0))
    except (KeyError, EdgeError):
        return Refusal("revert", "what it would undo cannot be read any more")
    if index.conflicts:
        return Refusal("revert", f"undoing it conflicts with {onto[:7]} in {_conflicts(index.conflicts)}")
    with needing_room(pygit2.GitError):
        made = str(index.write_tree(repository.git2))
    return made if made != ours else Refusal("revert", f"nothing of it is left in {onto[:7]}")


def _conflicts(conflicts: pygit2.index.ConflictCollection) -> str:
    paths = sorted({side.path for sides in conflicts for side in sides if side})
    return ", ".join(paths[:10]) + (f" and {len(paths) - 10} more" if len(paths) > 10 else "")


def replay(repository: Repository, onto: str, commits: Sequence[Commit]) -> tuple[Replayed, ...] | Refusal:
    """The commits (newest first) again on top of `onto`, oldest first; one whose change is there already is left out.

    Refused: a commit of several parents, and a conflict.
    """
    tree = repository.tree_of(onto)
    found: list[Replayed] = []
    for commit in reversed(commits):
        if len(commit.parents) != 1:
            return Refusal("rebase", f"{commit.oid[:7]} is a merge, and a rebase keeps none.")
        before = repository.tree_of(commit.parents[0])
        index = repository.git2.merge_trees(before, tree, commit.tree, flags=pygit2.enums.MergeFlag(0))
        if index.conflicts:
            shown = _conflicts(index.conflicts)
            return Refusal("rebase", f"{commit.oid[:7]} conflicts with {onto[:7]} in {shown}.")
        with needing_room(pygit2.GitError):
            made = str(index.write_tree(repository.git2))
        if made != tree or commit.tree == before:
            found.append(Replayed(commit, made))
        tree = made
    return tuple(found)
