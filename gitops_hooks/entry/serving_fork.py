"""A fork of the warm judge that becomes the judge of one hook: in the hook's place, with all that git gave to it.

It reads the push's descriptors itself, so that the warm judge never holds one: git waits for the end of them.
"""

import fcntl
import os
import resource
import signal
from socket import SCM_RIGHTS, SOL_SOCKET, socket
from typing import NoReturn

from gitops_hooks.core import warm_words as words
from gitops_hooks.core.warm_request import Request
from gitops_hooks.edge import sandbox_kernel as kernel
from gitops_hooks.edge.warm_peer import Standing, take_on
from gitops_hooks.entry import parent
from gitops_hooks.entry.login_answer import answer_login

_NUMBER = 4  # bytes of a descriptor's number in a control message
_OWN = (0, 1, 2)


def be_the_judge(conn: socket, request: Request, standing: Standing, warm: int) -> NoReturn:
    """Ends with the hook (its parent sees to that), with the warm judge, and with its verdict."""
    try:
        writer = become_a_fork(conn)
        if os.getppid() == warm:
            _judge(writer, request, standing)
    finally:
        # Also on an exception: a traceback would go to the pusher, and silence refuses.
        os._exit(0)


def become_a_fork(conn: socket) -> int:
    """Nothing of the warm judge's but this connection, under the number that is answered; and die with it."""
    os.setpgid(0, 0)
    kernel.die_with_parent(signal.SIGKILL)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    return _close_others(conn)


def _judge(writer: int, request: Request, standing: Standing) -> None:
    given = _receive(writer, len(_OWN) + 1 + len(request.descriptors))
    if given is None:
        return
    _put_in_place(given, request.descriptors)
    os.environb.clear()
    os.environb.update(request.environ)
    take_on(standing)
    if request.name == words.LOGIN:
        answer_login(request.nonce, writer)
        return
    parent.judge_and_answer(request.name.decode(), request.nonce, writer, parent.take_protocol())
    # git waits for the end of its pipes, and taking down a process takes longer than this.
    os.closerange(0, writer)


def _close_others(conn: socket) -> int:
    """The connection out of the way of the push's numbers; everything else of the warm judge's is closed."""
    writer = fcntl.fcntl(conn.fileno(), fcntl.F_DUPFD_CLOEXEC, words.FIRST_OWN)
    conn.detach()
    os.closerange(len(_OWN), writer)
    os.closerange(writer + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    return writer


def _receive(writer: int, count: int) -> list[int] | None:
    """Exactly so many descriptors behind exactly `go`; None for anything else."""
    conn = socket(fileno=writer)
    try:
        said, rights, _, _ = conn.recvmsg(len(words.GO) + 1, (words.MOST_DESCRIPTORS + len(_OWN) + 1) * 2 * _NUMBER)
    finally:
        conn.detach()
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
