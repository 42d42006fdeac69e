"""The reconciler's bell, and its keeper: whoever comes by rings, and starts it where it does not run."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gitops_hooks.edge.home import Home
from gitops_hooks.edge.launchers import reconcile_launcher
from gitops_hooks.edge.locks import try_lock
from gitops_hooks.edge.store import make_folder

if TYPE_CHECKING:
    from socket import socket

_BELL = "bell"
_LARGEST_LOG = 1024 * 1024


def reconcile_lock(home: Home) -> Path:
    """Held exclusively by the reconciler while it lives."""
    return home.run / "reconcile.lock"


def ensure_reconciler(home: Home) -> bool:
    """Start the reconciler unless it runs; answers whether it was started. Never raises: the next visitor tries."""
    try:
        hold = try_lock(reconcile_lock(home))
        if hold is None:
            return False
        os.close(hold)
        # Between here and its own lock another may be started: the second one finds the lock taken and leaves.
        _start(home)
    except OSError:
        return False
    return True


def ring(home: Home) -> None:
    """Ask the reconciler to look now. A lost ring costs seconds: never waits, never raises."""
    import socket

    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.setblocking(False)
        with _address(home) as address:
            bell.sendto(b"!", address)


def open_bell(home: Home) -> "socket":
    """The reconciler's end: readable after a ring, non-blocking; only for who holds the lock. Errors: OSError."""
    import socket

    bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        with _address(home) as address:
            (home.run / _BELL).unlink(missing_ok=True)
            bell.bind(address)
        (home.run / _BELL).chmod(0o600)
    except OSError:
        bell.close()
        raise
    return bell


def silence(bell: "socket") -> None:
    """Take all rings that came: ten that came are one."""
    with contextlib.suppress(BlockingIOError):
        while True:
            bell.recv(16)


@contextmanager
def _address(home: Home) -> Iterator[str]:
    """A Unix socket's path has 108 bytes at most; through the folder's descriptor any home fits."""
    folder = os.open(home.run, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{_BELL}"
    finally:
        os.close(folder)


def _start(home: Home) -> None:
    log = _open_log(home)
    command = [sys.executable, "-I", str(reconcile_launcher(home))]
    env = {"PATH": os.defpath, "HOME": str(home.run / "empty"), "LANG": "C.UTF-8"}
    try:
        # All three redirected and a session of its own: it must not keep a pusher's connection open.
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, cwd=home.path, start_new_session=True
        )
    finally:
        os.close(log)


def _open_log(home: Home) -> int:
    make_folder(home.run / "empty")
    path = home.run / "reconcile.log"
    if path.exists() and path.stat().st_size > _LARGEST_LOG:
        path.replace(path.with_name("reconcile.log.1"))
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
