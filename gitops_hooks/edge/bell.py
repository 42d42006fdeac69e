"""The reconciler's bell, and its keeper: whoever comes by rings, and starts it where it does not run."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gitops_hooks.edge.home import Home
from gitops_hooks.edge.launchers import reconcile_launcher
from gitops_hooks.edge.living import end, look_at
from gitops_hooks.edge.locks import try_lock
from gitops_hooks.edge.store import make_folder
from gitops_hooks.edge.unix_address import bind_alone, short_address

if TYPE_CHECKING:
    from socket import socket

_BELL = "bell"
_STOP_SECONDS = 30.0
_LARGEST_LOG = 1024 * 1024


def reconcile_lock(home: Home) -> Path:
    """Held exclusively by the reconciler while it lives."""
    return home.run / "reconcile.lock"


def ensure_reconciler(home: Home) -> bool:
    """Start the reconciler unless it runs; False only where it could not be started. The next visitor tries again."""
    if not reconcile_launcher(home).is_file():
        return False
    try:
        if (lock := try_lock(reconcile_lock(home))) is None:
            return True
        # It inherits the lock: who comes by while it still loads starts no second one.
        try:
            _start(home, lock)
        finally:
            os.close(lock)
    except OSError:
        return False
    return True


def stop_reconciler(home: Home) -> bool:
    """End the reconciler that runs here, with time to end its deployments; False where it still runs."""
    if _is_free(home):
        return True
    with contextlib.suppress(OSError, ValueError):
        found = look_at(int((home.run / "reconcile.pid").read_text()))
        # The file may be a moment older than the lock, and its number another program's by now.
        if found is not None and any("reconcile" in word for word in found.argv):
            end([found], _STOP_SECONDS)
    return _is_free(home)


def note_holder(home: Home, pid: int) -> None:
    """For who has taken the reconciler's lock: whose it is, for `stop_reconciler`. Errors: OSError."""
    (home.run / "reconcile.pid").write_text(f"{pid}\n")


def _is_free(home: Home) -> bool:
    hold = try_lock(reconcile_lock(home))
    if hold is not None:
        os.close(hold)
    return hold is not None


def ring(home: Home) -> None:
    """Ask the reconciler to look now. A lost ring costs seconds: never waits, never raises."""
    import socket

    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.setblocking(False)
        with short_address(home.run / _BELL) as address:
            bell.sendto(b"!", address)


class Bell:
    """The reconciler's end of the bell; `select` waits on it."""

    def __init__(self, listener: "socket") -> None:
        self._listener = listener

    def fileno(self) -> int:
        return self._listener.fileno()

    def hush(self) -> None:
        """Take all rings that came: ten that came are one."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._listener.recv(16)

    def close(self) -> None:
        self._listener.close()


def open_bell(home: Home) -> Bell:
    """Hang up the bell; only for who holds the reconciler's lock. Errors: OSError."""
    import socket

    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    bind_alone(listener, home.run / _BELL)
    return Bell(listener)


def _start(home: Home, lock: int) -> None:
    log = _open_log(home)
    command = [sys.executable, "-I", str(reconcile_launcher(home)), "--lock", str(lock)]
    env = {"PATH": os.defpath, "HOME": str(home.run / "empty"), "LANG": "C.UTF-8"}
    env["GITOPS_HOOKS_HOME"] = str(home.path.absolute())  # for plugins that keep the journal
    try:
        # All three redirected and a session of its own: it must not keep a pusher's connection open.
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=env,
            cwd=home.path,
            pass_fds=(lock,),
            start_new_session=True,
        )
        note_holder(home, child.pid)
    finally:
        os.close(log)


def rotate_log(home: Home) -> None:
    """For the reconciler itself: where it writes into our log and that has become large, go on in a new one."""
    path = home.run / "reconcile.log"
    with contextlib.suppress(OSError):
        found = path.stat()
        if found.st_size > _LARGEST_LOG and os.path.samestat(found, os.fstat(2)):
            log = _open_log(home)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)


def _open_log(home: Home) -> int:
    make_folder(home.run / "empty")
    path = home.run / "reconcile.log"
    if path.exists() and path.stat().st_size > _LARGEST_LOG:
        path.replace(path.with_name("reconcile.log.1"))
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
