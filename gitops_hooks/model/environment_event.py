"""What people say of an environment, and the server of its hosts, as `refs/environments/<env>/log` keeps it."""

from gitops_hooks.model.event_words import Oid, Text, Word
from gitops_hooks.model.lazy_dataclass import dataclass

_NONE = Oid("0" * 40)


@dataclass(frozen=True, slots=True)
class Paused:
    """Nothing begins in the environment until somebody resumes it."""

    environment: Word
    message: Text


@dataclass(frozen=True, slots=True)
class Resumed:
    """What was paused or rolled back goes its way again."""

    environment: Word
    message: Text


@dataclass(frozen=True, slots=True)
class Canceled:
    """The run of this generation (0: none had begun) ends, and its commit is not begun again by itself."""

    environment: Word
    commit: Oid
    generation: int
    message: Text


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What is desired is `commit`, instead of what it was (`left`, with `tree`), while the branch stays at `tip`.

    `record` is the event that recorded `commit` as the tip once; `skips` are the gates that the rollback passes.
    `failed` is the deployment for whose failure the server itself rolled back; 0 where somebody asked for it.
    """

    environment: Word
    commit: Oid
    record: Oid
    left: Oid
    tip: Oid
    skips: tuple[Word, ...]
    message: Text
    tree: Oid = _NONE
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Reverted:
    """The revert change that followed the rollback `rollback` (an event), or 0 and the reason why there is none."""

    environment: Word
    rollback: Oid
    change: int
    reason: Text


@dataclass(frozen=True, slots=True)
class Drifted:
    """A look at the hosts after the deployment `generation` found something else than the look before it.

    `hosts` are out of sync, `unknown` could not be looked at: names of 200 at most. `out`, `clean` (in sync) and
    `differences` are counts.
    """

    environment: Word
    commit: Oid
    generation: int
    hosts: tuple[Word, ...]
    unknown: tuple[Word, ...]
    out: int
    clean: int
    differences: int


@dataclass(frozen=True, slots=True)
class Released:
    """These hosts' agents may bring them to `commit` under `generation`, the number of its Started event.

    `record` is the event of refs/gitops/log that recorded the commit, as in Started. Without `hosts` all hosts of the
    environment are meant.
    """

    environment: Word
    generation: int
    commit: Oid
    record: Oid
    hosts: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Stopped:
    """All deployments are stopped, by whom and why says `message`: agents neither begin nor bring back anything."""

    environment: Word
    message: Text


@dataclass(frozen=True, slots=True)
class LetGo:
    """What was stopped may go on."""

    environment: Word


OfOperation = Paused | Resumed | Canceled | RolledBack | Reverted
