"""Files that are replaced whole: written beside, synced, renamed; a reader sees the old text or the new one."""

import os
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write the whole file. Errors: OSError; the old file then stands untouched."""
    target = path.resolve()  # a symlinked authorized_keys stays a symlink
    beside = target.with_name(f".{target.name}.{os.getpid()}.new")
    with suppress(FileNotFoundError):
        beside.unlink()
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            os.fchmod(out.fileno(), mode)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(target)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync(target.parent)


def hand_file(path: Path, content: bytes) -> None:
    """As replace_file, for a reader who is gone after a crash of the machine, so that no disk is waited for.

    Errors: OSError.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
    beside.replace(path)


def make_folder(path: Path, mode: int = 0o700) -> None:
    """Make the folder and its parents, and set its mode whether it was there or not."""
    path.mkdir(parents=True, exist_ok=True, mode=mode)
    if path.stat().st_mode & 0o7777 != mode:
        path.chmod(mode)


def sync(path: Path) -> None:
    """Wait until this file, or what lies in this folder by which name, is on the disk. Errors: OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
