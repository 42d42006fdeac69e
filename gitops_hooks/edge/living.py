"""What runs on this machine, as /proc tells it, and signals that reach exactly what was found.

A number alone names nothing: it may belong to somebody else a moment later. So each find keeps its start time, and
a signal goes through a pidfd that was opened before the start time is compared again.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from gitops_hooks.model.lazy_dataclass import dataclass

_PROC = Path("/proc")
_STEP = 0.02


@dataclass(frozen=True, slots=True)
class Living:
    """One running program: `started` is in clock ticks since boot, `owner` the user id that it runs under."""

    pid: int
    parent: int
    started: int
    owner: int
    argv: tuple[str, ...]


def list_living() -> tuple[Living, ...]:
    """Everything that runs and is no zombie, as far as this user may look."""
    found = (look_at(int(entry.name)) for entry in _PROC.iterdir() if entry.name.isdigit())
    return tuple(living for living in found if living is not None)


def look_at(pid: int) -> Living | None:
    """What runs under this number now; None for nothing and for a zombie."""
    folder = _PROC / str(pid)
    try:
        words = (folder / "stat").read_bytes()
        arguments = (folder / "cmdline").read_bytes()
        owner = folder.stat().st_uid
    except (OSError, ValueError):
        return None
    # The name stands in parentheses and may hold spaces and parentheses itself: read behind the last one.
    fields = words[words.rindex(b")") + 2 :].split()
    if fields[0] in (b"Z", b"X"):
        return None
    argv = tuple(os.fsdecode(word) for word in arguments.split(b"\0") if word)
    return Living(pid, int(fields[1]), int(fields[19]), owner, argv)


def lives(living: Living) -> bool:
    """Whether exactly this one still runs."""
    now = look_at(living.pid)
    return now is not None and now.started == living.started


def descendants(pid: int) -> tuple[Living, ...]:
    """Its children, their children and so on, nearest first."""
    everything = list_living()
    found: list[Living] = []
    wanted = {pid}
    while wanted:
        generation = [living for living in everything if living.parent in wanted]
        found.extend(generation)
        wanted = {living.pid for living in generation}
    return tuple(found)


def send(living: Living, number: signal.Signals) -> bool:
    """Signal exactly this one; False where it is gone or belongs to somebody else."""
    try:
        handle = os.pidfd_open(living.pid)
    except OSError:
        return False
    try:
        if not lives(living):
            return False
        signal.pidfd_send_signal(handle, number)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def wait_gone(livings: Iterable[Living], seconds: float) -> tuple[Living, ...]:
    """Wait until none of them runs, at most so many seconds; answers those that still do."""
    deadline = time.monotonic() + seconds
    left = tuple(living for living in livings if lives(living))
    while left and time.monotonic() < deadline:
        time.sleep(_STEP)
        left = tuple(living for living in left if lives(living))
    return left


def end(livings: Iterable[Living], gentle_seconds: float, seconds: float = 5.0) -> tuple[Living, ...]:
    """TERM, wait, KILL, wait; answers those that still run (another user's, or stuck in the kernel)."""
    wanted = tuple(livings)
    if gentle_seconds > 0:
        for living in wanted:
            send(living, signal.SIGTERM)
        wanted = wait_gone(wanted, gentle_seconds)
    for living in wanted:
        send(living, signal.SIGKILL)
    _reap(wanted)
    return wait_gone(wanted, seconds)


def _reap(livings: Iterable[Living]) -> None:
    for living in livings:
        with contextlib.suppress(OSError):
            os.waitpid(living.pid, os.WNOHANG)
