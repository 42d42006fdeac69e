"""The fork that answered the login of a push, and stays for that push's hooks: on the same connection, one by one.

It knows who asks, it has read what the hooks will read, and nobody has to be made for them. It judges as every fork
does, from what it reads anew for each hook, and ends where it is not what it was before: its login then asks for
another fork, or the hook judges by itself. Between two hooks it holds nothing of the push but the connection, and
behind the last one not even that: it may be sent to another login then.
"""

import gc
import os
import select
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from socket import socket

from gitops_hooks.core import warm_words as words
from gitops_hooks.core.warm_line import AT_REST, FREE, Judging, write_judging
from gitops_hooks.core.warm_request import Request, parse_request
from gitops_hooks.edge import warm_client
from gitops_hooks.edge.code_sign import FRESH_SECONDS
from gitops_hooks.entry import parent
from gitops_hooks.entry.serving_house import House
from gitops_hooks.entry.serving_place import Traces, leave_place, take_place

STAYING = 10.0  # seconds for which one waits for the next hook: a fork is a few megabytes, and soon made
_PATIENCE = 10.0  # seconds for `go`, as at the warm judge's door
_HOOKS = words.HOOKS[:2]  # what a login asks for, in git's order


class Staying:
    """An open resource: `conn` leads to the login, `line` to the warm judge."""

    def __init__(self, house: House, conn: socket, line: socket, before: Traces) -> None:
        self._house, self._conn, self._line, self._before = house, conn, line, before

    def judge(self, looked: float, may_go_on: Callable[[], bool]) -> bool:
        """For each hook of the push, until there is no other, or this cannot judge for it.

        `looked` is when the house was last found to be current (monotonic seconds). Behind a whole push it is as
        before, and where it `may_go_on` it has said so, and answers True.
        """
        for name in _HOOKS:
            is_last = name == _HOOKS[-1] or not self._house.is_all_ours
            if (request := self._hear(name, looked, is_last=is_last)) is None:
                return False
            conn, protocol = self._conn.fileno(), parent.take_protocol()
            is_accepted = parent.judge_and_answer(name.decode(), request.nonce, conn, protocol)
            if not is_accepted or not self._house.is_all_ours:
                os.closerange(0, conn)  # as in serving_fork
                return False
            if not self._is_as_before(protocol, request.descriptors) or (is_last and not may_go_on()):
                return False
            if is_last:
                os.chdir("/")
                os.environb.clear()
                # Before the login is told: it then leaves, which would be the end of a fork that is at work.
                self._line.send(FREE)
            with suppress(OSError):  # nobody may want to know any more, and the next word finds that out
                self._conn.sendall(words.line(request.nonce, words.STAYS))
        return True

    def _hear(self, name: bytes, looked: float, *, is_last: bool) -> Request | None:
        """The request of the hook of this name, in whose place this is then; None where it is not for this to judge."""
        self._line.send(AT_REST)
        heard = self._next()
        request = parse_request(heard) if heard else None
        if request is None or request.name != name or request.identity != self._house.identity:
            return None
        # One look counts for a push that goes on at once, as in the warm judge.
        if time.monotonic() - looked > FRESH_SECONDS and not self._house.is_current():
            return None
        # Before it is asked for: who hears nothing of this is not waited for.
        self._line.send(write_judging(Judging(name, request.seconds, request.nonce, is_last, self._push_of(request))))
        identity, sign = self._house.identity, self._house.sign
        self._conn.sendall(words.line(request.nonce, b"ready", warm_client.digest(heard), identity, sign))
        # From here on the warm judge may end, which waits for who is judged.
        is_here = _is_ready(time.monotonic() + _PATIENCE, self._conn)
        return request if is_here and take_place(self._conn.fileno(), request) else None

    def _push_of(self, request: Request) -> str:
        """Where the folder of the push lies below that of all states. Errors: ValueError where it is none of ours."""
        mark = os.fsdecode(dict(request.environ).get(b"GITOPS_HOOKS_UNCLEAN", b""))
        return str(Path(mark).parent.relative_to(self._house.home.path / "state"))

    def _next(self) -> bytes:
        """What the login asks next; empty where nothing comes."""
        heard, deadline = bytearray(), time.monotonic() + STAYING
        while (need := words.missing(heard)) and _is_ready(deadline, self._conn, self._line):
            if not (part := self._conn.recv(need)):
                return b""
            heard += part
        return b"" if need else bytes(heard)

    def _is_as_before(self, *taken: Sequence[int]) -> bool:
        """Whether nothing is left of the hook, once these are let go of: no program, thread, or way to somewhere."""
        if leave_place(*taken) == self._before:
            return True
        gc.collect()  # what holds itself in a ring lets go only now
        return leave_place() == self._before


def _is_ready(deadline: float, conn: socket, *ended: socket) -> bool:
    """Whether something is said on this connection until then, while none of the others has ended."""
    waiting = select.poll()
    for each in (conn, *ended):
        waiting.register(each, select.POLLIN)
    return [at for at, _ in waiting.poll(max(0.0, deadline - time.monotonic()) * 1000)] == [conn.fileno()]
