"""A push's hooks ask through its login: one Python for a push, and whatever becomes of it, nothing is left unjudged."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from gitops_hooks.edge import living
from tests.push.desk import MAIN
from tests.push.test_warm_logins import begin, end, pushes
from tests.push.warm_desk import WarmDesk, warm_desk
from tests.waiting import wait_until
from tests.world import Template


@pytest.fixture
def warm(site: Template) -> Iterator[WarmDesk]:
    with warm_desk(site) as warm:
        yield warm


def below(login: living.Living) -> list[str]:
    """What runs for the push below its login."""
    return [living.look_at(one.pid).argv[0].rpartition("/")[2] for one in living.descendants(login.pid)]


def test_no_python_starts_below_a_login(warm: WarmDesk) -> None:
    judge = warm.warm_up()
    push, login = begin(warm, "asked")
    assert sorted(below(login)) == ["git", "sh"]
    assert warm.seen()[-1].parent == judge
    assert end(warm, push) == 0


def test_a_hook_judges_by_itself_where_the_warm_judge_stands_still(warm: WarmDesk) -> None:
    judge = warm.warm_up()
    os.kill(judge, signal.SIGSTOP)
    try:
        push, login = begin(warm, "stopped")
        assert warm.seen()[-1].parent != judge
        assert "sh" not in below(login)
        assert end(warm, push) == 0
    finally:
        os.kill(judge, signal.SIGCONT)


def test_and_no_longer_than_a_hook_may_take_in_all(warm: WarmDesk) -> None:
    server = warm.world.home.server_file
    server.write_text(server.read_text().replace("[limits]\n", "[limits]\njudge_seconds = 8\n", 1))
    judge = warm.warm_up()
    os.kill(judge, signal.SIGSTOP)
    try:
        warm.be("hang")
        before = len(warm.seen())
        push = warm.start_pushing("hang")
        wait_until(lambda: len(warm.seen()) > before)
        begun = time.monotonic()
        said = push.communicate(timeout=60)[1]
        assert "gitops: no verdict within 8 s; nothing was moved." in said
        assert push.returncode == 1
        # It had waited for the warm judge before its plugin was asked.
        assert time.monotonic() - begun < 8
    finally:
        os.kill(judge, signal.SIGCONT)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_login_that_is_ended_takes_its_hooks_judge_along(warm: WarmDesk, number: int) -> None:
    pid = warm.warm_up()
    refs = warm.desk.refs()
    push, login = begin(warm, "ended")
    judge = warm.seen()[-1].judge
    os.kill(login.pid, number)
    push.communicate(timeout=60)
    assert push.returncode != 0
    wait_until(lambda: living.look_at(judge) is None)
    assert warm.desk.refs() == refs
    warm.be("calm")
    assert warm.propose("next")[0] == 0
    assert warm.judge().pid == pid
    assert pushes(warm) == []


def test_git_that_is_killed_leaves_no_judge_behind_its_login(warm: WarmDesk) -> None:
    warm.warm_up()
    refs = warm.desk.refs()
    push, login = begin(warm, "headless")
    judge = warm.seen()[-1].judge
    (git,) = [one for one in living.list_living() if one.parent == login.pid]
    living.send(git, signal.SIGKILL)
    assert end(warm, push) != 0
    wait_until(lambda: living.look_at(login.pid) is None)
    assert living.look_at(judge) is None
    # What the judge decided for nobody is nobody's: git alone moves what pre-receive let through.
    assert warm.desk.refs() == refs
    assert warm.propose("next")[0] == 0
    assert MAIN in warm.desk.refs()
