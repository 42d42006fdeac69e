"""Hosts that are down, show another key or refuse the login are left out with a cure; the others go on."""

import json
import subprocess

import pytest

from gitops_hooks.model.deployment import RunState
from tests.delivery.conftest import PYTHON, details, states


def test_a_host_that_is_down_is_left_out_and_caught_up_later(world):
    down = world.hosts[1].sshd
    down.pause()

    outcome = world.deploy()

    assert (outcome.state, outcome.detail) == (RunState.FAILED, "unreachable: web2")
    assert states(outcome) == {"web1": "changed", "web2": "unreachable", "web3": "changed"}
    assert details(outcome)["web2"] == (
        f"web2 (127.0.0.1:{down.port}) does not answer (Connection refused); start it, or take it out of the inventory"
    )
    assert world.hosts[1].read("motd") is None

    down.start_again()
    assert states(world.deploy()) == {"web1": "ok", "web2": "changed", "web3": "ok"}


@pytest.mark.parametrize("address", ["web..example.com", "w" * 64])
def test_an_address_that_no_name_can_be_keeps_no_other_host_waiting(world, address):
    first, *others = world.tree["inventory"].splitlines(keepends=True)
    world.tree["inventory"] = "".join([first.replace("=127.0.0.1", f"={address}"), *others])

    outcome = world.deploy()

    assert states(outcome) == {"web1": "unreachable", "web2": "changed", "web3": "changed"}
    assert details(outcome)["web1"] == (
        f"web1 ({address}:{world.hosts[0].sshd.port}) cannot be looked up, since no name is written so; "
        "correct its ansible_host"
    )


def test_nothing_runs_on_a_host_whose_key_has_changed(world):
    changed = world.hosts[2]
    changed.sshd.rotate_host_key()

    outcome = world.deploy()

    assert (outcome.state, outcome.detail) == (RunState.FAILED, "failed: web3")
    assert details(outcome)["web3"] == (
        f"web3 (127.0.0.1:{changed.sshd.port}) shows host key ssh-ed25519 {changed.sshd.fingerprint}, which is not the "
        "pinned one; nothing was run there. If the host was rebuilt on purpose, pin the new key for "
        f"[127.0.0.1]:{changed.sshd.port} in this environment's known_hosts"
    )
    assert changed.read("motd") is None
    assert not list(changed.home.glob(".gitops-hooks"))
    assert world.hosts[0].read("motd") == "hello from web1\n"


def test_a_host_without_a_pinned_key_is_not_trusted_at_first_sight(world):
    world.known_hosts.write_text("".join(host.sshd.known_hosts_line() + "\n" for host in world.hosts[1:]))
    port, seen = world.hosts[0].sshd.port, world.hosts[0].sshd.fingerprint

    outcome = world.deploy()

    assert details(outcome)["web1"] == (
        f"web1 (127.0.0.1:{port}) shows host key ssh-ed25519 {seen}, and none is pinned; nothing was run there. "
        f"Compare it on the host itself, then pin it for [127.0.0.1]:{port} in this environment's known_hosts"
    )
    assert states(outcome) == {"web1": "failed", "web2": "changed", "web3": "changed"}


def test_hashed_known_hosts_pin_as_well(world):
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", world.known_hosts], check=True, capture_output=True, timeout=10)
    assert "127.0.0.1" not in world.known_hosts.read_text()

    assert world.deploy().state is RunState.SUCCESSFUL


def test_a_host_that_refuses_the_login_is_told_with_the_user(world):
    (world.hosts[0].home / "authorized_keys").write_text("")

    outcome = world.deploy()

    user, port = world.user, world.hosts[0].sshd.port
    assert details(outcome)["web1"] == (
        f"web1 (127.0.0.1:{port}) refuses the login of {user}; authorise this environment's key there"
    )
    assert states(outcome) == {"web1": "unreachable", "web2": "changed", "web3": "changed"}


def test_with_no_host_ready_nothing_is_started(world):
    for host in world.hosts:
        host.sshd.pause()

    outcome = world.deploy()

    assert (outcome.state, outcome.detail) == (RunState.FAILED, "unreachable: web1 web2 web3")


# Of a host that somebody else rules.
NONSENSE = {
    "taken, and not a word more": json.dumps({"state": "taken"}),
    "brackets without end": "[" * 60_000,
    "a list": '["taken"]',
    "numbers": json.dumps({"state": "taken", "fence": 1, "python": 2, "shell": 3}),
    "nothing": "",
}


@pytest.mark.parametrize("words", NONSENSE.values(), ids=NONSENSE)
def test_a_host_that_answers_nonsense_keeps_no_other_from_its_deployment(world, words):
    odd, answer = world.folder / "odd-python", world.folder / "answer"
    answer.write_text(words + "\n")
    odd.write_text(f"#!/bin/sh\ncat {answer}\n")
    odd.chmod(0o755)
    first, *others = world.tree["inventory"].splitlines(keepends=True)
    world.tree["inventory"] = "".join([first.replace(f"={PYTHON}", f"={odd}"), *others])

    outcome = world.deploy()

    assert (outcome.state, outcome.detail) == (RunState.FAILED, "failed: web1")
    assert states(outcome) == {"web1": "failed", "web2": "changed", "web3": "changed"}
    assert details(outcome)["web1"].startswith("the fence cannot be set up on web1: ")
