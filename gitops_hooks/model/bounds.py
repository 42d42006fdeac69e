"""What a rule asks of commits, files and the moment, beside rights and approvals."""

from datetime import datetime

from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class CommitBounds:
    """`commits:` of a rule: patterns (RE2) that each message holds or does not hold, and who must have written it."""

    place: str
    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    signoff: bool = False
    author_pushes: bool = False
    committer_pushes: bool = False


@dataclass(frozen=True, slots=True)
class FileBounds:
    """`files:` of a rule: sizes in bytes, 0 for no bound; globs and extensions, None where the key is absent.

    `symlinks`, `submodules` and `lfs` are exact paths that may be one; None leaves it to what is built in.
    """

    place: str
    max_size: int = 0
    max_files: int = 0
    max_path: int = 0
    forbidden: tuple[str, ...] = ()
    allowed: tuple[str, ...] | None = None
    forbidden_extensions: tuple[str, ...] = ()
    allowed_extensions: tuple[str, ...] | None = None
    symlinks: tuple[str, ...] | None = None
    submodules: tuple[str, ...] | None = None
    lfs: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """One freeze as written (`text`), in a time zone: each week from minute to minute after Monday 00:00, or dated.

    Exactly one of `weekly` and `dated` is there; the times of `dated` are local ones, without a zone.
    """

    place: str
    text: str
    zone: str
    weekly: tuple[int, int] | None = None
    dated: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """All of that for one rule; `read_only` is the reason, empty where the branch takes changes."""

    linear: bool = False
    read_only: str = ""
    commits: CommitBounds | None = None
    files: FileBounds | None = None
    freeze: tuple[Window, ...] = ()


NO_BOUNDS = Bounds()
