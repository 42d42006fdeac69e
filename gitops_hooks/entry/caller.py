"""Who says a word to the server, and where: over SSH as an actor, on its own shell as the administrator."""

from gitops_hooks.edge.home import Home
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.people import People
from gitops_hooks.model.push import Actor
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.server import RepositoryEntry, ServerFile


@dataclass(frozen=True, slots=True)
class Caller:
    """What every command of `change` and `env` gets from click; `actor` None is the administrator."""

    home: Home
    server: ServerFile
    people: People
    repository: RepositoryEntry
    actor: Actor | None


def readable(server: ServerFile, actor: Actor | None) -> tuple[RepositoryEntry, ...]:
    """The repositories that this caller may read."""
    return tuple(entry for entry in server.repositories if actor is None or entry.may_read(actor.name))


def unknown(name: str) -> Refusal:
    """One answer for a repository that is not there and for one that is not theirs to see."""
    return Refusal("read", f"no repository '{name}', or you may not read it")


def choose_repository(server: ServerFile, actor: Actor | None, named: str) -> RepositoryEntry | Refusal:
    """The repository that `-R` named (empty: not given), or the only one that the caller may read."""
    mine = readable(server, actor)
    if named:
        return next((entry for entry in mine if entry.name == named.removesuffix(".git")), unknown(named))
    if len(mine) == 1:
        return mine[0]
    if not mine:
        return Refusal("read", "there is no repository that you may read")
    names = " ".join(entry.name for entry in mine)
    return Refusal("read", "you may read several repositories", f"Name one with -R: {names}")
