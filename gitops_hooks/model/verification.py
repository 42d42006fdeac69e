"""What `verify` was told to trust, and what it found."""

from pathlib import Path

from gitops_hooks.model.event import Event
from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Pins:
    """Where to look, and what is known beforehand; "" leaves a pin to the record.

    `since` is an event that an earlier run ended with, `branch` a full ref, `approvers` a file of approvers' keys.
    """

    path: Path
    server_key: Path
    identity: str = ""
    adoption: str = ""
    since: str = ""
    branch: str = ""
    approvers: Path | None = None


@dataclass(frozen=True, slots=True)
class Unauthorised:
    """A move that nothing allowed; `event` is None where no event tells of it at all."""

    ref: str
    rule: str
    reason: str
    old: str = ""
    new: str = ""
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class RefHistory:
    """One ref since the adoption: where it is recorded, and how many moves by people and by the administrator."""

    ref: str
    tip: str
    landings: int
    administered: int


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer. `events` is how many the log holds, `judged` how many landings were judged in this run,
    `unsigned` how many of them rest on the server's word for an approval; `faults` come in the order of the log.
    """

    identity: str
    adoption: Event | None
    tip: str
    events: int
    judged: int
    unsigned: int
    refs: tuple[RefHistory, ...]
    administered: tuple[Event, ...]
    faults: tuple[Unauthorised, ...]
