"""The README's quick start is true word for word."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 540  # the first run makes the virtual environment


def quick_start() -> str:
    """The block that the README marks."""
    found = re.search(r"<!-- quick start.*?-->\n```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found, "the README has no marked quick start"
    return found[1]


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    # Sockets lie in it, so its path must be short.
    state = Path(tempfile.mkdtemp(prefix="qs-"))
    found = {**os.environ, "XDG_STATE_HOME": str(state)}
    yield found
    subprocess.run(["./install.sh", "demo", "--stop"], cwd=ROOT, env=found, check=True, timeout=120)
    shutil.rmtree(state)


def test_the_quick_start_has_ten_lines() -> None:
    assert len(quick_start().splitlines()) == 10


@pytest.mark.timeout(600)
def test_the_quick_start_is_true_word_for_word(environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-c", quick_start()], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    lines = [line.removeprefix("remote: ").rstrip() for line in said.splitlines()]
    for wanted in (
        "That was the whole way",
        "gitops: refused refs/heads/main",
        "gitops: change 3, revision 1 for main",
        "gitops: change 3 revision 1 approved by bob; landing",
        "staging: Synced, Healthy",
        "The demo is ended.",
    ):
        assert any(line.startswith(wanted) for line in lines), f"{wanted}\n\n{said}"
    assert list(Path(environment["XDG_STATE_HOME"]).iterdir()) == []
