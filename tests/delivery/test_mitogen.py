"""With `strategy: mitogen` a host runs one Python for the whole of a run, behind the same fence as single commands."""

import sys

import pytest

from gitops_hooks.edge import living
from gitops_hooks.model.deployment import RunState
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.plugins.ansible.mitogen import strategy_settings
from tests.delivery.conftest import details, states
from tests.delivery.test_fence import WORK, environment_of, holder, until_it_works, work

MITOGEN = {"strategy": "mitogen"}
TASKS = """\
- hosts: web1
  gather_facts: false
  tasks:
"""


def test_hosts_come_to_the_same_end_as_by_single_commands(world):
    outcome = world.deploy(**MITOGEN)

    assert outcome.state is RunState.SUCCESSFUL
    assert states(outcome) == {"web1": "changed", "web2": "changed", "web3": "changed"}
    assert [host.read("motd") for host in world.hosts] == [f"hello from {host.name}\n" for host in world.hosts]
    assert set(states(world.deploy(**MITOGEN)).values()) == {"ok"}
    assert set(states(world.deploy()).values()) == {"ok"}


def test_one_python_on_the_host_does_all_tasks(world):
    one = "{{ root }}/parents"
    world.tree["site.yml"] = TASKS + "".join(
        f'    - shell: \'tr "\\\\0" " " < /proc/$PPID/cmdline >> {one}; echo $PPID >> {one}\'\n' for _ in range(3)
    )
    assert world.deploy(**MITOGEN).state is RunState.SUCCESSFUL

    told = world.hosts[0].read("parents").splitlines()
    assert len(told) == 3 and len(set(told)) == 1 and "mitogen" in told[0]


def test_a_look_finds_what_a_hand_changed_and_mends_nothing(world):
    world.deploy(**MITOGEN)
    (world.hosts[1].root / "motd").write_text("by hand\n")

    found, outcome = world.look(**MITOGEN)

    assert outcome.state is RunState.SUCCESSFUL
    assert {host.name: host.sync.value for host in found.hosts} == {
        "web1": "Synced",
        "web2": "OutOfSync",
        "web3": "Synced",
    }
    assert world.hosts[1].read("motd") == "by hand\n"


def test_no_newer_run_gets_a_host_while_the_python_of_an_older_one_lives(world):
    """The older run's hold on the host is cut as by a broken line, while it itself lives on."""
    host = world.hosts[0]
    work(world, "first", "old")
    older = world.start(**MITOGEN)
    until_it_works(host, "first")
    living.end(holder(host), gentle_seconds=0)

    work(world, "second", "new")
    outcome = world.deploy(**MITOGEN)
    assert details(outcome)["web1"].startswith("not known idle: a command of an earlier run still works on web1 (")

    (host.root / "go").touch()
    assert older.wait(30).state is RunState.SUCCESSFUL
    assert world.deploy(**MITOGEN).state is RunState.SUCCESSFUL
    assert host.read("version") == "new\n"


def test_a_run_that_is_asked_to_end_ends(world):
    world.tree["site.yml"] = WORK.replace("SIGN", "first")
    running = world.start(**MITOGEN)
    until_it_works(world.hosts[0], "first")

    running.terminate()

    assert running.wait(20).state is RunState.CANCELED


def test_a_program_that_a_task_leaves_behind_does_not_keep_the_host(world):
    world.tree["site.yml"] = TASKS + "    - shell: setsid sleep 30 > /dev/null 2>&1 & echo $! > {{ root }}/left\n"
    assert world.deploy(**MITOGEN).state is RunState.SUCCESSFUL
    try:
        assert world.deploy(**MITOGEN).state is RunState.SUCCESSFUL
    finally:
        left = [one for one in living.list_living() if one.argv[:2] == ("sleep", "30")]
        living.end([one for one in left if f"HOME={world.hosts[0].home}" in environment_of(one.pid)], gentle_seconds=0)


def test_delegated_tasks_go_to_hosts_of_the_inventory_and_never_to_the_server(world):
    world.tree["site.yml"] = (
        "- hosts: web2\n  tasks: []\n"
        + TASKS
        + (
            "    - command: touch {{ hostvars.web2.root }}/from-web1\n"
            "      delegate_to: web2\n"
            "    - command: touch {{ root }}/on-the-server\n"
            "      delegate_to: nowhere.example\n"
        )
    )
    outcome = world.deploy(**MITOGEN)
    assert (world.hosts[1].root / "from-web1").exists()
    assert not (world.hosts[0].root / "on-the-server").exists()
    assert outcome.state is RunState.FAILED


@pytest.mark.parametrize("place", ["inventory", "site.yml"])
def test_a_repository_cannot_lead_mitogen_elsewhere(world, place):
    if place == "inventory":
        world.write_inventory("mitogen_via=web2")
    else:
        world.tree["site.yml"] = TASKS.replace("  tasks:", "  vars: {mitogen_via: web2}\n  tasks:") + "    - ping:\n"
    outcome = world.deploy(**MITOGEN)
    assert outcome.state is RunState.ERROR
    assert "'mitogen_via' changes how hosts are reached" in outcome.detail


def test_without_mitogen_the_deployment_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    for name in [name for name in sys.modules if name.startswith("ansible_mitogen")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(EdgeError) as raised:
        strategy_settings("mitogen")
    assert str(raised.value) == "mitogen: not installed beside this Python; install mitogen into its environment"
    assert strategy_settings("linear") == {}
