"""The loopback SSH server that the demo and the stories log in to."""

import getpass
import os
import socket
import subprocess

import pytest

from gitops_hooks.edge import living
from gitops_hooks.edge.keys import fingerprint, make_key
from gitops_hooks.edge.sshd import start_sshd, stop_sshd
from gitops_hooks.model.errors import EdgeError


@pytest.fixture
def key(tmp_path):
    (tmp_path / "authorized_keys").write_text(make_key(tmp_path / "key", "a key") + "\n")
    return tmp_path / "key"


@pytest.fixture
def server(tmp_path, key):
    sshd = start_sshd(tmp_path / "sshd", tmp_path / "authorized_keys")
    (tmp_path / "known_hosts").write_text(sshd.known_hosts_line() + "\n")
    yield sshd
    sshd.stop()


def ssh(server, key, *words, **more):
    known = key.with_name("known_hosts")
    options = ["-F", "none", "-i", key, "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes"]
    options += ["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "GlobalKnownHostsFile=none"]
    command = ["ssh", *options, "-p", str(server.port), f"{getpass.getuser()}@127.0.0.1", *words]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, **more)


def test_a_key_gets_in_and_the_pinned_host_key_is_the_servers(server, key):
    done = ssh(server, key, "echo in")

    assert (done.returncode, done.stdout) == (0, "in\n")


def test_another_key_is_refused(server, key, tmp_path):
    make_key(tmp_path / "stranger", "a stranger")
    (tmp_path / "key").unlink()
    (tmp_path / "stranger").rename(tmp_path / "key")

    assert "Permission denied" in ssh(server, key, "true").stderr


def test_git_protocol_is_the_only_word_that_passes_from_the_client(server, key):
    send = ["-o", "SendEnv=GIT_PROTOCOL", "-o", "SendEnv=SECRET"]
    known = key.with_name("known_hosts")
    command = ["ssh", "-F", "none", "-i", key, "-o", f"UserKnownHostsFile={known}", "-p", str(server.port)]
    done = subprocess.run(
        [*command, *send, f"{getpass.getuser()}@127.0.0.1", "env"],
        env={**os.environ, "GIT_PROTOCOL": "version=2", "SECRET": "plum"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
    )

    assert "GIT_PROTOCOL=version=2\n" in done.stdout
    assert "plum" not in done.stdout


def test_after_a_new_host_key_the_old_pin_refuses(server, key):
    before = server.fingerprint
    server.rotate_host_key()

    assert server.fingerprint != before
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in ssh(server, key, "true").stderr


def test_stop_ends_the_programs_of_its_sessions_too(server, key, tmp_path):
    ssh(server, key, f"sh -c 'sleep 300 & echo $! > {tmp_path}/number' >/dev/null 2>&1 </dev/null")
    number = int((tmp_path / "number").read_text())
    assert living.look_at(number) is not None

    server.stop()

    assert living.look_at(number) is None


def test_stop_by_folder_needs_nothing_but_the_folder_and_may_be_repeated(server):
    stop_sshd(server.folder)
    stop_sshd(server.folder)

    assert not [one for one in living.list_living() if str(server.folder) in " ".join(one.argv)]


def test_two_servers_in_two_folders_leave_each_other_alone(server, key, tmp_path):
    other = start_sshd(tmp_path / "sshd2", tmp_path / "authorized_keys")
    other.stop()

    assert ssh(server, key, "true").returncode == 0


def test_a_taken_port_is_told(server, tmp_path):
    with pytest.raises(EdgeError, match=f"127.0.0.1:{server.port} is taken; stop what listens there"):
        start_sshd(tmp_path / "sshd2", tmp_path / "authorized_keys", port=server.port)


def test_the_fingerprint_is_the_one_that_ssh_keygen_prints(tmp_path):
    public = make_key(tmp_path / "one", "one")
    told = subprocess.run(["ssh-keygen", "-lf", tmp_path / "one"], capture_output=True, text=True, timeout=10)

    assert fingerprint(public) == told.stdout.split()[1]
    with pytest.raises(EdgeError, match="never overwritten"):
        make_key(tmp_path / "one", "one")


def test_a_session_runs_its_command_without_the_start_up_files_of_the_account(tmp_path, key):
    home = tmp_path / "home"
    home.mkdir()
    (home / ".bashrc").write_text("echo from the start-up file\n")
    sshd = start_sshd(tmp_path / "sshd", tmp_path / "authorized_keys", environment={"HOME": str(home)})
    (tmp_path / "known_hosts").write_text(sshd.known_hosts_line() + "\n")
    try:
        done = ssh(sshd, key, "echo $HOME")
    finally:
        sshd.stop()

    assert (done.returncode, done.stdout) == (0, f"{home}\n")


def test_while_it_pauses_its_port_refuses_and_is_nobody_elses(server, key):
    server.pause()
    refused = ssh(server, key, "true").stderr
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((server.address, server.port))
    server.start_again()

    assert "Connection refused" in refused
    assert ssh(server, key, "echo in").stdout == "in\n"


def test_who_took_the_port_meanwhile_is_told(server):
    server.stop()
    taken = pytest.raises(EdgeError, match=f":{server.port} is taken; stop what listens there")
    with socket.create_server((server.address, server.port)), taken:
        server.start_again()
