"""What a confined child does between its fork and its end: a keeper that waits, and the worker that it watches.

The keeper stays outside the worker's PID namespace and session, so the worker can neither see nor signal it. It
ends the worker, and with that PID 1 everything the worker started, as soon as the parent lets go of the life pipe.
"""

import contextlib
import errno
import fcntl
import math
import os
import resource
import select
import signal
import stat
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import astuple
from enum import Enum
from pathlib import Path
from typing import NoReturn, Protocol

from gitops_hooks.edge import sandbox_kernel as kernel
from gitops_hooks.edge import sandbox_landlock as landlock
from gitops_hooks.edge.box_user import BoxUser, become
from gitops_hooks.edge.sandbox_root import View, enter_new_root
from gitops_hooks.model.lazy_dataclass import dataclass

ANSWERED, NOT_SET_UP, ENDED_BADLY = 0, 102, 103
OUTPUT, RAISED, LEFT_BEHIND = b"O", b"R", b"L"
READY, WANTS_MAPS = b"+", b"M"


class Wall(Enum):
    """How a child can be confined, strongest first; the value is what people are told of it."""

    USER_NAMESPACE = "user namespace"
    NAMESPACES = "namespaces"
    LANDLOCK = "Landlock"


_NAMESPACES = kernel.NEW_MOUNTS | kernel.NEW_NAMES | kernel.NEW_IPC | kernel.NEW_PIDS | kernel.NEW_NETWORK


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Budgets of one run: wall seconds, bytes of memory beyond what was inherited and of answer, open files, tasks."""

    seconds: float = 20.0
    memory: int = 1024 * 1024 * 1024
    output: int = 1024 * 1024
    files: int = 1024
    tasks: int = 16


@dataclass(frozen=True, slots=True)
class ChildEnds:
    """The child's ends of the four pipes: set-up report, answer, standard output, and the parent's life."""

    setup: int
    answer: int
    noise: int
    life: int


class Hatch(Protocol):
    """A way for the work to ask something of the parent while it runs; `end` is its own end of a socket."""

    end: int

    def serve(self, asked: int, deadline: float) -> str | None:
        """The parent's part: read what was asked on its end of the socket, and answer.

        Empty, or why the run ends here, or None where nobody will ask again; `deadline` is a moment of the
        monotonic clock.
        """


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one child is to do, what it sees, and behind which wall.

    `view` is `visible` as a root of its own shows it; `mapped` is the memory that it inherits, in bytes; `rules` say
    which system calls are forbidden to it; `user` is who it becomes where it is started by root.

    All that can be found out before the fork is: after it every page that is touched is copied.
    """

    work: Callable[[], bytes]
    readable: tuple[Path, ...]
    visible: tuple[Path, ...]
    view: View
    limits: SandboxLimits
    wall: Wall
    nonce: bytes
    mapped: int
    rules: bytes
    user: BoxUser
    hatch: Hatch | None = None


def be_keeper(assignment: Assignment, given: ChildEnds) -> NoReturn:
    """Run in a fresh fork: confine, start the worker, wait. Its exit code is the only thing it says at the end."""
    os.setsid()
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    ends = ChildEnds(*(fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in astuple(given)))
    try:
        _arrange_descriptors(ends, assignment.readable, _lift(assignment.hatch))
        _build_wall(assignment, ends)
        worker = os.fork()
        if worker == 0:
            _be_worker(assignment, ends)
    except OSError as error:
        _report(ends.setup, _words(error))
        os._exit(NOT_SET_UP)
    asking = [assignment.hatch.end] if assignment.hatch else []
    for end in (ends.setup, ends.answer, ends.noise, 1, *asking):
        os.close(end)
    os._exit(_watch(worker, ends.life))


def _watch(worker: int, life: int) -> int:
    """Wait for the worker's end or the parent's word; the worker is gone when this returns."""
    waiting = select.poll()
    waiting.register(life, select.POLLHUP)
    waiting.register(os.pidfd_open(worker), select.POLLIN)
    waiting.poll()
    with contextlib.suppress(ProcessLookupError):
        # For a worker that has ended but is not reaped this does nothing.
        os.kill(worker, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
    return -code if code < 0 else (ANSWERED if code == 0 else ENDED_BADLY)


def _lift(hatch: Hatch | None) -> tuple[int, ...]:
    """The hatch's end, out of the way of 0, 1 and 2."""
    if hatch is None:
        return ()
    hatch.end = fcntl.fcntl(hatch.end, fcntl.F_DUPFD, 10)
    return (hatch.end,)


def _arrange_descriptors(ends: ChildEnds, readable: Collection[Path], lifted: Collection[int]) -> None:
    """Nothing, the noise pipe and nothing on 0, 1, 2; then the pipes, and what an open repository reads packs by."""
    nothing = os.open("/dev/null", os.O_RDWR)
    present = [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208  # numbers, not paths
    pipes = {ends.setup, ends.answer, ends.noise, ends.life, nothing, *lifted}
    allowed = tuple(f"{path.resolve()}/" for path in readable)
    for descriptor in present:
        if descriptor > 2 and descriptor not in pipes and not _is_open_for_reading(descriptor, allowed):
            with contextlib.suppress(OSError):
                os.close(descriptor)
    for target, source in ((0, nothing), (1, ends.noise), (2, nothing)):
        os.dup2(source, target)
    os.close(nothing)


def _is_open_for_reading(descriptor: int, allowed: tuple[str, ...]) -> bool:
    """Whether it is a plain file that the child could open itself, as it is: read-only, below a readable path."""
    try:
        if not os.readlink(f"/proc/self/fd/{descriptor}").startswith(allowed):  # noqa: PTH115  # dozens, in a fork
            return False
        writable = fcntl.fcntl(descriptor, fcntl.F_GETFL) & (os.O_WRONLY | os.O_RDWR)
        return stat.S_ISREG(os.fstat(descriptor).st_mode) and not writable
    except OSError:
        return False


def _build_wall(assignment: Assignment, ends: ChildEnds) -> None:
    if assignment.wall is Wall.LANDLOCK:
        return
    if assignment.wall is Wall.USER_NAMESPACE:
        _enter_user_namespace(ends)
    else:
        kernel.unshare(_NAMESPACES)
    enter_new_root(assignment.view)


def _enter_user_namespace(ends: ChildEnds) -> None:
    """Alone: our own user only. As root: everybody, which only the parent, who stays outside, may write."""
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(kernel.NEW_USERS | _NAMESPACES)
    if user != 0:
        # The kernel lets nobody else drop groups, since a group may also take rights away.
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        write_maps(Path("/proc/self"), f"{user} {user} 1\n", f"{group} {group} 1\n")
        return
    os.write(ends.setup, WANTS_MAPS)
    if os.read(ends.life, 1) != READY:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), "uid_map")


def write_maps(folder: Path, users: str, groups: str) -> None:
    """Who is who in the user namespace of the program with this /proc folder. Errors: OSError."""
    (folder / "uid_map").write_text(users, encoding="ascii")
    (folder / "gid_map").write_text(groups, encoding="ascii")


def _be_worker(assignment: Assignment, ends: ChildEnds) -> NoReturn:
    """Give up everything, then work: nothing of the set-up is left open when the first byte of a pusher is read."""
    try:
        os.setsid()  # else kill(0, …) would reach the keeper
        os.close(ends.life)
        os.close(ends.noise)
        _give_up_rights(assignment)
        kernel.die_with_parent(signal.SIGKILL)
        _limit(assignment)
        os.environ.clear()
        sys.dont_write_bytecode = True
        kernel.filter_calls(assignment.rules)
        _report(ends.setup, READY)
        os.close(ends.setup)
    except OSError as error:
        _report(ends.setup, _words(error))
        os._exit(NOT_SET_UP)
    _answer(assignment, ends.answer)
    os._exit(0)


def _give_up_rights(assignment: Assignment) -> None:
    """No new privileges, no capability; root becomes a user of this box, who may still read what belongs to others.

    Outside a user namespace CAP_DAC_READ_SEARCH would also open any file of a disk by its handle; the
    mounts are read-only there (and Landlock writes nothing), so that overriding gives no more than reading.
    """
    kernel.forbid_new_privileges()
    if assignment.wall is Wall.LANDLOCK:
        landlock.restrict_self(assignment.visible)
    with contextlib.suppress(OSError):
        kernel.empty_bounding_set()
    kept: frozenset[int] = frozenset()
    if os.geteuid() == 0 and become(assignment.user):
        inside = assignment.wall is Wall.USER_NAMESPACE
        kept = frozenset({kernel.CAP_DAC_READ_SEARCH if inside else kernel.CAP_DAC_OVERRIDE})
    try:
        kernel.set_capabilities(kept)
    except OSError:
        kernel.set_capabilities(frozenset())


def _limit(assignment: Assignment) -> None:
    limits = assignment.limits
    # Without a PID namespace nothing could end what was started, so nothing may be.
    tasks = 0 if assignment.wall is Wall.LANDLOCK else limits.tasks
    seconds = math.ceil(limits.seconds) + 1
    for name, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_NPROC, tasks),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, assignment.mapped + limits.memory),
    ):
        hard = resource.getrlimit(name)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(name, (least, least))


def _answer(assignment: Assignment, pipe: int) -> None:
    """Work, and say how it went: kind, length and bytes behind the parent's nonce."""
    try:
        kind, said = OUTPUT, bytes(assignment.work())
    except BaseException as error:  # noqa: BLE001  # a plugin is run here, and SystemExit is an answer too
        kind, said = RAISED, type(error).__name__.encode("utf-8", "replace")
    if _left_behind():
        kind, said = LEFT_BEHIND, b""
    with contextlib.suppress(OSError):
        _report(pipe, assignment.nonce + kind + b"%016d" % len(said) + said)


def _left_behind() -> bool:
    """Whether something that the work started still runs; what has ended is no matter."""
    with contextlib.suppress(OSError):
        while True:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return True
    return False


def _report(pipe: int, said: bytes) -> None:
    view: Sequence[int] | memoryview = memoryview(said)
    while view:
        view = view[os.write(pipe, bytes(view[:65536])) :]


def _words(error: OSError) -> bytes:
    name = error.filename if isinstance(error.filename, str) else ""
    return f"{Path(name).name or 'set-up'}: {error.strerror or 'failed'}".encode("utf-8", "replace")[:200]
