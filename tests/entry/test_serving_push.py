"""The fork that stays with its push judges for the next hook of that push alone, and only where nothing has changed."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from gitops_hooks.core import warm_words as words
from gitops_hooks.core.warm_line import AT_REST, FREE, Judging, read_line
from gitops_hooks.edge import warm_client
from tests.world import ROOT

# Staying, in a program of its own, with a judge that leaves what it is told to.
FORK = """\
import os, signal, socket, subprocess, sys, threading, time
from pathlib import Path
sys.path.append(sys.argv[1])
from gitops_hooks.edge import sandbox
from gitops_hooks.edge.home import Home
from gitops_hooks.entry import parent
from gitops_hooks.entry.serving_place import leave_place
from gitops_hooks.entry.serving_push import Staying

conn, line, (current, ours, verdict, deed, last) = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:9]

class House:
    home = Home(Path("/home"))
    identity, sign, is_all_ours = b"0" * 64, b"5" * 64, ours == "yes"

    def is_current(self):
        return current == "yes"

def judge(name, nonce, writer, protocol):
    if os.environ.get("HOOK") == "first":
        exec(deed)
    os.write(writer, nonce + b" " + verdict.encode() + b"\\n")
    return verdict == "accept"

parent.judge_and_answer = judge
looked = time.monotonic() + (60 if current == "fresh" else -1)
fork = Staying(House(), socket.socket(fileno=conn), socket.socket(fileno=line), leave_place())
fork.judge(looked, lambda: last == "lasts")
"""
IDENTITY, SIGN = b"0" * 64, b"5" * 64
NONCE = b"0123456789abcdef" * 2
PUSH = f"site-0001/pushes/{NONCE.decode()}"
FOLDER = f"/home/state/{PUSH}"


class Push:
    """Both ends of one such fork: `login` is the login's, `line` the warm judge's."""

    def __init__(self, login: socket.socket, line: socket.socket) -> None:
        self.login, self.line = login, line

    def told(self) -> "Judging | bytes | None":
        """What the warm judge hears next; None for the end."""
        said = self.line.recv(200)
        return read_line(said) if said else None

    def ask(self, name: bytes, identity: bytes = IDENTITY, hook: str = "first", folder: str = FOLDER) -> bytes:
        """What it answers to a request; empty where it ends."""
        told = {"PATH": "/usr/bin:/bin", "HOOK": hook, "GITOPS_HOOKS_UNCLEAN": f"{folder}/unclean"}
        environ = [f"{variable}={value}".encode() for variable, value in told.items()]
        fields = [words.VERSION, NONCE, name, identity, b"30.000", b"", *environ]
        request = words.write_request(fields)
        with suppress(BrokenPipeError):
            self.login.sendall(request)
        answer = self.hear()
        if answer:
            assert answer == words.line(NONCE, b"ready", warm_client.digest(request), IDENTITY, SIGN)
        return answer

    def go(self) -> bytes:
        """Say it, and hear the whole verdict with all that comes behind."""
        null = os.open(os.devnull, os.O_RDWR)
        assert warm_client.hand_over(self.login, (null, null, null), [])
        os.close(null)
        return self.hear(lines=2)

    def hear(self, lines: int = 1) -> bytes:
        said = b""
        while said.count(b"\n") < lines and (part := self._part()):
            said += part
        return said

    def _part(self) -> bytes:
        try:
            return self.login.recv(512)
        except ConnectionResetError:
            return b""


@contextmanager
def staying(
    current: str = "yes", ours: str = "yes", verdict: str = "accept", deed: str = "pass", last: str = ""
) -> Iterator[Push]:
    login, conn = socket.socketpair()
    line, told = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with login, conn, line, told:
        for each in (login, line):
            each.settimeout(60)
        argv = [
            sys.executable,
            "-c",
            FORK,
            str(ROOT),
            str(conn.fileno()),
            str(told.fileno()),
            current,
            ours,
            verdict,
            deed,
            last,
        ]
        ends = (conn.fileno(), told.fileno())
        with subprocess.Popen(argv, pass_fds=ends, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as program:
            conn.close()
            told.close()
            push = Push(login, line)
            assert push.told() == AT_REST
            try:
                yield push
            finally:
                login.close()
                line.close()
                try:
                    program.wait(30)
                finally:
                    with suppress(ProcessLookupError):  # what it left behind leads a group that outlives it
                        os.killpg(program.pid, signal.SIGKILL)


ACCEPTED, STAYS = words.line(NONCE, b"accept"), words.line(NONCE, words.STAYS)
FIRST, SECOND = (
    Judging(b"pre_receive", 30.0, NONCE, False, PUSH),
    Judging(b"proc_receive", 30.0, NONCE, True, PUSH),
)


@pytest.mark.parametrize("current", ["yes", "fresh"])
def test_it_judges_for_both_hooks_and_says_so(current: str) -> None:
    with staying(current) as push:
        assert push.ask(b"pre_receive")
        assert push.told() == FIRST
        assert push.go() == ACCEPTED + STAYS
        assert push.told() == AT_REST
        assert push.ask(b"proc_receive", hook="second")
        assert push.told() == SECOND
        assert push.go() == ACCEPTED
        # It may not go on.
        assert push.told() is None


def whole_push(push: Push) -> bytes:
    """What is said behind the verdict on the second hook."""
    assert push.ask(b"pre_receive", hook="second")
    assert push.told() == FIRST
    assert push.go() == ACCEPTED + STAYS
    assert push.told() == AT_REST
    assert push.ask(b"proc_receive")
    assert push.told() == SECOND
    return push.go()


def test_behind_a_whole_push_it_is_free_for_another() -> None:
    with staying(last="lasts") as push:
        assert whole_push(push) == ACCEPTED + STAYS
        assert push.told() == FREE


@pytest.mark.parametrize("deed", ["os.open('/dev/null', os.O_RDONLY)", "os.umask(0)", "sandbox.confine_no_more('x')"])
def test_where_something_is_left_of_its_last_hook_it_is_not(deed: str) -> None:
    with staying(last="lasts", deed=deed) as push:
        assert whole_push(push) == ACCEPTED
        assert push.told() is None


def test_after_a_refusal_there_is_no_other_hook() -> None:
    with staying(verdict="refuse") as push:
        assert push.ask(b"pre_receive")
        assert push.go() == words.line(NONCE, b"refuse")


def test_what_plugins_of_others_leave_cannot_be_told_so_it_ends() -> None:
    with staying(ours="no") as push:
        assert push.ask(b"pre_receive")
        assert push.told() == Judging(b"pre_receive", 30.0, NONCE, True, PUSH)
        assert push.go() == ACCEPTED
        assert push.told() is None


@pytest.mark.parametrize(
    "deed",
    [
        "os.open('/dev/null', os.O_RDONLY)",
        "os.dup2(2, 150)",
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        "subprocess.Popen(['sleep', '60'])",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        "os.umask(0)",
    ],
)
def test_where_something_is_left_it_ends(deed: str) -> None:
    with staying(deed=deed) as push:
        assert push.ask(b"pre_receive")
        assert push.told() == FIRST
        # Its verdict counts all the same.
        assert push.go() == ACCEPTED
        assert push.told() is None


def test_what_holds_itself_in_a_ring_is_let_go_of() -> None:
    deed = "ring = [open('/dev/null')]; ring.append(ring); del ring"
    with staying(deed=deed) as push:
        assert push.ask(b"pre_receive")
        assert push.go() == ACCEPTED + STAYS


WRONG = {
    "second hook": lambda push: push.ask(b"proc_receive"),
    "third hook": lambda push: push.ask(b"post_receive"),
    "login": lambda push: push.ask(b"login"),
    "other server file": lambda push: push.ask(b"pre_receive", identity=b"1" * 64),
    "other home": lambda push: push.ask(b"pre_receive", folder=f"/elsewhere/state/{PUSH}"),
    "garbage": lambda push: push.login.sendall(b"no request at all"),
    "half": lambda push: push.login.sendall(words.write_request([b"1", b"2"])),
    "login ended": lambda push: push.login.shutdown(socket.SHUT_WR),
    "warm judge ended": lambda push: push.line.shutdown(socket.SHUT_WR),
}


@pytest.mark.parametrize("act", WRONG.values(), ids=WRONG)
def test_whatever_else_is_asked_it_ends_and_has_judged_nothing(act) -> None:
    with staying() as push:
        act(push)
        assert push.hear() == b""
        assert push.told() is None


def test_where_the_release_has_changed_it_ends() -> None:
    with staying(current="no") as push:
        assert push.ask(b"pre_receive") == b""
        assert push.told() is None


def test_nobody_is_judged_without_go() -> None:
    with staying() as push:
        assert push.ask(b"pre_receive")
        push.login.sendall(b"no\n")
        assert push.hear() == b""


def test_where_the_warm_judge_ends_between_ready_and_go_the_hook_is_judged() -> None:
    with staying() as push:
        assert push.ask(b"pre_receive")
        push.line.close()
        # And there is none who would hear of the next one.
        assert push.go() == ACCEPTED + STAYS
        assert push.ask(b"proc_receive") == b""
