"""What one person has on their own machine: a name, a key, an ssh configuration, and nothing of whoever runs this."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from gitops_hooks.edge.sshd import Sshd


def clean_environment(home: Path) -> dict[str, str]:
    """A shell's environment without anything of the person who runs this, but with the same programs."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": tempfile.gettempdir(),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }


def shell_of(name: str, home: Path) -> dict[str, str]:
    """The environment in which this person types: `ssh host` and `git push` find the server and their key."""
    names = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", name), ("EMAIL", f"{name}@example.org"))
    }
    clean = clean_environment(home)
    return {**clean, **names, "PATH": f"{home / 'bin'}:{clean['PATH']}"}


def lay_ssh(home: Path, settings: str) -> None:
    """Write this person's ssh configuration, and an `ssh` that reads it: OpenSSH itself asks passwd for the home."""
    (home / "ssh_config").write_text(settings)
    ssh = home / "bin" / "ssh"
    ssh.parent.mkdir(exist_ok=True)
    ssh.write_text(f"#!/bin/sh\nexec {shutil.which('ssh')} -F '{home / 'ssh_config'}' \"$@\"\n")
    ssh.chmod(0o755)


def introduce(server: Sshd, known_hosts: Path, people: Mapping[Path, Path]) -> None:
    """Pin the server's key, and have the ssh of each home find the server with this key."""
    known_hosts.write_text(server.known_hosts_line("host") + "\n")
    for home, key in people.items():
        lay_ssh(home, ssh_settings(server, key, known_hosts))


def ssh_settings(server: Sshd, key: Path, known_hosts: Path) -> str:
    """An ssh configuration in which `host` is the server, pinned under that name whatever port it has."""
    return f"""\
Host host
    HostName {server.address}
    Port {server.port}
    HostKeyAlias host
    IdentityFile {key}
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile {known_hosts}
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    SendEnv GIT_PROTOCOL
    BatchMode yes
    LogLevel ERROR
"""
