"""A login that the warm judge decides: the same people may do the same, and git runs as it always did."""

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_hooks.edge import living
from tests.push.desk import MAIN
from tests.push.warm_desk import WarmDesk, warm_desk
from tests.waiting import wait_until
from tests.world import Template, World

# What only a login that decides by itself loads.
BY_ITSELF = "_hashlib."
KNOWN_NO_MORE = "gitops: this key is no longer known here\nAsk the administrator for: gitops-hooks user add\n"


@pytest.fixture
def warm(site: Template) -> Iterator[WarmDesk]:
    with warm_desk(site) as warm:
        yield warm


def logins(world: World) -> list[living.Living]:
    launcher = str(world.home.path / "bin" / "gitops-shell")
    found = [one for one in living.list_living() if launcher in one.argv]
    return [one for one in found if "-c" not in one.argv]


def begin(warm: WarmDesk, topic: str) -> "tuple[object, living.Living]":
    """A push that has come as far as its judge; answers it and its forced command."""
    warm.be("wait")
    before = len(warm.seen())
    push = warm.start_pushing(topic)
    wait_until(lambda: len(warm.seen()) > before)
    (login,) = logins(warm.world)
    return push, login


def end(warm: WarmDesk, push) -> int:
    warm.be("calm")
    push.communicate(timeout=60)
    return push.returncode


def decided_by_itself(login: living.Living) -> bool:
    return BY_ITSELF in Path(f"/proc/{login.pid}/maps").read_text()


def pushes(warm: WarmDesk) -> list[Path]:
    return [each for state in (warm.world.home.path / "state").iterdir() for each in (state / "pushes").iterdir()]


def test_a_login_asks_and_runs_git_itself_and_leaves_nothing(warm: WarmDesk) -> None:
    judge = warm.warm_up()
    push, login = begin(warm, "asked")
    assert not decided_by_itself(login)
    children = [one.argv for one in living.list_living() if one.parent == login.pid]
    assert [argv[1:2] for argv in children] == [("receive-pack",)]
    # The fork that decided has ended, and holds nothing of the push.
    assert [one.parent for one in living.list_living() if one.pid == login.pid] != [judge]
    (folder,) = pushes(warm)
    assert sorted(each.name for each in (folder / "hooks").iterdir()) == ["pre-receive", "proc-receive"]
    assert end(warm, push) == 0
    assert pushes(warm) == []


def test_a_push_that_is_killed_is_still_found_and_swept(warm: WarmDesk) -> None:
    warm.warm_up()
    push, login = begin(warm, "killed")
    lock = warm.world.repository / f"{MAIN}.lock"
    lock.touch()
    os.kill(login.pid, signal.SIGTERM)
    assert end(warm, push) != 0
    wait_until(lambda: pushes(warm) == [])
    assert not lock.exists()
    assert warm.propose("next")[0] == 0


def test_one_that_stands_still_leaves_the_login_to_itself(warm: WarmDesk) -> None:
    judge = warm.warm_up()
    os.kill(judge, signal.SIGSTOP)
    begun = time.monotonic()
    push, login = begin(warm, "stopped")
    assert time.monotonic() - begun < 30
    assert decided_by_itself(login)
    os.kill(judge, signal.SIGCONT)
    assert end(warm, push) == 0


def test_who_may_do_what_is_the_same_and_counts_at_once(warm: WarmDesk) -> None:
    world = warm.world
    warm.warm_up()
    assert warm.desk.git("carol", "ls-remote", "-q", "host:site").code == 0
    nowhere = warm.desk.git("carol", "ls-remote", "host:nowhere")
    assert "gitops: no repository 'nowhere', or you may not read it" in nowhere.err.splitlines()
    odd = world.ssh("carol", "git-upload-pack 'site' --help")
    assert (odd.code, odd.err.splitlines()[0]) == (1, "gitops: this is not what git sends for a repository's name")
    commit = warm.desk.commit("dave", {"d.yml": "a: 1\n"})
    users = world.home.users_file
    text = users.read_text()
    users.write_text(text.replace('name = "dave"', 'name = "david"'))
    refused = world.ssh("dave", "git-receive-pack 'site'")
    assert (refused.code, refused.err) == (1, KNOWN_NO_MORE)
    users.write_text(text)
    server = world.home.server_file
    text = server.read_text()
    for key, value in (("read", "*"), ("write", "alice")):
        text = re.sub(rf"(?m)^{key} = \[[^]]*\]", f'{key} = ["{value}"]', text)
    server.write_text(text)
    done = warm.desk.push("dave", f"{commit}:refs/for/main")
    assert "gitops: you may read 'site' but not push to it" in done.err.splitlines()
    assert warm.warm_up()
