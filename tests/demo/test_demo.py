"""The demo is a promise of the README: it plays, it can be left running and ended, and nothing of it stays."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_hooks.edge import living
from tests.world import ROOT


@pytest.fixture
def state() -> Iterator[Path]:
    # Short, since sockets lie below it.
    with tempfile.TemporaryDirectory(prefix="gd-") as folder:
        yield Path(folder)


def demo(state: Path, *words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(ROOT / "examples/demo/story.py"), *words]
    environment = {**os.environ, "XDG_STATE_HOME": str(state)}
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def running(state: Path) -> list[tuple[str, ...]]:
    return [one.argv for one in living.list_living() if any(str(state) in word for word in one.argv)]


def finish(program: "subprocess.Popen[str]", seconds: float = 500.0) -> tuple[int, str]:
    try:
        said, _ = program.communicate(timeout=seconds)
    finally:
        program.kill()
    return program.returncode, said


@pytest.mark.timeout(600)
def test_the_demo_plays_stays_on_request_and_ends(state: Path) -> None:
    code, said = finish(demo(state, "--keep"))
    assert code == 0, said
    assert "That was the whole way" in said
    assert running(state) != []
    assert finish(demo(state, "--stop")) == (0, "The demo is ended.\n")
    assert running(state) == []
    assert list(state.iterdir()) == []
    assert finish(demo(state, "--stop")) == (0, "No demo is running.\n")


@pytest.mark.timeout(600)
def test_an_interrupted_demo_leaves_nothing(state: Path) -> None:
    # Tests that run in the background of a shell ignore it, and would hand that down.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    program = demo(state)
    signal.signal(signal.SIGINT, before)
    deadline = time.monotonic() + 120
    while not running(state) or not (state / "gitops-hooks-demo" / "sshd" / "sshd.pid").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    program.send_signal(signal.SIGINT)
    code, said = finish(program)
    assert code == 130, said
    assert said.endswith("\ninterrupted; everything that the demo started is ended\n")
    assert running(state) == []
    assert list(state.iterdir()) == []
