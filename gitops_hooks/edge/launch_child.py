"""A child with three pipes that never make its parent wait: its life hangs on the first of them."""

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Iterable, Sequence

from gitops_hooks.edge.launch_box import SYSTEM_PATH
from gitops_hooks.edge.launch_feed import feed
from gitops_hooks.model.errors import EdgeError

_END_SECONDS = 5.0
_COMPLAINTS_LIMIT = 4096
_SAID_LIMIT = 4 * 1024 * 1024
_PART = 65536


class Child:
    """A started program, an open resource; it has ended when its outermost program has, whoever holds its pipes."""

    def __init__(self, command: Sequence[str]) -> None:
        """Errors: EdgeError where the program cannot be started."""
        self._lifeline, self._said, self._complaints, self._outermost = -1, -1, -1, -1
        self._news = select.epoll()
        their_in, self._lifeline = os.pipe()
        self._said, their_out = os.pipe()
        self._complaints, their_err = os.pipe()
        self._complained = bytearray()
        try:
            self._program = subprocess.Popen(
                command,
                stdin=their_in,
                stdout=their_out,
                stderr=their_err,
                env={"PATH": SYSTEM_PATH, "LANG": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
            )
            self._outermost = os.pidfd_open(self.pid)
        except OSError as error:
            self._close_ends()
            raise EdgeError(command[0], f"does not start: {error.strerror}") from None
        finally:
            for end in (their_in, their_out, their_err):
                os.close(end)
        for end in (self._lifeline, self._said, self._complaints):
            os.set_blocking(end, False)
        for end in (self._said, self._outermost):
            self._news.register(end, select.EPOLLIN)

    def fileno(self) -> int:
        """Readable whenever `listen` has something to answer."""
        return self._news.fileno()

    @property
    def pid(self) -> int:
        return self._program.pid

    def feed(self, job: bytes, files: Iterable[tuple[str, int, bytes]]) -> None:
        """Errors: those of launch_feed.feed."""
        feed(self._lifeline, job, files)

    def tell(self, word: bytes) -> None:
        """A word on the lifeline; one that can no longer be heard is dropped."""
        if self._lifeline >= 0:
            with contextlib.suppress(OSError):
                os.write(self._lifeline, word)

    def listen(self) -> tuple[bytes, bool]:
        """What it has said since, and whether that was the end; never waits."""
        # Asked before it is read: what it said last, it said by then.
        over = bool(select.select([self._outermost], [], [], 0)[0])
        self._complained += _available(self._complaints, _COMPLAINTS_LIMIT)[0]
        del self._complained[_COMPLAINTS_LIMIT:]
        said, ended = _available(self._said, _SAID_LIMIT)
        if over and not ended and len(said) < _SAID_LIMIT:
            # Somebody killed it, and its other half lives on with the pipe.
            self.kill()
            ended = True
        return said, ended

    def complaints(self) -> str:
        return self._complained.decode(errors="replace")

    def kill(self) -> None:
        """Cut its lifeline and kill it: either ends it, the first also where it is not ours to signal."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        # With its whole group: bubblewrap's inner half is tied to the outer one late, and waits for it for ever where
        # that was killed while both were starting. What has ended but is not reaped keeps its number.
        if self._program.returncode is None:
            with contextlib.suppress(OSError):
                os.killpg(self._program.pid, signal.SIGKILL)

    def end(self) -> int:
        """Wait in bounded time for its end, killing what does not end; answers its exit code.

        Errors: EdgeError where it survives.
        """
        for _ in range(2):
            try:
                return self._program.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        raise EdgeError("deployment", f"its program {self.pid} does not end; end it with: kill -9 {self.pid}")

    def close(self) -> None:
        """Kill it, wait for its end, close all ends. Errors: EdgeError where it survives."""
        self.kill()
        try:
            self.end()
        finally:
            self._close_ends()

    def _close_ends(self) -> None:
        self._news.close()
        for end in (self._lifeline, self._said, self._complaints, self._outermost):
            if end >= 0:
                os.close(end)
        self._lifeline = self._said = self._complaints = self._outermost = -1


def _available(end: int, most: int) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    while most > 0:
        try:
            part = os.read(end, _PART)
        except BlockingIOError:
            return b"".join(parts), False
        if not part:
            return b"".join(parts), True
        parts.append(part)
        most -= len(part)
    return b"".join(parts), False
