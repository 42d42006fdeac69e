"""A host that stalls in the middle of a run is given up after a while, and never blocks the others."""

import dataclasses
import signal

import pytest

from gitops_hooks.edge import living
from gitops_hooks.edge.launch import leftovers
from gitops_hooks.model.deployment import RunState
from tests.delivery.conftest import LIMITS, run_name, states
from tests.waiting import wait_until

PLAY = """\
- hosts: all
  gather_facts: false
  tasks:
    - name: begin
      shell: touch {{ root }}/begun; while [ -e {{ root }}/hold ]; do sleep 0.05; done
    - name: end
      copy: {content: "TEXT", dest: "{{ root }}/text"}
"""


PATIENT = dataclasses.replace(LIMITS, connect_seconds=4.0)


def stop_and_go(host, number):
    """The host's server and all that runs in it stands still, or goes on."""
    servers = [one for one in living.list_living() if any(str(host.sshd.folder) in word for word in one.argv)]
    for one in (*(below for server in servers for below in living.descendants(server.pid)), *servers):
        living.send(one, number)


@pytest.mark.parametrize("strategy", ["linear", "mitogen"])
def test_the_others_go_on_without_it_and_it_is_caught_up_when_it_is_back(world, strategy):
    stalled = world.hosts[0]
    (stalled.root / "hold").touch()
    world.tree["site.yml"] = PLAY.replace("TEXT", "new")
    running = world.start(limits=PATIENT, strategy=strategy)
    wait_until(lambda: all((host.root / "begun").exists() for host in world.hosts))

    stop_and_go(stalled, signal.SIGSTOP)
    try:
        outcome = running.wait(90)
        assert [host.read("text") for host in world.hosts] == [None, "new", "new"]
        assert (outcome.state, states(outcome)) == (
            RunState.FAILED,
            {"web1": "unreachable", "web2": "changed", "web3": "changed"},
        )
        # Standing still it is known to nobody as idle.
        assert states(world.deploy(limits=PATIENT, strategy=strategy))["web1"] == "unreachable"
    finally:
        stop_and_go(stalled, signal.SIGCONT)

    (stalled.root / "hold").unlink()
    assert world.deploy(strategy=strategy).state is RunState.SUCCESSFUL
    assert stalled.read("text") == "new"


def test_ansible_is_loaded_while_a_host_is_waited_for_and_leaves_where_none_answers(world):
    world.tree["site.yml"] = PLAY.replace("hosts: all", "hosts: web1")
    stop_and_go(world.hosts[0], signal.SIGSTOP)
    try:
        running = world.start(limits=PATIENT)
        wait_until(lambda: any("loaded_ahead" in word for one in programs(run_name(1)) for word in one.argv))
        outcome = running.wait(30)
    finally:
        stop_and_go(world.hosts[0], signal.SIGCONT)

    assert states(outcome) == {"web1": "unreachable"}
    assert "does not answer (" in outcome.hosts[0].detail
    assert programs(run_name(1)) == []
    assert not (world.hosts[0].root / "begun").exists()


def programs(run_id):
    return [child for one in leftovers([run_id]) for child in (one, *living.descendants(one.pid))]
