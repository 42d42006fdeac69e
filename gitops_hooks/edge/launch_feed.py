"""The job and the tree on their way into a deployment's box, bounded in time."""

import contextlib
import os
import select
import tarfile
from collections.abc import Iterable

from gitops_hooks.model.errors import EdgeError

_STALL_SECONDS = 30.0
_FILE, _PROGRAM, _SYMLINK = 0o100644, 0o100755, 0o120000
_OLD_FILE = 0o100664  # git still reads this one from old trees


class Gone(Exception):
    """The reader ended before everything was written; what it said tells why."""


def feed(pipe: int, job: bytes, files: Iterable[tuple[str, int, bytes]]) -> None:
    """Write the job line and the tree as a tar stream; `files` are path, git mode and content.

    Errors: Gone; EdgeError where an entry cannot be deployed or the reader stalls.
    """
    os.set_blocking(pipe, False)
    _write(pipe, job)
    written = 0
    for path, mode, content in files:
        entry = _entry(path, mode, content)
        header = entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
        padding = bytes(-entry.size % tarfile.BLOCKSIZE)
        for part in (header, content if entry.size else b"", padding):
            _write(pipe, part)
            written += len(part)
    # Only a whole tree gets its end: half a tree must never look like a tree. A TarFile would write one when it is
    # thrown away after a failure.
    _write(pipe, bytes(2 * tarfile.BLOCKSIZE + -(written + 2 * tarfile.BLOCKSIZE) % tarfile.RECORDSIZE))


def _write(pipe: int, content: bytes) -> None:
    """Everything, with a bound on every wait."""
    left = memoryview(content)
    while left:
        if not select.select([], [pipe], [], _STALL_SECONDS)[1]:
            raise EdgeError("deployment", f"took no more of the tree for {_STALL_SECONDS:.0f} s")
        try:
            with contextlib.suppress(BlockingIOError):
                left = left[os.write(pipe, left) :]
        except BrokenPipeError:
            raise Gone from None


def _entry(path: str, mode: int, content: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    if mode == _SYMLINK:
        entry.type = tarfile.SYMTYPE
        entry.linkname = content.decode("utf-8", "surrogateescape")
    elif mode in (_FILE, _OLD_FILE, _PROGRAM):
        entry.mode = mode & 0o777
        entry.size = len(content)
    else:
        kind = "a submodule" if mode == 0o160000 else f"an entry of mode {mode:o}"
        raise EdgeError(path, f"{kind} cannot be deployed; put the files themselves into the repository")
    return entry
