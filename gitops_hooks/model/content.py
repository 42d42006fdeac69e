"""What a landing would bring, as the rules about commits and files see it."""

from datetime import datetime

from gitops_hooks.model.commit import Commit
from gitops_hooks.model.lazy_dataclass import dataclass

SYMLINK = 0o120000
SUBMODULE = 0o160000


@dataclass(frozen=True, slots=True)
class Introduced:
    """One file as a commit brings it: git's mode, bytes (0 for a submodule), a symlink's target, LFS pointer or not."""

    path: str
    mode: int
    commit: str
    size: int = 0
    target: str = ""
    lfs: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """The commits that would land, the files that they bring, and the moment of the decision.

    `vouched` holds `author:<commit>` and `committer:<commit>` where that address belongs to who pushed the commit.
    `files` and `vouched` are gathered only where a rule asks.
    """

    commits: tuple[Commit, ...]
    files: tuple[Introduced, ...]
    vouched: frozenset[str]
    at: datetime
