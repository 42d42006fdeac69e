"""The facts that the server records: one frozen value per kind of event.

The annotation of a field decides how it is written (core/events.py): Oid, Word (no space), Text (free text of
people's own, JSON-encoded), tuples of those, numbers, yes or no, times in UTC.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from gitops_hooks.model.deployment import HostOutcome, RunState

Oid = NewType("Oid", str)
Word = NewType("Word", str)
Text = NewType("Text", str)
Hosts = NewType("Hosts", tuple[HostOutcome, ...])


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every event carries: repository id, number in its own log (from 1), time, actor and key fingerprint."""

    repository: Word
    number: int
    at: datetime
    actor: Word
    key: Word


# --- refs/changes/<n>/meta ---


@dataclass(frozen=True, slots=True)
class Proposed:
    """A revision arrived; `commits` are all of base..head, `policy` the commit whose policy was in force.

    `verdicts` are `check:outcome:tree`, here and in Landing; `reason` is why findings were overridden, where they were.
    `depends` is the change that this one stands on, or 0, and `ground` that change's commit; `draft`, `reviewers` and
    `cc` are how the change stands from now on.
    """

    change: int
    revision: int
    target: Word
    topic: Word
    title: Text
    description: Text
    change_id: Word
    base: Oid
    head: Oid
    commits: tuple[Oid, ...]
    policy: Oid
    auto_land: bool
    verdicts: tuple[Word, ...]
    draft: bool
    depends: int
    ground: Oid
    reviewers: tuple[Word, ...]
    cc: tuple[Word, ...]
    reason: Text = Text("")


@dataclass(frozen=True, slots=True)
class Rebased:
    """The server made a revision of `source`, an earlier head, on another base; whoever asked wrote nothing of it."""

    change: int
    revision: int
    source: Oid
    base: Oid
    head: Oid
    commits: tuple[Oid, ...]
    policy: Oid
    verdicts: tuple[Word, ...]
    depends: int
    ground: Oid


@dataclass(frozen=True, slots=True)
class Edited:
    """What is said about a change, from now on, without a new revision; `auto_land` is asked for this head."""

    change: int
    head: Oid
    title: Text
    description: Text
    draft: bool
    auto_land: bool
    reviewers: tuple[Word, ...]
    cc: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Commented:
    """Somebody said something about exactly this head."""

    change: int
    head: Oid
    message: Text


@dataclass(frozen=True, slots=True)
class Approved:
    """A reviewer accepts exactly these commits."""

    change: int
    target: Word
    base: Oid
    head: Oid
    commits: tuple[Oid, ...]
    policy: Oid
    message: Text


@dataclass(frozen=True, slots=True)
class Rejected:
    """A reviewer refuses exactly this head."""

    change: int
    head: Oid
    message: Text


@dataclass(frozen=True, slots=True)
class Closed:
    """The change takes no more verbs and did not land."""

    change: int
    message: Text


@dataclass(frozen=True, slots=True)
class Purged:
    """The administrator took the change's content from the server; it takes no more verbs, and its history stays."""

    change: int
    message: Text


@dataclass(frozen=True, slots=True)
class Reopened:
    """A closed change takes verbs again; approvals from before do not count any more."""

    change: int
    message: Text


@dataclass(frozen=True, slots=True)
class ChangeLanded:
    """The change is part of its branch; `record` is the landing's event in refs/gitops/log."""

    change: int
    head: Oid
    result: Oid
    record: Oid


# --- refs/gitops/log ---


@dataclass(frozen=True, slots=True)
class Adopted:
    """The repository came under the policy: its default branch, and every ref with its tip (`oid ref` in turn)."""

    default: Word
    refs: tuple[Word, ...]
    policy: Oid


@dataclass(frozen=True, slots=True)
class Landing:
    """The intent to move a governed ref, with all that the decision rested on; it is done only once `Landed` follows.

    `way` is change, push, create or delete; `tree` the resulting tree; `authors` the people who pushed, wrote
    or committed any part; `approvals` the events that counted and `counted` their actors; `verdicts` are
    `check:outcome:tree`. A landing by break-glass has a `reason`, what was `overridden` (a line each), and the
    seconds within which it must be settled.
    """

    way: Word
    change: int
    ref: Word
    old: Oid
    new: Oid
    tree: Oid
    base: Oid
    head: Oid
    policy: Oid
    floor: Text
    authors: tuple[Word, ...]
    approvals: tuple[Oid, ...]
    counted: tuple[Word, ...]
    verdicts: tuple[Word, ...]
    reason: Text = Text("")
    overridden: Text = Text("")
    settle: int = 0


@dataclass(frozen=True, slots=True)
class Landed:
    """The intent `landing` was carried out."""

    landing: Oid
    ref: Word
    new: Oid


@dataclass(frozen=True, slots=True)
class Voided:
    """The intent `landing` came to nothing; the ref stayed."""

    landing: Oid
    ref: Word


@dataclass(frozen=True, slots=True)
class Settled:
    """What a landing by break-glass owed is paid: `approvals` (events) met the rules of `policy`.

    By the administrator's command there are none.
    """

    landing: Oid
    ref: Word
    change: int
    approvals: tuple[Oid, ...]
    counted: tuple[Word, ...]
    policy: Oid
    message: Text


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Rules in evaluate mode would have refused this push to `pushed`, for the reasons in `would`, a line each."""

    pushed: Text
    new: Oid
    would: Text


@dataclass(frozen=True, slots=True)
class Administered:
    """The administrator moved or adopted a ref by a command on the server."""

    act: Word
    ref: Word
    old: Oid
    new: Oid
    reason: Text


# --- refs/environments/<env>/log ---


@dataclass(frozen=True, slots=True)
class Started:
    """A deployment begins; its generation is this event's number."""

    environment: Word
    commit: Oid
    record: Oid
    run: Word
    attempt: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A deployment ended; `attempt` counts tries of this commit from 1."""

    environment: Word
    commit: Oid
    generation: int
    attempt: int
    state: RunState
    seconds: int
    hosts: Hosts
    detail: Text


@dataclass(frozen=True, slots=True)
class Requested:
    """Somebody who may operate the environment asked for a deployment now."""

    environment: Word
    commit: Oid
    message: Text


OfChange = Proposed | Rebased | Edited | Commented | Approved | Rejected | Closed | Purged | Reopened | ChangeLanded
OfLog = Adopted | Landing | Landed | Voided | Settled | Evaluated | Administered
Body = OfChange | OfLog | Started | Finished | Requested


@dataclass(frozen=True, slots=True)
class Event:
    """One recorded fact; `oid` is the commit that holds it ("" before it is written)."""

    stamp: Stamp
    body: Body
    oid: str = ""
