"""A login takes nothing from the warm judge but a whole answer, and decides by itself where there is none."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gitops_hooks.core import warm_words as words
from gitops_hooks.core.warm_request import Request
from gitops_hooks.edge import warm_client
from gitops_hooks.edge.warm_place import stop_programs
from tests.entry.stand_in import Judge
from tests.entry.test_shell import Server

DENIED = "gitops: no repository 'site', or you may not read it\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    assert stop_programs(server.home)
    server.home.judge.mkdir(exist_ok=True)
    server.home.judge.chmod(0o700)
    yield server
    assert stop_programs(server.home)


def take_over(judge: Judge) -> list[int]:
    said, numbers = judge.take_over()
    assert said == words.GO
    return numbers


@contextmanager
def answering(server: Server, act: Callable[[Judge], object]) -> Iterator[list[Request]]:
    """Somebody listens on the path, in the warm judge's place, and does this with the first who comes."""
    path = server.home.judge / "socket"
    path.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(path))
    door.listen()
    door.settimeout(0.1)
    done, asked = threading.Event(), list[Request]()

    def attend() -> None:
        while not done.is_set():
            with suppress(TimeoutError):
                conn = door.accept()[0]
                with conn, suppress(OSError):
                    conn.settimeout(30)
                    judge = Judge(conn, server.home.server_file.read_bytes())
                    asked.append(judge.request)
                    act(judge)
                return

    thread = threading.Thread(target=attend)
    thread.start()
    try:
        yield asked
    finally:
        done.set()
        thread.join(60)
        door.close()
        path.unlink(missing_ok=True)
        assert not thread.is_alive()


def take_and(act: Callable[[Judge], object]) -> Callable[[Judge], None]:
    def first_take(judge: Judge) -> None:
        for number in take_over(judge):
            os.close(number)
        act(judge)

    return first_take


def start(judge: Judge, folder: str = "", nonce: bytes = b"", argv: tuple[str, ...] = ("echo", "run", "/x")) -> None:
    said = words.write_start(nonce or judge.request.nonce, argv, {"PATH": "/usr/bin:/bin"}, 60.0, folder)
    judge.conn.sendall(said)


BEFORE = {
    "closes": lambda judge: None,
    "garbage": lambda judge: judge.conn.sendall(b"\0\n"),
    "stale": lambda judge: judge.say(b"stale"),
    "other": lambda judge: judge.say(b"other"),
    "an answer at once": start,
    "another request": lambda judge: judge.say(b"ready", b"0" * 64, warm_client.identity(judge.server), b"0" * 64),
    "another server file": lambda judge: judge.say(b"ready", judge.digest, warm_client.identity(b""), b"0" * 64),
    "nothing": lambda judge: judge.conn.recv(1),
}
AFTER = {
    "closes": lambda judge: None,
    "garbage": lambda judge: judge.conn.sendall(b"\0\n"),
    "no length": lambda judge: judge.conn.sendall(b"accepted"),
    "a verdict": lambda judge: judge.say(b"accept"),
    "another nonce": lambda judge: start(judge, nonce=b"0" * 32),
    "half": lambda judge: judge.conn.sendall(words.write_code(judge.request.nonce, 0)[:-1]),
    "no code": lambda judge: judge.conn.sendall(words.write_request([judge.request.nonce, b"exit", b"x"])),
    "a push without its holds": lambda judge: start(judge, folder="/nowhere"),
    "too few words": lambda judge: start(judge, argv=("echo",)),
}


@pytest.mark.parametrize(
    "act", [*BEFORE.values(), *map(take_and, AFTER.values())], ids=[*BEFORE, *map(str.upper, AFTER)]
)
def test_whatever_is_wrong_the_login_decides_by_itself(server, act):
    for who, code in (("carol", 0), ("dave", 1)):
        with answering(server, act) as asked:
            done = server.ssh(who, "git-upload-pack 'site'")
        assert [request.name for request in asked] == [b"login"]
        # git itself was run where it may be, and its client went away; the other was refused by the login itself.
        assert (done.stdout.find("refs/heads/main") > 0, done.stderr.startswith("gitops: ")) == (code == 0, code == 1)
        if code:
            assert (done.returncode, done.stderr) == (1, DENIED)


def test_a_whole_answer_counts(server):
    with answering(server, take_and(start)):
        done = server.ssh("carol", "git-upload-pack 'site'")
    assert (done.returncode, done.stdout, done.stderr) == (0, "run /x\n", "")


def test_what_was_said_to_the_person_is_not_said_again(server):
    def refuse(judge: Judge) -> None:
        numbers = take_over(judge)
        os.write(numbers[2], b"gitops: no\n")
        for number in numbers:
            os.close(number)
        judge.conn.sendall(words.write_code(judge.request.nonce, 7))

    with answering(server, refuse):
        done = server.ssh("carol", "git-upload-pack 'site'")
    assert (done.returncode, done.stdout, done.stderr) == (7, "", "gitops: no\n")


def test_what_is_asked_is_who_came_and_for_what_and_the_clients_connection_stays_here(server):
    seen: dict[str, object] = {}

    def look(judge: Judge) -> None:
        numbers = take_over(judge)
        seen["handed"] = [str(Path(f"/proc/self/fd/{number}").readlink()) for number in numbers[:2]]
        for number in numbers:
            os.close(number)
        start(judge)

    with answering(server, look) as asked:
        server.ssh("carol", "git-upload-pack 'site'", GIT_PROTOCOL="version=2", SECRET="x")
    environ = {name.decode(): value.decode() for name, value in asked[0].environ}
    key = environ.pop("GITOPS_HOOKS_KEY")
    assert key.startswith("SHA256:")
    assert environ == {
        "GITOPS_HOOKS_HOME": str(server.home.path),
        "GITOPS_HOOKS_ACTOR": "carol",
        "SSH_ORIGINAL_COMMAND": "git-upload-pack 'site'",
        "GIT_PROTOCOL": "version=2",
    }
    assert seen == {"handed": [os.devnull, os.devnull]}


@pytest.mark.parametrize("command", ["whoami", "help", "", "scp -t ."])
def test_nothing_but_git_is_asked_for(server, command):
    with answering(server, take_and(start)) as asked:
        server.ssh("carol", command)
    assert asked == []


def test_a_login_loads_built_in_modules_alone_before_it_knows_that_it_must():
    import subprocess
    import sys

    script = "import sys; sys.path.append(sys.argv[1]); import gitops_hooks.entry.login, gitops_hooks.entry.git_run, "
    script += "gitops_hooks.edge.warm_login; print(*sys.modules)"
    folder = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-IS", "-c", script, str(folder)], capture_output=True, text=True, timeout=20
    )
    assert not set(done.stdout.split()) & {
        "pathlib",
        "dataclasses",
        "re",
        "enum",
        "typing",
        "collections",
        "subprocess",
    }
    assert "gitops_hooks.entry.git_run" in done.stdout
