"""A disk without room: told alike wherever it shows, with what to do, and without a path of the server's."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitops_hooks.model.errors import EdgeError

FULL = "the server's disk is full"
_NUMBERS = (errno.ENOSPC, errno.EDQUOT)
# libgit2, SQLite and git itself tell it in words alone.
_WORDS = ("No space left on device", "Disk quota exceeded", "disk is full")


def is_full(words: str) -> bool:
    """Whether a program's or library's complaint is about a disk without room."""
    return any(sign in words for sign in _WORDS)


def full_disk() -> EdgeError:
    """The one message for it, for pushers and administrators alike."""
    return EdgeError(FULL, "ask the administrator to make room, then do this again")


def says_full(error: Exception) -> bool:
    """Likewise for an exception, by its number or its words."""
    return getattr(error, "errno", None) in _NUMBERS or is_full(str(error))


@contextmanager
def needing_room(*kinds: type[Exception]) -> Iterator[None]:
    """Errors: EdgeError in place of an OSError, or of one of these kinds, that tells of a full disk."""
    caught: tuple[type[Exception], ...] = (OSError, *kinds)
    try:
        yield
    except caught as error:
        if says_full(error):
            raise full_disk() from None
        raise


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write to the filesystem of this folder."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
