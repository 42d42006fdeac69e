"""One attempt to bring one environment to one commit, and how it ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.policy import Environment


class RunState(Enum):
    """How far a deployment is; the last six are ends."""

    PENDING = "pending"
    WAITING = "waiting"
    RUNNING = "running"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    ERROR = "error"
    CANCELED = "canceled"
    SUPERSEDED = "superseded"
    ROLLED_BACK = "rolled_back"


class HostState(Enum):
    """What became of one host in one deployment."""

    OK = "ok"
    CHANGED = "changed"
    UNREACHABLE = "unreachable"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class HostOutcome:
    """One host's end: how many tasks changed it, and for a bad end the reason with its cure.

    `untouched` is proven: nothing of the deployment was begun on it.
    """

    name: str
    state: HostState
    changed: int = 0
    detail: str = ""
    untouched: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a deployment ended; successful only if every intended host is ok or changed. `seconds` is wall time."""

    state: RunState
    hosts: tuple[HostOutcome, ...] = ()
    seconds: float = 0.0
    detail: str = ""


CREDENTIAL_FILES = ("key", "known_hosts", "vault_password", "environment_file", "kubeconfig")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the server's file grants to one environment: paths of files, and the only hosts they are for.

    `environment_file` holds `NAME=value` lines, `state_folder` is what stays from one run to the next and may be
    written to. Without `network` there is none in the box; a script gets it, and secrets, only with `trusted_command`.
    With `door` there is one way out then, to the places that `known_hosts` pins.
    `tools` are folders of programs that it sees, `kubeconfig` says how a cluster is reached. `user` is who logs in on
    the hosts, whatever the inventory says (empty: as it says); with `become` a plan may become another user there.
    """

    hosts: tuple[str, ...] = ()
    key: Path | None = None
    known_hosts: Path | None = None
    vault_password: Path | None = None
    environment_file: Path | None = None
    state_folder: Path | None = None
    trusted_command: bool = False
    network: bool = True
    tools: tuple[Path, ...] = ()
    user: str = ""
    become: bool = False
    kubeconfig: Path | None = None
    door: bool = False

    @classmethod
    def of(
        cls,
        files: Mapping[str, Path],
        hosts: tuple[str, ...] = (),
        state_folder: Path | None = None,
        network: bool = True,
    ) -> "Credentials":
        """From what `files` tells."""
        key, known_hosts, vault, environment, kubeconfig = (files.get(name) for name in CREDENTIAL_FILES)
        return cls(hosts, key, known_hosts, vault, environment, state_folder, network=network, kubeconfig=kubeconfig)

    @property
    def files(self) -> tuple[tuple[str, Path], ...]:
        """Every granted file by the name of its key."""
        found = (self.key, self.known_hosts, self.vault_password, self.environment_file, self.kubeconfig)
        return tuple((name, path) for name, path in zip(CREDENTIAL_FILES, found, strict=True) if path is not None)

    def ssh(self) -> tuple[Path, Path]:
        """The private key and the pinned host keys. Errors: EdgeError where none are granted."""
        if self.key is None or self.known_hosts is None:
            words = "the server's file grants this environment no key; its [[credential]] needs hosts, key, known_hosts"
            raise EdgeError("credentials", words)
        return self.key, self.known_hosts


@dataclass(frozen=True, slots=True)
class Deployment:
    """One attempt; `generation` is the number of its entry in the environment's log and never decreases.

    `hosts` are the only ones that it may touch, None for all of the environment; `left` is how many it leaves alone.
    `allowed` are lists of globs: a file that would run on the deployer may, where one of every list matches it.
    A `look` changes nothing: a deployer's `drift` is asked how the hosts differ from what this deployment brought,
    or, with `plan` too, its `plan` what this deployment would change; `commit` is then the head that would land.
    """

    repository: str
    environment: Environment
    commit: str
    generation: int
    run_id: str
    hosts: tuple[str, ...] | None = None
    left: int = 0
    allowed: tuple[tuple[str, ...], ...] = ()
    look: bool = False
    plan: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What one task did on one host; `at` is seconds since the run began, `place` is `path:line` in the tree."""

    at: float
    host: str
    state: HostState
    task: str = ""
    place: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """News of a running deployment: the intended hosts, the play or task that runs, for people to read, and the
    steps that were done since the last news."""

    hosts: tuple[str, ...] = ()
    task: str = ""
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where a deployer works: the tree written from objects, private scratch, credentials, limits in seconds.

    `door` is the socket of the one way out, where the box has no network (edge/door.py).
    """

    project: Path
    scratch: Path
    credentials: Credentials
    connect_timeout: float = 10.0
    run_timeout: float = 3600.0
    door: Path | None = None


Say = Callable[[Progress], None]
