"""A child answers for its program, again and again, holds nothing of that, and no answer of it is ever another's."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gitops_hooks.edge.attendant import Attendant
from tests.waiting import wait_until


def answer(question: bytes) -> bytes:
    if question == b"fail":
        raise ValueError
    if question == b"held":
        held = []
        for each in Path("/proc/self/fd").iterdir():
            with suppress(OSError):  # the one by which this is read
                held.append(str(each.readlink()))
        return "\n".join(held).encode()
    return question[::-1]


@pytest.fixture
def attendant() -> Iterator[Attendant]:
    attendant = Attendant(answer)
    try:
        yield attendant
    finally:
        attendant.close()


def is_there(pid: int) -> bool:
    return (Path("/proc") / str(pid)).exists()


def test_it_answers_one_question_after_the_other(attendant: Attendant) -> None:
    assert [attendant.ask(each) for each in (b"abc", b"de", b"f" * 64 * 1024)] == [b"cba", b"ed", b"f" * 64 * 1024]


def test_it_holds_no_file_of_its_programs(attendant: Attendant, tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, (tmp_path / "lock").open("w"):
        late = Attendant(answer)
        try:
            held = (late.ask(b"held") or b"").decode().splitlines()
        finally:
            late.close()
    assert sorted(each[:8] for each in held if not each.startswith("/proc/")) == ["/dev/nul"] * 3 + ["socket:["]


@pytest.mark.parametrize("question", [b"fail", b"f" * (64 * 1024 + 1)], ids=["fails", "too long"])
def test_where_it_has_no_answer_it_ends_and_has_none_from_then_on(attendant: Attendant, question: bytes) -> None:
    assert attendant.ask(question) is None
    assert not is_there(attendant.pid)
    assert attendant.ask(b"abc") is None


def test_one_that_was_killed_gives_no_answer(attendant: Attendant) -> None:
    os.kill(attendant.pid, signal.SIGKILL)
    assert attendant.ask(b"abc") is None
    assert not is_there(attendant.pid)


def test_a_fork_of_its_program_gets_no_answer_and_does_not_disturb_it(attendant: Attendant) -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, repr(attendant.ask(b"abc")).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reading, 100) == b"None"
    assert attendant.ask(b"abc") == b"cba"
    for each in (reading, writing):
        os.close(each)


def test_it_ends_with_its_program() -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, b"%d" % Attendant(answer).pid)
        signal.pause()
        os._exit(0)
    child = int(os.read(reading, 20))
    assert is_there(child)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    wait_until(lambda: not is_there(child))
    for each in (reading, writing):
        os.close(each)
