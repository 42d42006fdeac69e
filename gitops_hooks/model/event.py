"""The facts that the server records: one frozen value per kind of event.

The annotation of a field decides how it is written (core/events.py): Oid, Word (no space), Text (free text of
people's own, JSON-encoded), tuples of those, numbers, yes or no, times in UTC.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from gitops_hooks.model.deployment import HostOutcome, RunState
from gitops_hooks.model.push import NO_OID

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

    `verdicts` are `check:outcome:tree`, here and in Landing.
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


@dataclass(frozen=True, slots=True)
class Approved:
    """A reviewer accepts exactly these commits.

    `certificate` is the push certificate in the event's own tree, `signer` the public key (`type base64`) that signed
    it and was the reviewer's then; NO_OID and "" for an approval that nobody signed.
    """

    change: int
    target: Word
    base: Oid
    head: Oid
    commits: tuple[Oid, ...]
    policy: Oid
    message: Text
    certificate: Oid = Oid(NO_OID)
    signer: Text = Text("")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A reviewer refuses exactly this head."""

    change: int
    head: Oid
    message: Text


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A reviewer takes back what they said of this head."""

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

    `way` is change, push, create, delete or force; `tree` the resulting tree (none for a delete); `base` is none where
    the ref did not move to a descendant; `authors` the people who pushed, wrote
    or committed any part; `approvals` the events that counted and `counted` their actors; `verdicts` are
    `check:outcome:tree`; `judged` is the moment of the decision; `vouched` are `author:<commit>` and
    `committer:<commit>`, where a rule asks whether that address was one of who pushed the commit, and it was;
    `signer` and `signer_key` are who signed a tag, and with which key, as the server knew them.
    `meta` is the change's record as it was judged, `bots` those among `counted` who are none of
    the people, `kept` the approvals of older revisions as `event:why`, `owners` the addresses of code owners as
    `name=address`.
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
    judged: datetime
    vouched: tuple[Word, ...]
    signer: Word
    signer_key: Text
    meta: Oid
    bots: tuple[Word, ...]
    kept: tuple[Word, ...]
    owners: tuple[Word, ...]


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


Body = (
    Proposed
    | Approved
    | Rejected
    | Withdrawn
    | Closed
    | Purged
    | ChangeLanded
    | Adopted
    | Landing
    | Landed
    | Voided
    | Administered
    | Started
    | Finished
    | Requested
)


@dataclass(frozen=True, slots=True)
class Event:
    """One recorded fact; `oid` is the commit that holds it ("" before it is written)."""

    stamp: Stamp
    body: Body
    oid: str = ""
