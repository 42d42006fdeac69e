"""The README's quick start is true word for word."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def quick_start() -> str:
    """The block that the README marks."""
    found = re.search(r"<!-- quick start.*?-->\n```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found, "the README has no marked quick start"
    return found[1]


def test_the_quick_start_has_ten_lines():
    assert len(quick_start().splitlines()) <= 10


@pytest.mark.timeout(600)
def test_the_quick_start_is_true_word_for_word():
    # Sockets lie in it, so its path must be short.
    state = Path(tempfile.mkdtemp(prefix="qs", dir="/tmp"))
    env = {**os.environ, "XDG_STATE_HOME": str(state)}
    try:
        done = subprocess.run(
            ["bash", "-e", "-c", quick_start()], cwd=ROOT, env=env, capture_output=True, text=True, timeout=540
        )
    finally:
        subprocess.run(["./install.sh", "demo", "--stop"], cwd=ROOT, env=env, check=True, timeout=120)
        shutil.rmtree(state)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gitops: change 3 revision 1 approved by bob; landing" in done.stderr
    assert done.stdout.endswith("store.example.org.conf\nwww.example.org.conf\n")
