"""The process that tells notifiers what became of deployments, beside the reconciler and never in its way."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import time

from gitops_hooks.edge.home import Home
from gitops_hooks.edge.launchers import reconcile_launcher

_END_SECONDS = 5.0
_AGAIN_SECONDS = 5.0


class Teller:
    """An open resource of the reconciler: `ring` says that there may be news, `poll` takes it further."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._child: subprocess.Popen[bytes] | None = None
        self._due: float | None = None

    def ring(self) -> None:
        """There may be something to tell."""
        self._due = 0.0

    def due(self) -> float | None:
        """Seconds until it has something to do, None where it has nothing."""
        if self._child is not None or self._due is None:
            return None
        return max(0.0, self._due - time.time())

    @property
    def running(self) -> bool:
        return self._child is not None

    def poll(self) -> bool:
        """Start where something is due, and hear what was said; whether nothing runs. Never waits."""
        if self._child is not None and self._child.poll() is not None:
            self._hear(self._child)
        if self._child is None and self._due is not None and self._due <= time.time():
            self._start()
        return self._child is None

    def finish(self) -> None:
        """Tell what is due now; a notifier takes as long as `notify_seconds` allows."""
        self.poll()
        if self._child is not None:
            self._child.wait()
            self._hear(self._child)

    def close(self) -> None:
        """End it with everything that it started: what it told is noted, the rest is told by the next one."""
        if self._child is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(_END_SECONDS)
                break
        if self._child.stdout is not None:
            self._child.stdout.close()
        self._child = None

    def _start(self) -> None:
        self._due = None
        command = [sys.executable, "-I", str(reconcile_launcher(self._home)), "--tell"]
        env = {"PATH": os.defpath, "HOME": str(self._home.run / "empty"), "LANG": "C.UTF-8"}
        env["GITOPS_HOOKS_HOME"] = str(self._home.path.absolute())
        try:
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=env, cwd=self._home.path, process_group=0
            )
        except OSError:
            self._due = time.time() + _AGAIN_SECONDS

    def _hear(self, child: "subprocess.Popen[bytes]") -> None:
        """Its one line is when the next try is due; without one it was killed, and is started again."""
        self._child = None
        with contextlib.closing(child.stdout or io.BytesIO()) as said:
            words = said.read(64).split()
        if self._due is None and child.returncode:
            self._due = time.time() + _AGAIN_SECONDS
        elif self._due is None and words:
            with contextlib.suppress(ValueError):
                self._due = float(words[0])
