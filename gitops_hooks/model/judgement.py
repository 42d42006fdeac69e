"""The answer to one ref update, and what is to be done when it is accepted."""

from datetime import datetime

from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.commit import Merged, Range, Shape
from gitops_hooks.model.debt import Debt, Override
from gitops_hooks.model.environment_event import OfOperation
from gitops_hooks.model.event import Requested
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import RefUpdate
from gitops_hooks.model.verdict import Decision, Requirement, Verdict


@dataclass(frozen=True, slots=True)
class FallThrough:
    """No rule governs the ref: git moves it as it would without us."""


@dataclass(frozen=True, slots=True)
class Land:
    """Move a governed ref. `way` is change, push, create, delete or force; `record` the change, for way change.

    `shape` says whether the ref moves to the head itself or to what the server makes of it;
    `approvals` and `counted` are the events and actors that met the rules; `authors` those who do not count.
    `judged` is the moment of the decision, `vouched` what was found of who pushed (Content), and `signer` with
    `signer_key` (authorized_keys text) who signed a tag; `bots`, `kept`, `owners`, `runs`, `deployed` and `plan` are
    as the event records them.
    """

    way: str
    ref: str
    span: Range
    merged: Merged
    record: ChangeRecord | None
    authors: tuple[str, ...]
    approvals: tuple[str, ...]
    counted: tuple[str, ...]
    verdicts: tuple[str, ...]
    judged: datetime
    shape: Shape = Shape.ITSELF
    vouched: tuple[str, ...] = ()
    signer: str = ""
    signer_key: str = ""
    bots: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    override: Override | None = None
    runs: tuple[str, ...] = ()
    deployed: tuple[str, ...] = ()
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Life:
    """How a change stands from now on; `depends` is the change below (0: none), `ground` its commit."""

    draft: bool
    reviewers: tuple[str, ...]
    cc: tuple[str, ...]
    depends: int = 0
    ground: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A line of the answer that decides nothing: `name` as the pusher reads it before the words.

    `verbatim` words are a line of some text, told as it stands.
    """

    name: str
    words: str
    verbatim: bool = False


@dataclass(frozen=True, slots=True)
class Revise:
    """Open a change (`record` None) or add a revision to one; `notes` are told with it."""

    record: ChangeRecord | None
    target: str
    topic: str
    title: str
    description: str
    change_id: str
    span: Range
    auto_land: bool
    verdicts: tuple[str, ...]
    needs: tuple[Requirement, ...]
    life: Life
    plea: str = ""
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """Say something new about a change whose head stays."""

    record: ChangeRecord
    title: str
    description: str
    life: Life
    auto_land: bool
    needs: tuple[Requirement, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The proposal is there already, at this very commit."""

    record: ChangeRecord
    needs: tuple[Requirement, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Stack:
    """One change a commit, lowest first; all of them are written, or none."""

    parts: tuple[Revise | Edit | Unchanged, ...]
    verdicts: tuple[tuple[Verdict, ...], ...]


@dataclass(frozen=True, slots=True)
class Rebase:
    """Add a revision that the server made of the newest one; its commits are written, `span` is its range."""

    record: ChangeRecord
    span: Range
    verdicts: tuple[str, ...]
    needs: tuple[Requirement, ...]
    life: Life


@dataclass(frozen=True, slots=True)
class Say:
    """Keep a comment on the head."""

    record: ChangeRecord
    message: str


@dataclass(frozen=True, slots=True)
class Reopen:
    """Let a closed change take verbs again."""

    record: ChangeRecord
    message: str


@dataclass(frozen=True, slots=True)
class Approve:
    """Store an approval; `lands` when that completes it, else `needs` and `hints` say what is missing."""

    record: ChangeRecord
    span: Range
    message: str
    lands: Land | None
    needs: tuple[Requirement, ...]
    hints: tuple[str, ...]
    certificate: str = ""
    signer: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """Store a rejection of the head."""

    record: ChangeRecord
    message: str


@dataclass(frozen=True, slots=True)
class AskPlan:
    """Ask for a plan of the head, in these environments."""

    record: ChangeRecord
    environments: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take back what the actor said of `head`; `needs` is what the change lacks then."""

    record: ChangeRecord
    head: str
    message: str
    needs: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Close:
    """Close the change."""

    record: ChangeRecord
    message: str


@dataclass(frozen=True, slots=True)
class Settle:
    """Store an approval of what landed by break-glass, and settle it where that completes it.

    `certificate` and `signer` are as in Approve.
    """

    record: ChangeRecord
    debt: Debt
    span: Range
    message: str
    certificate: str = ""
    signer: str = ""


@dataclass(frozen=True, slots=True)
class Operated:
    """Write what somebody said of an environment; `follow` is the commit whose run is watched.

    `words` are told before whoever said it, and `after` behind.
    """

    environment: str
    body: Requested | OfOperation
    words: str
    follow: str = ""
    after: str = ""


Spoken = Revise | Edit | Stack | Unchanged | Rebase
Written = Land | Spoken | Approve | Reject | Withdraw | Say | Close | Reopen | Settle | Operated | AskPlan
Effect = FallThrough | Written


@dataclass(frozen=True, slots=True)
class Judgement:
    """One update's decision, with the effect that follows when it is accepted."""

    update: RefUpdate
    decision: Decision
    effect: Effect | None
