"""What is told of a fork is held against what it was at, and a push that was over is not marked as cut off."""

from collections.abc import Iterator
from pathlib import Path
from socket import AF_UNIX, SOCK_SEQPACKET, SOCK_STREAM, socket, socketpair

import pytest

from gitops_hooks.core.warm_line import AT_REST, FREE, Judging, write_judging
from gitops_hooks.core.warm_request import Request
from gitops_hooks.entry.serving_guest import Guest

NONCE = b"0123456789abcdef" * 2
PUSH = f"site-0001/pushes/{NONCE.decode()}"
LAST = write_judging(Judging(b"proc_receive", 30.0, NONCE, True, PUSH))


class Told(Guest):
    """A guest whose fork is nobody, by our end of its line."""

    fork: socket


@pytest.fixture
def guest() -> Iterator[Told]:
    conn, other = socketpair(AF_UNIX, SOCK_STREAM)
    line, fork = socketpair(AF_UNIX, SOCK_SEQPACKET)
    with conn, other, line, fork:
        guest = Told(conn, 0.0, request=Request(NONCE, b"login", b"", 0.0, (), ()), judge=2**22 + 1, line=line)
        guest.fork = fork
        yield guest


def tell(guest: Told, *said: bytes) -> None:
    for each in said:
        guest.fork.send(each)
    guest.hear_of_fork()


def test_behind_its_last_hook_a_fork_may_be_free(guest: Told) -> None:
    tell(guest, AT_REST, LAST, FREE)
    assert guest.is_free
    assert not guest.is_cut_off
    found = guest.give_back()
    assert found
    assert found.pid == guest.judge
    assert guest.give_back() is None


@pytest.mark.parametrize("said", [(FREE,), (AT_REST, FREE), (AT_REST, LAST, AT_REST, FREE), (b"anything",)])
def test_whoever_says_so_at_another_time_is_ended(guest: Told, said: tuple[bytes, ...]) -> None:
    tell(guest, *said)
    assert guest.is_cut_off
    assert not guest.is_free


@pytest.mark.parametrize("was_over", [True, False])
def test_a_push_that_was_over_is_not_marked_when_its_fork_ends(guest: Told, tmp_path: Path, was_over: bool) -> None:
    folder = tmp_path / PUSH
    folder.mkdir(parents=True)
    tell(guest, AT_REST, LAST, *([FREE] if was_over else []))
    guest.close_line()
    guest.cut_off()
    guest.mark_cut_off(tmp_path)
    assert (folder / "unclean").exists() is not was_over
