"""A hook takes nothing from the warm judge but one whole verdict; who cannot be the warm judge is not even asked."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gitops_hooks.core import warm_words as words
from gitops_hooks.edge import warm_client
from tests.entry.stand_in import Judge
from tests.entry.test_parent import NOTHING_MOVED, World, main

SERVER = b"[limits]\n"
BY_ITSELF = "remote: judged by the hook itself"
NOBODY = 65534


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    (tmp_path / "server.toml").write_bytes(SERVER)
    (tmp_path / "run" / "judge").mkdir(parents=True)
    (tmp_path / "run" / "judge").chmod(0o700)
    world.env |= {"GITOPS_HOOKS_WARM": "1", "GITOPS_HOOKS_JUDGE_SECONDS": "20"}
    world.judge("import sys\n" + main("sys.stderr.write('judged by the hook itself\\n'); return True"))
    yield world


@contextmanager
def answering(world: World, act: Callable[[Judge], object]) -> Iterator[None]:
    """Somebody listens on the path and does this with the first who comes."""
    door = bound(world)
    door.listen()
    door.settimeout(0.1)
    done = threading.Event()

    def attend() -> None:
        while not done.is_set():
            try:
                conn = door.accept()[0]
            except TimeoutError:
                continue
            with conn, suppress(OSError):
                conn.settimeout(30)
                act(Judge(conn, SERVER))
            return

    thread = threading.Thread(target=attend)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(40)
        door.close()
        assert not thread.is_alive()


def bound(world: World) -> socket.socket:
    door = socket.socket(socket.AF_UNIX)
    path = world.folder / "run" / "judge" / "socket"
    path.unlink(missing_ok=True)
    door.bind(str(path))
    return door


def outcome(world: World) -> tuple[int, bool, list[str]]:
    done = world.push()
    return done.returncode, world.moved(), world.remote_lines(done)


IN_PROCESS = (0, True, [BY_ITSELF])
REFUSED = (1, False, [NOTHING_MOVED])


def spoil_mode(judge: Path) -> None:
    judge.chmod(0o755)


def spoil_by_link(judge: Path) -> None:
    judge.rename(judge.with_name("elsewhere"))
    judge.symlink_to("elsewhere")


def spoil_by_leaving(judge: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(judge / "socket"))


@pytest.mark.parametrize("spoil", [shutil.rmtree, spoil_by_leaving, lambda judge: (judge / "socket").write_text("")])
def test_where_nobody_answers_the_hook_judges_by_itself(world, spoil):
    spoil(world.folder / "run" / "judge")
    assert outcome(world) == IN_PROCESS


@pytest.mark.parametrize("spoil", [spoil_mode, spoil_by_link])
def test_where_others_might_answer_nobody_is_asked(world, spoil):
    asked: list[Judge] = []
    with answering(world, asked.append):
        spoil(world.folder / "run" / "judge")
        assert outcome(world) == IN_PROCESS
    assert asked == []


# Only root can make somebody else listen.
@pytest.mark.parametrize("user", [NOBODY] if os.geteuid() == 0 else [])
def test_another_user_who_answers_is_told_nothing(world, user):
    reading, writing = os.pipe()
    door = bound(world)
    if (other := os.fork()) == 0:
        os.setgroups([])
        os.setresuid(user, user, user)
        door.listen()
        os.write(writing, b"listens\n")
        os.write(writing, b"heard " + door.accept()[0].recv(100))
        os._exit(0)
    os.close(writing)
    door.close()
    with os.fdopen(reading, "rb") as said:
        assert said.readline() == b"listens\n"
        assert outcome(world) == IN_PROCESS
        assert said.read() == b"heard "
    os.waitpid(other, 0)


BEFORE = {
    "closes": lambda judge: None,
    "garbage": lambda judge: judge.conn.sendall(b"\0\n"),
    "too long": lambda judge: judge.conn.sendall(b"x" * 2000),
    "stale": lambda judge: judge.say(b"stale"),
    "busy": lambda judge: judge.say(b"busy"),
    "other": lambda judge: judge.say(b"other"),
    "an accept at once": lambda judge: judge.say(b"accept"),
    "another nonce": lambda judge: judge.say(
        b"ready", judge.digest, warm_client.identity(SERVER), b"0" * 64, nonce=b"0" * 32
    ),
    "another request": lambda judge: judge.say(b"ready", b"0" * 64, warm_client.identity(SERVER), b"0" * 64),
    "another server file": lambda judge: judge.say(b"ready", judge.digest, warm_client.identity(b""), b"0" * 64),
    "no sign of the code": lambda judge: judge.say(b"ready", judge.digest, warm_client.identity(SERVER)),
    "half a line": lambda judge: judge.conn.sendall(judge.request.nonce + b" ready "),
}


@pytest.mark.parametrize("act", BEFORE.values(), ids=BEFORE)
def test_whatever_is_wrong_before_the_push_is_handed_over_the_hook_judges_by_itself(world, act):
    with answering(world, act):
        assert outcome(world) == IN_PROCESS


def test_one_that_says_nothing_holds_a_hook_for_seconds_only(world):
    begun = time.monotonic()
    with answering(world, lambda judge: judge.conn.recv(1)):
        assert outcome(world) == IN_PROCESS
    assert time.monotonic() - begun < 15


def take_and(act: Callable[[Judge], object]) -> Callable[[Judge], None]:
    def first_take(judge: Judge) -> None:
        _, numbers = judge.take_over()
        for number in numbers:
            os.close(number)
        act(judge)

    return first_take


AFTER = {
    "closes": lambda judge: None,
    "garbage": lambda judge: judge.conn.sendall(b"\0\n"),
    "accept without the nonce": lambda judge: judge.conn.sendall(b"accept\n"),
    "accept with another nonce": lambda judge: judge.say(b"accept", nonce=b"0" * 32),
    "accept and more": lambda judge: (judge.say(b"accept"), judge.say(b"accept")),
    "both": lambda judge: (judge.say(b"refuse"), judge.say(b"accept"), judge.say(b"ended")),
    "an end alone": lambda judge: judge.say(b"ended"),
    "half a verdict": lambda judge: judge.conn.sendall(judge.request.nonce + b" acce"),
    "too much": lambda judge: judge.conn.sendall(b"x" * 2000),
}


@pytest.mark.parametrize("act", AFTER.values(), ids=AFTER)
def test_whatever_is_wrong_after_that_refuses(world, act):
    with answering(world, take_and(act)):
        assert outcome(world) == REFUSED


def test_a_verdict_that_does_not_come_in_time_refuses(world):
    world.env["GITOPS_HOOKS_JUDGE_SECONDS"] = "1"
    with answering(world, take_and(lambda judge: judge.conn.recv(1))):
        late = "remote: gitops: no verdict within 1 s; nothing was moved. Push again, or in smaller parts."
        assert outcome(world) == (1, False, [late])


@pytest.mark.parametrize("last", [[b"ended"], []], ids=["whole", "without its end"])
def test_a_whole_verdict_counts(world, last):
    def accept(judge: Judge) -> None:
        judge.say(b"accept")
        for word in last:
            judge.say(word)

    with answering(world, take_and(accept)):
        assert outcome(world) == (0, True, [])


def test_a_whole_refusal_refuses_and_the_hook_adds_nothing(world):
    with answering(world, take_and(lambda judge: (judge.say(b"refuse"), judge.say(b"ended")))):
        assert outcome(world) == (1, False, [])


def test_what_is_handed_over_is_what_git_gave_to_the_hook(world):
    seen: dict[str, object] = {}

    def look(judge: Judge) -> None:
        said, numbers = judge.take_over()
        seen["said"], seen["count"] = said, len(numbers) - len(judge.request.descriptors)
        seen["line"] = os.read(numbers[0], 4096).split()[2]
        seen["folder"] = str(Path(f"/proc/self/fd/{numbers[3]}").readlink())
        seen["environ"] = dict(judge.request.environ)
        os.write(numbers[2], b"a message\n")
        for number in numbers:
            os.close(number)
        judge.say(b"accept")
        judge.say(b"ended")

    with answering(world, look):
        assert outcome(world) == (0, True, ["remote: a message"])
    environ = seen.pop("environ")
    assert seen == {
        "said": words.GO,
        "count": 4,
        "line": b"refs/heads/main",
        "folder": str(world.bare),
    }
    assert environ[b"GIT_QUARANTINE_PATH"].startswith(os.fsencode(world.bare))
    assert environ[b"GITOPS_HOOKS_HOME"] == os.fsencode(world.folder)


def test_a_server_that_wants_none_asks_none(world):
    asked: list[Judge] = []
    world.env["GITOPS_HOOKS_WARM"] = "0"
    with answering(world, asked.append):
        assert outcome(world) == IN_PROCESS
    assert asked == []
