"""A host that stalls in the middle of a run is given up after a while, and never blocks the others."""

import dataclasses
import signal

import pytest

from gitops_hooks.edge import living
from gitops_hooks.model.deployment import RunState
from tests.delivery.conftest import LIMITS, states, wait_for

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
    wait_for(lambda: all((host.root / "begun").exists() for host in world.hosts), 60)

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
    assert world.deploy(limits=PATIENT, strategy=strategy).state is RunState.SUCCESSFUL
    assert stalled.read("text") == "new"
