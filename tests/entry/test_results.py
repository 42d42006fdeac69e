"""What a landing makes of real commits, made again, and told from anything else."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitops_hooks.core.results import Inscription
from gitops_hooks.edge.keys import make_key
from gitops_hooks.edge.objects import ObjectWriter
from gitops_hooks.edge.replay import replay
from gitops_hooks.edge.repository import Repository, open_repository
from gitops_hooks.edge.signer import load_signer
from gitops_hooks.entry.results import is_result, judge_result, plan_result, write_result
from gitops_hooks.model.commit import Merged, Range, Shape
from gitops_hooks.model.policy import LandMethod
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.server import Limits
from tests.people import shell_of

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LANDING = Inscription(12, "The change", "main", "bob")


class Bench:
    """A bare repository, its only writer, and git by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "site.git"
        self.git("init", "-q", "--bare", str(self.path))
        make_key(folder / "key", "server")
        self.repository: Repository = open_repository(self.path, Limits())
        self.objects = ObjectWriter(self.repository.git2, load_signer(folder / "key"))

    def git(self, *words: str, text: str = "", who: str = "alice") -> str:
        done = subprocess.run(
            ["git", *(("--git-dir", str(self.path)) if self.path.exists() else ()), *words],
            input=text.encode(),
            env=shell_of(who, self.folder),
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def commit(self, files: dict[str, str], message: str, *parents: str, who: str = "alice") -> str:
        """A commit with exactly these files."""
        blobs = {path: self.git("hash-object", "-w", "--stdin", text=text) for path, text in files.items()}
        tree = self.git("mktree", text="".join(f"100644 blob {oid}\t{path}\n" for path, oid in blobs.items()))
        named = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", tree, *named, text=message, who=who)

    def span(self, tip: str, head: str) -> tuple[Range, Merged]:
        span = self.repository.range(tip, head)
        assert isinstance(span, Range)
        merged = self.repository.merge(span)
        assert isinstance(merged, Merged)
        return span, merged


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield Bench(tmp_path)


BASE = {"a": "1\n2\n3\n4\n5\n", "b": "b\n"}


def _diverged(bench: Bench) -> tuple[str, str]:
    base = bench.commit(BASE, "Base")
    tip = bench.commit({**BASE, "b": "tip\n"}, "Tip", base)
    first = bench.commit({**BASE, "a": "one\n2\n3\n4\n5\n"}, "First", base)
    return tip, bench.commit({**BASE, "a": "one\n2\n3\n4\nfive\n"}, "Second", first, who="dave")


@pytest.mark.parametrize(("shape", "commits"), [(Shape.MERGE, 1), (Shape.SQUASH, 1), (Shape.REBASE, 2)])
def test_what_was_made_is_recognised_and_nothing_else_is(bench: Bench, shape: Shape, commits: int) -> None:
    tip, head = _diverged(bench)
    span, merged = bench.span(tip, head)
    planned = plan_result(bench.repository, shape, span, merged, LANDING)
    assert not isinstance(planned, Refusal) and len(planned) == commits
    new = write_result(bench.objects, planned, tip, head, AT)
    assert bench.repository.commit(new).tree == merged.tree

    def recognised(landing: Inscription = LANDING, at: datetime = AT, commit: str = new) -> bool:
        again = plan_result(bench.repository, shape, span, merged, landing)
        assert not isinstance(again, Refusal)
        return is_result(bench.repository, commit, again, span, at)

    assert recognised()
    assert not recognised(replace(LANDING, lander="carol"))
    assert not recognised(replace(LANDING, number=13))
    assert not recognised(at=AT + timedelta(seconds=1))
    parents = bench.git("show", "-s", "--format=%P", new).split()
    own = bench.git("commit-tree", merged.tree, *(w for p in parents for w in ("-p", p)), text="x")
    assert not recognised(commit=own)


def test_a_rebase_that_gives_another_tree_than_the_merge_is_refused(bench: Bench) -> None:
    base = bench.commit({"a": "x\n"}, "Base")
    tip = bench.commit({"a": "y\n"}, "Tip", base)
    there = bench.commit({"a": "y\n"}, "There", base)
    head = bench.commit({"a": "x\n", "c": "c\n"}, "And back", there)
    span, merged = bench.span(tip, head)
    assert bench.repository.tree(merged.tree).read("a") == b"y\n"
    (refused,) = judge_result(bench.repository, LandMethod.REBASE, span, merged)
    assert refused.reason == "Commit by commit it gives another tree than merged at once. Rebase, and propose again."
    assert judge_result(bench.repository, LandMethod.SQUASH, span, merged) == ()


def test_nothing_is_squashed_of_what_the_branch_has_already(bench: Bench) -> None:
    base = bench.commit(BASE, "Base")
    tip, head = (bench.commit({**BASE, "b": "same\n"}, word, base) for word in ("Tip", "Head"))
    (refused,) = judge_result(bench.repository, LandMethod.SQUASH, *bench.span(tip, head))
    assert refused.reason == "Nothing of it is left to land: the branch has all of it already."


def test_a_replay_leaves_out_what_is_there_and_keeps_what_was_empty(bench: Bench) -> None:
    base = bench.commit(BASE, "Base")
    tip = bench.commit({**BASE, "b": "same\n"}, "Tip", base)
    same = bench.commit({**BASE, "b": "same\n"}, "Same", base)
    empty = bench.commit({**BASE, "b": "same\n"}, "Empty on purpose", same)
    span, _ = bench.span(tip, empty)
    made = replay(bench.repository, tip, span.commits)
    assert not isinstance(made, Refusal)
    assert [each.commit.title for each in made] == ["Empty on purpose"]


def test_a_replay_names_the_paths_in_conflict_and_refuses_merges(bench: Bench) -> None:
    base = bench.commit(BASE, "Base")
    tip, head = (bench.commit({**BASE, "b": f"{word}\n"}, word, base) for word in ("tip", "head"))
    commit = bench.repository.commit(head)
    assert replay(bench.repository, tip, (commit,)) == Refusal("rebase", f"{head[:7]} conflicts with {tip[:7]} in b.")
    merge = bench.repository.commit(bench.commit(BASE, "Merge", tip, head))
    assert replay(bench.repository, tip, (merge,)) == Refusal(
        "rebase", f"{merge.oid[:7]} is a merge, and a rebase keeps none."
    )


def test_an_author_keeps_name_address_time_and_zone(bench: Bench) -> None:
    commit = bench.commit(BASE, "Base", who="alice")
    line = bench.git("show", "-s", "--format=%an <%ae> %ad", "--date=raw", commit)
    assert bench.repository.commit(commit).written == line
