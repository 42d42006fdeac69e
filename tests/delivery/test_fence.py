"""On each host an older run never writes after a newer one, and never two at once."""

import os
from pathlib import Path

import pytest

from gitops_hooks.edge import living
from gitops_hooks.model.deployment import RunState
from tests.delivery.conftest import details, run_name, states
from tests.waiting import wait_until

WORK = """\
- hosts: web1
  gather_facts: false
  tasks:
    - name: work
      shell: touch {{ root }}/SIGN; while [ ! -e {{ root }}/go ]; do sleep 0.05; done
    - name: write
      copy:
        content: "VERSION\\n"
        dest: "{{ root }}/version"
"""


def work(world, sign, version):
    world.tree["site.yml"] = WORK.replace("SIGN", sign).replace("VERSION", version)


def until_it_works(host, sign):
    wait_until(lambda: (host.root / sign).exists())


def holder(host):
    """The program on the host that keeps it for a run as long as the run's connection lives."""
    mark = f"HOME={host.home}"
    mine = [one for one in living.list_living() if "fcntl" in " ".join(one.argv) and "def keep" in " ".join(one.argv)]
    return [one for one in mine if mark in environment_of(one.pid)]


def has_lock(pid: int) -> bool:
    try:
        return any(link.readlink().name == "lock" for link in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


def environment_of(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/environ").read_text().split("\0")
    except OSError:
        return []  # gone by now, or another user's


def pythons(host):
    """The programs that mitogen keeps on a host."""
    mark = f"HOME={host.home}"
    mine = [one for one in living.list_living() if "(mitogen:" in " ".join(one.argv)]
    return [one for one in mine if mark in environment_of(one.pid)]


def test_an_older_generation_is_refused_after_a_newer_one(world):
    world.tree["site.yml"] = world.tree["site.yml"].replace("hosts: all", "hosts: web1")
    world.deploy(generation=5)
    (world.hosts[0].root / "motd").unlink()

    outcome = world.deploy(generation=4)

    assert outcome.state is RunState.FAILED
    assert states(outcome) == {"web1": "skipped"}
    assert (
        details(outcome)["web1"]
        == f"generation 4 is older than what web1 has already seen (5 {run_name(5)}); deploy again"
    )
    assert world.hosts[0].read("motd") is None


def test_another_repository_has_generations_of_its_own(world):
    world.tree["site.yml"] = world.tree["site.yml"].replace("hosts: all", "hosts: web1")
    world.deploy(generation=5)

    assert world.deploy(generation=1, repository="r2").state is RunState.SUCCESSFUL


def test_a_host_that_another_run_works_on_is_set_aside(world):
    host = world.hosts[0]
    work(world, "first", "1")
    first = world.start()
    until_it_works(host, "first")

    outcome = world.deploy()

    assert details(outcome) == {"web1": f"run {run_name(1)} works on web1; it is caught up when that run is over"}
    assert states(outcome) == {"web1": "unreachable"}
    (host.root / "go").touch()
    assert first.wait(20).state is RunState.SUCCESSFUL


def test_a_run_that_lost_its_host_to_a_newer_one_writes_no_more(world):
    """The older run's hold on the host is cut as by a broken line, while it itself lives on."""
    host = world.hosts[0]
    work(world, "first", "old")
    older = world.start()
    until_it_works(host, "first")
    living.end(holder(host), gentle_seconds=0)

    work(world, "second", "new")
    newer = world.start()
    # The older run's command still works there: the newer one has the host's lock and waits for it to be idle.
    wait_until(lambda: any(has_lock(one.pid) for one in holder(host)))
    (host.root / "go").touch()

    assert newer.wait(30).state is RunState.SUCCESSFUL
    outcome = older.wait(30)
    assert host.read("version") == "new\n"
    assert outcome.state is RunState.FAILED
    # Its next command finds the host taken, or in the moment of it.
    taken = f"site.yml:6: write: this host belongs to run {run_name(2)} now, and run {run_name(1)} is over"
    taking = "site.yml:6: write: the lock of this host is held or missing; another run takes the host"
    assert details(outcome)["web1"] in (taken, taking)


@pytest.mark.parametrize("strategy", ["linear", "mitogen"])
def test_what_still_works_on_a_host_after_its_run_keeps_newer_runs_off_until_it_ends(world, strategy):
    host = world.hosts[0]
    work(world, "first", "1")
    killed = world.start(strategy=strategy)
    until_it_works(host, "first")
    killed.kill()
    assert killed.wait(10).state is RunState.CANCELED

    work(world, "second", "2")
    outcome = world.deploy()
    assert states(outcome) == {"web1": "unreachable"}
    assert details(outcome)["web1"].startswith("not known idle: a command of an earlier run still works on web1 (")
    assert not (host.root / "second").exists()

    (host.root / "go").touch()
    assert world.deploy(strategy=strategy).state is RunState.SUCCESSFUL
    assert host.read("version") == "2\n"
    wait_until(lambda: not pythons(host))


def test_the_fence_lies_in_a_folder_that_nobody_else_can_open(world):
    world.tree["site.yml"] = world.tree["site.yml"].replace("hosts: all", "hosts: web1")
    world.deploy()

    folder = world.hosts[0].home / ".gitops-hooks"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in folder.rglob("*")} == {0}


def test_a_task_that_becomes_another_user_passes_the_fence(world):
    world.tree["site.yml"] = """\
- hosts: web1
  gather_facts: false
  tasks:
    - command: id -un
      become: true
      become_user: nobody
      become_method: su
      become_flags: -s /bin/sh
"""
    outcome = world.deploy()

    # Only root may become somebody else without a password.
    assert states(outcome) == {"web1": "changed" if os.getuid() == 0 else "failed"}
