"""The warm judge: a program that has loaded what hooks need, and forks a judge for each push, or each hook of one.

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
from typing import TYPE_CHECKING

from gitops_hooks.edge import warm_client as warm
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.locks import try_lock
from gitops_hooks.edge.warm_code import Loaded, look_at_loaded
from gitops_hooks.edge.warm_peer import standing
from gitops_hooks.edge.warm_place import close_door, is_open, open_door, socket_inode, warm_lock
from gitops_hooks.model.lazy_dataclass import complete

if TYPE_CHECKING:
    from gitops_hooks.model.server import ServerFile

_LOADING_SECONDS = 60
_TRIES = 5
_PAUSE = 0.05
# What hooks load.
_JUDGES = ("guard", "pre_receive", "proc_receive", "post_receive", "follow", "login_answer", "agent_login")


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

    def is_here() -> bool:
        return is_open(place, inode)

    def close() -> None:
        close_door(place, inode)
        door.close()
        os.close(hold)

    found = _load(place, began)
    if found is None:
        close()
        return 1
    from gitops_hooks.entry.serving_house import House
    from gitops_hooks.entry.serving_loop import Court

    gc.freeze()  # what is loaded is garbage never, and its pages are shared longer
    (loaded, settings), own = found, standing(os.getpid())
    idle, modules, known = settings.limits.warm_seconds, settings.plugins.modules, len(sys.modules)
    identity, sign = warm.identity(server), loaded.sign.encode()
    Court(House(door, identity, sign, loaded, own, place, idle, is_here, close, modules, known)).serve()
    return 0


def _take_lock(place: Home) -> int | None:
    """A visitor who only looks holds it for a moment."""
    for _ in range(_TRIES):
        if (hold := try_lock(warm_lock(place))) is not None:
            return hold
        time.sleep(_PAUSE)
    return None


def _load(place: Home, began: int) -> "tuple[Loaded, ServerFile] | None":
    """What was loaded, by what the server's file says; None where it cannot serve."""
    import site

    site.main()
    # An import that hangs would keep the lock for ever.
    signal.alarm(_LOADING_SECONDS)
    settings = _import(place)
    signal.alarm(0)
    if settings is None:
        return None
    importlib.import_module("gitops_hooks.entry.serving_loop")
    complete()
    if (loaded := look_at_loaded(began)) is None:
        _say("something that was loaded changed meanwhile; the next push tries again")
        return None
    return loaded, settings


def _import(place: Home) -> "ServerFile | None":
    """What hooks import, plugins last; answers what the server's file says, None where it cannot serve."""
    for name in _JUDGES:
        importlib.import_module(f"gitops_hooks.entry.{name}")
    from gitops_hooks.edge.config import load_server
    from gitops_hooks.edge.plugins import make_ready

    server = load_server(place)
    before = _what_forks_share()
    for module in server.plugins.modules:
        # What does not load here does not load in a fork either, and refuses there, with its words.
        with suppress(Exception, SystemExit):
            importlib.import_module(module)
    make_ready(server.plugins)
    if before != _what_forks_share():
        _say("a plugin's import started, opened or changed something that cannot be shared; each hook loads it itself")
        return None
    return server if server.limits.warm_seconds > 0 else None


def _what_forks_share() -> tuple[object, ...]:
    """What an import must leave as it was: what a fork could not make good again."""
    from gitops_hooks.entry.serving_place import Traces

    return Traces.now(), frozenset(os.environb.items()), Path.cwd()


def _say(words: str) -> None:
    print(f"gitops-hooks, warm judge: {words}", file=sys.stderr, flush=True)
