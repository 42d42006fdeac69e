"""Runs that nobody waits for are ended, and no more go on at once than the server allows."""

import time

from gitops_hooks.edge import living
from tests.push.command_desk import GOOD, await_results, commanded, reconciler_log, results
from tests.push.desk import Desk
from tests.waiting import wait_until

SLEEP = "echo begun; sleep 612.25 # {word}\n"


def _running(desk: Desk) -> list[str]:
    """The jobs of the commands that run for this server now."""
    home = str(desk.world.home.path)
    argvs = [one.argv for one in living.list_living() if any("command_child" in word for word in one.argv)]
    return sorted(word for argv in argvs for word in argv if word.endswith(".job") and word.startswith(home))


def _await_running(desk: Desk, count: int, seconds: float = 120.0) -> list[str]:
    deadline = time.monotonic() + seconds
    while len(found := _running(desk)) != count:
        assert time.monotonic() < deadline, (found, reconciler_log(desk))
        time.sleep(0.1)
    return found


def _sleepers(desk: Desk) -> list[int]:
    return [one.pid for one in living.list_living() if one.argv[:2] == ("sleep", "612.25")]


def _await_sleeper(desk: Desk) -> None:
    """A run that was begun may be ended before its script has said anything."""
    wait_until(lambda: _sleepers(desk), words=lambda: reconciler_log(desk))


def test_a_new_revision_and_the_end_of_a_change_end_its_run() -> None:
    with commanded() as desk:
        slow = desk.propose("alice", {"test.sh": SLEEP.format(word="a")})
        _await_running(desk, 1)
        good = desk.commit("alice", {"test.sh": GOOD, "a.yml": "a: 1\n"}, onto=slow)
        desk.push("alice", f"{good}:refs/for/main").must()
        assert await_results(desk, 1, 1) == [("test", "passed")]
        _await_running(desk, 0)
        desk.propose("alice", {"test.sh": SLEEP.format(word="b")}, "main/b")
        _await_running(desk, 1)
        _await_sleeper(desk)
        desk.push("alice", ":refs/close/2").must()
        _await_running(desk, 0)
        wait_until(lambda: not _sleepers(desk))
        assert results(desk, 2) == []
        followed = desk.world.ssh("dave", "change log 2 --follow")
        assert (followed.code, followed.out.split("\n")[1:3]) == (1, ["  begun", "gitops: change 2 is closed"])


def test_only_so_many_run_at_once_and_one_change_does_not_keep_the_others_waiting() -> None:
    with commanded(limits="commands = 1\n") as desk:
        for word in ("a", "b"):
            desk.propose("alice", {"test.sh": SLEEP.format(word=word)}, f"main/{word}")
        (job,) = _await_running(desk, 1)
        assert job.endswith("/1/command.test.job")
        for number in (3, 4):
            desk.propose("alice", {"test.sh": SLEEP.format(word=number)}, "main/a")
        (job,) = _await_running(desk, 1)
        deadline = time.monotonic() + 120
        while not job.endswith("/2/command.test.job"):
            assert time.monotonic() < deadline, job
            time.sleep(0.1)
            job = (_running(desk) or [job])[0]
        show = desk.world.ssh("dave", "change show 2").must().out
        assert "  command    command/test: running\n" in show
        assert "  command    command/test: pending\n" in desk.world.ssh("dave", "change show 1").must().out
    assert _sleepers(desk) == []
