"""An agent that waits: it asks the server from time to time whether anything moved, and lets rounds do what is due.

It is small because it loads next to nothing: whatever opens the mirror, judges or deploys is a round, which is a
program of its own.
"""

import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path

from gitops_hooks.core.utc_time import write_time
from gitops_hooks.edge.agent_mirror import Mirror
from gitops_hooks.edge.agent_state import FullError, Notes, need_room, needing_state
from gitops_hooks.edge.agent_toml import load_agent
from gitops_hooks.edge.launch_box import own_program
from gitops_hooks.edge.locks import try_lock
from gitops_hooks.entry.guard import plain
from gitops_hooks.model.agent_file import AgentFile
from gitops_hooks.model.agent_mark import Status
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.lazy_dataclass import dataclass

MODULE = "gitops_hooks.entry.agent"
ROUND_MODULE = "gitops_hooks.entry.agent_child"
MOST_PAUSE = 600.0
FAULTY, UNREACHABLE, ALARM = 2, 3, 4
_JITTER = 0.1
_CHILD_SECONDS = 0.2


def say(words: str) -> None:
    """One line for the log, with every character that could steer a terminal escaped."""
    print(f"{write_time(datetime.now(UTC))} {plain(words)}", flush=True)


@contextmanager
def alone(file: AgentFile) -> Iterator[None]:
    """One agent a state folder. Errors: EdgeError where another has it."""
    try:
        lock = try_lock(file.state / "lock")
    except OSError as error:
        raise EdgeError(str(file.state), f"cannot be used: {error.strerror}") from None
    if lock is None:
        raise EdgeError(str(file.state), "another agent has this state folder; give each one of its own, or end that")
    try:
        yield
    finally:
        os.close(lock)


@dataclass(slots=True)
class Watchman:
    """The agent between two rounds; signals end it, and HUP lets it look at once."""

    file: AgentFile
    woken: int
    ended: bool = False
    faults: int = 0
    told: tuple[int, str] = (-1, "")
    child: "subprocess.Popen[bytes] | None" = field(default=None)

    def watch(self) -> None:
        """Until it is asked to end. What is wrong with its folder is told, and tried again: that may pass."""
        self._round()
        while not self.ended:
            self._sleep()
            try:
                if not self.ended and self._is_due():
                    self._round()
            except FullError as error:
                # Whether there is room again costs nothing to ask, so no pause grows.
                self._tell(FAULTY, str(error))
            except (EdgeError, OSError) as error:
                self._tell(FAULTY, str(error))
                self.faults += 1

    def _is_due(self) -> bool:
        need_room(self.file.state)
        notes = Notes(self.file.state)
        status = notes.status()
        if status is None or self.told[0] == FAULTY or 0 < status.due <= time.time():
            return True
        mirror = Mirror(self.file)
        with needing_state(self.file.state):
            silence = mirror.poll(notes.mark().branches)
        if silence is not None:
            self.faults += 1
            return status.code != UNREACHABLE
        return status.code in (UNREACHABLE, ALARM) or mirror.digest() != status.refs

    def _round(self) -> None:
        self.child = subprocess.Popen(own_program(ROUND_MODULE, str(self.file.path)), stdin=subprocess.DEVNULL)
        while self.child.poll() is None:
            _hear(self.woken, _CHILD_SECONDS)
        self.child = None
        status = Notes(self.file.state).status() or Status()
        self.faults = self.faults + 1 if status.code in (UNREACHABLE, ALARM) else 0
        self._tell(status.code, status.words)

    def _tell(self, code: int, words: str) -> None:
        if (code, words) != self.told:
            self.told = (code, words)
            say(words)

    def _sleep(self) -> None:
        """An interval and a tenth of it at most; longer with each time that the server was not there, or lied."""
        status = Notes(self.file.state).status() or Status()
        pause = min(self.file.interval * float(2 ** min(self.faults, 10)), max(MOST_PAUSE, self.file.interval))
        pause *= 1 + _JITTER * random.random()  # noqa: S311  # spreads agents, and guards nothing
        if status.due > 0:
            pause = min(pause, max(1.0, status.due - time.time()))
        _hear(self.woken, pause)

    def end(self) -> None:
        self.ended = True
        if self.child is not None:
            self.child.send_signal(signal.SIGTERM)


def _hear(woken: int, seconds: float) -> None:
    """Sleep, until a signal has come."""
    if select.select([woken], [], [], seconds)[0]:
        os.read(woken, 4096)


def main(words: Sequence[str]) -> int:
    """`FILE`: the exit code. The whole agent in front of who started it."""
    try:
        file = load_agent(Path(words[0]))
        with alone(file):
            Mirror(file).lay()
            woken, wake = os.pipe()
            for end in (woken, wake):
                os.set_blocking(end, False)
            signal.set_wakeup_fd(wake)
            watchman = Watchman(file, woken)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: watchman.end())
            signal.signal(signal.SIGHUP, lambda *_: None)
            say(f"agent {file.name} of {file.environment} begins: {' '.join(file.hosts)}")
            watchman.watch()
            say("ended")
    except (PolicyError, EdgeError) as error:
        print(f"gitops: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:]))  # behind the import path (launch_box.own_program)
