"""Where the warm judge is found, and its keeper: each push starts it where it does not run."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gitops_hooks.edge.bell import stop_reconciler
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.launchers import package_folder
from gitops_hooks.edge.living import Living, end, list_living
from gitops_hooks.edge.locks import try_lock
from gitops_hooks.edge.store import make_folder
from gitops_hooks.edge.unix_address import bind_alone

if TYPE_CHECKING:
    from socket import socket

MODULE = "gitops_hooks.entry.serving"

_SOCKET = "socket"
_PAUSE = 5.0  # seconds between two starts: one that cannot run costs a push now and then
_STOP_SECONDS = 10.0
_WAITING = 128  # hooks that may wait at the door
# As the hooks start (-IS), so that what it loads is what they would load.
_START = f"import sys; sys.path.append(sys.argv[1]); from {MODULE} import main; sys.exit(main(sys.argv[2]))"


def warm_lock(home: Home) -> Path:
    """Held exclusively by the warm judge while it takes pushes."""
    return home.judge / "lock"


def ensure_warm(home: Home, environ: Mapping[str, str]) -> None:
    """Start it unless it runs; never waits, never raises: whoever finds none judges by itself."""
    with suppress(OSError):
        make_folder(home.judge)
        # Asked with a shared lock, so that two visitors do not keep each other's from its own.
        if (hold := try_lock(warm_lock(home), shared=True)) is None:
            return
        os.close(hold)
        if not _was_just_started(home):
            _start(home, environ)


def open_door(home: Home) -> "socket":
    """Listen; only for who holds the lock. Errors: OSError."""
    import socket

    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    bind_alone(door, home.judge / _SOCKET)
    door.listen(_WAITING)
    return door


def is_open(home: Home, inode: int) -> bool:
    """Whether the socket that hooks come to is still this one."""
    with suppress(OSError):
        return (home.judge / _SOCKET).lstat().st_ino == inode
    return False


def socket_inode(home: Home) -> int:
    """What `is_open` compares. Errors: OSError."""
    return (home.judge / _SOCKET).lstat().st_ino


def close_door(home: Home, inode: int) -> None:
    """Take the socket away; only for who holds the lock."""
    with suppress(OSError):
        if is_open(home, inode):
            (home.judge / _SOCKET).unlink()


def stop_warm(home: Home) -> bool:
    """End it, with time for the pushes that it judges; False where it still runs."""
    return not end(running(home), _STOP_SECONDS)


def stop_programs(home: Home) -> bool:
    """End the reconciler and the warm judge: who stops a server to change it wants nothing left that runs from it."""
    return all((stop_reconciler(home), stop_warm(home)))


def running(home: Home) -> tuple[Living, ...]:
    """The warm judges of this home; their forks for single pushes are told by their parent."""
    home_word = str(home.path.absolute())
    found = [one for one in list_living() if one.argv[5:] == (home_word,) and MODULE in one.argv[3]]
    pids = {one.pid for one in found}
    return tuple(one for one in found if one.parent not in pids and one.owner == os.geteuid())


def _was_just_started(home: Home) -> bool:
    with suppress(OSError):
        return abs(time.time() - (home.judge / "log").stat().st_mtime) < _PAUSE
    return False


def _start(home: Home, environ: Mapping[str, str]) -> None:
    # Made anew for each start: its time is the time of the last one, and it holds what the last one had to say.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    log = os.open(home.judge / "log", flags, 0o600)
    command = [sys.executable, "-IS", "-c", _START, str(package_folder()), str(home.path.absolute())]
    try:
        os.utime(log)
        # All three redirected and a session of its own: it must not keep a pusher's connection open.
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environ, cwd="/", start_new_session=True
        )
    finally:
        os.close(log)
