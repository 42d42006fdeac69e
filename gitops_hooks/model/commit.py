"""What the objects say: commits, and how a head relates to a tip."""

from enum import Enum

from gitops_hooks.model.change import ChangedFile
from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit; `addresses` are those of author, committer and co-authors, in lower case, as all addresses here.

    `signers` are those of its Signed-off-by lines; `written` is git's line of its author: name, address, time, zone.
    """

    oid: str
    tree: str
    parents: tuple[str, ...]
    addresses: tuple[str, ...]
    message: str
    author: str = ""
    committer: str = ""
    signers: tuple[str, ...] = ()
    written: str = ""

    @property
    def title(self) -> str:
        return self.message.strip().split("\n", 1)[0]


@dataclass(frozen=True, slots=True)
class Range:
    """How `head` stands to `tip`: the one merge base, and the commits of base..head, newest first."""

    tip: str
    head: str
    base: str
    commits: tuple[Commit, ...]

    @property
    def fast_forward(self) -> bool:
        return self.base == self.tip


@dataclass(frozen=True, slots=True)
class Merged:
    """What landing would make: the tree, and the paths that differ from the tip or from the base."""

    tree: str
    files: tuple[ChangedFile, ...]


class Shape(Enum):
    """What a landing makes of an approved head: the head itself, or commits by the server."""

    ITSELF = "fast-forward"
    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"
