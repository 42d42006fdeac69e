"""What a key of a user may do at a real sshd: git and the listed words, and nothing that sshd itself offers."""

import getpass
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_hooks.edge.config_edit import set_value
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import add_user
from gitops_hooks.edge.keys import make_key
from gitops_hooks.edge.new_home import make_home
from gitops_hooks.edge.sshd import start_sshd
from gitops_hooks.edge.warm_place import stop_programs


class Login:
    """alice's key at a real sshd."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, Home(folder / 'home with "quotes" and spaces')
        make_home(self.home)
        # sshd's own setting cannot hold a quote; the forced command in the file can.
        set_value(self.home, "authorized_keys", str(folder / "authorized_keys"))
        add_user(self.home, "alice", make_key(folder / "key", "alice"), ("alice@example.org",))
        self.sshd = start_sshd(folder / "sshd", folder / "authorized_keys")
        (folder / "known_hosts").write_text(self.sshd.known_hosts_line() + "\n")

    def options(self) -> list[str]:
        known = self.folder / "known_hosts"
        return [
            *("-F", "none", "-i", str(self.folder / "key"), "-o", f"UserKnownHostsFile={known}"),
            *("-o", "GlobalKnownHostsFile=none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"),
        ]

    def run(self, *words: str, program: str = "ssh", text: str = "") -> subprocess.CompletedProcess[str]:
        command = [program, *self.options(), *words]
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=30)

    def ssh(self, *words: str) -> subprocess.CompletedProcess[str]:
        port, host = str(self.sshd.port), f"{getpass.getuser()}@127.0.0.1"
        options = [word for word in words if word.startswith("-")]
        return self.run("-p", port, *options, host, *(word for word in words if word not in options))


@pytest.fixture(scope="module")
def login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Login]:
    login = Login(tmp_path_factory.mktemp("login"))
    yield login
    login.sshd.stop()
    assert stop_programs(login.home)


def test_the_key_says_who_it_is_whatever_the_account_is_called(login):
    done = login.ssh("whoami")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("alice (person), key SHA256:")


def test_there_is_no_shell_and_no_terminal(login):
    done = login.ssh("-tt")
    assert (done.returncode, done.stdout) == (255, "")
    assert "PTY allocation request failed" in done.stderr
    done = login.ssh()
    assert done.returncode == 0
    assert done.stdout.startswith("Hello alice. There is no shell here")


@pytest.mark.parametrize("command", ["bash -i", "env PATH=/tmp sh", "/bin/sh", "python3 -c 1"])
def test_no_other_program_runs(login, command):
    done = login.ssh(command)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("gitops: ")


def test_no_files_are_copied(login):
    host = f"{getpass.getuser()}@127.0.0.1"
    for flags in ((), ("-O",)):
        target = f"{host}:stolen"
        done = login.run("-P", str(login.sshd.port), *flags, str(login.folder / "known_hosts"), target, program="scp")
        assert done.returncode != 0
    done = login.run("-P", str(login.sshd.port), host, program="sftp", text="ls\n")
    assert done.returncode != 0
    assert not (login.home.path / "stolen").exists()
    assert not (Path.home() / "stolen").exists()


def test_nothing_is_forwarded(login):
    with socket.create_server(("127.0.0.1", 0)) as inside:
        port = inside.getsockname()[1]
        host = f"{getpass.getuser()}@127.0.0.1"
        done = login.run("-p", str(login.sshd.port), "-W", f"127.0.0.1:{port}", host)
        assert done.returncode != 0
        remote = login.run(
            "-p", str(login.sshd.port), "-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:1", host, "whoami"
        )
        assert remote.returncode != 0
