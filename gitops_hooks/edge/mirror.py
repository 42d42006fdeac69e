"""A mirror or clone, opened to be verified: read without a server, and with nothing that could bend what is read."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pygit2

from gitops_hooks.core.events import InvalidEvent, read_event
from gitops_hooks.edge.index import passing_index
from gitops_hooks.edge.public_key import parse_key
from gitops_hooks.edge.record import LOG, Record
from gitops_hooks.edge.repository import Repository, open_repository
from gitops_hooks.edge.signatures import load_verifier
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.server import RECORDED_LIMITS
from gitops_hooks.model.verification import Pins

_OPENPGP_PIN = re.compile(r"openpgp ([0-9A-Fa-f]{40})(?:[ \t].*)?")
_MIRROR = "make one with: git clone --mirror URL"


def open_mirror(pins: Pins) -> Record:
    """The record in a mirror, to be read with the pinned key. Errors: EdgeError where it cannot be a whole one."""
    path = pins.path / ".git" if (pins.path / ".git").is_dir() else pins.path
    if not (path / "objects").is_dir():
        raise EdgeError(str(pins.path), f"is no Git repository; {_MIRROR}")
    for name, reason in (("shallow", "is shallow: its history is cut off"), ("info/grafts", "has grafts")):
        if (path / name).is_file():
            raise EdgeError(str(pins.path), f"{reason}; {_MIRROR}")
    repository = open_repository(path, RECORDED_LIMITS)
    if repository.tip(LOG) == NO_OID:
        raise EdgeError(str(pins.path), f"has no {LOG}, so there is nothing to verify by; {_MIRROR}")
    verifier = load_verifier(pins.server_key)
    return Record(repository, pins.identity or _identity(repository), verifier, passing_index())


def _identity(repository: Repository) -> str:
    """The repository id in the newest event, or ""; whether the server signed it is asked when it is read."""
    tip = repository.tip(LOG)
    try:
        return read_event(repository.git2[tip].peel(pygit2.Commit).message, tip).stamp.repository
    except (InvalidEvent, KeyError, ValueError, pygit2.GitError):
        return ""


def load_approvers(path: Path) -> dict[str, frozenset[str]]:
    """Keys by name, out of lines like ssh-keygen's allowed signers: NAME TYPE BASE64, or NAME openpgp FINGERPRINT.

    Errors: EdgeError where it cannot be read, or a line is none.
    """
    found: dict[str, frozenset[str]] = {}
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise EdgeError(str(path), f"cannot be read: {error}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, key = line.strip().partition(" ")
        try:
            found[name] = found.get(name, frozenset()) | {_pin(key)}
        except EdgeError as error:
            raise EdgeError(f"{path}:{number}", str(error)) from None
    return found


def _pin(key: str) -> str:
    """An SSH key whole; of an OpenPGP key its fingerprint, since it may be renewed and stays the same key."""
    if not key.startswith("openpgp "):
        return parse_key(key).text
    found = _OPENPGP_PIN.fullmatch(key)
    if found is None:
        raise EdgeError("public key", "an OpenPGP key is pinned by its whole fingerprint: NAME openpgp 40 DIGITS")
    return f"openpgp {found[1].upper()}"


def people_refs(repository: Repository) -> tuple[str, ...]:
    """Every branch and tag, and every replacement of objects, by full name."""
    spaces = ("refs/heads/", "refs/tags/", "refs/replace/")
    return tuple(sorted(name for name in repository.git2.references if name.startswith(spaces)))


@contextmanager
def missing_objects() -> Iterator[None]:
    """What libgit2 says of an object that is not there, or is broken, becomes an EdgeError."""
    try:
        yield
    except (pygit2.GitError, KeyError, ValueError) as error:
        raise EdgeError("the objects", f"{error} is missing or broken") from None
