"""One push while it lives: a shared hold on its repository and a marker, both inherited by git and its hooks.

The kernel lets go of both when the last process of the push has ended, so a marker whose lock is free belongs to a
push that was killed, and what it left in the repository may be swept as soon as nobody else is in it.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gitops_hooks.edge.disk import full_disk, says_full
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.locks import is_held, try_lock
from gitops_hooks.edge.store import make_folder
from gitops_hooks.edge.sweep import sweep
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.server import RepositoryEntry

_SECONDS = 10.0
_PAUSE = 0.05
_LOOKING = 1.0  # seconds; it takes a tenth of it
_ENDING = 3.0  # seconds that what was ended with a push may take to be gone
_MARKS = 5
ALIVE = "alive"
UNCLEAN = "unclean"


@dataclass(frozen=True, slots=True)
class LivePush:
    """A push: its folder, and the descriptors that git must inherit."""

    folder: Path
    descriptors: tuple[int, ...]

    @property
    def unclean(self) -> Path:
        """Made by whoever cuts a process of the push off: its end is then no clean one."""
        return self.folder / UNCLEAN

    @property
    def hooks(self) -> Path:
        """The hooks of this push alone."""
        return self.folder / "hooks"


def mark_cut_off(unclean: Path) -> None:
    """For who ends a part of a push that may be over by then: a marker that looks dead has the next push sweep."""
    with suppress(OSError):
        for _ in range(_MARKS):
            # The push may be taking its folder away at this moment.
            make_folder(unclean.parent)
            with suppress(FileNotFoundError):
                unclean.touch(0o600)
            if unclean.exists():
                return


@contextmanager
def open_push(home: Home, repository: RepositoryEntry, push: str) -> Iterator[LivePush]:
    """Mark a push as alive; after a clean end nothing of it is left. Errors: EdgeError where maintenance goes on."""
    live = begin_push(home, repository, push)
    try:
        yield live
    finally:
        unclean = live.unclean.exists()
        if not unclean:
            shutil.rmtree(live.folder, ignore_errors=True)
        for descriptor in live.descriptors:
            os.close(descriptor)
        if unclean:
            mend(home, repository)


def begin_push(home: Home, repository: RepositoryEntry, push: str) -> LivePush:
    """Mark a push as alive, for whoever ends it elsewhere (entry/git_run). Errors: as open_push."""
    state = home.state(repository.id)
    make_folder(state / "pushes")
    _mend_before(state, repository.path)
    return _begin(state, push)


def _mend_before(state: Path, repository: Path) -> None:
    """A reconciler that looks at the repository in this moment is waited for; a push that lives is not."""
    pushes, deadline = state / "pushes", time.monotonic() + _LOOKING
    _mend(state, repository)
    while (dead := _dead(pushes)) and len(dead) == len(marked(pushes)) and time.monotonic() < deadline:
        time.sleep(_PAUSE)
        _mend(state, repository)


def mend(home: Home, repository: RepositoryEntry) -> tuple[str, ...]:
    """Sweep what dead pushes left, unless somebody is in the repository; answers what was removed."""
    return _mend(home.state(repository.id), repository.path)


def mend_after(folder: str, repository: str) -> None:
    """The same for whoever knows no more than the folder of the push that has ended.

    A judge of it that the warm judge forked is of another session: it may be ending still, and holds the push as long.
    """
    path = Path(folder)
    # A push that has let go of its hold may have been swept by another one; and where the disk is full the mark is
    # missing, and what is left is swept by the next push.
    with suppress(OSError):
        (path / UNCLEAN).touch()
    deadline = time.monotonic() + _ENDING
    _mend(path.parent.parent, Path(repository))
    while path.exists() and time.monotonic() < deadline:
        time.sleep(_PAUSE)
        _mend(path.parent.parent, Path(repository))


def _mend(state: Path, repository: Path) -> tuple[str, ...]:
    if not _dead(state / "pushes"):
        return ()
    if (hold := try_lock(state / "use.lock")) is None:
        return ()
    try:
        removed = sweep(repository)
        # Whoever lives has the shared hold, so now every marker is a dead one, half-made ones included.
        for folder in list((state / "pushes").iterdir()):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(hold)
    return removed


def use_lock(state: Path, seconds: float = _SECONDS) -> int:
    """The shared hold that every writer needs; closing the descriptor lets go. Errors: EdgeError after `seconds`."""
    deadline = time.monotonic() + seconds
    while (hold := try_lock(state / "use.lock", shared=True)) is None:
        if time.monotonic() > deadline:
            raise EdgeError("this repository", "is being cleaned up; try again in a minute")
        time.sleep(_PAUSE)
    return hold


@contextmanager
def using(state: Path) -> Iterator[None]:
    """Hold the repository shared while writing to it: nobody sweeps a lock file that is in use."""
    hold = use_lock(state)
    try:
        yield
    finally:
        os.close(hold)


@contextmanager
def alone(state: Path, seconds: float) -> Iterator[None]:
    """Hold the repository alone: no push is in it and none begins. Errors: EdgeError after `seconds`."""
    deadline = time.monotonic() + seconds
    while (hold := try_lock(state / "use.lock")) is None:
        if time.monotonic() > deadline:
            raise EdgeError(
                "this repository", f"a push or maintenance has been in it for {seconds:.0f} s; run the command again"
            )
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        os.close(hold)


def _begin(state: Path, push: str) -> LivePush:
    hold = use_lock(state)
    making, folder = state / "pushes" / f".{push}", state / "pushes" / push
    try:
        make_folder(making)
        alive = try_lock(making / ALIVE)
        # Renamed only once it is locked: nobody can see a marker that looks dead and is not.
        making.rename(folder)
    except OSError as error:
        os.close(hold)
        if says_full(error):
            raise full_disk() from None
        raise EdgeError("push", f"its folder cannot be made: {error.strerror}") from None
    return LivePush(folder, (hold, *((alive,) if alive is not None else ())))


def _dead(pushes: Path) -> list[Path]:
    return [folder for folder in marked(pushes) if _is_dead(folder)]


def marked(pushes: Path) -> list[Path]:
    """The folders of pushes. A half-made one is nobody's yet, and a look at its lock could keep it from being taken."""
    try:
        return [folder for folder in pushes.iterdir() if not folder.name.startswith(".")]
    except OSError:
        return []


def _is_dead(folder: Path) -> bool:
    held = is_held(folder / ALIVE)
    if held is None:
        # Of one that lives on a full disk it is missing too: that one holds the repository.
        return (folder / UNCLEAN).exists()
    return not held
