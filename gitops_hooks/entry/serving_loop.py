"""The warm judge at work: who knocks, which fork judges for whom, and who is ended.

It reads nothing of a push but the request, judges nothing itself, and keeps nothing from one push to the next.
"""

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field
from functools import partial
from pathlib import Path
from socket import MSG_DONTWAIT, socket

from gitops_hooks.core import warm_words as words
from gitops_hooks.core.ssh_command import GitCommand, GitProgram, parse_ssh_command
from gitops_hooks.core.warm_request import Request, parse_request
from gitops_hooks.edge import warm_client as warm
from gitops_hooks.edge.code_sign import FRESH_SECONDS
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.pushes import mark_cut_off
from gitops_hooks.edge.warm_code import Loaded
from gitops_hooks.edge.warm_peer import Standing, standing_behind
from gitops_hooks.entry.preparing import prepare
from gitops_hooks.entry.serving_fork import be_the_judge
from gitops_hooks.entry.serving_spare import WaitingFork
from gitops_hooks.model.lazy_dataclass import dataclass

_MOST = 128  # guests at once; whoever is one too many judges by itself
_KNOCKING = 10.0  # seconds for the request and the word `go`
_EXTRA = 5.0  # the hook ends its judge in time; this is for a hook that does not
_TICK = 5.0
_PART = 65536
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


@dataclass(frozen=True, slots=True)
class House:
    """What the warm judge is. `is_open` says whether hooks still come to this door, `close` takes it away."""

    door: socket
    identity: bytes
    loaded: Loaded
    own: Standing
    home: Home
    idle_seconds: float
    is_open: Callable[[], bool]
    close: Callable[[], None]


@dataclass(slots=True)
class Guest:
    """One hook that came, from its knock to the end of its judge; an open resource."""

    conn: socket
    deadline: float
    heard: bytearray = field(default_factory=bytearray)
    request: Request | None = None
    standing: Standing | None = None
    judge: int = 0
    watch: int = -1
    unclean: bytes = b""
    next_in: str = ""  # the repository in which another fork is wanted once this one has ended
    is_cut_off: bool = False

    @property
    def asker(self) -> int:
        """The process that asks: a login asks for the hooks of its push too."""
        return warm.peer(self.conn)[0]

    @property
    def is_waiting(self) -> bool:
        """Whether it has asked and has no answer yet."""
        return self.request is not None and self.standing is None

    def say(self, *said: bytes) -> None:
        with suppress(OSError):
            self.conn.send(words.line(self.request.nonce if self.request else b"", *said), MSG_DONTWAIT)

    def leave(self) -> None:
        self.conn.close()
        if self.watch >= 0:
            os.close(self.watch)


class Court:
    """Everybody who is here; `serve` returns when the last one has left."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._sign = house.loaded.sign.encode()
        self._guests: list[Guest] = []
        self._waiting = WaitingFork()
        self._began = time.time()
        self._last = self._looked = time.monotonic()
        self._looked_for = -1
        self._judged = 0
        self._asked_to_end = False
        self._is_open = True
        # Without it a signal would wait for the end of the next look at the door.
        self._woken, waking = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ring)

    def serve(self) -> None:
        """Until it is asked to end, was idle, or is no longer what stands there; who is judged is waited for."""
        while self._is_open or self._guests:
            ready = self._wait()
            for guest in list(self._guests):
                self._attend(guest, ready)
            if self._is_open:
                if self._house.door.fileno() in ready:
                    self._let_in()
                self._look_around()

    def _ring(self, number: int, frame: object) -> None:
        self._asked_to_end = True

    def _wait(self) -> dict[int, int]:
        """What has happened to which descriptor, within a moment."""
        waiting = select.poll()
        if self._is_open:
            waiting.register(self._house.door, select.POLLIN)
            waiting.register(self._woken, select.POLLIN)
        for guest in self._guests:
            if not guest.is_cut_off:  # its hook has gone, which would be told again and again
                waiting.register(guest.conn, select.POLLRDHUP | (0 if guest.judge else select.POLLIN))
            if guest.judge:
                waiting.register(guest.watch, select.POLLIN)
        return dict(waiting.poll((1.0 if self._guests else _TICK) * 1000))

    def _let_in(self) -> None:
        with suppress(OSError):
            while True:
                conn = self._house.door.accept()[0]
                if len(self._guests) < _MOST:
                    self._guests.append(Guest(conn, time.monotonic() + _KNOCKING))
                else:
                    conn.close()

    def _attend(self, guest: Guest, ready: dict[int, int]) -> None:
        happened = ready.get(guest.conn.fileno(), 0)
        # What has been said counts, however late a busy machine lets it be read: the push may be handed over already.
        is_late = time.monotonic() > guest.deadline and not happened & select.POLLIN
        is_over = bool(happened & _GONE) or is_late
        if guest.judge:
            if guest.watch in ready:
                self._see_out(guest)
            elif is_over:
                guest.is_cut_off = True
                _kill(guest)
        elif is_over:
            self._dismiss(guest)
        elif happened:
            self._listen(guest)

    def _listen(self, guest: Guest) -> None:
        """The rest of a request, or the word `go`, which the fork reads: the descriptors are with it."""
        if guest.standing and guest.request:
            self._begin(guest, guest.request, guest.standing)
            return
        try:
            while need := words.missing(guest.heard):
                if not (part := guest.conn.recv(min(need, _PART), MSG_DONTWAIT)):
                    raise ConnectionError
                guest.heard += part
            guest.request = parse_request(bytes(guest.heard))
        except BlockingIOError:
            return
        except (OSError, ValueError):
            guest.request = None
        if guest.request is None:
            self._dismiss(guest)

    def _look_around(self) -> None:
        """Answer who has asked; end where this is no longer what hooks should find."""
        asked = [guest for guest in self._guests if guest.is_waiting]
        # After the last request was read, so that whatever changed before it was sent is seen. Nobody is there: now
        # and then, since a look costs as much as what a hook asks.
        is_due = not self._guests and time.monotonic() - self._looked > _TICK
        is_current = not (asked or is_due) or self._house.is_open()
        if is_current and (is_due or not all(map(self._was_looked_for, asked))):
            is_current = self._house.loaded.is_current()
            self._looked = time.monotonic()
            self._looked_for = asked[0].asker if len(asked) == 1 else -1
        for guest in asked:
            is_current = self._answer(guest, is_current) and is_current
        if self._guests:
            self._last = time.monotonic()
        is_idle = time.monotonic() - self._last > self._house.idle_seconds
        if self._asked_to_end or is_idle or not is_current:
            self._close()

    def _was_looked_for(self, guest: Guest) -> bool:
        """Whether it is the login for which the last look was, a moment ago: its push began with what was seen then."""
        return guest.asker == self._looked_for and time.monotonic() - self._looked < FRESH_SECONDS

    def _close(self) -> None:
        self._house.close()
        self._waiting.close()
        self._is_open = False
        # Whoever was told `ready` may have said `go` already, and is judged.
        for guest in [guest for guest in self._guests if guest.standing is None]:
            self._dismiss(guest)

    def _answer(self, guest: Guest, is_current: bool) -> bool:
        """False where this judge is no longer what the hook would be."""
        request, peer = guest.request, standing_behind(guest.conn)
        if request is not None and peer is not None and request.name == words.STATUS:
            judging = sum(1 for each in self._guests if each.judge)
            facts = (os.getpid(), int(self._began), self._judged, judging)
            guest.say(words.STATUS, *(b"%d" % fact for fact in facts), self._house.identity)
        elif request is None or peer is None or peer.rights != self._house.own.rights:
            guest.say(b"other")
        elif not is_current or request.identity != self._house.identity:
            guest.say(b"stale")
            self._dismiss(guest)
            return False
        else:
            guest.standing = peer
            digest = warm.digest(bytes(guest.heard))
            guest.say(b"ready", digest, self._house.identity, self._sign)
            guest.heard.clear()
            return True
        self._dismiss(guest)
        return True

    def _begin(self, guest: Guest, request: Request, peer: Standing) -> None:
        judge = self._waiting.hand_over(guest.conn, request, peer) or _fork(guest.conn, request, peer)
        if judge < 0:
            self._dismiss(guest)
            return
        self._judged += request.name in words.HOOKS
        guest.judge, guest.watch = judge, os.pidfd_open(judge)
        guest.deadline = time.monotonic() + request.seconds + _EXTRA
        told = dict(request.environ)
        guest.unclean = told.get(b"GITOPS_HOOKS_UNCLEAN", b"")
        guest.next_in = _repository_of(request, told)
        guest.request = Request(request.nonce, request.name, b"", 0.0, (), ())  # a push's environment is not kept
        if request.name == words.HOOKS[0]:
            # While it judges the next one prepares itself for proc-receive, on another core.
            self._have_one_wait(guest.next_in)

    def _see_out(self, guest: Guest) -> None:
        """Its judge has ended: what it left running in its group ends with it, and the hook is told."""
        _kill(guest)
        os.waitpid(guest.judge, 0)
        mark = Path(os.fsdecode(guest.unclean))
        if guest.is_cut_off and mark.is_relative_to(self._house.home.path / "state"):
            # Its hook has gone, and could not.
            mark_cut_off(mark)
        guest.say(b"ended")
        self._dismiss(guest)
        # Where a push's login has ended git begins, and pre-receive comes soon; after a push comes another login.
        self._have_one_wait(guest.next_in)

    def _have_one_wait(self, repository: str) -> None:
        """A fork for whoever is next, where nobody else is judged: a busy machine has better to do."""
        if repository and self._is_open and sum(1 for each in self._guests if each.judge) <= 1:
            self._waiting.refill(partial(prepare, self._house.home, repository))

    def _dismiss(self, guest: Guest) -> None:
        guest.leave()
        self._guests.remove(guest)


def _repository_of(request: Request, told: dict[bytes, bytes]) -> str:
    """Empty where no hook comes behind this one, and for a fetch."""
    if request.name != words.LOGIN:
        return os.fsdecode(told.get(b"GITOPS_HOOKS_REPOSITORY", b""))
    asked = parse_ssh_command(told.get(b"SSH_ORIGINAL_COMMAND", b""))
    if isinstance(asked, GitCommand) and asked.program is GitProgram.RECEIVE_PACK:
        return asked.repository
    return ""


def _fork(conn: socket, request: Request, peer: Standing) -> int:
    """The number of a new fork that judges; below 0 where the machine has no room for one."""
    warm = os.getpid()
    try:
        judge = os.fork()
    except OSError:
        return -1
    if judge == 0:
        be_the_judge(conn, request, peer, warm)
    with suppress(OSError):
        os.setpgid(judge, judge)
    return judge


def _kill(guest: Guest) -> None:
    """Not reaped yet, so the number, which names the group, is still its own."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(guest.judge, signal.SIGKILL)
