"""What a ref update asks for, once its name and options are read."""

from enum import Enum

from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import RefUpdate


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is not done: the rule's name, the reason, and what to do instead (may be empty)."""

    rule: str
    reason: str
    cure: str = ""


class Verb(Enum):
    """What may be said of a change at exactly one commit."""

    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    LAND = "land"
    PLAN = "plan"
    REBASE = "rebase"
    COMMENT = "comment"
    CLOSE = "close"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True)
class Propose:
    """A push to refs/for/<branch>[/<topic>]; `target` is the full branch ref, `rest` the part after refs/for/.

    Where branch ends and topic begins is only known once the branches are looked at: `candidates` are
    (full branch ref, topic), longest branch first. `change` 0 leaves the choice to the record; `old_oid` is
    the head that the pusher expects there, or "". `draft` None leaves that as it is; `base` is the change that
    this one stands on, or 0; `stack` asks for one change a commit. `plea` is the reason given to break the glass,
    here and in Act and Direct, or "".
    """

    head: str
    candidates: tuple[tuple[str, str], ...]
    title: str = ""
    description: str = ""
    change: int = 0
    auto_land: bool = False
    old_oid: str = ""
    draft: bool | None = None
    reviewers: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    base: int = 0
    stack: bool = False
    plea: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """A verb on a change; `commit` is NO_OID only where the verb allows a delete (close, reopen).

    `bound` are the options by which an approval says again what it is for (`base=…`).
    """

    verb: Verb
    number: int
    commit: str
    message: str = ""
    bound: tuple[str, ...] = ()
    plea: str = ""


@dataclass(frozen=True, slots=True)
class Direct:
    """A push to a branch or tag of people's own."""

    update: RefUpdate
    plea: str = ""


class EnvironmentVerb(Enum):
    """What may be said of an environment."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Operate:
    """A verb on an environment; `commit` is the one that was looked at, or NO_OID (a delete) where none is named."""

    verb: EnvironmentVerb
    environment: str
    commit: str
    message: str = ""


Request = Propose | Act | Direct | Operate
