"""A fork that is free goes to another login of its kind, who was at work last goes first, and few wait for long."""

import os
import pickle
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from socket import AF_UNIX, SOCK_SEQPACKET, recv_fds, socket, socketpair

import pytest

from gitops_hooks.core.warm_request import Request
from gitops_hooks.edge.warm_peer import standing
from gitops_hooks.entry import serving_spare
from gitops_hooks.entry.serving_house import Errand, wait_for_errand
from gitops_hooks.entry.serving_spare import Fork, WaitingForks

ERRAND = Errand(Request(b"0" * 32, b"login", b"1" * 64, 30.0, (), ()), standing(os.getpid()), 0.0, True, True)
SITE, OTHER = ("site", ERRAND.standing.limits), ("other", ERRAND.standing.limits)


class Ends:
    """Forks that do nothing, by our end and theirs."""

    def __init__(self) -> None:
        self._theirs: dict[int, socket] = {}
        self._programs: list[subprocess.Popen[bytes]] = []

    def fork(self) -> Fork:
        ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        program = subprocess.Popen(["sleep", "600"], start_new_session=True)
        self._programs.append(program)
        self._theirs[program.pid] = theirs
        theirs.settimeout(30)
        return Fork(program.pid, ours)

    def heard(self, fork: Fork) -> Errand | None:
        found = wait_for_errand(self._theirs[fork.pid])
        if found:
            found[1].close()
        return found[0] if found else None

    def end(self, fork: Fork) -> None:
        self._theirs.pop(fork.pid).close()

    def close(self) -> None:
        for program in self._programs:
            program.kill()
            program.wait()
        for each in self._theirs.values():
            each.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends()
    try:
        yield ends
    finally:
        ends.close()


@pytest.fixture
def forks() -> Iterator[WaitingForks]:
    forks = WaitingForks(None)  # type: ignore[arg-type]  # nobody is made
    try:
        yield forks
    finally:
        forks.close()


@pytest.fixture
def conn() -> Iterator[socket]:
    ours, theirs = socketpair()
    with ours, theirs:
        yield ours


def has_ended(fork: Fork) -> bool:
    return not (Path("/proc") / str(fork.pid)).exists()


def test_who_was_at_work_last_goes_first_and_is_told_of_its_errand(
    ends: Ends, forks: WaitingForks, conn: socket
) -> None:
    first, second = ends.fork(), ends.fork()
    forks.keep(first, SITE)
    forks.keep(second, SITE)
    assert forks.send(conn, ERRAND, SITE) is second
    assert ends.heard(second) == ERRAND
    assert forks.send(conn, ERRAND, SITE) is first
    assert forks.send(conn, ERRAND, SITE) is None
    second.drop()
    first.drop()


@pytest.mark.parametrize("kind", [OTHER, ("site", SITE[1][1:])], ids=["other repository", "other limits"])
def test_none_of_another_kind_goes(ends: Ends, forks: WaitingForks, conn: socket, kind: serving_spare.Kind) -> None:
    forks.keep(ends.fork(), SITE)
    assert forks.send(conn, ERRAND, kind) is None


def test_one_that_has_ended_is_passed_over(ends: Ends, forks: WaitingForks, conn: socket) -> None:
    first, second = ends.fork(), ends.fork()
    forks.keep(first, SITE)
    forks.keep(second, SITE)
    ends.end(second)
    assert forks.send(conn, ERRAND, SITE) is first
    assert has_ended(second)
    first.drop()


def test_an_errand_that_is_too_long_for_one_message_is_for_a_fork_that_inherits_it(
    ends: Ends, forks: WaitingForks, conn: socket
) -> None:
    fork = ends.fork()
    forks.keep(fork, SITE)
    request = replace(ERRAND.request, environ=((b"A", b"x" * 70_000),))
    assert forks.send(conn, replace(ERRAND, request=request), SITE) is None
    assert forks.send(conn, ERRAND, SITE) is fork
    fork.drop()


def test_after_a_while_one_of_each_kind_is_left(
    ends: Ends, forks: WaitingForks, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new, other = ends.fork(), ends.fork(), ends.fork()
    forks.keep(old, SITE)
    forks.keep(other, OTHER)
    forks.keep(new, SITE)
    forks.thin_out()
    assert not has_ended(old)
    monkeypatch.setattr(serving_spare, "RESTING", -1.0)
    forks.thin_out()
    assert [has_ended(each) for each in (old, new, other)] == [True, False, False]


def test_and_of_few_kinds(ends: Ends, forks: WaitingForks, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [ends.fork() for _ in range(6)]
    for number, fork in enumerate(kept):
        forks.keep(fork, (f"site{number}", SITE[1]))
    monkeypatch.setattr(serving_spare, "RESTING", -1.0)
    forks.thin_out()
    assert [has_ended(fork) for fork in kept] == [True, True, False, False, False, False]


def test_all_end_with_the_warm_judge(ends: Ends, forks: WaitingForks) -> None:
    kept = [ends.fork(), ends.fork()]
    for fork in kept:
        forks.keep(fork, SITE)
    forks.close()
    assert all(has_ended(fork) for fork in kept)


@pytest.mark.parametrize("said", [b"", pickle.dumps(ERRAND)], ids=["the end", "no connection"])
def test_a_fork_that_hears_of_no_errand_ends(said: bytes) -> None:
    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
    with ours, theirs:
        if said:
            ours.send(said)
        ours.close()
        assert wait_for_errand(theirs) is None
        assert not said or recv_fds(theirs, 10, 1)[0] == b""
