"""Several pieces of work at once, each in a fork of this program; call from a program with one thread.

A fork is trusted code that waits for a confined child of its own; it dies with this program, and its child with it.
"""

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import NoReturn

from gitops_hooks.edge import sandbox_kernel as kernel
from gitops_hooks.edge.descriptors import close_others
from gitops_hooks.model.lazy_dataclass import dataclass

_PART = 65536

Work = Callable[[], bytes]


@dataclass(slots=True)
class _Fork:
    """One fork: its number, our end of its pipe, what it has answered so far."""

    index: int
    pid: int
    pipe: int
    said: bytearray = field(default_factory=bytearray)


def run_side_by_side(
    works: Sequence[Work], most: int, seconds: float, waiting: Callable[[tuple[int, ...]], None]
) -> list[bytes | None]:
    """The answer of each work in its own place, at most so many of them at once; None for one without an answer.

    Each has so many seconds. `waiting` is told the places of those that run, several times a second.
    """
    answers: list[bytes | None] = [None] * len(works)
    left, running = list(enumerate(works)), list[tuple[_Fork, float]]()
    try:
        while left or running:
            while left and len(running) < max(1, most):
                running.append((_start(*left.pop(0)), time.monotonic() + seconds))
            waiting(tuple(fork.index for fork, _ in running))
            for ended in _listen(running):
                running = [each for each in running if each[0] is not ended]
                answers[ended.index] = _end(ended)
    finally:
        for fork, _ in running:
            _end(fork)
    return answers


class Aside:
    """One piece of work in a fork, while this program does another; an open resource.

    It holds none of this program's files: who waits for the end of a pipe here does not wait for it.
    """

    def __init__(self, work: Work) -> None:
        self._fork = _start(0, work, alone=True)

    def close(self, seconds: float) -> bytes | None:
        """Its answer, waited for so long; None for none. It has ended when this returns."""
        waiting, deadline = select.poll(), time.monotonic() + seconds
        waiting.register(self._fork.pipe, select.POLLIN | select.POLLHUP)
        while waiting.poll(max(0.0, deadline - time.monotonic()) * 1000) and _hear(self._fork):
            pass
        return _end(self._fork)


def _start(index: int, work: Work, alone: bool = False) -> _Fork:
    reading, writing = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        if alone:
            close_others([writing])
        _be_fork(work, writing, parent)
    os.close(writing)
    return _Fork(index, pid, reading)


def _be_fork(work: Work, pipe: int, parent: int) -> NoReturn:
    """Only a whole answer ends with its last byte; whatever goes wrong here leaves none."""
    try:
        kernel.die_with_parent(signal.SIGKILL)
        if os.getppid() == parent:
            view = memoryview(work() + b"\n")
            while view:
                view = view[os.write(pipe, view[:_PART]) :]
    finally:
        os._exit(0)


def _listen(running: Sequence[tuple[_Fork, float]]) -> list[_Fork]:
    """Those that have ended, or whose time is over."""
    asked = select.poll()
    for fork, _ in running:
        asked.register(fork.pipe, select.POLLIN | select.POLLHUP)
    ready = {pipe for pipe, _ in asked.poll(200)}
    now = time.monotonic()
    return [fork for fork, deadline in running if (fork.pipe in ready and not _hear(fork)) or now > deadline]


def _hear(fork: _Fork) -> bool:
    part = os.read(fork.pipe, _PART)
    fork.said += part
    return bool(part)


def _end(fork: _Fork) -> bytes | None:
    os.close(fork.pipe)
    os.kill(fork.pid, signal.SIGKILL)  # not reaped yet, so that the number is still its own
    os.waitpid(fork.pid, 0)
    return bytes(fork.said[:-1]) if fork.said.endswith(b"\n") else None
