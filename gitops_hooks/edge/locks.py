"""Locks that die with their holder: flock on files of the server's own."""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitops_hooks.model.errors import EdgeError

_PAUSE = 0.02


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """The descriptor that holds the lock, or None where another holds it; closing it lets go."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def is_held(path: Path) -> bool | None:
    """Whether somebody holds this lock; None where there is none: a look makes nothing, and may meet with its end."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def let_go(descriptor: int) -> None:
    """Let go of a lock for everybody who inherited it. Errors: OSError where there is no such descriptor."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def hold(folder: Path, name: str, seconds: float) -> Iterator[None]:
    """Hold the lock of this name below a folder. Errors: EdgeError when another keeps it for `seconds`.

    Who waits in a queue counts anew with each that is before it.
    """
    path = folder / "locks" / hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    since, deadline = 0, 0.0
    while (descriptor := try_lock(path)) is None:
        if (taken := path.stat().st_mtime_ns) != since:
            since, deadline = taken, time.monotonic() + seconds
        elif time.monotonic() > deadline:
            raise EdgeError(name, f"another push has held it for {seconds:.0f} s; push again")
        time.sleep(_PAUSE)
    try:
        # Its time says when it changed hands.
        os.utime(descriptor)
        yield
    finally:
        os.close(descriptor)
