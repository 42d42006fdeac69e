"""What a login answers on the line of its push's hooks, where nobody who may ask asks."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_hooks.entry.through_login import Hooks


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def asked(line, said: bytes, home: Path, git: int = 1, seconds: float = 60.0) -> bytes:
    ours, theirs = line
    theirs.sendall(said)
    environ = {"GITOPS_HOOKS_HOME": str(home), "GITOPS_HOOKS_JUDGE_SECONDS": "30"}
    assert Hooks(git, environ, [], time.monotonic() + seconds).answer(ours) is True
    return theirs.recv(100)


@pytest.mark.parametrize(
    "said",
    [
        b"\n", b"pre_receive\n", b"pre_receive 1", b"post_receive 1\n", b"pre_receive -1\n", b"pre_receive x\n",
        b"pre_receive 1 2\n", b"pre_receive 99999999999\n", b"pre_receive 1\npre_receive 1\n", b"\xff 1\n",
        b"pre_receive " + b"1" * 200 + b"\n",
    ],
)  # fmt: skip
def test_what_no_hook_says_is_refused(line, tmp_path, said):
    assert asked(line, said, tmp_path) == b"refuse\n"


def test_the_end_of_the_line_is_no_question(line, tmp_path):
    ours, theirs = line
    theirs.close()
    assert Hooks(1, {}, [], time.monotonic() + 1).answer(ours) is False


def test_what_is_none_of_this_push_is_not_opened(line, tmp_path):
    assert asked(line, b"pre_receive %d\n" % os.getpid(), tmp_path).startswith(b"self ")


def test_nor_what_is_gone(line, tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    assert asked(line, b"proc_receive %d\n" % gone.pid, tmp_path).startswith(b"self ")


def test_where_no_warm_judge_is_a_hook_hears_what_is_left_of_its_time_and_of_the_pushs(line, tmp_path):
    hook = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        for seconds, most in ((60.0, 30.0), (5.0, 5.0)):
            word, left = asked(line, b"pre_receive %d\n" % hook.pid, tmp_path, hook.pid, seconds).split()
            assert word == b"self" and most - 2 < float(left) <= most
    finally:
        hook.kill()
        hook.wait()
