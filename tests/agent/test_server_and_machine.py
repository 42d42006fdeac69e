"""The server away, another one in its place, a shared state folder, a wrong clock, kills: told, and survived."""

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_hooks.edge import living
from tests.agent.conftest import Site, open_site
from tests.agent.pulling import end
from tests.world import Template

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def site(pulled: Template) -> Iterator[Site]:
    with open_site(pulled) as site:
        site.release()
        assert site.agent.once() == (0, "1 of 1 hosts synced")
        yield site


def test_a_server_that_is_away_is_told_apart_and_found_again(site: Site) -> None:
    port = site.world.sshd.port
    site.world.sshd.pause()
    code, words = site.agent.once()
    assert code == 3 and words.startswith("the server cannot be asked: ssh: connect to host 127.0.0.1 port"), words
    assert site.agent.run("status").code == 3
    site.world.sshd.start_again()
    assert site.world.sshd.port == port
    assert site.agent.once() == (0, "1 of 1 hosts synced")


def test_a_server_that_ends_without_a_word_is_told_so(site: Site) -> None:
    keys = site.world.home.authorized_keys
    kept = keys.read_text()
    keys.write_text(re.sub('command="[^"]*"', 'command="exit 1"', kept))
    assert site.agent.once() == (3, "the server cannot be asked: the connection broke off")
    keys.write_text(kept)
    assert site.agent.once() == (0, "1 of 1 hosts synced")


def test_a_server_with_another_host_key_is_asked_nothing(site: Site) -> None:
    folder = site.world.sshd.folder
    kept = {name: (folder / name).read_bytes() for name in ("host_key", "host_key.pub")}
    site.world.sshd.rotate_host_key()
    words = "refused what it was given: the server does not show its pinned host key; nothing was asked of it"
    assert site.agent.once() == (4, words)
    site.world.sshd.pause()
    for name, content in kept.items():
        (folder / name).write_bytes(content)
    site.world.sshd.start_again()
    assert site.agent.once() == (0, "1 of 1 hosts synced")


def test_two_agents_with_one_state_folder_are_one(site: Site) -> None:
    running = site.agent.start()
    site.await_that(lambda: "1 of 1 hosts synced" in site.agent.log())
    done = site.agent.run("--once")
    assert (done.code, done.err) == (
        2,
        f"gitops: {site.agent.state}: another agent has this state folder; give each one of its own, or end that\n",
    )
    assert end(running) == 0 and site.agent.log().endswith(" ended\n")
    assert site.agent.once() == (0, "1 of 1 hosts synced")


def test_what_waits_is_small_finds_what_is_released_and_ends_when_it_is_asked_to(site: Site) -> None:
    running = site.agent.start()
    site.land({"page": "found\n"})
    site.release()
    site.await_that(lambda: site.agent.page() == "found\n")
    site.await_that(lambda: site.agent.status()["code"] == 0)
    pids = [running.pid, *(one.pid for one in living.descendants(running.pid))]
    assert resident(running.pid) < 60 * 1024, pids
    assert end(running) == 0


def resident(pid: int) -> int:
    """KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def test_a_clock_that_was_a_day_ahead_keeps_nothing_waiting(site: Site) -> None:
    site.agent.let_pass(seconds=-86400)
    (site.agent.root / "full").touch()
    site.release()
    assert site.agent.once()[0] == 1
    site.agent.let_pass(seconds=-86400)
    (site.agent.root / "full").unlink()
    assert site.agent.once() == (0, "1 of 1 hosts synced")


def test_a_kill_at_any_time_is_made_good_by_the_next_round(site: Site) -> None:
    for number, seconds in enumerate((0.5, 1.5, 3.0, 5.0)):
        commit = site.land({"page": f"kill {number}\n"})
        site.release()
        running = site.agent.start()
        time.sleep(seconds)
        below = living.descendants(running.pid)
        os.kill(running.pid, signal.SIGKILL)
        for one in below:
            if "gitops_hooks.entry.agent_child" in one.argv:
                living.send(one, signal.SIGKILL)
        running.wait(10)
        site.await_that(lambda: site.agent.once() == (0, "1 of 1 hosts synced"))
        assert (site.agent.page(), site.agent.standing()["commit"]) == (f"kill {number}\n", commit)


def test_a_mirror_that_broke_is_made_again(site: Site) -> None:
    shutil.rmtree(site.agent.state / "mirror.git" / "objects")
    assert site.agent.once() == (0, "1 of 1 hosts synced")
    assert json.loads(site.agent.run("status", "--json").out)["silent"] is False
