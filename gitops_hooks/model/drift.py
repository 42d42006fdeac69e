"""How hosts differ from what was deployed to them, as a deployer finds it without changing anything."""

from enum import Enum

from gitops_hooks.model.lazy_dataclass import dataclass


class Sync(Enum):
    """Whether a host is as it was deployed; what could not be looked at is unknown, never in sync."""

    SYNCED = "Synced"
    OUT = "OutOfSync"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Difference:
    """What one step would change on a host; `place` is `path:line` in the tree, `text` a diff where there is one."""

    place: str
    task: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class HostDrift:
    """One host: its differences, how many `more` are not told, and for an unknown one the reason."""

    name: str
    sync: Sync
    differences: tuple[Difference, ...] = ()
    more: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Drift:
    """What a look found; without hosts `detail` says why nothing is known of any."""

    hosts: tuple[HostDrift, ...] = ()
    detail: str = ""
