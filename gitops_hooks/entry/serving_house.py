"""What the warm judge is, and what a fork of it is sent for."""

from collections.abc import Callable
from socket import socket

from gitops_hooks.core.warm_request import Request
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.warm_code import Loaded
from gitops_hooks.edge.warm_peer import Standing
from gitops_hooks.model.lazy_dataclass import dataclass

_OURS = "gitops_hooks."


@dataclass(frozen=True, slots=True)
class House:
    """What the warm judge is. `is_open` says whether hooks still come to this door, `close` takes it away.

    `sign` is that of what is `loaded`, taken once and not for each hook. `modules` are the plugins that are enabled, by
    their paths.
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

    @property
    def is_all_ours(self) -> bool:
        """Whether all plugins are the suite's own: whatever a hook leaves in memory is ours then."""
        return all(module.startswith(_OURS) for module in self.modules)

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
