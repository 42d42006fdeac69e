"""One outside tool, from its start to its end: fed, listened to, watched, and ended with everything it started."""

import contextlib
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence

from gitops_hooks.edge.forbidden_calls import rules
from gitops_hooks.edge.launch_box import SYSTEM_PATH
from gitops_hooks.edge.sandbox_cure import cure
from gitops_hooks.edge.tool_inside import exit_code, open_inside
from gitops_hooks.edge.tool_memory import memory_of
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.tool import Ran

_PART = 65536
_STEP = 0.1
_GRACE = 5.0
_STATUS = 8192


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one run may take: a moment of the monotonic clock (and how far off it is), bytes of memory and output."""

    deadline: float
    seconds: float
    memory: int
    output: int


@dataclass(frozen=True, slots=True)
class Ends:
    """Descriptors of bubblewrap's: on `status` it says how it went, from `rules` it reads which calls are forbidden."""

    status: int
    rules: int


def run_boxed(
    command: Callable[[Ends], Sequence[str]],
    stdin: bytes,
    bounds: Bounds,
    hear: Callable[[bytes], object] | None = None,
    waiting: Callable[[], None] = lambda: None,
) -> Ran:
    """Run a box with all that belongs into it; `command` makes it, with the descriptors that it needs.

    `hear` gets what it writes to its standard output as it comes; `waiting` is called several times a second.
    Errors: EdgeError where the box cannot be made; the reason carries the line that cures it.
    """
    boxed = _Boxed(command, hear)
    try:
        cut = boxed.attend(stdin, bounds, waiting)
    finally:
        boxed.close()
    stdout, stderr = (bytes(said[: bounds.output]) for said in (boxed.stdout, boxed.stderr))
    if cut:
        return Ran(128 + signal.SIGKILL, stdout, stderr, cut)
    code = exit_code(bytes(boxed.status))
    if code is None:
        raise EdgeError("tools", f"no sandbox for tools here: {_without_paths(stderr)}. {cure()}")
    return Ran(code, stdout, stderr)


def _without_paths(words: bytes) -> str:
    """What bubblewrap said; whoever pushes reads it too, and no place of the server's is told."""
    said = " ".join(words.decode("utf-8", "replace").split())[:300] or "no reason given"
    return re.sub(r"(?<!\S)/\S+", "…", said)


def _readable(content: bytes) -> int:
    """A pipe that holds these few bytes, and then its end."""
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return reading


class _Boxed:
    """A started box, an open resource: `close` ends everything in it."""

    def __init__(self, command: Callable[[Ends], Sequence[str]], hear: Callable[[bytes], object] | None = None) -> None:
        self._told = hear
        self.stdout, self.stderr, self.status = bytearray(), bytearray(), bytearray()
        self._inside = -1
        forbidden = _readable(rules())
        reading, writing = os.pipe()
        pipe = subprocess.PIPE
        environ = {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8"}
        try:
            self._program = subprocess.Popen(
                command(Ends(writing, forbidden)),
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                pass_fds=(writing, forbidden),
                env=environ,
                cwd="/",
            )
        except OSError as error:
            os.close(reading)
            raise EdgeError("bubblewrap", f"does not start: {error.strerror}") from None
        except EdgeError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
            os.close(forbidden)
        ends = (self._program.stdin, self._program.stdout, self._program.stderr)
        self._mouth, out, err = (os.dup(end.fileno()) for end in ends if end is not None)
        for end in ends:
            if end is not None:
                end.close()
        self._sinks = {out: self.stdout, err: self.stderr, reading: self.status}
        for number in (self._mouth, *self._sinks):
            os.set_blocking(number, False)

    def attend(self, stdin: bytes, bounds: Bounds, waiting: Callable[[], None]) -> str:
        """Feed and listen until its end or a limit; answers which limit."""
        left = memoryview(stdin)
        while self._sinks:
            now = time.monotonic()
            if now >= bounds.deadline:
                return f"took longer than {bounds.seconds:g} s"
            if len(self.stdout) + len(self.stderr) > bounds.output:
                return f"said more than {bounds.output} bytes"
            if memory_of(self._program.pid, bounds.memory) > bounds.memory:
                return f"used more than {bounds.memory} bytes of memory"
            waiting()
            left = self._feed(left)
            self._listen(min(_STEP, bounds.deadline - now))
            if self._program.poll() is not None:
                # What it left behind may hold its pipes open for ever, and ends here.
                self._end_inside()
        return ""

    def _feed(self, left: memoryview) -> memoryview:
        if self._mouth < 0:
            return left
        try:
            while left:
                left = left[os.write(self._mouth, left[:_PART]) :]
        except BlockingIOError:
            return left
        except OSError:
            left = left[len(left) :]
        os.close(self._mouth)
        self._mouth = -1
        return left

    def _listen(self, seconds: float) -> None:
        waiting = select.poll()
        for pipe in self._sinks:
            waiting.register(pipe, select.POLLIN | select.POLLHUP)
        if self._mouth >= 0:
            waiting.register(self._mouth, select.POLLOUT)
        for pipe, _ in waiting.poll(max(1.0, seconds * 1000)):
            if pipe in self._sinks:
                self._hear(pipe)

    def _hear(self, pipe: int) -> None:
        try:
            part = os.read(pipe, _PART)
        except BlockingIOError:
            return
        sink = self._sinks[pipe]
        if sink is not self.status or len(sink) < _STATUS:
            sink += part
        if self._told and sink is self.stdout:
            self._told(part)
        if sink is self.status and self._inside < 0:
            self._inside = open_inside(bytes(sink))
        if not part:
            os.close(pipe)
            del self._sinks[pipe]

    def _end_inside(self) -> None:
        """With the first program of a PID namespace the kernel ends all others, before it is gone itself."""
        if self._inside >= 0:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(self._inside, signal.SIGKILL)
            select.select([self._inside], [], [], _GRACE)

    def _find_inside(self) -> None:
        """Bubblewrap tells it before the tool begins; whatever was ended sooner must not go on by itself."""
        deadline = time.monotonic() + _GRACE
        told = next((pipe for pipe, sink in self._sinks.items() if sink is self.status), -1)
        while self._inside < 0 and told in self._sinks and time.monotonic() < deadline:
            select.select([told], [], [], _STEP)
            self._hear(told)

    def close(self) -> None:
        self._find_inside()
        self._end_inside()
        with contextlib.suppress(ProcessLookupError):
            self._program.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._program.wait(_GRACE)
        for end in (self._mouth, self._inside, *self._sinks):
            if end >= 0:
                os.close(end)
        self._sinks = {}
