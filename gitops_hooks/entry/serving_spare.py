"""Forks of the warm judge that wait for whoever comes next, so that no login or hook waits for a fork to be made.

A spare was made for it and has met no push. A free one has judged a whole push of the suite's own checks, and nothing
was left: it takes another login for the same repository, under the same limits.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from socket import AF_UNIX, MSG_DONTWAIT, SOCK_SEQPACKET, socket, socketpair
from typing import NoReturn

from gitops_hooks.entry.serving_fork import be_the_judge
from gitops_hooks.entry.serving_house import Errand, House, send_on, wait_for_errand, write_errand
from gitops_hooks.entry.serving_place import become_a_fork
from gitops_hooks.model.lazy_dataclass import dataclass

RESTING = 10.0  # seconds for which a free fork waits where another one waits for the same
_MOST_KINDS = 4  # one of each waits as long as the warm judge does
_PREPARED = b"prepared"

# The repository as it was asked for, and the limits that the fork works under.
Kind = tuple[str, tuple[tuple[int, int, int], ...]]


@dataclass(frozen=True, slots=True)
class Fork:
    """One fork: its number, and our end of its line."""

    pid: int
    line: socket

    def is_prepared(self) -> bool:
        """Whether it waits for its hook by now. Errors: OSError where it has ended."""
        try:
            said = self.line.recv(len(_PREPARED), MSG_DONTWAIT)
        except BlockingIOError:
            return False
        if said != _PREPARED:
            raise ConnectionError
        return True

    def drop(self) -> None:
        """It is at no work of anybody's."""
        self.line.close()
        end_group(self.pid)
        os.waitpid(self.pid, 0)


@dataclass(frozen=True, slots=True)
class _Free:
    fork: Fork
    kind: Kind
    since: float


def end_group(fork: int) -> None:
    """It, and what it left running in its group, which its number names: it is not reaped yet."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(fork, signal.SIGKILL)


def fork_for(house: House, conn: socket, errand: Errand) -> Fork | None:
    """A new fork, sent on this errand at once; None where the machine has no room for one."""
    return _fork(lambda line, warm: be_the_judge(house, conn, line, errand, warm))


class WaitingForks:
    """The spare, if any, and those that are free; an open resource of the warm judge."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._spare: Fork | None = None
        self._free: list[_Free] = []

    def refill(self, prepare: Callable[[], object]) -> None:
        """Have one wait that was made for it, which prepares itself first; what goes wrong there is no matter."""
        if self._spare is None:
            self._spare = _fork(lambda line, warm: _be_a_spare(self._house, line, warm, prepare))

    def keep(self, fork: Fork, kind: Kind) -> None:
        """It is free."""
        self._free.append(_Free(fork, kind, time.monotonic()))

    def thin_out(self) -> None:
        """Let those go that have rested for long, but for the last one of each kind, and of few kinds."""
        last = list({each.kind: each for each in self._free}.values())[-_MOST_KINDS:]
        for each in [each for each in self._free if each not in last and time.monotonic() - each.since > RESTING]:
            self._free.remove(each)
            each.fork.drop()

    def send(self, conn: socket, errand: Errand, kind: Kind | None) -> Fork | None:
        """The one that goes on this errand, whose `go` is unread; None where none waits.

        A free one goes where the errand is a login's of this kind.
        """
        if not (said := write_errand(errand)):
            return None
        return (self._send_free(conn, said, kind) if kind else None) or self._send_spare(conn, said)

    def _send_free(self, conn: socket, said: bytes, kind: Kind) -> Fork | None:
        """Who was at work last: its pages are at hand."""
        for each in reversed([each for each in self._free if each.kind == kind]):
            self._free.remove(each)
            try:
                send_on(said, each.fork.line, conn)
            except OSError:
                each.fork.drop()
            else:
                return each.fork
        return None

    def _send_spare(self, conn: socket, said: bytes) -> Fork | None:
        spare = self._spare
        if spare is None:
            return None
        try:
            if not spare.is_prepared():
                return None
            send_on(said, spare.line, conn)
        except OSError:
            spare.drop()
            spare = None
        self._spare = None
        return spare

    def close(self) -> None:
        for fork in [*(each.fork for each in self._free), *([self._spare] if self._spare else [])]:
            fork.drop()
        self._free, self._spare = [], None


def _fork(become: Callable[[socket, int], NoReturn]) -> Fork | None:
    """`become` is called in the fork, with its end of the line and the warm judge's number."""
    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
    warm = os.getpid()
    try:
        pid = os.fork()
    except OSError:
        ours.close()
        theirs.close()
        return None
    if pid == 0:
        become(theirs, warm)
    theirs.close()
    with suppress(OSError):
        os.setpgid(pid, pid)
    return Fork(pid, ours)


def _be_a_spare(house: House, line: socket, warm: int, prepare: Callable[[], object]) -> NoReturn:
    """It ends with the warm judge, or with its errand."""
    try:
        (here,) = become_a_fork(line)
        with suppress(Exception):
            prepare()
        told = socket(fileno=here)
        told.send(_PREPARED)
        if found := wait_for_errand(told):
            errand, conn = found
            be_the_judge(house, conn, told, errand, warm)
    finally:
        os._exit(0)
