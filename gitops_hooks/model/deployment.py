"""One attempt to bring one environment to one commit, and how it ended."""

from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path

from gitops_hooks.model.approved_plan import ApprovedPlan
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment

_NAMED = 20


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

    @property
    def is_good(self) -> bool:
        """Whether the host is as it should be."""
        return self in (HostState.OK, HostState.CHANGED)


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


def listed(names: Sequence[str]) -> str:
    """For people: the names, of many the first ones."""
    return " ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")


def summary(hosts: Sequence[HostOutcome]) -> str:
    """For people: `failed: web1 web3; unreachable: web2`."""
    kinds = sorted({host.state for host in hosts}, key=lambda state: state.value)
    named = ((kind.value, [host.name for host in hosts if host.state is kind]) for kind in kinds)
    return "; ".join(f"{kind}: {listed(names)}" for kind, names in named)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a deployment ended; successful only if every intended host is ok or changed. `seconds` is wall time."""

    state: RunState
    hosts: tuple[HostOutcome, ...] = ()
    seconds: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One attempt; `generation` is the number of its entry in the environment's log and never decreases.

    `hosts` are the only ones that it may touch, None for all of the environment; `left` is how many it leaves alone.
    `allowed` are lists of globs: a file that would run on the deployer may, where one of every list matches it.
    A `look` changes nothing: a deployer's `drift` is asked how the hosts differ from what this deployment brought,
    or, with `plan` too, its `plan` what this deployment would change; `commit` is then the head that would land.
    `approved` is the plan that it has to keep to, where one was approved.
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
    approved: ApprovedPlan | None = None


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

    `door` is the socket of the one way out, where the box has no network (edge/door.py); `own` says that every host
    is the machine that the box stands on, where SSH is answered behind that door.
    """

    project: Path
    scratch: Path
    credentials: Credentials
    connect_timeout: float = 10.0
    run_timeout: float = 3600.0
    door: Path | None = None
    own: bool = False


Say = Callable[[Progress], None]
