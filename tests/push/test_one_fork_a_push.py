"""One fork answers a push's login and judges for its hooks, and whatever becomes of it the push is judged."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitops_hooks.edge import living
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.diagnosis_warm import warm_lines
from gitops_hooks.edge.locks import hold
from gitops_hooks.edge.warm_place import running
from gitops_hooks.entry.serving_push import STAYING
from tests.push.desk import MAIN, Desk
from tests.push.test_warm_judge import waiting_forks
from tests.push.test_warm_logins import logins
from tests.push.waiting_fork import without_waiting_forks
from tests.push.warm_desk import warm_desk
from tests.waiting import wait_until
from tests.world import Template, World

# git runs it once the server's end has answered, and before it sends anything.
PAUSE = """\
#!/bin/sh
touch reached
while [ -e held ]; do sleep 0.02; done
"""


@pytest.fixture
def desk(site: Template) -> Iterator[Desk]:
    world = World.copied_from(site)
    try:
        desk = Desk.beside(world)
        hook = desk.clone / "hooks" / "pre-push"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(PAUSE)
        hook.chmod(0o755)
        # A file of the checkout that changed a moment ago makes the first ones end.
        wait_until(lambda: free_push(desk) and is_warm(world))
        yield desk
    finally:
        world.close()


def free_push(desk: Desk) -> bool:
    return desk.push("alice", f"{desk.tip(MAIN)}:refs/heads/free-{time.monotonic_ns()}").must().code == 0


def is_warm(world: World) -> bool:
    time.sleep(0.2)
    return "runs as process" in line(world)


def line(world: World) -> str:
    (found,) = warm_lines(world.home, load_server(world.home))
    return found.words


def judged(world: World) -> int:
    return int(re.search(r"(\d+) hooks? judged", line(world))[1])


def state(world: World) -> Path:
    (folder,) = (world.home.path / "state").iterdir()
    return folder


def forks(world: World) -> list[int]:
    """Those of the warm judge that are of a push; another one may wait for the next login."""
    (judge,) = running(world.home)
    found = [living.look_at(pid) for pid in waiting_forks(judge.pid)]
    return [each.pid for each in without_waiting_forks([each for each in found if each], [judge.pid])]


@contextmanager
def held(desk: Desk, topic: str) -> "Iterator[tuple[subprocess.Popen[str], int]]":
    """A push whose login was answered, and that sends nothing yet; and the fork that stays for it."""
    (desk.clone / "reached").unlink(missing_ok=True)
    (desk.clone / "held").touch()
    commit = desk.commit("alice", {f"{topic}.yml": "a: 1\n"})
    push = subprocess.Popen(
        ["git", "push", "-q", "host:site", f"{commit}:refs/for/main/{topic}"],
        cwd=desk.clone,
        env=desk.world.environment("alice"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until((desk.clone / "reached").exists)
    try:
        (fork,) = wait_until(lambda: forks(desk.world))
        yield push, fork
    finally:
        (desk.clone / "held").unlink(missing_ok=True)
        push.communicate(timeout=60)


def end(desk: Desk, push: "subprocess.Popen[str]") -> tuple[int, str]:
    (desk.clone / "held").unlink()
    said = push.communicate(timeout=60)[1]
    return push.returncode, said


def test_the_fork_that_answered_the_login_judges_for_both_hooks(desk: Desk) -> None:
    world = desk.world
    before = judged(world)
    with held(desk, "whole") as (push, fork):
        with hold(state(world), MAIN, 10):
            (desk.clone / "held").unlink()
            # pre-receive, and proc-receive, which waits for the branch.
            wait_until(lambda: judged(world) == before + 2)
            assert forks(world) == [fork]
            wait_until(lambda: "1 at this moment" in line(world))
        assert push.wait(60) == 0
    wait_until(lambda: fork not in forks(world))
    assert judged(world) == before + 2


def test_while_git_receives_it_holds_nothing_of_the_push(desk: Desk) -> None:
    with held(desk, "nothing") as (push, fork):
        wait_until(lambda: len(set(descriptors(fork)) & {"/dev/null"}) == 1)
        # The login, the warm judge, and who signs for it.
        assert sorted(each[:8] for each in descriptors(fork)) == ["/dev/nul"] * 3 + ["socket:["] * 3
        assert str(desk.world.repository) not in Path(f"/proc/{fork}/maps").read_text()
        wait_until(lambda: "0 at this moment" in line(desk.world))
        assert end(desk, push)[0] == 0


def descriptors(pid: int) -> list[str]:
    return [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()]


ENDS: "dict[str, Callable[[World, int], object]]" = {
    "killed": lambda world, fork: os.kill(fork, signal.SIGKILL),
    "stands still": lambda world, fork: os.kill(fork, signal.SIGSTOP),
    "its parent killed": lambda world, fork: os.kill(running(world.home)[0].pid, signal.SIGKILL),
    "its parent asked to end": lambda world, fork: os.kill(running(world.home)[0].pid, signal.SIGTERM),
    "waits too long": lambda world, fork: time.sleep(STAYING + 1),
    "server file edited": lambda world, fork: edit(world.home.server_file),
}


def edit(file: Path) -> None:
    file.write_text(file.read_text() + "# edited\n")


@pytest.mark.parametrize("act", ENDS.values(), ids=ENDS)
def test_whatever_becomes_of_it_while_git_receives_the_push_is_judged(
    desk: Desk, act: "Callable[[World, int], object]"
) -> None:
    with held(desk, "without") as (push, fork):
        act(desk.world, fork)
        code, said = end(desk, push)
        assert code == 0, said
        assert "change 1, revision 1" in said, said
    wait_until(lambda: not (Path("/proc") / str(fork)).exists())
    assert list((state(desk.world) / "pushes").iterdir()) == []


def test_who_is_removed_while_git_receives_is_refused(desk: Desk) -> None:
    with held(desk, "removed") as (push, _):
        desk.world.admin("user", "remove", "alice").must()
        code, said = end(desk, push)
        assert code == 1
        assert "may not write to this repository" in said or "not known" in said, said


def test_one_that_waits_does_not_keep_the_warm_judge_from_its_end(desk: Desk) -> None:
    (judge,) = running(desk.world.home)
    with held(desk, "waits") as (push, _):
        began = time.monotonic()
        os.kill(judge.pid, signal.SIGTERM)
        wait_until(lambda: judge.pid not in [one.pid for one in running(desk.world.home)])
        assert time.monotonic() - began < STAYING / 2
        assert end(desk, push)[0] == 0


def test_a_plugin_of_somebody_elses_has_a_fork_for_each_hook(site: Template) -> None:
    with warm_desk(site) as warm:
        warm.warm_up()
        before = judged(warm.world)
        with hold(state(warm.world), MAIN, 10):
            push = warm.start_pushing("apart")
            wait_until(lambda: judged(warm.world) == before + 2)
            assert warm.seen()[-1].judge not in forks(warm.world)
        assert push.wait(60) == 0


def test_where_the_login_is_killed_while_it_judges_the_next_push_sweeps(desk: Desk) -> None:
    world = desk.world
    before, (folder,) = judged(world), (world.home.path / "state").iterdir()
    with held(desk, "cut-off") as (push, fork), hold(state(world), MAIN, 10):
        (desk.clone / "held").unlink()
        wait_until(lambda: judged(world) == before + 2)
        (login,) = logins(world)
        os.kill(login.pid, signal.SIGKILL)
        push.communicate(timeout=60)
        # Whatever lock of git's such a fork had is nobody's any more, and the push may have been swept before it.
        wait_until(lambda: not (Path("/proc") / str(fork)).exists())
        wait_until(lambda: [(each / "unclean").exists() for each in (folder / "pushes").iterdir()] == [True])
    assert push.returncode != 0
    assert free_push(desk)
    assert list((folder / "pushes").iterdir()) == []
