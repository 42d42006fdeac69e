"""A child that answers this program one question after the other, for what this program must not have in its memory.

It is a fork that holds nothing but its line, and ends with this program. Call from a program with one thread.
"""

import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from gitops_hooks.edge import sandbox_kernel as kernel
from gitops_hooks.edge.descriptors import close_others, out_of_the_way

_MOST = 64 * 1024  # one message, which the kernel takes whole or not at all
_SECONDS = 5.0  # for an answer: what is asked takes a millisecond, and whoever asks may hold a lock


class Attendant:
    """An open resource, whose descriptor lies where none of a push comes to lie."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        """Errors: OSError where the machine has no room for one."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line = socket.socket(fileno=out_of_the_way(ours))
        self._owner = parent = os.getpid()
        try:
            self.pid = os.fork()
        except OSError:
            self._line.close()
            theirs.close()
            raise
        if self.pid == 0:
            _attend(theirs.detach(), parent, answer)
        theirs.close()
        self._line.settimeout(_SECONDS)

    def ask(self, question: bytes) -> bytes | None:
        """Its answer; None where none comes, or for more than one message holds: it answers nothing from then on.

        None in forks of this program too, whose questions would come between ours.
        """
        if os.getpid() != self._owner:
            return None
        with suppress(OSError):
            is_asked = len(question) <= _MOST and self._line.send(question) == len(question)
            if is_asked and (answer := self._line.recv(_MOST)):
                return answer
        self.close()
        return None

    def close(self) -> None:
        """It has ended when this returns; what is asked afterwards gets no answer."""
        if self._line.fileno() >= 0:
            self._line.close()
            os.kill(self.pid, signal.SIGKILL)  # not reaped yet, so that the number is still its own
            os.waitpid(self.pid, 0)


def _attend(line: int, parent: int, answer: Callable[[bytes], bytes]) -> NoReturn:
    """Whatever goes wrong here ends it, and is heard as no answer."""
    try:
        kernel.die_with_parent(signal.SIGKILL)
        _let_go_of_own()
        close_others([line])
        told = socket.socket(fileno=line)
        if os.getppid() == parent:
            while question := told.recv(_MOST):
                told.send(answer(question))
    finally:
        os._exit(0)


def _let_go_of_own() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
