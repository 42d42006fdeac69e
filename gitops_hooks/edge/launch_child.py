"""A child with three pipes that never make its parent wait: its life hangs on the first of them."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterable, Sequence

from gitops_hooks.edge.launch_box import SYSTEM_PATH
from gitops_hooks.edge.launch_feed import feed
from gitops_hooks.model.errors import EdgeError

_END_SECONDS = 5.0
_COMPLAINTS_LIMIT = 4096
_PART = 65536


class Child:
    """A started program; `said` is the descriptor of what it says, -1 after `close`."""

    def __init__(self, command: Sequence[str]) -> None:
        """Errors: EdgeError where the program cannot be started."""
        self._lifeline, self.said, self._complaints = -1, -1, -1
        their_in, self._lifeline = os.pipe()
        self.said, their_out = os.pipe()
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
        except OSError as error:
            self._close_ends()
            raise EdgeError(command[0], f"does not start: {error.strerror}") from None
        finally:
            for end in (their_in, their_out, their_err):
                os.close(end)
        for end in (self._lifeline, self.said, self._complaints):
            os.set_blocking(end, False)

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
        self._complained += _available(self._complaints, _COMPLAINTS_LIMIT)[0]
        del self._complained[_COMPLAINTS_LIMIT:]
        return _available(self.said, 4 * 1024 * 1024)

    def complaints(self) -> str:
        return self._complained.decode(errors="replace")

    def kill(self) -> None:
        """Cut its lifeline and kill it: either ends it, the first also where it is not ours to signal."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        # With its whole group: bubblewrap's inner half is tied to the outer one late, and waits for it for ever where
        # that was killed while both were starting. What has ended but is not reaped keeps its number.
        if self._program.poll() is None:
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
        for end in (self._lifeline, self.said, self._complaints):
            if end >= 0:
                os.close(end)
        self._lifeline = self.said = self._complaints = -1


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
