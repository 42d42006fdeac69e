"""No check, tool, command or deployment gets an answer from the warm judge, even where its socket stands open."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_hooks.edge.sandbox import Wall
from gitops_hooks.edge.warm_peer import standing, standing_behind
from tests.edge.test_command_box import run
from tests.edge.test_sandbox import WALLS, confine


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Path]:
    """A socket at which somebody answers as the warm judge does: who is not as it is gets `other`."""
    path = tmp_path / "home" / "run" / "judge" / "socket"
    path.parent.mkdir(parents=True, mode=0o700)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    judge = os.fork()
    if judge == 0:
        while True:
            conn = listener.accept()[0]
            peer = standing_behind(conn)
            is_alike = peer is not None and peer.rights == standing(os.getpid()).rights
            conn.sendall(b"ready" if is_alike else b"other")
            conn.close()
    listener.close()
    yield path
    os.kill(judge, 9)
    os.waitpid(judge, 0)


def knock(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX) as conn:
        try:
            conn.connect(str(path))
        except OSError as error:
            return type(error).__name__.encode()
        return conn.recv(100)


def test_a_program_like_any_hook_is_answered(door):
    assert knock(door) == b"ready"


@pytest.mark.parametrize("wall", WALLS)
def test_a_check_is_not(door, wall):
    told = confine(lambda: knock(door), wall).output
    if wall is Wall.LANDLOCK:
        # That wall does not keep anybody from a socket; the judge looks who comes.
        assert told == b"other"
    else:
        assert told == b"FileNotFoundError"


def test_a_command_does_not_see_it(door, tmp_path):
    _, heard = run(tmp_path, f"test -e {door} && echo there || echo nothing")
    assert heard == "nothing\n"
