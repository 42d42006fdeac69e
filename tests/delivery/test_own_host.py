"""A box may be let out to the machine that it stands on, and to nothing else; SSH needs no server there."""

import socket
import threading

import pytest

from gitops_hooks.edge.own_door import is_own
from gitops_hooks.edge.own_host import lay_own_host
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.deployment import HostOutcome, HostState, RunState
from gitops_hooks.model.drift import Sync
from gitops_hooks.model.rollout import HealthCheck, HealthKind, Rollout
from tests.delivery.conftest import states

HEAD = "- hosts: all\n  gather_facts: false\n  tasks:\n"


@pytest.fixture
def own(world):
    """What an agent on web1 hands to its box; no host has a server that listens."""
    host = world.hosts[0]
    for one in world.hosts:
        one.sshd.pause()
    laid = lay_own_host(world.folder / "own", host.sshd.folder / "host_key", host.home)
    return Credentials((host.name,), laid.key, laid.known_hosts, network=False, door=True, own=laid.config, some=True)


def health(kind, what):
    return Rollout(health=(HealthCheck(kind, what, timeout=60, retries=0),))


def test_its_own_host_is_looked_at_and_deployed_to_and_the_others_are_left_alone(world, own):
    found, _ = world.look(credentials=own)
    assert [(host.name, host.sync) for host in found.hosts] == [("web1", Sync.OUT)]
    assert states(world.deploy(credentials=own)) == {"web1": "changed"}
    assert [host.read("motd") for host in world.hosts] == ["hello from web1\n", None, None]
    assert states(world.deploy(credentials=own, strategy="mitogen")) == {"web1": "ok"}
    assert [host.sync for host in world.look(credentials=own)[0].hosts] == [Sync.SYNCED]


def test_lease_and_generation_are_those_that_a_push_meets(world, own):
    assert states(world.deploy(credentials=own, generation=7)) == {"web1": "changed"}
    world.hosts[0].sshd.start_again()
    world.granted = ("web1",)
    world.tree["inventory"] = world.hosts[0].inventory_line() + "\n"
    (host,) = world.deploy(generation=5).hosts
    assert host.state is HostState.SKIPPED
    assert "generation 5 is older than what web1 has already seen (7 " in host.detail


@pytest.mark.parametrize("well", [True, False])
def test_its_health_is_asked_on_its_own_addresses(world, own, well):
    with socket.create_server(("127.0.0.1", 0)) as served:
        if not well:
            served.close()
        threading.Thread(target=lambda: well and answer(served), daemon=True).start()
        url = f"http://{{host}}:{served.getsockname()[1] if well else 1}/"
        outcome = world.deploy(credentials=own, rollout=health(HealthKind.HTTP, url))
    fine = HostOutcome("web1", HostState.CHANGED, 1)
    assert (outcome.hosts == (fine,)) is well, outcome
    assert well or outcome.hosts[0].detail.endswith("Connection refused"), outcome


def answer(served):
    asked, _ = served.accept()
    asked.recv(1024)
    asked.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    asked.close()


def test_its_health_is_asked_by_a_command_on_it(world, own):
    outcome = world.deploy(credentials=own, rollout=health(HealthKind.COMMAND, f"test -e {world.hosts[0].root}/motd"))
    assert outcome.state is RunState.SUCCESSFUL, outcome
    (host,) = world.deploy(credentials=own, rollout=health(HealthKind.COMMAND, "echo broken; exit 3")).hosts
    assert host.state is HostState.FAILED and host.detail.endswith("exit 3: broken")


def test_no_other_machine_is_reached(world, own):
    """What is no address of this machine is refused outside of the box, before anybody connects."""
    world.tree["inventory"] = world.hosts[0].inventory_line().replace("127.0.0.1", "192.0.2.7") + "\n"
    (host,) = world.deploy(credentials=own, rollout=health(HealthKind.TCP, "80")).hosts
    assert host.detail.endswith("192.0.2.7 is not this machine, and nothing else is reached"), host
    assert (is_own("127.0.0.1"), is_own("::1"), is_own("192.0.2.7")) == (True, socket.has_ipv6 and is_own("::1"), False)
