"""What the warm judge is, and what a fork of it is sent for."""

import os
import pickle
import sys
from collections.abc import Callable
from socket import MSG_DONTWAIT, recv_fds, send_fds, socket

from gitops_hooks.core.warm_request import Request
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.warm_code import Loaded
from gitops_hooks.edge.warm_peer import Standing
from gitops_hooks.model.lazy_dataclass import dataclass

_OURS = "gitops_hooks."
_MOST_ERRAND = 64 * 1024  # one message, which the kernel takes whole or not at all


@dataclass(frozen=True, slots=True)
class House:
    """What the warm judge is. `is_open` says whether hooks still come to this door, `close` takes it away.

    `sign` is that of what is `loaded`, taken once and not for each hook, and `known` says how many modules that are.
    `modules` are the plugins that are enabled, by their paths.
    """

    door: socket
    identity: bytes
    sign: bytes
    loaded: Loaded
    own: Standing
    home: Home
    idle_seconds: float
    is_open: Callable[[], bool]
    close: Callable[[], None]
    modules: tuple[str, ...]
    known: int

    @property
    def is_all_ours(self) -> bool:
        """Whether all plugins are the suite's own: whatever a hook leaves in memory is ours then."""
        return all(module.startswith(_OURS) for module in self.modules)

    def knows_all(self) -> bool:
        """Whether this process runs nothing but what the house looks after: a fork may have loaded something more."""
        return len(sys.modules) == self.known

    def is_current(self) -> bool:
        """Whether this still is what hooks should find; it costs as much as what a hook asks."""
        return self.is_open() and self.loaded.is_current()


@dataclass(frozen=True, slots=True)
class Errand:
    """For whom one fork is sent: `looked` is when its house was last found to be current (monotonic seconds).

    Where it `may_stay`, a fork that answered the login of a push stays for the hooks of that push. `is_calm`: nobody
    else is judged, so that there is a core for what may be done ahead.
    """

    request: Request
    standing: Standing
    looked: float
    may_stay: bool
    is_calm: bool


def write_errand(errand: Errand) -> bytes:
    """What a fork that waits is sent; empty where it is too long for that."""
    said = pickle.dumps(errand)
    return said if len(said) <= _MOST_ERRAND else b""


def send_on(said: bytes, line: socket, conn: socket) -> None:
    """Send a fork that waits at the other end of this line on its errand. Errors: OSError where it has ended."""
    send_fds(line, [said], [conn.fileno()], MSG_DONTWAIT)


def wait_for_errand(line: socket) -> tuple[Errand, socket] | None:
    """The next one, and the connection to whom it is for; None where none will come."""
    said, descriptors, _, _ = recv_fds(line, _MOST_ERRAND, 1)
    if said and len(descriptors) == 1:
        return pickle.loads(said), socket(fileno=descriptors[0])  # noqa: S301  # our parent's words
    for each in descriptors:
        os.close(each)
    return None
