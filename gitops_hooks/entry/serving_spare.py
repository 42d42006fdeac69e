"""A fork of the warm judge that waits for the next hook: made before it comes, so that no hook waits for a fork.

A spare judges for one hook and ends, as every fork does; until then it has met no push.
"""

import os
import pickle
import signal
from collections.abc import Callable
from contextlib import suppress
from socket import AF_UNIX, MSG_DONTWAIT, SOCK_SEQPACKET, recv_fds, send_fds, socket, socketpair

from gitops_hooks.core.warm_request import Request
from gitops_hooks.edge.warm_peer import Standing
from gitops_hooks.entry.serving_fork import be_the_judge, become_a_fork
from gitops_hooks.model.lazy_dataclass import dataclass

_MOST_REQUEST = 64 * 1024  # one message, which the kernel takes whole or not at all
_PREPARED = b"prepared"


@dataclass(frozen=True, slots=True)
class _Spare:
    """One that waits: its number, and our end of its line."""

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


class WaitingFork:
    """The one that waits, if any; an open resource of the warm judge. A push's two hooks come one after the other."""

    def __init__(self) -> None:
        self._spare: _Spare | None = None

    def refill(self, prepare: Callable[[], object]) -> None:
        """Have one wait. A new one prepares itself first; what goes wrong there is no matter."""
        if self._spare:
            return
        ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        warm = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            return
        if pid == 0:
            _be_a_spare(theirs, warm, prepare)
        theirs.close()
        with suppress(OSError):
            os.setpgid(pid, pid)
        self._spare = _Spare(pid, ours)

    def hand_over(self, conn: socket, request: Request, standing: Standing) -> int:
        """The number of the one that judges behind this connection, where `go` is unread; 0 where none waits."""
        spare, said = self._spare, pickle.dumps((request, standing))
        if spare is None or len(said) > _MOST_REQUEST:
            return 0
        try:
            if not spare.is_prepared():
                return 0
            send_fds(spare.line, [said], [conn.fileno()], MSG_DONTWAIT)
        except OSError:
            self.close()
            return 0
        self._spare = None
        spare.line.close()
        return spare.pid

    def close(self) -> None:
        if self._spare:
            self._spare.drop()
        self._spare = None


def _be_a_spare(line: socket, warm: int, prepare: Callable[[], object]) -> None:
    """Never returns: it ends with the warm judge, or with its hook."""
    try:
        here = become_a_fork(line)
        with suppress(Exception):
            prepare()
        with socket(fileno=here) as line:
            line.send(_PREPARED)
            said, descriptors, _, _ = recv_fds(line, _MOST_REQUEST, 1)
        if said and len(descriptors) == 1:
            request, standing = pickle.loads(said)  # noqa: S301  # our parent's words
            be_the_judge(socket(fileno=descriptors[0]), request, standing, warm)
    finally:
        os._exit(0)
