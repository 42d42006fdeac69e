"""What rules ask of commits and files: each alone in a table, and all rules of a branch together."""

import time
from dataclasses import replace

import pytest

from gitops_hooks.core.bounded import (
    asks_for_files,
    asks_who_pushed,
    judge_content,
    judge_freeze,
    judge_line,
    judge_read_only,
)
from gitops_hooks.core.brought import Brought
from gitops_hooks.core.commit_rules import judge_commits, judge_linear
from gitops_hooks.core.file_rules import judge_files, judge_kinds, stays_inside
from gitops_hooks.core.govern import Governing, govern
from gitops_hooks.core.patterns import found_in
from gitops_hooks.model.bounds import Bounds, CommitBounds, FileBounds, Window
from gitops_hooks.model.commit import Commit
from gitops_hooks.model.content import SUBMODULE, SYMLINK, Content, Introduced
from gitops_hooks.model.policy import Environment, LandMethod, Policy
from gitops_hooks.model.verdict import Status
from tests.core.records import AT, MAIN, branch, oid, policy

P = "policy.yaml:8"
FILE = 0o100644


def commit(message: str = "Fix it\n", *, parents: int = 1, author: str = "alice@example.org") -> Commit:
    above = tuple(oid(letter) for letter in "def"[:parents])
    return Commit(oid("b"), oid("7"), above, (author,), message, author, "alice@example.org")


def content(*commits: Commit, files: tuple[Introduced, ...] = (), vouched: tuple[str, ...] = ()) -> Content:
    return Content(commits or (commit(),), files, frozenset(vouched), AT)


def governing(*rules: Bounds, method: LandMethod = LandMethod.MERGE, deployed: bool = False) -> Governing:
    found = govern(policy(*(replace(branch(method=method), bounds=bounds) for bounds in rules)), MAIN)
    assert found is not None
    environment = Environment("staging", MAIN, "ansible", "site.yml", "hosts", None, "policy.yaml:20")
    rule_book: Policy = replace(found.policy, environments=(environment,) if deployed else ())
    return replace(found, policy=rule_book)


@pytest.mark.parametrize(("parents", "holds"), [(0, True), (1, True), (2, False), (3, False)])
def test_one_line_of_commits_has_no_merge(parents, holds):
    rule = replace(branch(), bounds=Bounds(linear=True))
    assert judge_linear(rule, [commit(), commit(parents=parents)]).holds is holds


@pytest.mark.parametrize(
    ("bounds", "message", "holds"),
    [
        (CommitBounds(P, must=("^Fix",)), "Fix it\n", True),
        (CommitBounds(P, must=("^Fix",)), "A\nFix it\n", False),
        (CommitBounds(P, must=("(?m)^Fix",)), "A\nFix it\n", True),
        (CommitBounds(P, must=("it$",)), "Fix it\n", True),
        (CommitBounds(P, must=("Fix", "#[0-9]+")), "Fix it\n", False),
        (CommitBounds(P, must=("^größer$",)), "größer\n", True),
        (CommitBounds(P, must=("^.{1,6}$",)), "Fix it", True),
        (CommitBounds(P, must=("^.{1,6}$",)), "Fix that", False),
        (CommitBounds(P, must_not=("wip",)), "a wip\n", False),
        (CommitBounds(P, must_not=("wip",)), "done\n", True),
        (CommitBounds(P, must=("ok",)), "ok \udcff\n", True),
        (CommitBounds(P, signoff=True), "A\n\nSigned-off-by: A <alice@example.org>\n", True),
        (CommitBounds(P, signoff=True), "A\n\nsigned-off-by: A B <ALICE@example.org> \n", True),
        (CommitBounds(P, signoff=True), "A\n\nSigned-off-by: A <bob@example.org>\n", False),
        (CommitBounds(P, signoff=True), "A\n\nSigned-off-by: alice@example.org\n", False),
        (CommitBounds(P, signoff=True), "A\n\nAcked-by: A <alice@example.org>\n", False),
        (CommitBounds(P, author_pushes=True), "A", False),
        (CommitBounds(P, committer_pushes=True), "A", True),
        (CommitBounds(P), "", True),
    ],
)
def test_a_message_is_as_its_rule_asks(bounds, message, holds):
    answer = judge_commits([bounds], content(commit(message), vouched=(f"committer:{oid('b')}",)))[0]
    assert (answer.holds, answer.place) == (holds, P)


def test_a_sign_off_by_nobody_is_none_for_a_commit_without_an_address():
    nobody = commit("A\n\nSigned-off-by: x <>\n", author="")
    assert not judge_commits([CommitBounds(P, author_pushes=True, signoff=True)], content(nobody))[0].holds


def test_only_five_faults_are_told_and_the_others_counted():
    many = [replace(commit("wip"), oid=oid(letter)) for letter in "1234567"]
    reason = judge_commits([CommitBounds(P, must_not=("wip",))], content(*many))[0].reason
    assert reason.split("\n")[4:] == [
        "5555555: its message must not match wip",
        "and 2 more",
        "Mend them with git rebase -i (the newest: git commit --amend), and push again.",
    ]


def test_a_pattern_takes_time_in_proportion_to_the_message():
    began = time.perf_counter()
    assert not found_in("^(a+)+$", "a" * 200_000 + "b")
    assert time.perf_counter() - began < 1.0


def a_file(path: str = "roles/web.yml", **more) -> Introduced:
    return Introduced(path, **{"mode": FILE, "commit": oid("b"), "size": 10, **more})


@pytest.mark.parametrize(
    ("bounds", "file", "holds"),
    [
        (FileBounds(P, max_size=10), a_file(size=10), True),
        (FileBounds(P, max_size=10), a_file(size=11), False),
        (FileBounds(P, max_path=4), a_file("a/ü"), True),
        (FileBounds(P, max_path=4), a_file("ab/ü"), False),
        (FileBounds(P, forbidden=("vendor/**",)), a_file("vendor/x"), False),
        (FileBounds(P, forbidden=("vendor/**",)), a_file("Vendor"), False),
        (FileBounds(P, forbidden=("vendor/**",)), a_file("x/vendor"), True),
        (FileBounds(P, forbidden=("**/*.pem",)), a_file("key.PEM"), False),
        (FileBounds(P, forbidden=("x",)), a_file("\udcff"), False),
        (FileBounds(P, allowed=("roles/**",)), a_file("roles/x"), True),
        (FileBounds(P, allowed=("roles/**",)), a_file("Roles/x"), False),
        (FileBounds(P, allowed=("roles/**",)), a_file("\udcff"), False),
        (FileBounds(P, allowed=()), a_file(), False),
        (FileBounds(P, forbidden_extensions=("exe",)), a_file("a.b.EXE"), False),
        (FileBounds(P, forbidden_extensions=("exe",)), a_file("exe"), True),
        (FileBounds(P, forbidden_extensions=("exe",)), a_file(".exe"), True),
        (FileBounds(P, allowed_extensions=("yml",)), a_file("a.yml"), True),
        (FileBounds(P, allowed_extensions=("yml",)), a_file("Makefile"), False),
        (FileBounds(P, allowed_extensions=()), a_file(), False),
        (FileBounds(P), a_file(), True),
    ],
)
def test_a_file_keeps_to_the_bounds(bounds, file, holds):
    assert judge_files(bounds, Brought([file], [file.path])).holds is holds


def test_files_are_counted_in_the_end_and_paths_that_go_count_for_what_is_allowed():
    assert judge_files(FileBounds(P, max_files=2), Brought([], ["a", "b"])).holds
    assert not judge_files(FileBounds(P, max_files=2), Brought([], ["a", "b", "c"])).holds
    assert not judge_files(FileBounds(P, allowed=("a",)), Brought([], ["a", "gone"])).holds
    assert judge_files(FileBounds(P, forbidden=("gone",)), Brought([], ["gone"])).holds


@pytest.mark.parametrize(
    ("path", "target", "inside"),
    [
        ("a", "b", True),
        ("a", "./b/c", True),
        ("a", ".", True),
        ("x/a", "../b", True),
        ("x/y/a", "../../b", True),
        ("x/a", "..", True),
        ("x/a", "./../b", True),
        ("a", "../b", False),
        ("a", "..", False),
        ("x/a", "../../b", False),
        ("a", "/etc", False),
        ("a", "", False),
        # A name may be a symlink itself, and `..` after it starts from wherever that leads.
        ("x/a", "y/../b", False),
        ("a", "b/..", False),
    ],
)
def test_a_symlink_stays_inside(path, target, inside):
    assert stays_inside(path, target) is inside


AWAY = a_file("away", mode=SYMLINK, target="/etc")
THEIRS = a_file("lib", mode=SUBMODULE)
BIG = a_file("big", lfs=True)


@pytest.mark.parametrize("file", [AWAY, THEIRS, BIG])
def test_what_a_deployment_cannot_carry_is_refused_where_one_deploys(file):
    key = {AWAY: "symlinks", THEIRS: "submodules", BIG: "lfs"}[file]

    def answers(*bounds: FileBounds, deployed: bool) -> list[str]:
        rules = tuple(replace(branch(), bounds=Bounds(files=one)) for one in bounds) or (branch(),)
        return [one.place for one in judge_kinds(rules, [file, a_file()], deployed) if not one.holds]

    assert answers(deployed=True) == ["built in"]
    assert answers(deployed=False) == []
    named, other = FileBounds("one", **{key: (file.path,)}), FileBounds("two", **{key: ("else",)})
    assert answers(named, FileBounds("three"), deployed=True) == []
    assert answers(named, other, deployed=True) == ["two"]
    assert answers(FileBounds("none", **{key: ()}), deployed=False) == ["none"]


def test_a_harmless_symlink_is_none_of_these():
    inside = a_file("a", mode=SYMLINK, target="b")
    assert judge_kinds((branch(),), [inside], deployed=True) == ()


def test_every_rule_answers_for_itself():
    rules = governing(
        Bounds(linear=True, commits=CommitBounds("one", must=("^Fix",)), files=FileBounds("two", max_size=100)),
        Bounds(commits=CommitBounds("three", must=("#",)), files=FileBounds("four", max_size=5)),
        deployed=True,
    )
    found = judge_content(rules, content(files=(a_file(), AWAY)), ["roles/web.yml"])
    assert [(one.rule, one.place) for one in found if not one.holds] == [
        ("commits", "three"),
        ("files", "four"),
        ("files", "built in"),
    ]


def test_objects_and_people_are_asked_only_where_a_rule_does():
    pusher = Bounds(commits=CommitBounds(P, author_pushes=True))
    assert [asks_for_files(governing(one)) for one in (Bounds(), Bounds(files=FileBounds(P)))] == [False, True]
    assert asks_for_files(governing(Bounds(), deployed=True))
    assert [asks_who_pushed(governing(one)) for one in (Bounds(), Bounds(commits=CommitBounds(P)), pusher)] == [
        *(False, False, True)
    ]


def test_a_read_only_rule_is_told_with_its_reason_and_place():
    found = judge_read_only(governing(Bounds(), Bounds(read_only="we move")))
    assert [(one.reason, one.place) for one in found] == [("main is read-only: we move.", "policy.yaml:5")]


def test_every_freeze_that_holds_is_told_and_when_all_have_ended():
    # AT is a Monday, 09:00 UTC.
    monday, week = Window("one", "M", "UTC", weekly=(0, 1440)), Window("two", "W", "UTC", weekly=(1000, 4000))
    later = Window("three", "L", "UTC", weekly=(9000, 9100))
    found = judge_freeze(governing(Bounds(freeze=(monday,)), Bounds(freeze=(week, later))), AT)
    assert [(one.reason, one.place) for one in found] == [
        ("main is frozen (M); it opens again Wed 2026-11-25 18:40 UTC.", "one")
    ]
    assert judge_freeze(governing(Bounds(freeze=(later,))), AT) == ()


M, F, A = LandMethod.MERGE, LandMethod.FAST_FORWARD, LandMethod.ALWAYS_MERGE


@pytest.mark.parametrize(
    ("linear", "method", "fast_forward", "status"),
    [
        (True, M, True, None),
        (True, M, False, Status.UNSATISFIED),
        (True, F, True, None),
        (True, F, False, None),
        (True, A, True, Status.ERROR),
        (False, M, False, None),
        (False, A, False, None),
    ],
)
def test_a_linear_branch_takes_no_merge_by_the_server(linear, method, fast_forward, status):
    found = judge_line(governing(Bounds(linear=linear), method=method), fast_forward)
    assert [one.status for one in found] == ([status] if status else [])
