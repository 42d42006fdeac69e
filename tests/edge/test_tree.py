"""Paths looked up in one tree."""

from pathlib import Path

import pygit2
import pytest

from gitops_hooks.edge.tree import GitTree

FILE, FOLDER = 0o100644, 0o40000


@pytest.fixture
def tree(tmp_path: Path) -> GitTree:
    """Twelve folders, more than are kept, with a file each that says which one it is in."""
    repository = pygit2.init_repository(str(tmp_path), bare=True)
    root = repository.TreeBuilder()
    for number in range(12):
        folder = repository.TreeBuilder()
        folder.insert("name", repository.create_blob(str(number).encode()), FILE)
        root.insert(f"f{number}", folder.write(), FOLDER)
    return GitTree(repository, str(root.write()), 100)


def test_a_path_is_found_however_many_folders_were_looked_into_between(tree: GitTree):
    paths = [f"f{number}/name" for number in range(12)]
    assert [tree.read(path) for path in paths * 2] == [str(number).encode() for number in range(12)] * 2
    assert len(tree._folders) <= 8


@pytest.mark.parametrize("path", ["f1/other", "f12/name", "f1/name/below", "name", ""])
def test_what_is_not_there_is_not_found(tree: GitTree, path: str):
    assert tree.entry(path) is None
    assert tree.size(path) == -1


def test_of_a_name_that_stands_twice_the_first_counts(tmp_path: Path):
    repository = pygit2.init_repository(str(tmp_path), bare=True)
    first, second = (repository.create_blob(text) for text in (b"first", b"second"))
    raw = b"".join(b"100644 twice\0" + bytes.fromhex(str(blob)) for blob in (first, second))
    oid = str(repository.odb.write(pygit2.enums.ObjectType.TREE, raw))
    assert GitTree(repository, oid, 100).read("twice") == b"first"
