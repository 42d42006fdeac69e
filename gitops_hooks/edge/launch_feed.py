"""The job and the tree on their way into a deployment's box, bounded in time."""

import contextlib
import io
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
    stream = _Pipe(pipe)
    stream.write(job)
    # The tar is ended only when it is whole: half a tree must never look like a tree.
    archive = tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT, errors="surrogateescape")  # noqa: SIM115
    for path, mode, content in files:
        archive.addfile(_entry(path, mode, content), io.BytesIO(content))
    archive.close()


class _Pipe(io.RawIOBase):
    """A pipe that is written whole or not at all, with a bound on every wait."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe

    def writable(self) -> bool:
        return True

    def write(self, content: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]  # narrower on purpose
        left = memoryview(content)
        while left:
            if not select.select([], [self.pipe], [], _STALL_SECONDS)[1]:
                raise EdgeError("deployment", f"took no more of the tree for {_STALL_SECONDS:.0f} s")
            try:
                with contextlib.suppress(BlockingIOError):
                    left = left[os.write(self.pipe, left) :]
            except BrokenPipeError:
                raise Gone from None
        return len(content)


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
