"""What `gitops_hooks.testing` gives to those who test a check of their own."""

import gc
from pathlib import Path

import pytest

from gitops_hooks.plugin import Check, CheckOutcome, EdgeError, Finding, Option, OptionKind, Tool
from gitops_hooks.testing import MemoryRepository, MemoryTree, a_bench, run_check

PREFIX = Option("prefix", OptionKind.TEXT, None, "how names begin")
MOST = Option("most", OptionKind.NUMBER, 3, "how many")


def check_that(run, *tools: str) -> Check:
    return Check("naming", "", run, options=(PREFIX, MOST), tools=tuple(Tool(name) for name in tools))


def test_options_have_their_defaults_or_what_the_test_says():
    check = check_that(lambda change, tree, bench: [Finding("a", bench.options["most"], bench.options["prefix"])])
    assert run_check(check, {"a": b""}, options={"prefix": "x"}) == (Finding("a", 3, "x"),)
    assert run_check(check, {"a": b""}, options={"prefix": "x", "most": 1}) == (Finding("a", 1, "x"),)


def test_an_option_that_the_policy_could_not_set_is_a_mistake_of_the_test():
    check = check_that(lambda change, tree, bench: ())
    with pytest.raises(ValueError, match="the check naming has no option wrong"):
        run_check(check, {}, options={"wrong": 1, "prefix": "x"})
    with pytest.raises(ValueError, match="the check naming needs its option prefix"):
        run_check(check, {})


def test_the_target_holds_what_did_not_change_unless_the_test_says_otherwise():
    check = check_that(lambda change, tree, bench: [Finding(entry.name, 0, "") for entry in bench.target.list()])
    options = {"prefix": "x"}
    files = {"old": b"", "new": b""}
    assert run_check(check, files, changed=["new"], options=options) == (Finding("old", 0, ""),)
    assert run_check(check, files, options=options, target={"cfg": b""}) == (Finding("cfg", 0, ""),)


def test_tools_are_run_for_real():
    def run(change, tree, bench):
        bench.say("running")
        ran = bench.run(["sh", "-c", "cat a; id -un; ls /given"], files=["a"], given={"b": b""})
        return [Finding("a", ran.status, ran.stdout.decode())]

    found = run_check(check_that(run, "sh"), {"a": b"words\n"}, options={"prefix": "x"})
    assert found == (Finding("a", 0, "words\ntool\nb\n"),)
    bench = a_bench(check_that(run, "sh", "nosuch"), {"prefix": "x"}, MemoryTree({}))
    assert (bench.tool("nosuch"), bench.tool("ls")) == (None, None)


def named(found: str) -> Check:
    return Check("naming", "", lambda change, tree, bench: [Finding(file.path, 0, found) for file in change.files])


def test_a_repository_of_a_test_has_commits_and_branches_and_a_change_is_what_would_land():
    repository = MemoryRepository({"a": "1\n", "b": b"1\n"})
    repository.commit({"a": "2\n", "b": None}, branch="topic")
    repository.commit({"c": "main went on\n"})
    change = repository.change("topic")
    assert [(file.path, file.deleted) for file in change.files] == [("a", False), ("b", True)]
    assert (change.target, change.head) == ("refs/heads/main", repository.tip("topic"))
    assert repository.tree("topic").read("a") == b"2\n"


def test_its_verdict_is_the_servers_own_on_the_merged_tree_in_the_sandbox():
    def run(change, tree, bench):
        return [Finding(entry.name, bench.options["most"], "") for entry in (*tree.list(), *bench.target.list())]

    repository = MemoryRepository({"a": "1\n"})
    repository.commit({"b": "1\n"}, branch="topic")
    repository.commit({"c": "1\n"})
    found = repository.run(check_that(run), "topic", options={"prefix": "x", "most": 2}).findings
    assert [(one.path, one.line) for one in found] == [("a", 2), ("b", 2), ("c", 2), ("a", 2), ("c", 2)]
    wrote = repository.run(check_that(lambda *asked: Path("/tmp/x").touch()), "topic", options={"prefix": "x"})
    assert (wrote.outcome, wrote.detail) == (CheckOutcome.ERROR, "raised OSError")


def test_what_cannot_land_is_no_change():
    repository = MemoryRepository({"a": "1\n"})
    repository.commit({"a": "2\n"}, branch="topic")
    repository.commit({"a": "3\n"})
    with pytest.raises(EdgeError, match="topic: conflicts with the branch in a"):
        repository.change("topic")
    with pytest.raises(EdgeError, match="nosuch: is no branch of this repository"):
        repository.run(named("x"), "nosuch")


def test_its_folder_goes_with_it():
    repository = MemoryRepository()
    folder = repository.folder
    assert folder.is_dir()
    del repository
    gc.collect()
    assert not folder.exists()
