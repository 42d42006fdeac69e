"""What of a change can be told without asking any host: what a deployer renders of the old tree and of the new one."""

from gitops_hooks.model.lazy_dataclass import dataclass

WITHHELD = "withheld"
"""What stands where a value is encrypted, or looks like a secret."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """One thing that becomes another: `what` it is, on which `hosts` (none: it is not of hosts), and `text`, how.

    A text of one line is told behind `what`, one of several below it. Secrets are `WITHHELD`, never told.
    """

    what: str
    hosts: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Unrendered:
    """Something that may differ, and why it is not known without the hosts."""

    why: str
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlayReads:
    """One play: its playbook, the hosts of the inventory that it can mean (None: nobody can say), and the files and
    folders of roles that it may read."""

    path: str
    hosts: frozenset[str] | None
    texts: tuple[str, ...]
    roles: tuple[str, ...]
