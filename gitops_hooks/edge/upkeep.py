"""What a repository needs from time to time: leftovers of killed programs gone, refs packed, garbage collected."""

import os
import subprocess
from pathlib import Path

from gitops_hooks.edge.locks import try_lock
from gitops_hooks.edge.pushes import using
from gitops_hooks.edge.refs import clean_environment
from gitops_hooks.edge.sweep import sweep

_SECONDS = 600.0


def keep_up(repository: Path, state: Path, git: str) -> tuple[str, ...]:
    """Do it all; what was swept. Sweeping waits for a moment without any push, the rest goes on beside pushes."""
    swept: tuple[str, ...] = ()
    lock = try_lock(state / "use.lock")
    if lock is not None:
        swept = sweep(repository)
        os.close(lock)
    # Held like a push holds it, or a sweeper would take git's own lock files for leftovers.
    with using(state):
        # Loose refs make every push slower: a quarantine lists them.
        _git(git, repository, "pack-refs", "--all")
        # Its own default threshold decides whether there is anything to do; unreachable objects live two weeks.
        _git(git, repository, "-c", "gc.auto=6700", "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet")
    return swept


def _git(git: str, repository: Path, *words: str) -> None:
    subprocess.run(
        [git, "--git-dir", str(repository), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=clean_environment(),
        timeout=_SECONDS,
        check=False,
    )
