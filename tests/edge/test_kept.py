"""Which older revision holds for a head, asked of real objects."""

from dataclasses import replace
from pathlib import Path

import pygit2
import pytest

from gitops_hooks.edge.repository import Repository, open_repository
from gitops_hooks.entry.kept import find_kept
from gitops_hooks.model.approval import Approval, Kept, Rejection
from gitops_hooks.model.change import ChangeRecord, ChangeState, Revision
from gitops_hooks.model.commit import Range
from gitops_hooks.model.policy import Keep
from gitops_hooks.model.server import Limits

LINES = "".join(f"{number}\n" for number in range(20))
SIGN = pygit2.Signature("alice", "alice@example.org", 1, 0)


class Shelf:
    """Commits of one file each, on a repository of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.git2 = pygit2.init_repository(str(folder), bare=True)
        self.repository: Repository = open_repository(folder, Limits())

    def commit(self, text: str, *parents: str, other: str = "", message: str = "m") -> str:
        index = pygit2.Index()
        for path, content in (("a", text), ("b", other)):
            index.add(pygit2.IndexEntry(path, self.git2.create_blob(content.encode()), pygit2.enums.FileMode.BLOB))
        oids = [pygit2.Oid(hex=parent) for parent in parents]
        return str(self.git2.create_commit(None, SIGN, SIGN, message, index.write_tree(self.git2), oids))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "site.git")


def approved(base: str, head: str, carries: bool = True) -> ChangeRecord:
    approval = Approval("e" * 40, "r" * 32, "bob", "refs/heads/main", base, head, (head,), "p" * 40, carries=carries)
    revisions = (Revision(1, head, base, "alice"),)
    return ChangeRecord(
        1, "e" * 40, "alice", "refs/heads/main", "", "", "", ChangeState.OPEN, revisions, (approval,), ()
    )


def kinds(shelf: Shelf, record: ChangeRecord, base: str, head: str, keep: Keep) -> list[str]:
    return [kept.kind for kept in find_kept(shelf.repository, record, Range(base, head, base, ()), keep)]


def test_the_same_change_on_a_newer_base_is_a_trivial_rebase(shelf: Shelf) -> None:
    old = shelf.commit(LINES)
    new = shelf.commit(LINES, old, other="more")
    first = shelf.commit(LINES + "end\n", old)
    second = shelf.commit(LINES + "end\n", new, other="more", message="other words")
    record = approved(old, first)
    assert kinds(shelf, record, new, second, Keep.TRIVIAL_REBASE) == ["trivial-rebase"]
    assert kinds(shelf, record, new, second, Keep.NO_CODE_CHANGE) == []
    assert kinds(shelf, record, new, second, Keep.NOTHING) == []
    assert kinds(shelf, approved(old, first, carries=False), new, second, Keep.TRIVIAL_REBASE) == []


def test_the_same_lines_at_another_place_are_another_tree(shelf: Shelf) -> None:
    block = "x\n" * 8
    old = shelf.commit(f"{block}1\n{block}2\n{block}")
    new = shelf.commit(f"{block}1\n{block}2\n{block}", old, other="more")
    first = shelf.commit(f"{block}1\nrule\n{block}2\n{block}", old)
    second = shelf.commit(f"{block}1\n{block}2\nrule\n{block}", new, other="more")
    assert kinds(shelf, approved(old, first), new, second, Keep.TRIVIAL_REBASE) == []


def test_a_merge_that_conflicts_keeps_nothing(shelf: Shelf) -> None:
    old = shelf.commit("1\n")
    new = shelf.commit("2\n", old)
    first = shelf.commit("3\n", old)
    second = shelf.commit("3\n", new)
    assert kinds(shelf, approved(old, first), new, second, Keep.TRIVIAL_REBASE) == []


def test_an_older_base_keeps_nothing(shelf: Shelf) -> None:
    old = shelf.commit(LINES)
    new = shelf.commit(LINES, old, other="more")
    first = shelf.commit(LINES + "end\n", new, other="more")
    second = shelf.commit(LINES + "end\n", old)
    assert kinds(shelf, approved(new, first), old, second, Keep.TRIVIAL_REBASE) == []


def test_on_one_base_only_an_equal_tree_is_kept(shelf: Shelf) -> None:
    base = shelf.commit(LINES)
    first = shelf.commit(LINES + "end\n", base)
    same = shelf.commit(LINES + "end\n", base, message="better words")
    other = shelf.commit(LINES + "End\n", base)
    for keep in (Keep.NO_CODE_CHANGE, Keep.TRIVIAL_REBASE):
        assert kinds(shelf, approved(base, first), base, same, keep) == ["no-code-change"]
        assert kinds(shelf, approved(base, first), base, other, keep) == []


def test_a_rejection_is_kept_like_an_approval(shelf: Shelf) -> None:
    base = shelf.commit(LINES)
    first = shelf.commit(LINES + "end\n", base)
    same = shelf.commit(LINES + "end\n", base, message="better words")
    record = replace(approved(base, first), approvals=(), rejections=(Rejection("e" * 40, "bob", first),))
    found = find_kept(shelf.repository, record, Range(base, same, base, ()), Keep.NO_CODE_CHANGE)
    assert found == (Kept(base, first, "no-code-change"),)
