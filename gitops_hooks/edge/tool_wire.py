"""What a confined check asks of the judge's side, and what it hears: one JSON line, then the bytes that it counts.

The judge's side reads it as a stranger's: an exact shape, bounded, or nothing.
"""

import contextlib
import json
import os
import select
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NoReturn

from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.tool import Ran

_LINE = 1024 * 1024
_PART = 65536
MOST_GIVEN = 64 * 1024 * 1024
MOST_SAID = 500


@dataclass(frozen=True, slots=True)
class Run:
    """A tool that is to be run: everything that Workbench.run takes."""

    command: tuple[str, ...]
    files: tuple[str, ...] = ()
    given: tuple[tuple[str, bytes], ...] = ()
    stdin: bytes = b""
    seconds: float | None = None
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Say:
    """A line for the pusher."""

    text: str


@dataclass(frozen=True, slots=True)
class Look:
    """A place that the check is about to look at: a path in a tree ("" for the whole), or the name of something."""

    side: str
    path: str


class Over(Exception):
    """The other side has closed its end between two messages."""


class Malformed(Exception):
    """What came is no message of ours, or did not come in time."""


# BESIDE is a tool that was not asked for by name, and could be started by one that was.
SIDES = CHANGE, TREE, TARGET, TOOL, BESIDE = "change", "tree", "target", "tool", "beside"

Read = Callable[[int], bytes]
"""Some bytes, at most so many, empty at the end."""


def encode_say(text: str) -> bytes:
    return _line({"say": str(text)[:MOST_SAID]})


def encode_look(look: Look) -> bytes:
    return _line({"look": [look.side, look.path]})


def encode_run(run: Run) -> bytes:
    """Errors: ValueError where it is more than can be asked for."""
    sizes = [[name, len(content)] for name, content in run.given]
    head = {
        "command": run.command,
        "files": run.files,
        "given": sizes,
        "stdin": len(run.stdin),
        "seconds": run.seconds,
        "writable": run.writable,
    }
    said = b"".join([_line(head), *(content for _, content in run.given), run.stdin])
    if len(said) > MOST_GIVEN:
        raise ValueError(f"more than {MOST_GIVEN} bytes are given to a tool")
    return said


def parse_request(read: Read) -> Run | Say | Look:
    """Errors: Over, Malformed."""
    head = _head(read)
    match head:
        case {"say": str() as text} if len(head) == 1 and len(text) <= MOST_SAID:
            return Say(text)
        case {"look": [str() as side, str() as path]} if len(head) == 1 and side in SIDES:
            return Look(side, path)
        case {
            "command": list() as command,
            "files": list() as files,
            "given": list() as given,
            "stdin": int() as stdin,
            "seconds": seconds,
            "writable": bool() as writable,
        } if len(head) == 6:
            texts = _texts(command), _texts(files)
            named = _sizes([*given, ["", stdin]])
            contents = [(name, _exactly(read, size)) for name, size in named]
            return Run(*texts, tuple(contents[:-1]), contents[-1][1], _seconds(seconds), writable)
    raise Malformed


def encode_ran(ran: Ran) -> bytes:
    head = {"status": ran.status, "stdout": len(ran.stdout), "stderr": len(ran.stderr), "cut": ran.cut}
    return _line(head) + ran.stdout + ran.stderr


def encode_fault(words: str) -> bytes:
    return _line({"fault": words[:1000]})


def parse_answer(read: Read) -> Ran | str:
    """How the tool ended, or why it was not run. Errors: Over, Malformed."""
    match _head(read):
        case {"fault": str() as words}:
            return words
        case {"status": int() as status, "stdout": int() as out, "stderr": int() as err, "cut": str() as cut}:
            return Ran(status, _exactly(read, out), _exactly(read, err), cut)
    raise Malformed


def _line(head: Mapping[str, object]) -> bytes:
    return json.dumps(head).encode() + b"\n"


def _head(read: Read) -> dict[str, object]:
    found = bytearray()
    while not found.endswith(b"\n"):
        # Byte by byte is meant: what follows the line is counted by it.
        byte = read(1)
        if not byte and not found:
            raise Over
        if not byte or len(found) > _LINE:
            raise Malformed
        found += byte
    try:
        head = json.loads(found, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Malformed from None
    if not isinstance(head, dict):
        raise Malformed
    return head


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _exactly(read: Read, size: int) -> bytes:
    if not 0 <= size <= MOST_GIVEN:
        raise Malformed
    found = bytearray()
    while len(found) < size:
        part = read(min(_PART, size - len(found)))
        if not part:
            raise Malformed
        found += part
    return bytes(found)


def _texts(items: Sequence[object]) -> tuple[str, ...]:
    if not all(isinstance(item, str) and "\0" not in item for item in items):
        raise Malformed
    return tuple(map(str, items))


def _sizes(items: Iterable[object]) -> list[tuple[str, int]]:
    found = []
    for item in items:
        match item:
            case [str() as name, int() as size] if not isinstance(size, bool) and size >= 0:
                found.append((name, size))
            case _:
                raise Malformed
    if sum(size for _, size in found) > MOST_GIVEN:
        raise Malformed
    return found


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
        return float(value)
    raise Malformed


class Incoming:
    """Reads from a socket, with a bound on every wait.

    It takes as much at once as there is, since a check tells of thousands of looks.
    """

    def __init__(self, end: int) -> None:
        self._end, self._come, self._at = end, b"", 0
        self._open = select.poll()
        self._open.register(end, select.POLLIN | select.POLLHUP)
        self.deadline = 0.0

    def __call__(self, most: int) -> bytes:
        if self._at == len(self._come):
            if not self._open.poll(max(0.0, self.deadline - time.monotonic()) * 1000):
                raise Malformed
            self._come, self._at = os.read(self._end, _PART), 0
        part = self._come[self._at : self._at + most]
        self._at += len(part)
        return part

    def has_more(self) -> bool:
        """Whether something has come that was not read yet."""
        return self._at < len(self._come) or bool(self._open.poll(0))


def write_until(end: int, said: bytes, deadline: float) -> None:
    """Write it as fast as the other side reads. Errors: Malformed where the time is over, OSError."""
    waiting = select.poll()
    waiting.register(end, select.POLLOUT)
    left = memoryview(said)
    os.set_blocking(end, False)
    try:
        while left:
            if not waiting.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise Malformed
            with contextlib.suppress(BlockingIOError):
                left = left[os.write(end, left[:_PART]) :]
    finally:
        os.set_blocking(end, True)
