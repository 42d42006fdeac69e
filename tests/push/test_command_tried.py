"""Commands of the repository run in a clone before any push, at once and in the server's own box."""

import os
import subprocess
import sys
from pathlib import Path

from tests.push.command_desk import BAD, commanded
from tests.world import ROOT


def test_commands_run_on_the_working_tree_as_it_would_land() -> None:
    with commanded() as desk:
        clone = desk.world.clone("alice")
        well = _run(clone)
        assert (well.returncode, well.stdout.split("\n")[1:]) == (
            0,
            ["  checks     command ok", "gitops: these checks let it pass", ""],
        )
        (clone / "test.sh").write_text(BAD)
        ran = _run(clone)
        assert (ran.returncode, ran.stdout.split("\n")[1:]) == (
            1,
            [
                "  checks     command 1 finding",
                "  command/test: failed (ended with 3)",
                "gitops: the server would refuse it",
                "",
            ],
        )
        said = ran.stderr.split("\n")
        assert said[0] == "gitops: command/test: running …" and said[1].startswith("gitops: command/test: failed in ")
        assert said[2:] == ["  it is broken", ""]


def _run(clone: Path) -> subprocess.CompletedProcess[str]:
    """As a developer types it, on a machine that is no server."""
    return subprocess.run(
        [sys.executable, "-m", "gitops_hooks.entry.cli", "check", "run", "command", "--against", "main"],
        cwd=clone,
        env={**os.environ, "HOME": str(clone.parent), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
