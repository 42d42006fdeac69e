"""What `gitops_hooks.testing` gives to those who test a check of their own."""

import pytest

from gitops_hooks.plugin import Check, Finding, Option, OptionKind, Tool
from gitops_hooks.testing import MemoryTree, a_bench, run_check

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
