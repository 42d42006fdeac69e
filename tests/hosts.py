"""Real hosts to deploy to: each a real sshd with a key, a home and a root folder of its own, on loopback."""

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_hooks.edge.sshd import Sshd, start_sshd

_PYTHON = "/usr/bin/python3"


@dataclass(slots=True)
class DeployedHost:
    """One running host; `root` stands for its `/`, and what a deployment writes lands below it."""

    name: str
    folder: Path
    sshd: Sshd

    @property
    def root(self) -> Path:
        return self.folder / "root"

    def holds(self, path: str) -> str | None:
        """The text of a file below the root, None where there is none."""
        file = self.root / path
        return file.read_text() if file.exists() else None

    def files(self) -> dict[str, str]:
        """Every file below the root with its text."""
        found = sorted(path for path in self.root.rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): path.read_text() for path in found}

    def inventory_lines(self) -> list[str]:
        """Its entry of an inventory in YAML, six spaces deep variables."""
        return [
            f"    {self.name}:",
            f"      ansible_host: {self.sshd.address}",
            f"      ansible_port: {self.sshd.port}",
            f"      ansible_user: {getpass.getuser()}",
            f"      root: {self.root}",
        ]


def start_host(folder: Path, name: str, deploy_key: str) -> DeployedHost:
    """Start a host in this folder that lets the holder of this public key in."""
    home = folder / "home"
    for path in (home, folder / "root" / "etc"):
        path.mkdir(parents=True, exist_ok=True)
    allowed = folder / "authorized_keys"
    allowed.write_text(f"{deploy_key}\n")
    allowed.chmod(0o600)
    # The hosts share one machine and one user: a home of its own keeps what a run leaves there apart.
    return DeployedHost(name, folder, start_sshd(folder / "sshd", allowed, environment={"HOME": str(home)}))


def inventory(hosts: Sequence[DeployedHost], group: str = "web") -> str:
    """The text of hosts.yml."""
    entries = [line for host in hosts for line in host.inventory_lines()]
    return "\n".join(
        ["---", f"{group}:", "  hosts:", *entries, "  vars:", f"    ansible_python_interpreter: {_PYTHON}", ""]
    )


def known_hosts(hosts: Sequence[DeployedHost]) -> str:
    """The text of a known_hosts file that pins every one of them."""
    return "".join(f"{host.sshd.known_hosts_line()}\n" for host in hosts)


def credential_table(repository: str, environment: str, branch: str, hosts: Sequence[str]) -> str:
    """The `[[credential]]` that grants these hosts, with its files below the home folder."""
    names = ", ".join(f'"{host}"' for host in hosts)
    return f"""
[[credential]]
repository = "{repository}"
environment = "{environment}"
branch = "{branch}"
hosts = [{names}]
key = "credentials/{environment}/key"
known_hosts = "credentials/{environment}/known_hosts"
"""
