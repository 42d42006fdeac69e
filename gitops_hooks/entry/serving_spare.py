"""A fork of the warm judge that waits for whoever comes next: made before, so that no login or hook waits for a fork.

A spare goes on one errand and ends, as every fork does; until then it has met no push.
"""

import os
import pickle
import signal
from collections.abc import Callable
from contextlib import suppress
from socket import AF_UNIX, MSG_DONTWAIT, SOCK_SEQPACKET, recv_fds, send_fds, socket, socketpair
from typing import NoReturn

from gitops_hooks.entry.serving_fork import be_the_judge
from gitops_hooks.entry.serving_house import Errand, House
from gitops_hooks.entry.serving_place import become_a_fork
from gitops_hooks.model.lazy_dataclass import dataclass

_MOST_ERRAND = 64 * 1024  # one message, which the kernel takes whole or not at all
_PREPARED = b"prepared"


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
        self.line.close()
        os.kill(self.pid, signal.SIGKILL)  # not reaped yet, so that the number is still its own
        os.waitpid(self.pid, 0)


def fork_for(house: House, conn: socket, errand: Errand) -> Fork | None:
    """A new fork, sent on this errand at once; None where the machine has no room for one."""
    return _fork(lambda line, warm: be_the_judge(house, conn, line, errand, warm))


class WaitingFork:
    """The one that waits, if any; an open resource of the warm judge."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._spare: Fork | None = None

    def refill(self, prepare: Callable[[], object]) -> None:
        """Have one wait. A new one prepares itself first; what goes wrong there is no matter."""
        if self._spare is None:
            self._spare = _fork(lambda line, warm: _be_a_spare(self._house, line, warm, prepare))

    def hand_over(self, conn: socket, errand: Errand) -> Fork | None:
        """The one that goes on this errand, whose `go` is unread; None where none waits."""
        spare, said = self._spare, pickle.dumps(errand)
        if spare is None or len(said) > _MOST_ERRAND:
            return None
        try:
            if not spare.is_prepared():
                return None
            send_fds(spare.line, [said], [conn.fileno()], MSG_DONTWAIT)
        except OSError:
            self.close()
            return None
        self._spare = None
        return spare

    def close(self) -> None:
        if self._spare:
            self._spare.drop()
        self._spare = None


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
        said, descriptors, _, _ = recv_fds(told, _MOST_ERRAND, 1)
        if said and len(descriptors) == 1:
            errand = pickle.loads(said)  # noqa: S301  # our parent's words
            be_the_judge(house, socket(fileno=descriptors[0]), told, errand, warm)
    finally:
        os._exit(0)
