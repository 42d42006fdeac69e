"""Whatever becomes of the warm judge, a push is judged or refused, and the next one is as if nothing had been."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from gitops_hooks.edge import living
from gitops_hooks.edge.warm_place import running
from tests.push.desk import MAIN
from tests.push.warm_desk import SILENT, WarmDesk, warm_desk
from tests.waiting import wait_until
from tests.world import Template


@pytest.fixture
def warm(site: Template) -> Iterator[WarmDesk]:
    with warm_desk(site) as warm:
        yield warm


@pytest.fixture(scope="module")
def site() -> Iterator[Template]:
    template = Template.build()
    yield template
    template.remove()


def begin(warm: WarmDesk, topic: str, mood: str = "wait") -> "tuple[object, int]":
    """A push that has come as far as its judge; answers it and the judge's process id."""
    warm.be(mood)
    before = len(warm.seen())
    push = warm.start_pushing(topic)
    wait_until(lambda: len(warm.seen()) > before)
    assert warm.seen()[-1].parent == warm.judge().pid
    return push, warm.seen()[-1].judge


def remote(push) -> list[str]:
    said = push.communicate(timeout=60)[1]
    return [line.removeprefix("remote: ").rstrip() for line in said.splitlines() if line.startswith("remote: ")]


def gone(pid: int) -> bool:
    return living.look_at(pid) is None


def goes_on(warm: WarmDesk) -> bool:
    """Whether the next push is as any other."""
    warm.be("calm")
    return warm.propose(f"next-{time.monotonic_ns()}")[0] == 0


def test_killed_while_it_judges_the_push_is_refused(warm):
    warm.warm_up()
    refs = warm.desk.refs()
    push, judge = begin(warm, "killed")
    os.kill(warm.judge().pid, signal.SIGKILL)
    assert remote(push) == [SILENT]
    assert push.returncode == 1
    wait_until(lambda: gone(judge))
    assert warm.desk.refs() == refs
    # Its socket is left behind, and nobody answers there.
    assert (warm.world.home.judge / "socket").exists() and not warm.is_warm()
    assert goes_on(warm)
    warm.warm_up()


def test_a_fork_that_is_killed_refuses_its_own_push_alone(warm):
    pid = warm.warm_up()
    push, judge = begin(warm, "killed")
    other, _ = begin(warm, "other")
    os.kill(judge, signal.SIGKILL)
    assert (remote(push), push.returncode) == ([SILENT], 1)
    warm.be("calm")
    other.communicate(timeout=60)
    assert other.returncode == 0
    assert goes_on(warm) and warm.judge().pid == pid


@pytest.mark.parametrize("mood", ["leave", "crash"])
def test_a_plugin_that_ends_the_fork_refuses_its_own_push_alone(warm, mood):
    pid = warm.warm_up()
    refs = warm.desk.refs()
    push, _ = begin(warm, mood, mood)
    assert (remote(push), push.returncode) == ([SILENT], 1)
    assert warm.desk.refs() == refs
    assert goes_on(warm) and warm.judge().pid == pid


def test_a_plugin_that_leaves_a_daemon_holds_nobody(warm):
    pid = warm.warm_up()
    warm.be("daemon")
    begun = time.monotonic()
    assert warm.propose("daemon")[0] == 0
    assert time.monotonic() - begun < 18
    assert goes_on(warm) and warm.seen()[-1].parent == pid


def test_a_plugin_that_hangs_is_ended_in_time(warm):
    server = warm.world.home.server_file
    server.write_text(server.read_text().replace("[limits]\n", "[limits]\njudge_seconds = 4\n", 1))
    pid = warm.warm_up()
    push, judge = begin(warm, "hang", "hang")
    assert remote(push) == ["gitops: no verdict within 4 s; nothing was moved. Push again, or in smaller parts."]
    assert push.returncode == 1 and gone(judge)
    assert goes_on(warm) and warm.judge().pid == pid


def test_one_that_stands_still_is_not_waited_for_and_the_hook_judges_by_itself(warm):
    pid = warm.warm_up()
    os.kill(pid, signal.SIGSTOP)
    begun = time.monotonic()
    assert warm.propose("stopped")[0] == 0
    assert time.monotonic() - begun < 40
    assert warm.seen()[-1].parent != pid
    os.kill(pid, signal.SIGCONT)
    assert goes_on(warm)


def test_one_that_stands_still_while_its_fork_judges_does_not_hold_the_push(warm):
    pid = warm.warm_up()
    push, _ = begin(warm, "stopped")
    os.kill(pid, signal.SIGSTOP)
    warm.be("calm")
    push.communicate(timeout=60)
    os.kill(pid, signal.SIGCONT)
    assert push.returncode == 0
    assert goes_on(warm)


def test_one_that_stands_still_with_its_fork_is_ended_with_the_push(warm):
    server = warm.world.home.server_file
    server.write_text(server.read_text().replace("[limits]\n", "[limits]\njudge_seconds = 4\n", 1))
    pid = warm.warm_up()
    refs = warm.desk.refs()
    push, judge = begin(warm, "stopped")
    for each in (pid, judge):
        os.kill(each, signal.SIGSTOP)
    assert remote(push) == ["gitops: no verdict within 4 s; nothing was moved. Push again, or in smaller parts."]
    assert push.returncode == 1
    wait_until(lambda: gone(pid) and gone(judge))
    assert warm.desk.refs() == refs
    assert goes_on(warm)
    warm.warm_up()


def test_a_hook_that_is_killed_takes_its_judge_along_and_what_git_left_is_swept(warm):
    pid = warm.warm_up()
    refs = warm.desk.refs()
    push, judge = begin(warm, "killed")
    hooks = [one for one in living.list_living() if any("/hooks/pre-receive" in word for word in one.argv)]
    mine = [one for one in hooks if any(str(warm.world.home.path) in word for word in one.argv)]
    assert len(mine) == 1
    # As if git held a lock for it at that moment.
    lock = warm.world.repository / f"{MAIN}.lock"
    lock.touch()
    living.send(mine[0], signal.SIGKILL)
    push.communicate(timeout=60)
    assert push.returncode == 1
    wait_until(lambda: gone(judge))
    assert warm.desk.refs() == refs
    assert goes_on(warm)
    assert not lock.exists()
    assert warm.judge().pid == pid


def test_asked_to_end_it_lets_those_finish_whom_it_judges(warm):
    pid = warm.warm_up()
    push, _ = begin(warm, "waiting")
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not (warm.world.home.judge / "socket").exists())
    assert [one.pid for one in running(warm.world.home)] == [pid]
    warm.be("calm")
    push.communicate(timeout=60)
    assert push.returncode == 0
    wait_until(lambda: gone(pid))
