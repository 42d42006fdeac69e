"""Where the server keeps its own files; every path of the suite is named here."""

from pathlib import Path

from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Home:
    """The server's folder: files below it are the server user's own, 0700."""

    path: Path

    @property
    def server_file(self) -> Path:
        return self.path / "server.toml"

    @property
    def users_file(self) -> Path:
        return self.path / "users.toml"

    @property
    def authorized_keys(self) -> Path:
        """Used where server.toml names no other."""
        return self.path / "authorized_keys"

    @property
    def signing_key(self) -> Path:
        """The ed25519 key that signs every event; its public half lies beside it with `.pub`."""
        return self.path / "server_key"

    @property
    def nonce_seed(self) -> Path:
        """The secret behind the nonces of signed pushes; in no repository's configuration."""
        return self.path / "nonce_seed"

    @property
    def repositories(self) -> Path:
        return self.path / "repositories"

    @property
    def hooks(self) -> Path:
        """The three scripts that git runs, laid by the administrator's commands."""
        return self.path / "hooks"

    @property
    def journal(self) -> Path:
        """Refusals and alarms, one JSON object a line, bounded."""
        return self.path / "journal.jsonl"

    @property
    def stop_file(self) -> Path:
        """While it is there, no deployment begins in any repository."""
        return self.path / "stopped"

    @property
    def run(self) -> Path:
        """Locks, the bell and process ids: nothing that must outlive a reboot."""
        return self.path / "run"

    @property
    def judge(self) -> Path:
        """The warm judge's socket, lock and log; nobody else may so much as look into it."""
        return self.run / "judge"

    def state(self, repository_id: str) -> Path:
        """What belongs to one repository and can be rebuilt from its refs."""
        return self.path / "state" / repository_id
