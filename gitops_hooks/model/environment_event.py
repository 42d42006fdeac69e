"""What people say of an environment, as `refs/environments/<env>/log` keeps it."""

from dataclasses import dataclass

from gitops_hooks.model.event_words import Oid, Text, Word


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
    """What is desired is `commit`, instead of what it was (`left`), while the branch stays at `tip`.

    `record` is the event that recorded `commit` as the tip once; `skips` are the gates that the rollback passes.
    """

    environment: Word
    commit: Oid
    record: Oid
    left: Oid
    tip: Oid
    skips: tuple[Word, ...]
    message: Text


OfOperation = Paused | Resumed | Canceled | RolledBack
