"""doctor says whether the warm judge runs, what it is, and what is wrong with the place where it is asked."""

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.diagnosis import Line, State
from gitops_hooks.edge.diagnosis_warm import warm_lines
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.new_home import make_home
from gitops_hooks.edge.warm_place import ensure_warm, running, stop_warm

ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    make_home(home)
    yield home
    for one in running(home):
        os.kill(one.pid, signal.SIGCONT)
    assert stop_warm(home)


def start(home: Home) -> int:
    """Until it answers: a file of the checkout that changed a moment ago makes it end and be started again."""
    deadline = time.monotonic() + 150
    while only_line(home).state is not State.OK:
        assert time.monotonic() < deadline, (home.judge / "log").read_text()
        ensure_warm(home, ENVIRONMENT)
        time.sleep(0.1)
    return running(home)[0].pid


def only_line(home: Home) -> Line:
    (line,) = warm_lines(home, load_server(home))
    return line


def test_one_that_does_not_run_is_worth_a_note(home):
    words = "does not run at this moment; the next push starts it"
    assert only_line(home) == Line(State.NOTE, "warm judge", words)
    home.judge.mkdir(mode=0o700)
    (home.judge / "log").write_text("one\nsomething was wrong\n")
    assert only_line(home).words == f"{words} (the last one said: 'something was wrong')"


def test_one_that_runs_is_told_of_with_what_it_has_done(home):
    pid = start(home)
    line = only_line(home)
    assert line.state is State.OK
    assert re.fullmatch(
        rf"runs as process {pid} since \d{{4}}-\d\d-\d\d \d\d:\d\d UTC: 0 hooks judged, 0 at this moment; "
        r"ends after 900 s without a push or fetch",
        line.words,
    )


def test_one_that_is_of_another_server_file_is_told_of(home):
    start(home)
    with home.server_file.open("a") as server:
        server.write("# another\n")
    line = only_line(home)
    assert line.state is State.NOTE
    assert line.words.endswith("; the release or server.toml is another now: the next push ends it")


def test_one_that_stands_still_fails_with_the_line_that_ends_it(home):
    pid = start(home)
    os.kill(pid, signal.SIGSTOP)
    words = f"process {pid} does not answer: each hook waits for it, then judges by itself"
    assert only_line(home) == Line(State.FAIL, "warm judge", words, f"kill -KILL {pid}")


def test_a_folder_that_others_may_look_into_fails(home):
    home.judge.mkdir()
    home.judge.chmod(0o755)
    words = f"{home.judge} has mode 755, not 700: hooks ask nobody there"
    assert only_line(home) == Line(State.FAIL, "warm judge", words, f"rm -r {home.judge}")


def test_one_that_is_switched_off_is_no_fault(home):
    home.server_file.write_text(home.server_file.read_text().replace("[limits]\n", "[limits]\nwarm_seconds = 0\n"))
    words = "is switched off (warm_seconds = 0): each hook judges by itself"
    assert only_line(home) == Line(State.OK, "warm judge", words)
