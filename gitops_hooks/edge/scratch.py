"""Folders for what a tool reads, for as long as it runs: whose process was killed is swept by the next one.

With what still runs there: every box shows a file of its folder, and names it in its command.
"""

import os
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path

from gitops_hooks.edge.living import end, list_living
from gitops_hooks.edge.locks import is_held, try_lock
from gitops_hooks.model.lazy_dataclass import dataclass

_ALIVE = "alive"
_HALF_MADE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Scratch:
    """A folder of this process alone; the lock in it says that it is in use."""

    folder: Path
    lock: int

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self.lock)


def open_scratch(parent: Path) -> Scratch:
    """A new folder below `parent`, where dead ones are removed first. Errors: OSError."""
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in list(parent.iterdir()):
        if _is_dead(folder):
            _clear(folder)
    name = secrets.token_hex(8)
    making, folder = parent / f".{name}", parent / name
    making.mkdir(mode=0o700)
    lock = try_lock(making / _ALIVE)
    if lock is None:
        raise BlockingIOError(0, "a new lock is held by somebody", str(folder))
    # Renamed only once it is locked: nobody can see a folder that looks dead and is not.
    making.rename(folder)
    return Scratch(folder, lock)


def _clear(folder: Path) -> None:
    """A box that was being made as its judge was killed has outlived it: it ties itself to it late."""
    mark = f"{folder}/"
    boxes = [one for one in list_living() if one.argv and Path(one.argv[0]).name == "bwrap"]
    end([one for one in boxes if any(word.startswith(mark) for word in one.argv)], gentle_seconds=0)
    shutil.rmtree(folder, ignore_errors=True)


def _is_dead(folder: Path) -> bool:
    with suppress(OSError):
        held = None if folder.name.startswith(".") else is_held(folder / _ALIVE)
        if held is None:
            # Being made, or being taken away, unless that was a while ago.
            return time.time() - folder.stat().st_mtime > _HALF_MADE_SECONDS
        return not held
    return False
