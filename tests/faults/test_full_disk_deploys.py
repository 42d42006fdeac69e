"""The disk is full while a deployment is recorded: the reconciler lives on, and hosts converge once there is room."""

import time
from collections.abc import Iterator

import pytest

from gitops_hooks.edge import living
from tests.faults.conftest import FAULTY_POLICY, cramped
from tests.faults.failpoints import no_reconciler
from tests.faults.scene import MAIN, Scene
from tests.faults.small_disk import SmallDisk
from tests.hosts import inventory
from tests.world import Template

_MOST_PAGES = 40
_SECONDS = 150.0
_LOG, _DEPLOYED = "refs/environments/staging/log", "refs/environments/staging/deployed"
ENVIRONMENT = """\
environments:
  - name: staging
    branch: main
    playbook: site.yml
    inventory: hosts.yml
"""
# It stands still in the middle until the test has filled the disk.
PLAYBOOK = """\
---
- name: Wait in the middle
  hosts: web
  gather_facts: false
  tasks:
    - name: Say that it has begun
      ansible.builtin.shell: echo begun >> {{ root }}/stamps
    - name: Wait
      ansible.builtin.wait_for: {path: "{{ root }}/go", timeout: 60}
    - name: Say that it has ended
      ansible.builtin.shell: echo ended >> {{ root }}/stamps
"""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Scene, SmallDisk]]:
    template = Template.build(
        FAULTY_POLICY + ENVIRONMENT,
        {"site.yml": "---\n- hosts: all\n  tasks: []\n", "hosts.yml": "---\nall:\n  hosts:\n    web1:\n"},
    )
    with cramped(template, free_size=1) as opened:
        template.remove()
        yield opened


@pytest.mark.timeout(300)
def test_a_deployment_short_of_any_page_of_its_record_is_recorded_whole_once_there_is_room(server):
    """The environment has no credential: what is recorded is a start and an end in error, again and again."""
    scene, disk = server
    scene.settle_refs()
    for pages in range(_MOST_PAGES):
        before = len(scene.world.events(_LOG))
        time.sleep(1.0)  # retry_seconds: the next one is due
        disk.fill(leave=pages)
        short = scene.world.reconcile_once()
        scene.check(settled=False)
        disk.make_room()
        assert "Traceback" not in short.err and "our bug" not in short.err, short.err
        scene.settle_refs()
        scene.check(settled=True)
        if "disk is full" not in short.err:
            assert len(scene.world.events(_LOG)) >= before + 2
            return
    raise AssertionError("it never had enough room")


@pytest.mark.timeout(300)
def test_a_run_whose_end_cannot_be_recorded_is_run_again_by_the_same_reconciler(server):
    scene, disk = server
    world = scene.world
    with no_reconciler(world):
        hosts = world.start_hosts("web1")
        world.grant_hosts(hosts)
        files = {"hosts.yml": inventory(hosts), "site.yml": PLAYBOOK}
        commit = scene.desk.commit("alice", files)
        scene.push("alice", f"{commit}:refs/for/main/deploys").must()
        scene.push("bob", f"{commit}:refs/approve/{scene.desk.newest()}").must()
        assert scene.desk.tip(MAIN) == commit
    world.admin("reconcile", "--ensure").must()
    _await(lambda: hosts[0].holds("stamps") == "begun\n")
    mine = _reconcilers(world)
    disk.fill()
    (hosts[0].root / "go").write_text("")
    _await(lambda: hosts[0].holds("stamps") == "begun\nended\n")
    _await(lambda: not [one for pid in mine for one in living.descendants(pid)])
    assert _DEPLOYED not in scene.desk.refs()
    scene.check(settled=False)
    disk.make_room()
    _await(lambda: scene.desk.refs().get(_DEPLOYED) == commit)
    # One that a visitor started sees that another is at work, and ends.
    _await(lambda: _reconcilers(world) == mine)
    assert hosts[0].holds("stamps") == "begun\nended\n" * 2
    world.admin("reconcile", "--stop").must()
    scene.settle()
    scene.check(settled=True)


def _reconcilers(world) -> list[int]:
    """Not the process beside it that tells of what has ended, nor a fork that is about to become another program."""
    launcher = str(world.home.path / "bin" / "gitops-reconcile")
    found = [one for one in living.list_living() if launcher in one.argv and "--tell" not in one.argv]
    return [one.pid for one in found if one.parent not in {other.pid for other in found}]


def _await(happened) -> None:
    deadline = time.monotonic() + _SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.2)
