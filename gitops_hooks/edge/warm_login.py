"""How a login asks the warm judge what becomes of it: a client of built-in modules alone.

What it hears is what it would have found by itself, by the same code. Whatever is wrong means that it asks itself:
nothing was started yet, and what a fork that broke off had begun is swept as the remains of a dead push.
"""

import _socket
import os
import sys
import time

from gitops_hooks.core import warm_words as words
from gitops_hooks.edge import warm_client as warm

_PATIENCE = 1.0  # seconds until it says that it is ready: by itself a login is decided in less
_DECIDING = 30.0  # seconds; it may have to wait for maintenance, and to sweep
_MOST_HOLDS = 2
_PART = 65536
_NAMES = ("GITOPS_HOOKS_HOME", "GITOPS_HOOKS_ACTOR", "GITOPS_HOOKS_KEY")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

Answer = tuple[tuple[list[str], dict[str, str], float, str] | int, list[int], "_socket.socket"]


def ask_for_login(home: str, user: str, key: str, meanwhile: "Callable[[], object]") -> "Answer | None":
    """What words.read_start reads, with the holds of the push, and the way to who answered, who may stay for its hooks.

    None where the login decides by itself. `meanwhile` is called while the answer is made.
    """
    command = os.environb.get(b"SSH_ORIGINAL_COMMAND", b"")
    if not words.is_git(command):
        return None
    known = dict(zip(map(os.fsencode, _NAMES), map(os.fsencode, (home, user, key)), strict=True))
    protocol = os.environb.get(b"GIT_PROTOCOL", b"")
    environ = [*known.items(), (b"SSH_ORIGINAL_COMMAND", command), (b"GIT_PROTOCOL", protocol)]
    nonce, deadline = os.urandom(16).hex().encode(), time.monotonic() + _DECIDING
    try:
        asked = warm.question(home, words.LOGIN, nonce, deadline, environ, [])
        judge = warm.ask(home, asked, deadline, _PATIENCE)
    except (OSError, ValueError):
        return None
    if judge is None:
        return None
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    answer = None
    try:
        # The client's connection stays here: the fork gets nothing but the way to tell the person something.
        if warm.hand_over(judge, (null, null, 2), []):
            meanwhile()
            answer = _hear(judge, nonce, deadline)
            if answer is None:
                warm.let_go(judge)
    finally:
        os.close(null)
        if answer is None:
            judge.close()
    return answer


def _hear(judge: "_socket.socket", nonce: bytes, deadline: float) -> "Answer | None":
    heard, holds = b"", list[int]()
    try:
        while need := words.missing(heard):
            judge.settimeout(max(0.01, deadline - time.monotonic()))
            part, rights, _, _ = judge.recvmsg(min(need, _PART), _socket.CMSG_SPACE(_MOST_HOLDS * 4))
            holds += _descriptors(rights)
            if not part:
                raise ConnectionError
            heard += part
        found = words.read_start(nonce, heard)
        # A push without its holds would be swept while it lives.
        if isinstance(found, int) or bool(found[3]) == (len(holds) == _MOST_HOLDS):
            return found, holds, judge
    except (OSError, ValueError):
        pass
    for number in holds:
        os.close(number)
    return None


def _descriptors(rights: list[tuple[int, int, bytes]]) -> list[int]:
    numbers = b"".join(
        part for level, kind, part in rights if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS)
    )
    found = [int.from_bytes(numbers[at : at + 4], sys.byteorder) for at in range(0, len(numbers), 4)]
    for number in found:
        os.set_inheritable(number, False)
    return found
