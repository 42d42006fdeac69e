"""The commits that the server makes: which shape, and their text to the byte."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_hooks.core.results import (
    Inscription,
    commit_text,
    plan_merge,
    plan_moved,
    plan_rebased,
    plan_squash,
)
from gitops_hooks.core.shape import first_merge, shape_of
from gitops_hooks.model.commit import Commit, Range, Shape
from gitops_hooks.model.policy import LandMethod
from gitops_hooks.model.verdict import Requirement, Status
from tests.core.records import oid

ALICE, DAVE = "Alice <alice@example.org> 1700000000 +0100", "Dave <dave@example.org> 1700000009 -0030"
LANDING = Inscription(12, "The change", "main", "bob")
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def commit(letter: str, message: str, author: str = ALICE, parents: str = "0") -> Commit:
    return Commit(oid(letter), oid("7"), tuple(oid(parent) for parent in parents), (), message, written=author)


def span(*commits: Commit, forward: bool = True) -> Range:
    return Range(oid("a"), oid("b"), oid("a") if forward else oid("9"), commits)


ONE, TWO = (commit("b", "x"),), (commit("b", "x"), commit("c", "y"))
MERGES = (commit("b", "x", parents="cd"), commit("c", "y"))


@pytest.mark.parametrize(
    ("method", "commits", "forward", "shape"),
    [
        (LandMethod.MERGE, TWO, True, Shape.ITSELF),
        (LandMethod.MERGE, TWO, False, Shape.MERGE),
        (LandMethod.FAST_FORWARD, TWO, True, Shape.ITSELF),
        (LandMethod.ALWAYS_MERGE, ONE, True, Shape.MERGE),
        (LandMethod.SQUASH, ONE, True, Shape.ITSELF),
        (LandMethod.SQUASH, ONE, False, Shape.SQUASH),
        (LandMethod.SQUASH, TWO, True, Shape.SQUASH),
        (LandMethod.SQUASH, MERGES[:1], True, Shape.SQUASH),
        (LandMethod.REBASE, TWO, True, Shape.ITSELF),
        (LandMethod.REBASE, TWO, False, Shape.REBASE),
        (Requirement("land_method", Status.ERROR, ""), TWO, False, Shape.MERGE),
    ],
)
def test_the_way_of_landing_gives_the_shape(method, commits, forward, shape):
    assert shape_of(method, span(*commits, forward=forward)) is shape


def test_a_merge_in_a_range_is_found():
    assert (first_merge(span(*MERGES)), first_merge(span(*TWO))) == (oid("b"), "")


def test_a_commit_by_the_server_names_the_author_and_is_committed_at_the_time_of_the_landing():
    planned = plan_rebased(commit("b", "Add b\n", DAVE), oid("7"), LANDING)
    assert commit_text(planned, oid("a"), AT) == (
        f"tree {oid('7')}\nparent {oid('a')}\nauthor {DAVE}\n"
        "committer gitops-hooks <gitops-hooks@localhost> 1795424400 +0000\n\n"
        "Add b\n\nChange: 12\nLanded-by: bob\n"
    )
    merge = commit_text(plan_merge(oid("7"), oid("b"), LANDING), oid("a"), AT)
    assert merge == (
        f"tree {oid('7')}\nparent {oid('a')}\nparent {oid('b')}\n"
        "author gitops-hooks <gitops-hooks@localhost> 1795424400 +0000\n"
        "committer gitops-hooks <gitops-hooks@localhost> 1795424400 +0000\n\n"
        "Merge change 12 into main\n\nThe change\n\nLanded-by: bob\n"
    )


@pytest.mark.parametrize(
    ("message", "landed"),
    [
        ("Add b", "Add b\n\nChange: 12\nLanded-by: bob\n"),
        ("fix: b", "fix: b\n\nChange: 12\nLanded-by: bob\n"),
        ("Add b\n\nWhy: so.\nAnd more", "Add b\n\nWhy: so.\nAnd more\n\nChange: 12\nLanded-by: bob\n"),
        ("Add b\n\nSigned-off-by: A <a@b>\n", "Add b\n\nSigned-off-by: A <a@b>\nChange: 12\nLanded-by: bob\n"),
        # What only looks like ours is left out of the block that readers of trailers read.
        ("Add b\n\nLanded-by: carol\nchange: 7\nIssue: 3", "Add b\n\nIssue: 3\nChange: 12\nLanded-by: bob\n"),
    ],
)
def test_the_servers_lines_are_the_last_block_of_a_message(message, landed):
    assert plan_rebased(commit("b", message), oid("7"), LANDING).message == landed
    assert plan_squash(oid("7"), (commit("b", message),), LANDING).message == landed


def test_a_squash_is_by_the_oldest_author_and_names_the_others():
    newest = commit("d", "Third\n\nCo-authored-by: Erin <erin@example.org>\nco-authored-by: Alice <alice@example.org>")
    planned = plan_squash(oid("7"), (newest, commit("c", "Second", DAVE), commit("b", "First\n\nWhy.")), LANDING)
    assert planned.author == ALICE
    assert planned.message == (
        "The change\n\n* First\n* Second\n* Third\n\n"
        "Change: 12\nCo-authored-by: Dave <dave@example.org>\nCo-authored-by: Erin <erin@example.org>\nLanded-by: bob\n"
    )


def test_a_commit_that_is_only_moved_keeps_its_message():
    assert plan_moved(commit("b", "Add b\n\nLanded-by: x"), oid("8")).message == "Add b\n\nLanded-by: x"


@given(st.text(), st.text())
def test_the_last_block_never_names_another_change_or_lander(subject, body):
    message = plan_rebased(commit("b", f"{subject}\n\n{body}"), oid("7"), LANDING).message
    block = message.rstrip("\n").split("\n\n")[-1].split("\n")
    assert [line for line in block if line.startswith(("Change:", "Landed-by:"))] == ["Change: 12", "Landed-by: bob"]


def test_the_plan_of_the_same_commits_is_the_same():
    commits = (commit("c", "Two", DAVE), commit("b", "One"))
    assert plan_squash(oid("7"), commits, LANDING) == plan_squash(oid("7"), commits, replace(LANDING))
