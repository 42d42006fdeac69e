"""The commits that the server makes when a change lands: text for text the same whenever they are made again.

Everything in them comes from the approved commits and the landing's own event: its actor, its time, the number.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from gitops_hooks.model.commit import Commit
from gitops_hooks.model.lazy_dataclass import dataclass

SERVER_NAME, SERVER_ADDRESS = "gitops-hooks", "gitops-hooks@localhost"

_TRAILER = re.compile(r"[A-Za-z0-9-]+: \S.*")
_OURS = re.compile(r"(change|landed-by):", re.IGNORECASE)
_CO_AUTHOR = re.compile(r"^co-authored-by: *(\S.*?) *$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Inscription:
    """What every message names: the change's number and title, the short branch name, who landed it."""

    number: int
    title: str
    branch: str
    lander: str

    @property
    def trailers(self) -> tuple[str, ...]:
        return (f"Change: {self.number}", f"Landed-by: {self.lander}")


@dataclass(frozen=True, slots=True)
class Planned:
    """One commit on top of the one before it (or of the tip); an empty author is the server, `second` a parent more."""

    tree: str
    message: str
    author: str = ""
    second: str = ""


def commit_text(planned: Planned, parent: str, at: datetime) -> str:
    """The whole commit object before it is signed; the server is its committer."""
    server = f"{SERVER_NAME} <{SERVER_ADDRESS}> {int(at.timestamp())} +0000"
    parents = [f"parent {oid}" for oid in (parent, planned.second) if oid]
    lines = [f"tree {planned.tree}", *parents, f"author {planned.author or server}", f"committer {server}"]
    return "\n".join([*lines, "", planned.message])


def plan_merge(tree: str, head: str, landing: Inscription) -> Planned:
    message = f"Merge change {landing.number} into {landing.branch}\n\n{landing.title}\n\nLanded-by: {landing.lander}\n"
    return Planned(tree, message, second=head)


def plan_squash(tree: str, commits: Sequence[Commit], landing: Inscription) -> Planned:
    """One commit by the author of the oldest; the others who wrote are named as co-authors."""
    oldest = commits[-1]
    if len(commits) == 1:
        return Planned(tree, _with_trailers(oldest.message, landing.trailers), oldest.written)
    titles = "\n".join(f"* {commit.title}" for commit in reversed(commits))
    number, lander = landing.trailers
    trailers = (number, *_co_authors(commits), lander)
    return Planned(tree, _with_trailers(f"{landing.title}\n\n{titles}", trailers), oldest.written)


def plan_rebased(commit: Commit, tree: str, landing: Inscription) -> Planned:
    """One commit of the change again, on another parent."""
    return Planned(tree, _with_trailers(commit.message, landing.trailers), commit.written)


def plan_moved(commit: Commit, tree: str) -> Planned:
    """One commit of an open change again, on another parent, with its message as it is."""
    return Planned(tree, commit.message, commit.written)


def _co_authors(commits: Sequence[Commit]) -> tuple[str, ...]:
    written = [_who(commit.written) for commit in commits]
    written += [name for commit in commits for name in _CO_AUTHOR.findall(commit.message)]
    others = dict.fromkeys(name for name in written if name != _who(commits[-1].written))
    return tuple(f"Co-authored-by: {name}" for name in others)


def _who(author: str) -> str:
    """`Alice <alice@example.org>` without the time."""
    return author.rsplit(" ", 2)[0]


def _with_trailers(message: str, trailers: Sequence[str]) -> str:
    """The message with these in its last block; lines there that only look like ours are left out."""
    paragraphs = message.strip("\n").split("\n\n")
    block = paragraphs[-1].split("\n")
    if len(paragraphs) > 1 and all(_TRAILER.fullmatch(line) for line in block):
        kept = [line for line in block if not _OURS.match(line)]
        paragraphs[-1] = "\n".join([*kept, *trailers])
    else:
        paragraphs.append("\n".join(trailers))
    return "\n\n".join(paragraphs) + "\n"
