"""A program that a deployer starts, and who asked for its end."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_hooks.plugins.deployed_program import Ended, Place, run_program
from tests.waiting import so_far


def run(folder: Path, script: str, canceled: Callable[[], bool]) -> Ended:
    place = Place(folder, {"PATH": os.environ["PATH"]}, time.monotonic() + 60, canceled)
    return run_program(["sh", "-c", script], place, lambda line: None, lambda pid, time: None)


@pytest.mark.parametrize(("number", "why"), [("TERM", "canceled"), ("KILL", "")])
def test_one_that_was_asked_to_end_before_we_knew_of_it_was_canceled(tmp_path: Path, number: str, why: str) -> None:
    """Asked with our whole group, in the moment before it has a group of its own."""

    def canceled() -> bool:
        pid = so_far(tmp_path / "pid").strip()
        return bool(pid) and not Path(f"/proc/{pid}").exists()

    ended = run(tmp_path, f"echo $$ > pid; kill -{number} $$", canceled)
    assert (ended.status, ended.stopped) == (-15 if number == "TERM" else -9, why)


def test_one_that_ends_itself_so_was_not_canceled(tmp_path: Path) -> None:
    assert run(tmp_path, "kill -TERM $$", lambda: False) == Ended(-15, "")
