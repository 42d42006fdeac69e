"""Work on pusher bytes in a child that has nothing, and that ends in time whatever it does.

The child is a fork of this program and therefore starts in milliseconds; call from a program with one thread,
and hold no secret in its memory. The nonce catches accidents (an early exit, garbage, half an answer); code that
has taken over the child can still lie, so its answer is parsed as a stranger's.
"""

import contextlib
import os
import resource
import secrets
import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gitops_hooks.edge.box_user import choose_box_user, mapped_numbers
from gitops_hooks.edge.forbidden_calls import rules
from gitops_hooks.edge.sandbox_child import (
    ANSWERED,
    ENDED_BADLY,
    LEFT_BEHIND,
    NOT_SET_UP,
    OUTPUT,
    RAISED,
    READY,
    WANTS_MAPS,
    Assignment,
    ChildEnds,
    Hatch,
    SandboxLimits,
    Wall,
    be_keeper,
    write_maps,
)
from gitops_hooks.edge.sandbox_cure import cure
from gitops_hooks.edge.sandbox_root import view_of, visible_paths
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass

__all__ = ["Confined", "SandboxLimits", "Wall", "confine_no_more", "is_confining", "probe", "run_confined"]

_GRACE = 5.0
_STEP = 200  # milliseconds between two words to whoever waits
_SETUP = 10.0  # seconds until the walls stand, which are no time of the work
_LENGTH = 16
_no_more: list[str] = []


@dataclass(frozen=True, slots=True)
class Confined:
    """How one confined run ended: the bytes that the work answered, or in words why there are none."""

    output: bytes = b""
    failure: str = ""


def run_confined(
    work: Callable[[], bytes],
    *,
    readable: Sequence[Path],
    limits: SandboxLimits = SandboxLimits(),
    walls: Sequence[Wall] = tuple(Wall),
    hatch: Hatch | None = None,
    waiting: Callable[[], None] = lambda: None,
) -> Confined:
    """Run `work` behind the first wall that can be had; without one it does not run.

    It sees `readable` and what Python needs, read-only, and files below `readable` that are already open; what it
    asks through the hatch is served here, within the same time. `waiting` is called several times a second.
    """
    if _no_more:
        return Confined(failure=f"nothing is confined here: {_no_more[0]}")
    reasons = []
    visible, mapped, user = visible_paths(readable), _mapped_memory(), choose_box_user()
    view = view_of(visible)
    try:
        forbidden = rules()
    except EdgeError as error:
        return Confined(failure=str(error))
    for wall in walls:
        nonce = secrets.token_hex(16).encode()
        assignment = Assignment(
            work, tuple(readable), visible, view, limits, wall, nonce, mapped, forbidden, user, hatch
        )
        confined, reason = _attempt(assignment, waiting)
        if confined is not None:
            return confined
        reasons.append(f"{wall.value}: {reason}")
    return Confined(failure=f"no sandbox here ({'; '.join(reasons)}). {cure()}")


def confine_no_more(reason: str) -> None:
    """For a program that takes a secret into its memory, which every child of it would inherit."""
    _no_more.append(reason)


def is_confining() -> bool:
    """Whether this program may still have something confined."""
    return not _no_more


def probe(walls: Sequence[Wall] = tuple(Wall)) -> str:
    """Empty where checks can be confined, else the reason with the line that cures it."""
    confined = run_confined(lambda: b"ok", readable=(), limits=SandboxLimits(seconds=10.0), walls=walls)
    if confined.output == b"ok":
        return ""
    return confined.failure or "the sandbox gives no answer"


def _attempt(assignment: Assignment, waiting: Callable[[], None]) -> tuple[Confined | None, str]:
    """One run behind one wall; no Confined, and the reason, where that wall cannot be built."""
    setup, setup_end = os.pipe()
    answer, answer_end = os.pipe()
    noise, noise_end = os.pipe()
    life_end, life = os.pipe()
    asked = _open_hatch(assignment.hatch)
    keeper = os.fork()
    if keeper == 0:
        # The parent's own ends go with every other descriptor.
        be_keeper(assignment, ChildEnds(setup_end, answer_end, noise_end, life_end))
    for end in (setup_end, answer_end, noise_end, life_end, *_child_end(assignment.hatch)):
        os.close(end)
    patience = time.monotonic() + _SETUP
    try:
        ready = _read_setup(setup, patience)
        if ready == WANTS_MAPS:
            with contextlib.suppress(BrokenPipeError):
                os.write(life, READY if _map_everybody(keeper) else b"-")
            ready = _read_setup(setup, patience)
        deadline = time.monotonic() + assignment.limits.seconds
        pipes = answer, noise, asked
        said, trouble = _listen(pipes, assignment, deadline, waiting) if ready == READY else (b"", "")
    finally:
        for end in (life, setup, answer, noise, *([asked] if asked >= 0 else [])):
            os.close(end)
        code = _reap(keeper)
    if ready == READY:
        return _conclude(said, trouble, code, assignment), ""
    if code == NOT_SET_UP and ready:
        return None, ready.decode("utf-8", "replace")
    return None, f"set-up ended with {code}" if time.monotonic() < patience else "set-up took too long"


def _open_hatch(hatch: Hatch | None) -> int:
    """The parent's end of a new socket, -1 without a hatch; the other end is where the work finds it."""
    if hatch is None:
        return -1
    ours, theirs = socket.socketpair()
    hatch.end = theirs.detach()
    return ours.detach()


def _child_end(hatch: Hatch | None) -> list[int]:
    return [hatch.end] if hatch else []


def _serve(hatch: Hatch | None, asked: int, deadline: float, waiting: "select.poll") -> str:
    said = hatch.serve(asked, deadline) if hatch else None
    if said is None:
        waiting.unregister(asked)
    return said or ""


def _hear_rest(hatch: Hatch | None, asked: int, deadline: float) -> str:
    """What the work had said through the hatch before it ended, and nobody has heard yet."""
    waiting = select.poll()
    if hatch is None:
        return ""
    waiting.register(asked, select.POLLIN)
    return (hatch.serve(asked, deadline) or "") if waiting.poll(0) else ""


def _read_setup(setup: int, deadline: float) -> bytes:
    """The next word of the set-up: it is written whole; empty at the end or after the deadline."""
    waiting = select.poll()
    waiting.register(setup, select.POLLIN | select.POLLHUP)
    return os.read(setup, 1024) if waiting.poll(_milliseconds(deadline)) else b""


def _map_everybody(keeper: int) -> bool:
    """Everybody who exists here exists in the keeper's user namespace, under the same number."""
    try:
        write_maps(Path(f"/proc/{keeper}"), _same_map("uid_map"), _same_map("gid_map"))
    except OSError:
        return False
    return True


def _same_map(name: str) -> str:
    return "".join(f"{first} {first} {count}\n" for first, count in mapped_numbers(name))


def _mapped_memory() -> int:
    """Bytes that this program has mapped already: the kernel's limit counts them, the budget does not."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        pages = 0
    return pages * resource.getpagesize()


def _listen(
    pipes: tuple[int, int, int], assignment: Assignment, deadline: float, tick: Callable[[], None]
) -> tuple[bytes, str]:
    """The bytes of the answer, and what was wrong before its end; never more than the limit is held."""
    answer, noise, asked = pipes
    most = len(assignment.nonce) + 1 + _LENGTH + assignment.limits.output
    said = bytearray()
    waiting = select.poll()
    for pipe in filter(lambda number: number >= 0, pipes):
        waiting.register(pipe, select.POLLIN | select.POLLHUP)
    while True:
        ready = _wait(waiting, deadline, tick)
        if not ready:
            return bytes(said), f"took longer than {assignment.limits.seconds:g} s"
        if noise in ready:
            if os.read(noise, 1):
                return bytes(said), "wrote to standard output"
            waiting.unregister(noise)
        if asked in ready and (trouble := _serve(assignment.hatch, asked, deadline, waiting)):
            return bytes(said), trouble
        if answer in ready:
            part = os.read(answer, 65536)
            if not part:
                return bytes(said), _hear_rest(assignment.hatch, asked, deadline)
            said += part
        if len(said) > most:
            return bytes(said), f"said more than {assignment.limits.output} bytes"


def _wait(waiting: "select.poll", deadline: float, tick: Callable[[], None]) -> dict[int, int]:
    """What has happened; nothing where the time is over."""
    while not (ready := dict(waiting.poll(min(_milliseconds(deadline), _STEP)))) and time.monotonic() < deadline:
        tick()
    tick()
    return ready


def _milliseconds(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic()) * 1000


def _conclude(said: bytes, trouble: str, code: int, assignment: Assignment) -> Confined:
    if trouble:
        return Confined(failure=trouble)
    if code not in (ANSWERED, ENDED_BADLY):
        return Confined(failure=f"killed by signal {code} ({_signal_name(code)})")
    nonce = assignment.nonce
    head, body = said[: len(nonce) + 1 + _LENGTH], said[len(nonce) + 1 + _LENGTH :]
    kind = head[len(nonce) : len(nonce) + 1]
    whole = head.startswith(nonce) and head[len(nonce) + 1 :] == b"%016d" % len(body)
    if not whole or code != ANSWERED:
        return Confined(failure="ended without an answer")
    return _SPOKEN.get(kind, _unknown)(body)


def _unknown(_: bytes) -> Confined:
    return Confined(failure="ended without an answer")


def _raised(name: bytes) -> Confined:
    text = name.decode("utf-8", "replace")
    return Confined(failure=f"raised {text[:80] if text.isidentifier() else 'an exception'}")


_SPOKEN: dict[bytes, Callable[[bytes], Confined]] = {
    OUTPUT: lambda body: Confined(output=body),
    RAISED: _raised,
    LEFT_BEHIND: lambda _: Confined(failure="left a program running"),
}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


def _reap(keeper: int) -> int:
    """The keeper's exit code, waited for in bounded time; the signal's number where it was killed itself."""
    watched = os.pidfd_open(keeper)
    try:
        if not select.select([watched], [], [], _GRACE)[0]:
            # Only a worker that sleeps inside the kernel brings us here; it dies as soon as it wakes.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(keeper, signal.SIGKILL)
        return abs(os.waitstatus_to_exitcode(os.waitpid(keeper, 0)[1]))
    except ChildProcessError:
        return ENDED_BADLY
    finally:
        os.close(watched)
