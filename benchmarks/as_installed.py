"""Servers that exchange keys as the OpenSSH of this machine does by itself, which those of the tests do not."""

from gitops_hooks.edge.sshd import Sshd

_OURS = "KexAlgorithms "


def exchange_keys_as_installed(*servers: Sshd) -> None:
    """Start each again without the setting that spares loopback a slow key exchange: people's servers have none."""
    for sshd in servers:
        config = sshd.folder / "sshd_config"
        lines = config.read_text().splitlines(keepends=True)
        config.write_text("".join(line for line in lines if not line.startswith(_OURS)))
        sshd.pause()
        sshd.start_again()
