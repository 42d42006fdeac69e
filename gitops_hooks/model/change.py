"""A proposal: what a check is shown of it, and what the server's record says of it."""

from enum import Enum

from gitops_hooks.model.approval import Approval, Rejection
from gitops_hooks.model.change_plan import PlanMade
from gitops_hooks.model.command import CommandResult
from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One path that differs between base and result.

    `path` is the full path with undecodable bytes as surrogates; modes are git's (0o100644 …), 0 where the
    path is absent on that side; oids are blob ids, NO_OID where absent.
    """

    path: str
    old_mode: int
    old_oid: str
    mode: int
    oid: str

    @property
    def deleted(self) -> bool:
        return self.mode == 0


@dataclass(frozen=True, slots=True)
class Change:
    """What is proposed, as a check sees it: the full target ref, the commits at both ends, the paths that differ.

    `number` is 0 for a change that has no number yet and for a direct push.
    """

    number: int
    target: str
    base: str
    head: str
    files: tuple[ChangedFile, ...]


class ChangeState(Enum):
    """Where a change stands; only an open one takes verbs."""

    OPEN = "open"
    LANDED = "landed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Revision:
    """One head of a change, with who pushed it and the merge base at that time.

    `auto_land_by` asked, with the key `auto_land_key`, that it lands as soon as it may; `depends` is the change that
    it stands on, or 0, and `ground` that change's commit; `rebased_for` asked the server to make it of another
    revision (its head is `source`), whose uploader stays.
    """

    number: int
    head: str
    base: str
    uploader: str
    auto_land_by: str = ""
    auto_land_key: str = ""
    depends: int = 0
    ground: str = ""
    rebased_for: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said about one head."""

    actor: str
    head: str
    text: str


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """A change folded from the events in refs/changes/<n>/meta; `tip` is that ref's commit.

    `reviewers` and `cc` were asked to look; `landed_as` is where its branch stood after it had landed, or "".
    `results` are those of its commands, oldest first; at the heads `again` somebody asked to run them once more.
    `plans` were made of it, oldest first; `plan_asked` is the head that somebody asked for one of, and none followed.
    """

    number: int
    tip: str
    owner: str
    target: str
    topic: str
    title: str
    change_id: str
    state: ChangeState
    revisions: tuple[Revision, ...]
    approvals: tuple[Approval, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    purged: bool = False
    description: str = ""
    draft: bool = False
    reviewers: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = ()
    landed_as: str = ""
    results: tuple[CommandResult, ...] = ()
    again: tuple[str, ...] = ()
    plans: tuple[PlanMade, ...] = ()
    plan_asked: str = ""

    @property
    def head(self) -> Revision:
        return self.revisions[-1]

    @property
    def uploaders(self) -> frozenset[str]:
        return frozenset(revision.uploader for revision in self.revisions)

    def plan_of(self, head: str) -> PlanMade | None:
        """The newest plan of one head."""
        return next((plan for plan in reversed(self.plans) if plan.head == head), None)

    def revision_at(self, commit: str) -> Revision | None:
        return next((revision for revision in reversed(self.revisions) if revision.head == commit), None)
