"""A repository comes to the server and leaves it again; access opens last and closes first."""

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pygit2

from gitops_hooks.core.events import InvalidEvent, read_event
from gitops_hooks.edge.adoption import Adoption, adopt, faults_of, make_repository
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.config_edit import add_repository, remove_repository, set_rights
from gitops_hooks.edge.git_settings import receive_settings, remove_settings, write_settings
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import load_people
from gitops_hooks.edge.pushes import use_lock
from gitops_hooks.edge.record import LOG
from gitops_hooks.edge.repository import Repository, open_repository
from gitops_hooks.edge.restoring import bring_back
from gitops_hooks.edge.store import make_folder
from gitops_hooks.model.errors import EdgeError, Fault, PolicyError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.people import People
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.server import RepositoryEntry, ServerFile

_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Wish:
    """What the administrator asked for: a name, the folder, and names of people (`*` is everybody)."""

    name: str
    path: Path
    admin: str
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    mirror: str = ""


def enrol(home: Home, wish: Wish) -> tuple[RepositoryEntry, tuple[str, ...]]:
    """Adopt a repository and open it to people; the acts, a line each. Safe to run again after any end of it.

    Errors: PolicyError with every reason why this repository or its policy cannot be taken; EdgeError.
    """
    server, people = load_server(home), load_people(home)
    _refuse_wish(server, wish, people.names)
    acts: list[str] = []
    if not wish.mirror:
        return _take_over(home, wish, server, people, acts)
    acts.append(bring_back(wish.path, wish.mirror, server.git))
    try:
        return _take_over(home, wish, server, people, acts)
    except BaseException:
        # Else the same command would find it in its way when what was wrong is mended.
        shutil.rmtree(wish.path, ignore_errors=True)
        raise


def _take_over(
    home: Home, wish: Wish, server: ServerFile, people: People, acts: list[str]
) -> tuple[RepositoryEntry, tuple[str, ...]]:
    if make_repository(wish.path, server.git):
        acts.append(f"made an empty repository at {wish.path}")
    if faults := faults_of(wish.path, server.git):
        raise PolicyError(wish.name, tuple(Fault(0, fault) for fault in faults))
    entry = _entry(server, wish)
    make_folder(home.state(entry.id))
    hold = use_lock(home.state(entry.id))
    try:
        write_settings(server.git, wish.path, receive_settings(home, server.limits))
        acts.append("wrote git's settings and pointed it at the hooks")
        # The entry is part of the server only for adoption: a push before its end would find no record.
        others = tuple(each for each in server.repositories if each.name != entry.name)
        within = replace(server, repositories=(*others, entry))
        acts.extend(adopt(Adoption(home, within, entry, wish.admin, people, lambda: datetime.now(UTC))))
    finally:
        os.close(hold)
    if server.repository(entry.name) is None:
        add_repository(home, entry)
    else:
        set_rights(home, entry.name, entry.read, entry.write)
    return entry, (*acts, f"opened it to: read {_names(entry.read)}, write {_names(entry.write)}")


def release(home: Home, name: str, seconds: float = 30.0) -> tuple[RepositoryEntry, tuple[str, ...]]:
    """Close a repository to everybody and take our settings out of it; its refs, record and folder stay.

    Errors: EdgeError where there is none of that name, or a push is still in it after `seconds`.
    """
    server = load_server(home)
    entry = server.repository(name)
    if entry is None:
        raise EdgeError("server.toml", f"there is no repository '{name}'")
    remove_repository(home, name)
    # Only when the last push is through may the hooks come off: until then they are what judges it.
    _wait_until_unused(home, entry, seconds)
    if entry.path.is_dir():
        remove_settings(server.git, entry.path, receive_settings(home, server.limits))
    return entry, ("closed it to everybody", f"the repository and its record stay at {entry.path}")


def _refuse_wish(server: ServerFile, wish: Wish, known: frozenset[str]) -> None:
    named = (*((wish.admin,) if wish.admin else ()), *wish.read, *wish.write)
    faults = [f"nobody here is called '{name}':  gitops-hooks user add" for name in named if name not in known | {"*"}]
    if wish.admin == "*":
        faults.append("--admin names one person")
    if (same := server.repository(wish.name)) is not None and same.path.resolve() != wish.path.resolve():
        faults.append(f"there is a repository '{wish.name}' at {same.path} already")
    for other in server.repositories:
        if other.name != wish.name and other.path.resolve() == wish.path.resolve():
            faults.append(f"this folder is the repository '{other.name}' already")
    if faults:
        raise PolicyError(wish.name, tuple(Fault(0, fault) for fault in dict.fromkeys(faults)))


def _entry(server: ServerFile, wish: Wish) -> RepositoryEntry:
    """The new entry, or the one that is there with the wished rights added to it."""
    write = (*((wish.admin,) if wish.admin else ()), *wish.write)
    if (old := server.repository(wish.name)) is None:
        old = RepositoryEntry(wish.name, wish.path, _identity(server, wish.path))
    elif (found := recorded_identity(open_repository(wish.path, server.limits, server.git))) not in ("", old.id):
        raise EdgeError(wish.name, f"server.toml says {old.id}, but this is the repository {found}")
    return replace(old, read=_united(old.read, wish.read), write=_united(old.write, write))


def _united(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*old, *new)))


def _identity(server: ServerFile, path: Path) -> str:
    """The id that its record carries where it was adopted before, else a new one. Errors: EdgeError."""
    found = recorded_identity(open_repository(path, server.limits, server.git))
    if not found:
        return secrets.token_hex(16)
    if (other := server.repository_with_id(found)) is not None:
        raise EdgeError(
            path.name, f"is a copy of the repository '{other.name}' of this server; one of them can be served"
        )
    return found


def recorded_identity(repository: Repository) -> str:
    """The repository id in its own log, or '' where it was never adopted. Errors: EdgeError."""
    tip = repository.tip(LOG)
    if tip == NO_OID:
        return ""
    try:
        return read_event(repository.git2[tip].peel(pygit2.Commit).message, tip).stamp.repository
    except (KeyError, InvalidEvent) as error:
        raise EdgeError(LOG, f"does not end with an event of ours: {error}") from None


def _wait_until_unused(home: Home, entry: RepositoryEntry, seconds: float) -> None:
    make_folder(home.state(entry.id))
    lock = os.open(home.state(entry.id) / "use.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + seconds
    try:
        while not _taken(lambda: fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)):
            if time.monotonic() > deadline:
                raise EdgeError(
                    entry.name, "is closed, but a push is still in it; its hooks stay until it is added again"
                )
            time.sleep(_PAUSE)
    finally:
        os.close(lock)


def _taken(take: Callable[[], None]) -> bool:
    try:
        take()
    except BlockingIOError:
        return False
    return True


def _names(names: tuple[str, ...]) -> str:
    return " ".join(names) or "nobody else"
