"""What a repository needs from time to time: leftovers of killed programs gone, refs packed, garbage collected.

It runs beside pushes and deployments, with less right to the machine than they have, and for a bounded time.
"""

import os
import subprocess
import time
from pathlib import Path

from gitops_hooks.edge.locks import try_lock
from gitops_hooks.edge.pushes import use_lock
from gitops_hooks.edge.refs import clean_environment
from gitops_hooks.edge.sweep import sweep
from gitops_hooks.edge.verdict_store import store_of
from gitops_hooks.model.server import Limits

_STEPS = (
    # Loose refs make every push slower: a quarantine lists them.
    ("pack-refs", "--all"),
    # Its own default threshold decides whether there is anything to do; unreachable objects live two weeks.
    ("-c", "gc.auto=6700", "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet"),
)
_END_SECONDS = 5.0


class Upkeep:
    """The maintenance of one repository while it goes on, an open resource; `poll` takes it further."""

    def __init__(self, repository: Path, state: Path, git: str, seconds: float, limits: Limits = Limits()) -> None:
        """Sweep now, if nobody is in the repository, and begin. Errors: EdgeError, OSError."""
        store_of(state, limits).trim()
        self.swept: tuple[str, ...] = ()
        lock = try_lock(state / "use.lock")
        if lock is not None:
            self.swept = sweep(repository)
            os.close(lock)
        # Held like a push holds it, also by git itself, or a sweeper would take its lock files for leftovers.
        self._hold = use_lock(state)
        self._command = ["nice", "-n", "10", git, "--git-dir", str(repository)]
        self._left = list(_STEPS)
        self._deadline = time.monotonic() + seconds
        self._git: subprocess.Popen[bytes] | None = None
        self.poll()

    def poll(self) -> bool:
        """Whether it has come to its end; never waits. What takes too long is ended, and goes on the next time."""
        if self._git is not None and self._git.poll() is None:
            if time.monotonic() < self._deadline:
                return False
            self.close()
        while self._hold >= 0 and self._left:
            self._git = self._start(self._left.pop(0))
            if self._git.poll() is None:
                return False
        self.close()
        return True

    def finish(self) -> None:
        """Wait for its end, which the deadline bounds."""
        while not self.poll():
            time.sleep(0.05)

    def close(self) -> None:
        """End what runs and let go of the repository."""
        if self._git is not None and self._git.poll() is None:
            self._git.terminate()
            try:
                self._git.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                self._git.kill()
                self._git.wait()
        self._left.clear()
        if self._hold >= 0:
            os.close(self._hold)
            self._hold = -1

    def _start(self, words: tuple[str, ...]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*self._command, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=clean_environment(),
            pass_fds=(self._hold,),
        )
