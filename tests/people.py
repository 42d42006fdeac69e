"""What one person has on their own machine: a name, a key, an ssh configuration, and nothing of whoever runs this."""

import os
import tempfile
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


def shell_of(name: str, home: Path, ssh_config: Path) -> dict[str, str]:
    """The environment in which this person types."""
    names = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", name), ("EMAIL", f"{name}@example.org"))
    }
    return {**clean_environment(home), **names, "GIT_SSH_COMMAND": f"ssh -F {ssh_config}"}


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
    ConnectTimeout 10
    LogLevel ERROR
"""
