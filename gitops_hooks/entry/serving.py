"""The warm judge: a program that has loaded what hooks need, and forks one judge for each of them.

Started by the first push, ended by itself when it was idle or when the release, the server's file or a plugin changed.
Nothing depends on it: a hook that does not find it judges by itself, by the same code.
"""

import gc
import importlib
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from gitops_hooks.edge import warm_client as warm
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.locks import try_lock
from gitops_hooks.edge.warm_code import Loaded, look_at_loaded
from gitops_hooks.edge.warm_peer import standing
from gitops_hooks.edge.warm_place import close_door, is_open, open_door, socket_inode, warm_lock
from gitops_hooks.model.lazy_dataclass import complete, dataclass

_LOADING_SECONDS = 60
_TRIES = 5
_PAUSE = 0.05
# What hooks load.
_JUDGES = ("guard", "pre_receive", "proc_receive", "post_receive", "follow", "login_answer", "agent_login")
_SIGNALS = tuple(number for number in signal.Signals if number not in (signal.SIGKILL, signal.SIGSTOP))


@dataclass(frozen=True, slots=True)
class _Place:
    """What an import must leave as it was: what a fork could not make good again."""

    descriptors: frozenset[str]
    environ: frozenset[tuple[bytes, bytes]]
    signals: tuple[object, ...]
    threads: int
    children: bytes
    folder: str
    root: int

    @classmethod
    def now(cls) -> "_Place":
        return cls(
            frozenset(_open_descriptors()),
            frozenset(os.environb.items()),
            tuple(signal.getsignal(number) for number in _SIGNALS),
            len(list(Path("/proc/self/task").iterdir())),
            _children(),
            str(Path.cwd()),
            os.umask(0o077),
        )


def main(home: str) -> int:
    """0 where it has served, or another does; 1 where it cannot serve here."""
    began = time.time_ns()
    os.umask(0o077)
    place = Home(Path(home))
    if (hold := _take_lock(place)) is None:
        return 0
    server = place.server_file.read_bytes()
    # Before anything is loaded: the hooks of the push that started this wait there, and load nothing themselves.
    door = open_door(place)
    inode = socket_inode(place)

    def close() -> None:
        close_door(place, inode)
        door.close()
        os.close(hold)

    loaded, idle = _load(place, began)
    if loaded is None:
        close()
        return 1
    from gitops_hooks.entry.serving_loop import Court, House

    gc.freeze()  # what is loaded is garbage never, and its pages are shared longer
    own = standing(os.getpid())
    Court(House(door, warm.identity(server), loaded, own, place, idle, lambda: is_open(place, inode), close)).serve()
    return 0


def _take_lock(place: Home) -> int | None:
    """A visitor who only looks holds it for a moment."""
    for _ in range(_TRIES):
        if (hold := try_lock(warm_lock(place))) is not None:
            return hold
        time.sleep(_PAUSE)
    return None


def _load(place: Home, began: int) -> tuple[Loaded | None, float]:
    """What was loaded, None where it cannot serve; and the seconds for which it may be idle."""
    import site

    site.main()
    # An import that hangs would keep the lock for ever.
    signal.alarm(_LOADING_SECONDS)
    idle = _import(place)
    signal.alarm(0)
    if idle <= 0:
        return None, 0.0
    importlib.import_module("gitops_hooks.entry.serving_loop")
    complete()
    if (loaded := look_at_loaded(began)) is None:
        _say("something that was loaded changed meanwhile; the next push tries again")
    return loaded, idle


def _import(place: Home) -> float:
    """What hooks import, plugins last; answers how long it may be idle, 0 where it cannot serve."""
    for name in _JUDGES:
        importlib.import_module(f"gitops_hooks.entry.{name}")
    from gitops_hooks.edge.config import load_server
    from gitops_hooks.edge.plugins import make_ready

    server = load_server(place)
    before = _Place.now()
    for module in server.plugins.modules:
        # What does not load here does not load in a fork either, and refuses there, with its words.
        with suppress(Exception, SystemExit):
            importlib.import_module(module)
    make_ready(server.plugins)
    if before != _Place.now():
        _say("a plugin's import started, opened or changed something that cannot be shared; each hook loads it itself")
        return 0.0
    return server.limits.warm_seconds


def _children() -> bytes:
    with suppress(OSError):  # a kernel without this file cannot say
        return Path(f"/proc/self/task/{os.getpid()}/children").read_bytes()
    return b""


def _open_descriptors() -> list[str]:
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(f"{entry.name} {entry.readlink()}")
    return [each for each in found if "/fd" not in each.partition(" ")[2]]


def _say(words: str) -> None:
    print(f"gitops-hooks, warm judge: {words}", file=sys.stderr, flush=True)
