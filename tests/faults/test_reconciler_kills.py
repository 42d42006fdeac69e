"""The reconciler, or any process of a run, is killed at a random moment: the hosts converge, and no two runs meet."""

import random
import signal
import time
from collections.abc import Iterator

import pytest

from gitops_hooks.edge import living
from tests.environments.conftest import ENVIRONMENT
from tests.hosts import inventory
from tests.waiting import so_far, wait_until
from tests.world import POLICY, Template, World

SEED = 20261123
KILLS = 5
# One task says when it begins and when it ends, so that two that meet on a host are seen.
PLAYBOOK = """\
---
- name: Stamps
  hosts: web
  gather_facts: false
  tasks:
    - name: Stamp
      ansible.builtin.shell: >-
        echo start {number} >> {{{{ root }}}}/stamps; sleep 0.7; echo end {number} >> {{{{ root }}}}/stamps;
        echo {number} > {{{{ root }}}}/number
"""


@pytest.fixture
def world() -> Iterator[World]:
    template = Template.build(POLICY + ENVIRONMENT)
    world = World.copied_from(template)
    template.remove()
    text = world.home.server_file.read_text()
    world.home.server_file.write_text(
        text.replace("[limits]\n", "[limits]\nretry_seconds = 1\nfollow_seconds = 1\n", 1)
    )
    yield world
    world.close()


def land(world: World, number: int, files: dict[str, str]) -> str:
    """Land the playbook that stamps this number; answers the commit."""
    world.propose("alice", {"site.yml": PLAYBOOK.format(number=number), **files}, to=f"main/n{number}").must()
    listed = world.ssh("bob", "change list").must().out
    world.approve("bob", int(listed.split()[0])).must()
    return world.refs()["refs/heads/main"]


def run_processes(world: World) -> list[living.Living]:
    """The reconciler of this server and all that it started."""
    home = str(world.home.path)
    roots = [one for one in living.list_living() if any(f"{home}/bin/gitops-reconcile" in word for word in one.argv)]
    return roots + [one for root in roots for one in living.descendants(root.pid)]


def await_deployed(world: World, commit: str, seconds: float = 150.0) -> None:
    deadline = time.monotonic() + seconds
    while world.refs().get("refs/environments/staging/deployed") != commit:
        assert time.monotonic() < deadline, world.ssh("bob", "env show staging").out
        world.admin("reconcile", "--ensure")
        time.sleep(0.3)


@pytest.mark.timeout(300)
def test_kills_at_random_moments_of_a_run_lose_no_deployment_and_no_two_runs_meet(world: World):
    dice = random.Random(SEED)
    hosts = world.add_hosts("web1", "web2")
    commit = land(world, 0, {"inventories/staging/hosts.yml": inventory(hosts)})
    await_deployed(world, commit)
    for number in range(1, KILLS + 1):
        commit = land(world, number, {})
        time.sleep(dice.uniform(0.0, 2.5))
        if victims := run_processes(world):
            living.send(dice.choice(victims), signal.SIGKILL)
        await_deployed(world, commit)
    for host in hosts:
        assert host.holds("number") == f"{KILLS}\n"
        stamps = (host.holds("stamps") or "").split("\n")[:-1]
        assert stamps[::2] == [line.replace("end", "start") for line in stamps[1::2]], stamps
        numbers = [int(line.split(" ")[1]) for line in stamps]
        assert numbers == sorted(numbers)
    log = [event.fact("Event") for event in world.events("refs/environments/staging/log")]
    assert log.count("started") == log.count("finished")


@pytest.mark.timeout(200)
def test_main_moved_by_hand_is_not_deployed_and_raises_an_alarm(world: World):
    hosts = world.add_hosts("web1")
    commit = land(world, 1, {"inventories/staging/hosts.yml": inventory(hosts)})
    await_deployed(world, commit)
    world.start_over("alice")
    world.commit("alice", {"site.yml": PLAYBOOK.format(number=666)})
    world.git("alice", "push", "origin", "HEAD:refs/heads/free").must()
    world.server_git("update-ref", "refs/heads/main", "refs/heads/free")
    world.admin("reconcile", "--ensure")
    wait_until(lambda: '"kind": "alarm"' in so_far(world.home.journal))
    shown = world.ssh("bob", "env show staging").must().out
    assert shown.startswith("staging: Unknown, Suspended\n")
    assert hosts[0].holds("number") == "1\n"


@pytest.mark.timeout(200)
def test_landings_that_nobody_has_deployed_yet_are_one_run(world: World):
    hosts = world.add_hosts("web1")
    commit = land(world, 0, {"inventories/staging/hosts.yml": inventory(hosts)})
    await_deployed(world, commit)
    before = len(world.events("refs/environments/staging/log"))
    world.admin("reconcile", "--stop").must()
    launcher = world.home.path / "bin" / "gitops-reconcile"
    text = launcher.read_text()
    launcher.write_text("")
    for number in range(1, 4):
        commit = land(world, number, {})
    launcher.write_text(text)
    await_deployed(world, commit)
    events = world.events("refs/environments/staging/log")[before:]
    assert [event.fact("Event") for event in events] == ["started", "finished"]
    assert hosts[0].holds("number") == "3\n"
