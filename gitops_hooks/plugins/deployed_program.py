"""One program that a deployer starts: listened to line by line, asked to end, and ended with all that it started."""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_hooks.plugin import EdgeError

# Whoever asked for the end waits ten seconds before everything is killed.
LAST_SECONDS = 8.0
_STEP = 0.1
_PART = 65536
_LONGEST = 1024 * 1024
_DRAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a program runs: its folder, its whole environment, and when its time is up (of the monotonic clock).

    `merged` says that what it writes to its standard error is heard too.
    """

    folder: Path
    environ: Mapping[str, str]
    deadline: float
    canceled: Callable[[], bool]
    merged: bool = True


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended: its exit code (-n after signal n), and `canceled` or `timeout` where it was asked to end."""

    status: int
    stopped: str = ""


def listen_for_term() -> Callable[[], bool]:
    """Whether this program was asked to end: a run that is asked still says what became of it."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    return lambda: bool(asked)


def last_moment(seconds: float) -> float:
    """When a run of so many seconds must be asked to end, so that its end is told in time."""
    return time.monotonic() + seconds - min(LAST_SECONDS, seconds / 4)


def run_program(
    words: Sequence[str], place: Place, hear: Callable[[bytes], object], ask: Callable[[int, int], object]
) -> Ended:
    """Run it to its end; `hear` gets each line of its output, and an empty one while it says nothing.

    `ask` asks it to end, for the first or second time.

    Errors: EdgeError where it cannot be started.
    """
    try:
        program = subprocess.Popen(
            words,
            cwd=place.folder,
            env=dict(place.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if place.merged else subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise EdgeError(Path(words[0]).name, f"does not start: {error.strerror}") from None
    try:
        return _attend(program, place, hear, ask)
    finally:
        _kill(program.pid)
        program.wait()


def _attend(
    program: subprocess.Popen[bytes], place: Place, hear: Callable[[bytes], object], ask: Callable[[int, int], object]
) -> Ended:
    lines, stopping = _Lines(program, hear), _Stopping(program.pid, ask)
    while program.poll() is None:
        lines.take(_STEP)
        if place.canceled():
            stopping.go_on("canceled")
        elif time.monotonic() >= place.deadline:
            stopping.go_on("timeout")
    over = time.monotonic() + _DRAIN_SECONDS
    while lines.take(max(0.0, over - time.monotonic())) and time.monotonic() < over:
        pass
    lines.close()
    return Ended(program.returncode, stopping.why or _late(program.returncode, place))


def _late(status: int, place: Place) -> str:
    """Whoever asks us to end asks our whole group, and a program that is just being started is still in it."""
    return "canceled" if status == -signal.SIGTERM and place.canceled() else ""


class _Stopping:
    """Asks once, asks again, and then does not ask."""

    def __init__(self, pid: int, ask: Callable[[int, int], object]) -> None:
        self.why = ""
        self._pid = pid
        self._ask = ask
        self._began = 0.0
        self._asked = 0

    def go_on(self, why: str) -> None:
        now = time.monotonic()
        self.why = self.why or why
        self._began = self._began or now
        since = now - self._began
        if since >= LAST_SECONDS:
            _kill(self._pid)
        elif self._asked < 1 or (self._asked < 2 and since >= LAST_SECONDS * 0.6):
            self._asked += 1
            with contextlib.suppress(OSError):
                self._ask(self._pid, self._asked)


class _Lines:
    """The output of a program, line by line; what has no end of line is cut into pieces."""

    def __init__(self, program: subprocess.Popen[bytes], hear: Callable[[bytes], object]) -> None:
        if program.stdout is None:
            raise EdgeError("output", "is nowhere")
        self._end = program.stdout.fileno()
        self._hear = hear
        self._unread = b""

    def take(self, seconds: float) -> bool:
        """Take what comes within some seconds; False after the end of it."""
        if not select.select([self._end], [], [], seconds)[0]:
            self._hear(b"")
            return True
        part = os.read(self._end, _PART)
        if not part:
            time.sleep(min(seconds, _STEP))
            return False
        *lines, self._unread = (self._unread + part).split(b"\n")
        for line in lines:
            self._hear(line)
        if len(self._unread) > _LONGEST:
            self.close()
        return True

    def close(self) -> None:
        if self._unread:
            self._hear(self._unread)
            self._unread = b""


def _kill(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
