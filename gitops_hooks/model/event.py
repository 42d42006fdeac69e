"""The facts that the server records: one frozen value per kind of event; those of a change are in change_event."""

from datetime import UTC, datetime

from gitops_hooks.model.change_event import (
    Approved,
    ChangeLanded,
    Closed,
    Commented,
    Edited,
    PlanAsked,
    Planned,
    Proposed,
    Purged,
    Ran,
    Rebased,
    Rejected,
    Reopened,
    RunAgain,
    Withdrawn,
)
from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.environment_event import Drifted, LetGo, OfOperation, Released, Stopped
from gitops_hooks.model.event_words import Hosts, Oid, Stamp, Text, Word
from gitops_hooks.model.lazy_dataclass import dataclass

_NOTHING = Text("")
_NOWHERE = Word("")
_NO_TREE = Oid("0" * 40)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)

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
    `name=address`. A landing by break-glass has a `reason`, what was `overridden` (a line each), and the seconds within
    which it must be settled. `runs` are `check/name:definition:event` of each command that had to pass: the event holds
    its result on this very tree, `-` stands where break-glass went without one. `deployed` are
    `environment:state` of those that a rule asks about, and `plan` is the event of the plan that it rests on, `nothing`
    where it touches no environment.
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
    reason: Text = _NOTHING
    overridden: Text = _NOTHING
    settle: int = 0
    runs: tuple[Word, ...] = ()
    deployed: tuple[Word, ...] = ()
    plan: Word = _NOWHERE


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
    """What a landing by break-glass owed is paid: `approvals` (events) met the rules of `policy` with its `floor`.

    `bots` and `owners` are as in Landing. By the administrator's command there are no approvals.
    """

    landing: Oid
    ref: Word
    change: int
    approvals: tuple[Oid, ...]
    counted: tuple[Word, ...]
    policy: Oid
    floor: Text
    bots: tuple[Word, ...]
    owners: tuple[Word, ...]
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
    """A deployment begins; its generation is this event's number.

    `carries` says what earlier events go on to hold: `paused`, `pinned` and `revert`. Nobody reads back further. It
    visits all hosts (`whole`), or those in `limit`, for this reason; `definition` is what the environment deploys.
    `bad` are trees that the server rolled back from.
    """

    environment: Word
    commit: Oid
    record: Oid
    run: Word
    attempt: int
    carries: tuple[Word, ...] = ()
    whole: bool = True
    limit: tuple[Word, ...] = ()
    definition: Word = _NOWHERE
    reason: Text = _NOTHING
    bad: tuple[Oid, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """A deployment ended; `attempt` counts tries of this commit from 1.

    `left` is how many hosts needed nothing; `whole_at` when the last one that visited all hosts ended.
    """

    environment: Word
    commit: Oid
    generation: int
    attempt: int
    state: RunState
    seconds: int
    hosts: Hosts
    detail: Text
    left: int = 0
    whole_at: datetime = NEVER


@dataclass(frozen=True, slots=True)
class Requested:
    """Somebody who may operate the environment asked for a deployment now; `skips` are gates that it passes.

    `tree` is the commit's: where the server rolled back from it, it is bad no more.
    """

    environment: Word
    commit: Oid
    message: Text
    skips: tuple[Word, ...] = ()
    tree: Oid = _NO_TREE


OfChange = (
    Proposed
    | Rebased
    | Edited
    | Commented
    | Approved
    | Rejected
    | Withdrawn
    | Closed
    | Purged
    | Reopened
    | Ran
    | RunAgain
    | PlanAsked
    | Planned
    | ChangeLanded
)
OfLog = Adopted | Landing | Landed | Voided | Settled | Evaluated | Administered
Body = OfChange | OfLog | Started | Finished | Requested | OfOperation | Drifted | Released | Stopped | LetGo


@dataclass(frozen=True, slots=True)
class Event:
    """One recorded fact; `oid` is the commit that holds it ("" before it is written)."""

    stamp: Stamp
    body: Body
    oid: str = ""
