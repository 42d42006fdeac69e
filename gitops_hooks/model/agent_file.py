"""What an agent is told by its own file: whom it trusts, what it answers for, and where it keeps its state."""

from dataclasses import field
from enum import Enum
from pathlib import Path

from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.lazy_dataclass import dataclass


class Connection(Enum):
    """How an agent reaches what it answers for: the machine that it stands on, hosts over SSH, or a cluster."""

    LOCAL = "local"
    INVENTORY = "inventory"
    KUBERNETES = "kubernetes"


@dataclass(frozen=True, slots=True)
class Roots:
    """What an agent believes beforehand: everything else has to follow from it.

    `repository` is its id, `adoption` the first event of its log, `server_key` the key that signs its events;
    `approvers` are keys by name, as for `verify` (None: the server's word for approvals is trusted).
    """

    repository: str
    adoption: str
    server_key: Path
    approvers: Path | None = None


@dataclass(frozen=True, slots=True)
class AgentFile:
    """The whole of agent.toml; `interval` are seconds from one poll to the next.

    `key` and `known_hosts` are for the server, `credentials` for the hosts. `host_key` is the key of this machine by
    which leases on it are known (None: one of the agent's own).
    """

    path: Path
    name: str
    url: str
    key: Path
    known_hosts: Path
    roots: Roots
    environment: str
    hosts: tuple[str, ...]
    state: Path
    connection: Connection = Connection.LOCAL
    interval: int = 60
    credentials: Credentials = field(default_factory=Credentials)
    host_key: Path | None = None
    prometheus: Path | None = None

    @property
    def own_ref(self) -> str:
        """Where its reports go."""
        return f"refs/agents/{self.name}"
