"""What a deployment would change, as a deployer finds it without changing anything."""

from enum import Enum

from gitops_hooks.model.drift import Difference
from gitops_hooks.model.lazy_dataclass import dataclass


class Prospect(Enum):
    """What would become of a host; one that could not be looked at whole is unknown, never unchanged."""

    CHANGES = "changes"
    UNCHANGED = "unchanged"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class HostPlan:
    """One host: what would change, how many changes `more` are not told, and for an unknown one the reason.

    `withheld` is how many of the differences are told without their text, since a secret may stand in it.
    """

    name: str
    prospect: Prospect
    differences: tuple[Difference, ...] = ()
    more: int = 0
    withheld: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deployment would change; without hosts `detail` says why nothing is known of any."""

    hosts: tuple[HostPlan, ...] = ()
    detail: str = ""
