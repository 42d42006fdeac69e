"""What the server's file grants to deployments; apart from them, since each SSH login reads that file."""

from collections.abc import Mapping
from pathlib import Path

from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass

# As what a box knows the machine that it stands on, where that is the host.
OWN_HOST = "gitops-hooks-own"
CREDENTIAL_FILES = ("key", "known_hosts", "vault_password", "environment_file", "kubeconfig")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the server's file grants to one environment: paths of files, and the only hosts they are for.

    `environment_file` holds `NAME=value` lines, `state_folder` is what stays from one run to the next and may be
    written to. Without `network` there is none in the box; a script gets it, and secrets, only with `trusted_command`.
    With `door` there is one way out then, to the places that `known_hosts` pins, or, where the hosts are this very
    machine, to that alone: `own` is how its sshd answers (edge/own_host.py).
    `some`: the environment has further hosts, which are left alone and refuse nothing.
    `tools` are folders of programs that it sees, `kubeconfig` says how a cluster is reached. `user` is who logs in on
    the hosts, whatever the inventory says (empty: as it says); with `become` a plan may become another user there.
    """

    hosts: tuple[str, ...] = ()
    key: Path | None = None
    known_hosts: Path | None = None
    vault_password: Path | None = None
    environment_file: Path | None = None
    state_folder: Path | None = None
    trusted_command: bool = False
    network: bool = True
    tools: tuple[Path, ...] = ()
    user: str = ""
    become: bool = False
    kubeconfig: Path | None = None
    door: bool = False
    own: Path | None = None
    some: bool = False

    @classmethod
    def of(
        cls,
        files: Mapping[str, Path],
        hosts: tuple[str, ...] = (),
        state_folder: Path | None = None,
        network: bool = True,
    ) -> "Credentials":
        """From what `files` tells."""
        key, known_hosts, vault, environment, kubeconfig = (files.get(name) for name in CREDENTIAL_FILES)
        return cls(hosts, key, known_hosts, vault, environment, state_folder, network=network, kubeconfig=kubeconfig)

    @property
    def files(self) -> tuple[tuple[str, Path], ...]:
        """Every granted file by the name of its key."""
        found = (self.key, self.known_hosts, self.vault_password, self.environment_file, self.kubeconfig)
        return tuple((name, path) for name, path in zip(CREDENTIAL_FILES, found, strict=True) if path is not None)

    def ssh(self) -> tuple[Path, Path]:
        """The private key and the pinned host keys. Errors: EdgeError where none are granted."""
        if self.key is None or self.known_hosts is None:
            words = "the server's file grants this environment no key; its [[credential]] needs hosts, key, known_hosts"
            raise EdgeError("credentials", words)
        return self.key, self.known_hosts
