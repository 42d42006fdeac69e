"""Maintenance runs beside pushes, for a bounded time, and leaves nothing in their way."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gitops_hooks.edge.bell import rotate_log
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.locks import try_lock
from gitops_hooks.edge.pushes import use_lock
from gitops_hooks.edge.upkeep import Upkeep
from gitops_hooks.edge.verdict_store import Kept, store_of
from gitops_hooks.model.server import Limits
from tests.waiting import so_far, wait_until
from tests.world import ROOT

ROTATES = """
import sys
from pathlib import Path
from gitops_hooks.edge.bell import rotate_log
from gitops_hooks.edge.home import Home
rotate_log(Home(Path(sys.argv[1])))
print("new", file=sys.stderr)
"""


def test_of_verdicts_that_are_kept_no_more_are_left_than_the_servers_file_says(repository: Path, tmp_path: Path):
    limits = Limits(verdicts=2)
    store = store_of(tmp_path / "state", Limits())
    for number in range(6):
        store.keep(f"{number:064}", Kept((), ()))
    Upkeep(repository, tmp_path / "state", "git", 20.0, limits).finish()
    assert store.usage()[0] == 2


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "site.git"
    git = ["git", "-c", "init.defaultBranch=main"]
    subprocess.run([*git, "init", "-q", "--bare", str(path)], check=True)
    tree = subprocess.run([*git, "--git-dir", path, "mktree"], input=b"", capture_output=True, check=True).stdout
    words = ["commit-tree", "-m", "x", tree.decode().strip()]
    commit = subprocess.run([*git, "--git-dir", path, *words], capture_output=True, check=True).stdout.decode().strip()
    for number in range(20):
        subprocess.run([*git, "--git-dir", path, "update-ref", f"refs/changes/{number}/head", commit], check=True)
    return path


def slow_git(folder: Path) -> str:
    """A git that takes its time; `asked` tells what it was asked for."""
    script = folder / "slow-git"
    script.write_text(f'#!/bin/sh\necho "$@" >>{folder}/asked\nexec sleep 60\n')
    script.chmod(0o755)
    return str(script)


def test_refs_are_packed_while_a_push_is_in_the_repository(tmp_path: Path, repository: Path) -> None:
    push = use_lock(tmp_path / "state")
    (repository / "refs/heads/x.lock").write_text("")
    upkeep = Upkeep(repository, tmp_path / "state", "git", 60)
    upkeep.finish()
    assert upkeep.swept == ()  # with a push in it, a lock file may be in use
    assert len((repository / "packed-refs").read_text().splitlines()) == 21
    os.close(push)
    assert Upkeep(repository, tmp_path / "state", "git", 60).swept == ("refs/heads/x.lock",)


def test_it_never_waits_and_pushes_go_on_beside_it(tmp_path: Path, repository: Path) -> None:
    began = time.monotonic()
    upkeep = Upkeep(repository, tmp_path / "state", slow_git(tmp_path), 60)
    assert not upkeep.poll()
    assert time.monotonic() - began < 10
    os.close(use_lock(tmp_path / "state", 1.0))
    # And nobody takes its own lock files away meanwhile.
    assert try_lock(tmp_path / "state" / "use.lock") is None
    upkeep.close()
    alone = try_lock(tmp_path / "state" / "use.lock")
    assert alone is not None
    os.close(alone)


def test_what_takes_too_long_is_ended(tmp_path: Path, repository: Path) -> None:
    upkeep = Upkeep(repository, tmp_path / "state", slow_git(tmp_path), 600)
    wait_until(lambda: so_far(tmp_path / "asked"))
    upkeep._deadline = time.monotonic()
    upkeep.finish()
    assert len((tmp_path / "asked").read_text().splitlines()) == 1
    alone = try_lock(tmp_path / "state" / "use.lock")
    assert alone is not None
    os.close(alone)


def test_a_large_log_of_the_reconciler_is_put_aside_while_it_runs(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.run.mkdir()
    log = home.run / "reconcile.log"
    log.write_bytes(b"x" * (1024 * 1024 + 1))
    code = "import sys; from pathlib import Path; from gitops_hooks.edge.bell import rotate_log; "
    code += (
        "from gitops_hooks.edge.home import Home; rotate_log(Home(Path(sys.argv[1]))); print('new', file=sys.stderr)"
    )
    with log.open("ab") as out:
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], stdout=out, stderr=out, check=True, timeout=30, cwd=ROOT
        )
    assert log.read_text() == "new\n"
    assert log.with_name("reconcile.log.1").stat().st_size == 1024 * 1024 + 1
    rotate_log(home)  # somebody else's standard error is left alone
    assert log.read_text() == "new\n"
