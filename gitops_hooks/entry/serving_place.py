"""The place of a fork of the warm judge: what it lets go of, what it takes over from a hook, and what that leaves.

It reads the push's descriptors itself, so that the warm judge never holds one: git waits for the end of them.
"""

import fcntl
import os
import resource
import signal
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from socket import SCM_RIGHTS, SOL_SOCKET, socket

from gitops_hooks.core import warm_words as words
from gitops_hooks.core.warm_request import Request
from gitops_hooks.edge import sandbox_kernel as kernel
from gitops_hooks.edge.descriptors import close_others, out_of_the_way
from gitops_hooks.edge.sandbox import is_confining
from gitops_hooks.entry.serving_house import House
from gitops_hooks.model.lazy_dataclass import dataclass

_NUMBER = 4  # bytes of a descriptor's number in a control message
_OWN = (0, 1, 2)
_MOST_PUSHES = 100
_MOST_GROWN = 32 * 1024  # KiB
_SIGNALS = tuple(number for number in signal.Signals if number not in (signal.SIGKILL, signal.SIGSTOP))


@dataclass(frozen=True, slots=True)
class Traces:
    """What code leaves in its process besides values: what nobody could make good again."""

    descriptors: frozenset[str]
    signals: tuple[object, ...]
    threads: int
    children: bytes
    umask: int
    confines: bool

    @classmethod
    def now(cls) -> "Traces":
        os.umask(umask := os.umask(0o077))
        return cls(
            frozenset(_open_descriptors()),
            tuple(signal.getsignal(number) for number in _SIGNALS),
            len(os.listdir("/proc/self/task")),  # noqa: PTH208  # a number, not paths
            _children(),
            umask,
            is_confining(),
        )


class Strength:
    """How long one fork goes on: for so many pushes, while it has not grown, and runs what the house looks after."""

    def __init__(self, house: House) -> None:
        self._house, self._peak, self._left = house, _peak(), _MOST_PUSHES

    def lasts(self) -> bool:
        """Whether it takes another push after one more."""
        self._left -= 1
        return self._left > 0 and self._house.knows_all() and _peak() - self._peak < _MOST_GROWN


def become_a_fork(*sockets: socket) -> tuple[int, ...]:
    """Nothing of the warm judge's but these, under the numbers that are answered; and die with it."""
    os.setpgid(0, 0)
    kernel.die_with_parent(signal.SIGKILL)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    taken = tuple(map(out_of_the_way, sockets))
    close_others(taken)
    return taken


def take_place(conn: int, request: Request) -> bool:
    """Become what the hook of this request is, with what comes behind its `go`; False where that does not come."""
    given = _receive(conn, len(_OWN) + 1 + len(request.descriptors))
    if given is None:
        return False
    _put_in_place(given, request.descriptors)
    os.environb.clear()
    os.environb.update(request.environ)
    return True


def has_room() -> bool:
    """Whether another place can be taken under the limits of now, which are those of whom a fork judges for."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= words.FIRST_OWN + 2 * words.MOST_DESCRIPTORS


def leave_place(*taken: Sequence[int]) -> Traces:
    """Let go of 0, 1, 2 and these, whose end git and sshd wait for, before or after a place; answers what is there."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for number in _OWN:
        os.dup2(null, number)
    for number in chain((null,), *taken):
        with suppress(OSError):  # whoever judged may have let go of it before
            os.close(number)
    return Traces.now()


def _receive(conn: int, count: int) -> list[int] | None:
    """Exactly so many descriptors behind exactly `go`; None for anything else."""
    line = socket(fileno=conn)
    try:
        said, rights, _, _ = line.recvmsg(len(words.GO) + 1, (words.MOST_DESCRIPTORS + len(_OWN) + 1) * 2 * _NUMBER)
    finally:
        line.detach()
    numbers = b"".join(part for level, kind, part in rights if (level, kind) == (SOL_SOCKET, SCM_RIGHTS))
    found = list(memoryview(numbers).cast("i")) if len(numbers) % _NUMBER == 0 else []
    return found if said == words.GO and len(found) == count else None


def _put_in_place(given: list[int], numbers: tuple[int, ...]) -> None:
    """Each where the hook had it. Taken up first, so that none is laid upon another."""
    taken = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, words.FIRST_OWN) for each in given]
    for each in given:
        os.close(each)
    here = taken.pop(len(_OWN))
    os.fchdir(here)
    os.close(here)
    for each, number in zip(taken, (*_OWN, *numbers), strict=True):
        os.dup2(each, number)
        os.close(each)


def _peak() -> int:
    """The most memory that this process has had, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


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
