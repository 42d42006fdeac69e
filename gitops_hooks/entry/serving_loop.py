"""The warm judge at work: who knocks, which fork judges for whom, and who is ended.

It reads nothing of a push but the request, judges nothing itself, and keeps nothing from one push to the next.
"""

import os
import select
import signal
import time
from contextlib import suppress
from functools import partial
from socket import MSG_DONTWAIT, socket

from gitops_hooks.core import warm_words as words
from gitops_hooks.core.warm_request import Request, parse_request
from gitops_hooks.edge import warm_client as warm
from gitops_hooks.edge.code_sign import FRESH_SECONDS
from gitops_hooks.edge.warm_peer import Standing, standing_behind
from gitops_hooks.entry.preparing import prepare
from gitops_hooks.entry.serving_guest import KNOCKING, Guest, repository_of
from gitops_hooks.entry.serving_house import Errand, House
from gitops_hooks.entry.serving_spare import Fork, WaitingForks, fork_for

_MOST = 128  # guests at once; whoever is one too many judges by itself
_MOST_STAYING = 64  # guests with whom forks stay for a whole push
_TICK = 5.0
_PART = 65536
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class Court:
    """Everybody who is here; `serve` returns when the last one has left."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._guests: list[Guest] = []
        self._waiting = WaitingForks(house)
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
            if guest.line:
                waiting.register(guest.line, select.POLLIN)
        return dict(waiting.poll((1.0 if self._guests else _TICK) * 1000))

    def _let_in(self) -> None:
        with suppress(OSError):
            while True:
                conn = self._house.door.accept()[0]
                if len(self._guests) < _MOST:
                    self._guests.append(Guest(conn, time.monotonic() + KNOCKING))
                else:
                    conn.close()

    def _attend(self, guest: Guest, ready: dict[int, int]) -> None:
        if guest.line and guest.line.fileno() in ready:
            # Before the end of a fork is seen: that is told with the nonce of the hook for which it began last.
            self._hear_of_fork(guest)
            if guest.is_free and (fork := guest.give_back()):
                self._keep(guest, fork)
                return
        happened = ready.get(guest.conn.fileno(), 0)
        # What has been said counts, however late a busy machine lets it be read: the push may be handed over already.
        is_late = time.monotonic() > guest.deadline and not happened & select.POLLIN
        is_over = bool(happened & _GONE) or is_late
        if guest.judge:
            if guest.watch in ready:
                self._see_out(guest)
            elif is_over:
                guest.cut_off()
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
        self._waiting.thin_out()
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
        self._is_open = False  # and no other fork will wait
        # Whoever was told `ready` may have said `go` already, and is judged.
        for guest in [guest for guest in self._guests if guest.standing is None]:
            self._dismiss(guest)
        for guest in self._guests:
            self._hear_of_fork(guest)
            guest.close_line()

    def _answer(self, guest: Guest, is_current: bool) -> bool:
        """False where this judge is no longer what the hook would be."""
        request, peer = guest.request, standing_behind(guest.conn)
        if request is not None and peer is not None and request.name == words.STATUS:
            judging = sum(1 for each in self._guests if each.is_judged)
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
            guest.say(b"ready", digest, self._house.identity, self._house.sign)
            guest.heard.clear()
            return True
        self._dismiss(guest)
        return True

    def _begin(self, guest: Guest, request: Request, peer: Standing) -> None:
        may_stay, is_calm = len(self._guests) <= _MOST_STAYING, not any(each.judge for each in self._guests)
        errand = Errand(request, peer, self._looked, may_stay, is_calm)
        fork = self._send(guest.conn, errand) or fork_for(self._house, guest.conn, errand)
        if fork is None:
            self._dismiss(guest)
            return
        self._judged += request.name in words.HOOKS
        guest.begin(request, fork)
        if request.name == words.HOOKS[0]:
            # While it judges the next one prepares itself for proc-receive, on another core.
            self._have_one_wait(guest.next_in)

    def _send(self, conn: socket, errand: Errand) -> Fork | None:
        """One that waits, where one does."""
        repository = repository_of(errand.request) if errand.request.name == words.LOGIN else ""
        return self._waiting.send(conn, errand, (repository, errand.standing.limits) if repository else None)

    def _keep(self, guest: Guest, fork: Fork) -> None:
        """The push is over, and nothing of it is left in its fork."""
        if guest.standing:
            self._waiting.keep(fork, (guest.next_in, guest.standing.limits))
        self._dismiss(guest)
        self._have_one_wait(guest.next_in)

    def _hear_of_fork(self, guest: Guest) -> None:
        for hook in guest.hear_of_fork():
            self._judged += 1
            if hook.name == words.HOOKS[0] and hook.is_last:
                self._have_one_wait(guest.next_in)

    def _see_out(self, guest: Guest) -> None:
        """Its judge has ended, and the hook is told."""
        guest.see_out()
        guest.mark_cut_off(self._house.home.path / "state")
        guest.say(b"ended")
        self._dismiss(guest)
        # After a push comes another login, and after a login that no fork stayed with comes pre-receive.
        self._have_one_wait(guest.next_in)

    def _have_one_wait(self, repository: str) -> None:
        """A fork for whoever is next, where nobody else is judged: a busy machine has better to do."""
        if repository and self._is_open and sum(1 for each in self._guests if each.judge) <= 1:
            self._waiting.refill(partial(prepare, self._house.home, repository))

    def _dismiss(self, guest: Guest) -> None:
        guest.leave()
        self._guests.remove(guest)
