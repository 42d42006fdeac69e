"""Checks with a workbench, confined as on a server: tools, progress, and several checks at once."""

import os
import shutil
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path

import pluggy
import pytest

from gitops_hooks.edge import toolbox
from gitops_hooks.edge.checks import run_checks
from gitops_hooks.edge.living import list_living
from gitops_hooks.edge.workbench import Asked, Grounds
from gitops_hooks.model.server import Limits
from gitops_hooks.model.verdict import CheckOutcome, Finding, Verdict
from gitops_hooks.plugin import Check, EdgeError, Tool
from gitops_hooks.testing import MemoryTree, a_change
from tests.edge.test_sandbox import run_as_nobody, shared_package
from tests.waiting import wait_until

__all__ = ["shared_package"]

FILES = MemoryTree({"site.yml": b"a: 1\n", "b.yml": b"b\n"})
LIMITS = Limits(check_seconds=6.0, check_memory=128 * 1024**2, tool_output=1000)
TOOLS = tuple(Tool(name) for name in ("sh", "cat", "sleep", "nosuch"))
OID = "c" * 40
MARK = "33.00457"


@pytest.fixture
def grounds(tmp_path: Path) -> Grounds:
    return Grounds(OID, FILES, MemoryTree({"lint.cfg": b"strict\n"}), FILES, (), tmp_path / "tools")


def judge(grounds: Grounds, *runs, limits: Limits = LIMITS) -> tuple[Verdict, ...]:
    asked = [Asked(Check(f"check{at}", "", run, tools=TOOLS)) for at, run in enumerate(runs)]
    verdicts = run_checks(asked, a_change(FILES), grounds, limits)
    assert [path for path in grounds.scratch.rglob("*") if path.is_file()] == []
    assert asleep() == []
    return verdicts


def asleep() -> list[int]:
    return [one.pid for one in list_living() if MARK in one.argv]


def told(verdict: Verdict) -> list[str]:
    assert verdict.detail == ""
    return [finding.message for finding in verdict.findings]


def test_a_confined_check_runs_a_tool_over_the_tree_with_the_targets_configuration(grounds):
    def run(change, tree, bench):
        given = {"lint.cfg": bench.target.read("lint.cfg")}
        ran = bench.run(
            ["A=b", "sh", "-c", "cat - *.yml /given/lint.cfg; echo $A; exit 3"], files=["."], given=given, stdin=b"in\n"
        )
        yield Finding("a", ran.status, ran.stdout.decode())
        yield Finding("a", 0, f"{bench.tool('sh') == '/usr/bin/sh' or bench.tool('sh')} {bench.tool('nosuch')}")

    (verdict,) = judge(grounds, run)
    assert verdict.findings[0] == Finding("a", 3, "in\nb\na: 1\nstrict\nb\n")
    assert told(verdict)[1].endswith(" None")


def test_one_check_runs_many_tools_and_each_sees_what_it_was_given(grounds):
    def run(change, tree, bench):
        for path in ("site.yml", "b.yml", "site.yml"):
            yield Finding(path, 0, bench.run(["sh", "-c", "ls; cat *"], files=[path]).stdout.decode())

    assert told(judge(grounds, run)[0]) == ["site.yml\na: 1\n", "b.yml\nb\n", "site.yml\na: 1\n"]


def caught(call):
    try:
        call()
    except EdgeError:
        return
    raise AssertionError


@pytest.mark.parametrize(
    ("command", "more", "detail"),
    [
        (["nosuch"], {}, "nosuch: is no tool that this check declares, or this server has none of that name"),
        (["ls"], {}, "ls: is no tool that this check declares, or this server has none of that name"),
        ([], {}, "tool: is no tool that this check declares, or this server has none of that name"),
        (["cat"], {"files": ["../x"]}, "../x: is no path of a tree"),
        (["cat"], {"given": {"../x": b""}}, "../x: is no name of a file that can be given to a tool"),
    ],
)
def test_a_tool_that_cannot_be_run_makes_an_error_even_if_the_check_looks_away(grounds, command, more, detail):
    def run(change, tree, bench):
        caught(lambda: bench.run(command, **more))
        return ()

    assert judge(grounds, run) == (Verdict("check0", OID, CheckOutcome.ERROR, detail=detail),)


@pytest.mark.parametrize(
    ("command", "seconds", "detail"),
    [
        (["sleep", MARK], 0.5, "sleep: took longer than 0.5 s"),
        (["sh", "-c", "yes"], None, "sh: said more than 1000 bytes"),
    ],
)
def test_a_tool_that_a_limit_ended_makes_an_error_even_if_the_check_looks_away(grounds, command, seconds, detail):
    def run(change, tree, bench):
        ran = bench.run(command, seconds=seconds)
        return [] if ran.cut else [Finding("a", 0, "not ended")]

    assert judge(grounds, run)[0].detail == detail


def test_the_checks_own_time_covers_its_tools(grounds):
    began = time.monotonic()
    verdict = judge(
        grounds, lambda c, t, bench: bench.run(["sleep", MARK], seconds=60), limits=replace(LIMITS, check_seconds=1.0)
    )[0]
    assert verdict.detail.startswith("sleep: took longer than ")
    assert time.monotonic() - began < 5


def test_a_check_that_dies_while_its_tool_runs_leaves_nothing(grounds):
    def run(change, tree, bench):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(1)
        bench.run(["sleep", MARK], seconds=3)

    assert judge(grounds, run)[0].outcome is CheckOutcome.ERROR


def write_raw(words: bytes):
    def run(change, tree, bench):
        os.write(bench.end, words)
        time.sleep(0.3)
        return ()

    return run


@pytest.mark.parametrize(
    "words",
    [
        b"\n",
        b"[]\n",
        b'{"say": 1}\n',
        b'{"say": "a", "more": 1}\n',
        b'{"command": ["sh"]}\n',
        b'{"command": ["sh"], "files": [], "given": [], "stdin": -1, "seconds": null, "writable": false}\n',
        b'{"command": ["sh"], "files": [], "given": [["a", 1e9]], "stdin": 0, "seconds": null, "writable": false}\n',
        b'{"command": ["sh"], "files": [], "given": [], "stdin": 0, "seconds": NaN, "writable": false}\n',
        b'{"command": ["s\\u0000h"], "files": [], "given": [], "stdin": 0, "seconds": 1, "writable": false}\n',
        b"[" * 2000 + b"\n",
    ],
)
def test_what_is_no_request_ends_the_check(grounds, words):
    """A check that was taken over speaks as a stranger."""
    assert judge(grounds, write_raw(words))[0].detail == "asked for something that is no request"


def test_words_of_a_check_that_was_taken_over_go_out_escaped(grounds):
    def lie(change, tree, bench):
        caught(lambda: bench.run(["sh"], files=["\x1b[31m/../x"]))
        return ()

    assert judge(grounds, lie)[0].detail == "\\x1b[31m/../x: is no path of a tree"


def test_half_a_request_is_waited_for_no_longer_than_the_check_has(grounds):
    began = time.monotonic()
    verdict = judge(grounds, write_raw(b'{"say": "'), limits=replace(LIMITS, check_seconds=1.0))[0]
    assert verdict.outcome is CheckOutcome.ERROR
    assert time.monotonic() - began < 4


def test_what_a_check_says_is_shown_escaped_and_not_too_often(grounds, capfd, monkeypatch):
    monkeypatch.setattr(toolbox, "_PAUSE", 3600.0)

    def run(change, tree, bench):
        for number in range(50):
            bench.say(f"file {number} \x1b[31m\nremote: forged")
        return ()

    assert judge(grounds, run)[0].outcome is CheckOutcome.OK
    said = [line for line in capfd.readouterr().err.splitlines() if "still checking" not in line]
    assert said == ["gitops: check0: file 0 \\x1b[31m\\nremote: forged"]


def test_checks_run_side_by_side_and_are_told_in_their_order(grounds, capfd):
    def slow(change, tree, bench):
        uptime = "cat /proc/uptime; sleep 2; cat /proc/uptime"
        return [Finding("a", 0, bench.run(["sh", "-c", uptime]).stdout.decode())]

    def fast(change, tree, bench):
        return [Finding("a", 0, "fast")]

    verdicts = judge(grounds, slow, slow, fast)
    assert [len(told(verdict)) for verdict in verdicts] == [1, 1, 1] and told(verdicts[2]) == ["fast"]
    first, second = ([float(line.split()[0]) for line in told(one)[0].splitlines()] for one in verdicts[:2])
    assert len(os.sched_getaffinity(0)) == 1 or max(first[0], second[0]) < min(first[1], second[1])
    assert capfd.readouterr().err.startswith("gitops: still checking: check0")


def test_a_single_slow_check_is_told_of_within_two_seconds(grounds, capfd):
    def slow(change, tree, bench):
        time.sleep(2.2)
        return ()

    judge(grounds, slow)
    assert capfd.readouterr().err == "gitops: still checking: check0\n"


def test_each_of_many_checks_fails_alone(grounds):
    def leave(change, tree, bench):
        os._exit(0)

    good = [Verdict(f"check{at}", OID, CheckOutcome.OK) for at in range(7)]
    found = judge(grounds, *[lambda c, t, b: ()] * 3, leave, *[lambda c, t, b: ()] * 3)
    assert [verdict for verdict in found if not verdict.detail] == [one for one in good if one.check != "check3"]
    assert found[3].detail == "ended without an answer"


def test_what_a_killed_judge_was_running_dies_with_it(grounds):
    def run(change, tree, bench):
        return bench.run(["sh", "-c", f"setsid sleep {MARK} & sleep {MARK}"], files=["."])

    judge_pid = os.fork()
    if judge_pid == 0:
        judge(grounds, run, run)
        os._exit(0)
    # All that both start, so that no box is being made: bubblewrap ties itself to its parent late.
    wait_until(lambda: len(asleep()) == 4)
    os.kill(judge_pid, signal.SIGKILL)
    os.waitpid(judge_pid, 0)
    deadline = time.monotonic() + 5
    while asleep() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert asleep() == []
    assert told(judge(grounds, lambda c, t, b: [Finding("a", 0, str(b.run(["sh", "-c", "ls"]).status))])[0]) == ["0"]


def test_a_tool_that_does_not_start_makes_an_error(grounds, tmp_path):
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "acme").write_text("#!/nonexistent\n")
    (folder / "acme").chmod(0o755)

    def run(change, tree, bench):
        caught(lambda: bench.run(["acme"]))
        return ()

    check = Check("check0", "", run, tools=(Tool("acme"),))
    (verdict,) = run_checks([Asked(check)], a_change(FILES), replace(grounds, folders=(folder,)), LIMITS)
    assert verdict.detail == "acme: does not start in its box: No such file or directory"


def test_the_hatch_is_no_way_out(grounds):
    """It is one end of a pair that nobody else holds, and no door to another socket."""

    def run(change, tree, bench):
        with socket.socket(fileno=os.dup(bench.end)) as end:
            return [Finding("a", 0, f"{end.family.name} {end.getpeername()!r}")]

    assert told(judge(grounds, run)[0]) == ["AF_UNIX ''"]


def test_somebody_without_rights_has_the_same_workbench(shared_package):
    """The whole of it with an interpreter that nobody may read: the folder of our own and of pluggy is all it needs."""
    shutil.copytree(Path(pluggy.__file__).parent, shared_package / "pluggy")
    script = """
import tempfile
from pathlib import Path
from gitops_hooks.edge.checks import run_checks
from gitops_hooks.edge.workbench import Asked, Grounds
from gitops_hooks.hookspec import Check, Entry
from gitops_hooks.model.change import Change, ChangedFile
from gitops_hooks.model.server import Limits
from gitops_hooks.model.tool import Tool
from gitops_hooks.model.verdict import Finding

class Tree:
    def entry(self, path): return Entry(path, 0o100644, "e" * 40) if path == "a" else None
    def size(self, path): return 6
    def read(self, path): return b"words\\n"
    def list(self, path=""): return iter([Entry("a", 0o100644, "e" * 40)])

def run(change, tree, bench):
    ran = bench.run(["sh", "-c", "cat a; echo x > a; setsid sleep 300 & exit 3"], files=["."])
    return [Finding("a", ran.status, ran.stdout.decode())]

with tempfile.TemporaryDirectory() as scratch:
    grounds = Grounds("c" * 40, Tree(), Tree(), Tree(), (), Path(scratch) / "tools")
    change = Change(1, "refs/heads/main", "a" * 40, "b" * 40, (ChangedFile("a", 0, "0" * 40, 0o100644, "e" * 40),))
    asked = [Asked(Check(name, "", run, tools=(Tool("sh"),))) for name in ("one", "two")]
    answer = [[v.check, v.detail, *((f.line, f.message) for f in v.findings)]
              for v in run_checks(asked, change, grounds, Limits())]
"""
    assert run_as_nobody(shared_package, script) == [[name, "", [3, "words\n"]] for name in ("one", "two")]
