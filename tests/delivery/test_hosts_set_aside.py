"""Hosts that are down, show another key or refuse the login are left out with a cure; the others go on."""

import dataclasses
import json
import socket
import struct
import subprocess
import threading
from contextlib import contextmanager

import paramiko
import pytest

from gitops_hooks.model.deployment import RunState
from tests.delivery.conftest import LIMITS, PYTHON, details, states


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


def packet(payload):
    """As SSH frames it before keys are exchanged."""
    padding = 16 - (5 + len(payload)) % 8
    return struct.pack(">IB", 1 + len(payload) + padding, padding) + payload + bytes(padding)


def text(words):
    return struct.pack(">I", len(words)) + words


COMMON = (
    b"curve25519-sha256@libssh.org",
    b"ssh-ed25519",
    *[b"aes256-ctr"] * 2,
    *[b"hmac-sha2-256"] * 2,
    *[b"none"] * 2,
)
AGREED = packet(b"\x14" + bytes(16) + b"".join(map(text, (*COMMON, b"", b""))) + bytes(5))
LISTS = b"".join(struct.pack(">I", 1) + b"x" for _ in range(10)) + bytes(5)
STRANGE_SSH = {
    "lists that are no text": packet(b"\x14" + bytes(16) + struct.pack(">I", 2) + b"\xff\xfe" + LISTS),
    "half a list": packet(b"\x14" + bytes(16) + struct.pack(">I", 90) + b"x"),
    "nothing in common": packet(b"\x14" + bytes(16) + LISTS),
    "no kind": packet(b""),
    "a packet that is too large": b"\xff" * 64,
    "an answer before a question": packet(b"\x1f" + bytes(3)),
    "zeros": bytes(5000),
    # As an answer to the key that we bring: theirs is too short, then the answer is.
    "half a key": AGREED + packet(b"\x1f" + text(b"x") + text(b"x") + text(b"x")),
    "half an answer": AGREED + packet(b"\x1f" + text(b"x")),
    "a weak key": AGREED + packet(b"\x1f" + text(b"x") + text(bytes(32)) + text(b"x")),
    "a host key that is none": AGREED + packet(b"\x1f" + text(text(b"ssh-ed25519")) + text(b"\x09" + bytes(31)) * 2),
}


@contextmanager
def speaking(said):
    """A server that says this, and then hears whatever comes; answers its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    guest = listener.accept()[0]
                except OSError:
                    return
                with guest:
                    guest.settimeout(5)
                    guest.sendall(said)
                    try:
                        while guest.recv(4096):
                            pass
                    except OSError:
                        continue

        server = threading.Thread(target=serve)
        server.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    server.join()


class Silent(paramiko.ServerInterface):
    """Lets everybody in, and never says whether a command was begun."""

    def __init__(self):
        self.over = threading.Event()

    def check_auth_publickey(self, *_):
        return paramiko.AUTH_SUCCESSFUL

    def get_allowed_auths(self, _):
        return "publickey"

    def check_channel_request(self, *_):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, *_):
        self.over.wait()
        return False


def test_a_host_that_lets_us_in_and_then_says_nothing_is_given_up_in_time(world):
    key, silent = paramiko.ECDSAKey.generate(), Silent()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve():
            with paramiko.Transport(listener.accept()[0]) as transport:
                transport.add_server_key(key)
                transport.start_server(server=silent)
                silent.over.wait()

        server = threading.Thread(target=serve)
        server.start()
        with world.known_hosts.open("a") as pinned:
            pinned.write(f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n")
        first, *others = world.tree["inventory"].splitlines(keepends=True)
        world.tree["inventory"] = "".join([first.replace(f"={world.hosts[0].sshd.port} ", f"={port} "), *others])
        try:
            outcome = world.deploy(limits=dataclasses.replace(LIMITS, connect_seconds=1.0))
        finally:
            silent.over.set()
            server.join()

    assert states(outcome) == {"web1": "unreachable", "web2": "changed", "web3": "changed"}, outcome
    assert details(outcome)["web1"].startswith(f"web1 (127.0.0.1:{port}) does not answer (no answer in time)")


@pytest.mark.parametrize("said", [b"SSH-2.0-x\r\n" + each for each in STRANGE_SSH.values()], ids=STRANGE_SSH)
def test_a_host_that_speaks_strange_ssh_keeps_no_other_from_its_deployment(world, said):
    world.hosts[0].sshd.pause()
    with speaking(said) as port:
        first, *others = world.tree["inventory"].splitlines(keepends=True)
        world.tree["inventory"] = "".join([first.replace(f"={world.hosts[0].sshd.port} ", f"={port} "), *others])

        outcome = world.deploy()

    assert states(outcome) == {"web1": "unreachable", "web2": "changed", "web3": "changed"}, outcome
    assert details(outcome)["web1"].startswith(f"web1 (127.0.0.1:{port}) does not answer (")
