"""The warm judge on a machine that is too busy for it: what was handed over is judged, however late that is read."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gitops_hooks.edge.home import Home
from tests.entry.test_doctor_warm import home, start
from tests.world import ROOT

__all__ = ["home"]  # the fixture

# A program of its own, as a hook is, which inherits nothing.
HOOK = """\
import os, resource, sys, time
if len(sys.argv) > 2:
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]),) * 2)
sys.path.append(sys.argv[1])
from gitops_hooks.edge import warm_client
nonce, deadline = b"0123456789abcdef" * 2, time.monotonic() + 60
judge = warm_client.find_judge(b"pre_receive", nonce, deadline)
print("found", judge is not None, flush=True)
if sys.stdin.readline() == "go\\n":
    print("handed over", warm_client.hand_over(judge, (0, 1, 2), warm_client.inherited()), flush=True)
print(warm_client.hear(judge, nonce, deadline) == (nonce + b" refuse\\n", True), flush=True)
"""
_KNOCKING = 10.0  # seconds that the warm judge waits for `go`


@contextmanager
def hook(home: Home, *words: str) -> "Iterator[subprocess.Popen[str]]":
    env = {"PATH": os.defpath, "GITOPS_HOOKS_HOME": str(home.path), "GITOPS_HOOKS_WARM": "1"}
    ends = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(
        [sys.executable, "-IS", "-c", HOOK, str(ROOT), *words], env=env, text=True, **ends
    ) as program:
        assert program.stdout is not None and program.stdout.readline() == "found True\n"
        yield program


def say(program: "subprocess.Popen[str]", word: str) -> None:
    assert program.stdin is not None
    program.stdin.write(word + "\n")
    program.stdin.flush()


def read(program: "subprocess.Popen[str]") -> str:
    assert program.stdout is not None
    return program.stdout.readline()


def test_go_that_was_said_in_time_counts_although_it_is_read_too_late(home):
    warm = start(home)
    with hook(home) as program:
        os.kill(warm, signal.SIGSTOP)
        say(program, "go")
        assert read(program) == "handed over True\n"
        time.sleep(_KNOCKING + 1)
        os.kill(warm, signal.SIGCONT)
        # Refused, since no forced command stands behind it; and whole.
        assert read(program) == "True\n"


def test_one_who_never_says_go_is_sent_away(home):
    start(home)
    begun = time.monotonic()
    with hook(home) as program:
        say(program, "nothing")
        assert read(program) == "False\n"
    assert time.monotonic() - begun < 40


def test_one_who_may_open_fewer_files_than_a_judge_has_numbers_for_is_judged_too(home):
    start(home)
    with hook(home, "100") as program:
        say(program, "go")
        assert read(program) == "handed over True\n"
        assert read(program) == "True\n"
