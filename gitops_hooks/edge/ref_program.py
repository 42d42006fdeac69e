"""One `git update-ref --stdin`, which makes one transaction after the other: git starts once for several writes.

git answers each step when it is done (from 2.34 on at once): what it has answered `commit: ok` to stands on the disk.
After a transaction that it refuses it ends, and holds no lock any more.
"""

import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence

_PATIENCE = 60.0  # seconds for one transaction
_LAST_PATIENCE = 5.0  # seconds until one that was told all ends
_DONE = b"start: ok\nprepare: ok\ncommit: ok\n"
_PART = 65536


class RefProgram:
    """An open resource; it starts when this is made, and whoever makes it need not wait for that."""

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        pipe = subprocess.PIPE
        self._git = subprocess.Popen(argv, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe, env=environ)
        if self._git.stdin:
            os.set_blocking(self._git.stdin.fileno(), False)

    @property
    def has_ended(self) -> bool:
        """Whether it was closed: a git that ended by itself is found out by the next transaction."""
        return self._git.returncode is not None

    def commit(self, lines: Sequence[str]) -> str:
        """Make one transaction of these; nothing where it is done, else git's words, and git has ended then."""
        answer, words = self._ask("\n".join(["start", *lines, "prepare", "commit", ""]).encode())
        if answer == _DONE:
            return ""
        self.close()
        said = words.decode("utf-8", "replace").strip().splitlines()
        return said[-1] if said else "git update-ref failed"

    def close(self) -> None:
        """It has ended when this returns."""
        if self.has_ended:
            return
        git = self._git
        for pipe in filter(None, (git.stdin, git.stdout, git.stderr)):
            pipe.close()
        # Its end is told at once, where `wait` with a time looks now and then.
        handle = os.pidfd_open(git.pid)
        if not select.select([handle], [], [], _LAST_PATIENCE)[0]:
            git.kill()
        os.close(handle)
        git.wait()

    def _ask(self, said: bytes) -> tuple[bytes, bytes]:
        """What git answered, and its complaints: until it is done, or has ended, or takes too long."""
        telling, answers, complaints = (
            each.fileno() for each in (self._git.stdin, self._git.stdout, self._git.stderr) if each
        )
        heard, left, deadline = {answers: b"", complaints: b""}, memoryview(said), time.monotonic() + _PATIENCE
        waiting = select.poll()
        waiting.register(telling, select.POLLOUT)
        for each in heard:
            waiting.register(each, select.POLLIN)
        is_open = set(heard)
        while is_open and heard[answers] != _DONE:
            ready = waiting.poll(max(0.0, deadline - time.monotonic()) * 1000)
            if not ready:
                return b"", f"git update-ref took longer than {_PATIENCE:g} s".encode()
            for each, _ in ready:
                if each == telling:
                    left = left[_tell(telling, left) :]
                    if not left:
                        waiting.unregister(telling)
                    continue
                heard[each] += (part := os.read(each, _PART))
                if not part:
                    is_open.discard(each)
                    waiting.unregister(each)
        return heard[answers], heard[complaints]


def _tell(pipe: int, said: memoryview) -> int:
    """How much of it needs to be told no more."""
    try:
        return os.write(pipe, said[:_PART])
    except BrokenPipeError:
        return len(said)  # it has ended, and its complaints say why
