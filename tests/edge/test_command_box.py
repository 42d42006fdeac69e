"""A command in its box: what it may do, how it ends, and what is heard of it."""

import shutil
import tempfile
import time
from pathlib import Path

import pytest

from gitops_hooks.edge import sandbox_kernel as kernel
from gitops_hooks.edge.command_box import Ended, Place, run_command
from gitops_hooks.edge.command_wire import Job, encode_end, encode_job, parse_end, parse_job
from gitops_hooks.edge.findings import parse_findings, write_findings
from gitops_hooks.model.command import Command, CommandState
from gitops_hooks.model.server import Limits
from gitops_hooks.model.verdict import Finding
from gitops_hooks.testing import MemoryTree
from tests.edge.boxes import tools_of
from tests.edge.test_tools import in_namespaces_of_its_own

TEST = Command("test", ("make", "test"), 60)
LINT = Command("lint", ("make", "lint"), 60)
FILES = {"roles/a.yml": b"a: 1\n", "run.sh": b"echo run; exit 3\n"}
LIMITS = Limits(command_log=1000, tool_memory=256 * 1024 * 1024)


def run(folder: Path, script: str, seconds: int = 30, limits: Limits = LIMITS) -> tuple[Ended, str]:
    """How it ended, and all that was heard."""
    heard: list[bytes] = []
    place = Place(limits, (), folder / "scratch")
    command = Command("test", ("/bin/sh", "-e", "-c", script), seconds)
    ended = run_command(command, MemoryTree(FILES, {}), place, "a-run", heard.append)
    assert list((folder / "scratch").iterdir()) == []
    return ended, b"".join(heard).decode()


def test_a_command_has_a_copy_of_the_tree_that_it_may_write_to(tmp_path: Path) -> None:
    ended, heard = run(tmp_path, "cat roles/a.yml; echo more >> roles/a.yml; cat roles/a.yml; pwd; id -un")
    assert (ended.state, ended.status, ended.detail) == (CommandState.PASSED, 0, "")
    assert heard == "a: 1\na: 1\nmore\n/tree\ntool\n"


def test_it_has_no_network_no_credentials_and_nothing_of_the_server(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret\n")
    script = f"cat {secret} /root/.ssh/id* 2>/dev/null || true; ls /sys/class/net 2>/dev/null || true; env | sort"
    _, heard = run(tmp_path, script)
    known = ("GITOPS_HOOKS_RUN", "HOME", "LANG", "PATH", "PWD", "TMPDIR", "USER", "_", "OLDPWD", "SHLVL")
    assert {line.partition("=")[0] for line in heard.splitlines()} <= set(known)


def test_both_its_ends_are_heard_in_their_own_order_as_they_come(tmp_path: Path) -> None:
    ended, heard = run(tmp_path, "echo one; echo two >&2; echo three; sh run.sh")
    assert heard == "one\ntwo\nthree\nrun\n"
    assert (ended.state, ended.status, ended.detail) == (CommandState.FAILED, 3, "ended with 3")


def test_what_takes_too_long_is_late_and_ends_with_all_that_it_started(tmp_path: Path) -> None:
    began = time.monotonic()
    ended, heard = run(tmp_path, "echo begun; sleep 600 & sleep 600", seconds=1)
    assert (ended.state, ended.detail, heard) == (CommandState.LATE, "took longer than 1 s", "begun\n")
    assert time.monotonic() - began < 10


def test_the_limit_of_the_server_beats_that_of_the_policy(tmp_path: Path) -> None:
    ended, _ = run(tmp_path, "sleep 600", 600, Limits(command_seconds=1))
    assert (ended.state, ended.detail) == (CommandState.LATE, "took longer than 1 s")


def test_what_says_too_much_or_eats_too_much_has_failed(tmp_path: Path) -> None:
    ended, _ = run(tmp_path, "yes")
    assert (ended.state, ended.detail) == (CommandState.FAILED, "said more than 1000 bytes")
    ended, _ = run(tmp_path, "dd if=/dev/zero of=/dev/null bs=400M count=1")
    assert ended.state is CommandState.FAILED


def test_a_tree_over_the_limit_is_an_error_and_nothing_runs(tmp_path: Path) -> None:
    ended, heard = run(tmp_path, "echo run", limits=Limits(tool_files=1))
    assert (ended.state, heard) == (CommandState.ERROR, "")
    assert ended.detail.startswith("the tree for a tool: is over ")


def test_without_a_sandbox_it_is_an_error_with_the_line_that_cures_it() -> None:
    def hidden() -> Ended:
        in_namespaces_of_its_own()
        kernel.bind(Path("/dev/null"), Path(shutil.which("bwrap") or ""))
        with tempfile.TemporaryDirectory() as folder:
            place = Place(LIMITS, (), Path(folder) / "scratch")
            return run_command(TEST, MemoryTree(FILES, {}), place, "a-run", lambda part: None)

    with tools_of("ordinary") as tools:
        ended = tools.do(hidden)
    words = "bubblewrap: not installed, and no tool runs without it; run: apt-get install bubblewrap"
    assert (ended.state, ended.detail) == (CommandState.ERROR, words)


def test_a_job_and_its_end_arrive_as_they_were_sent(tmp_path: Path) -> None:
    job = Job(tmp_path, "git", "7" * 40, TEST, LIMITS, (tmp_path,), tmp_path, tmp_path / "log")
    assert parse_job(encode_job(job)) == job
    ended = Ended(CommandState.FAILED, 3, 12, "ended with 3")
    assert parse_end(encode_end(ended, "d" * 64)) == (ended, "d" * 64)


@pytest.mark.parametrize("said", [b"", b"[]", b'["passed", 0, 1, ""', b'["fine", 0, 1, "", "-"]'])
def test_an_end_without_a_whole_answer_has_not_passed(said: bytes) -> None:
    assert parse_end(said) == (Ended(CommandState.ERROR, detail="its program ended without a word"), "-")


def test_commands_come_out_of_a_check_beside_its_findings() -> None:
    found = Finding("a.yml", 1, "wrong")
    assert parse_findings(write_findings(lambda: [TEST, found, LINT])) == (found, TEST, LINT)


@pytest.mark.parametrize(
    "given",
    [
        Command("Test", ("make",)),
        Command("test", ()),
        Command("test", ("ma\0ke",)),
        Command("test", ("make",), 0),
        Command("test", ("make",), 100_000),
        Command("test", ("x" * 70_000,)),
    ],
)
def test_a_command_of_another_shape_is_no_verdict(given: Command) -> None:
    assert parse_findings(write_findings(lambda: [given])) == "answered something that is not a list of findings"


def test_two_of_one_name_and_too_many_are_no_verdict() -> None:
    many = [Command(f"c{number}", ("true",)) for number in range(21)]
    for given in ([TEST, TEST], many):
        assert parse_findings(write_findings(lambda given=given: given)) == (
            "answered something that is not a list of findings"
        )
