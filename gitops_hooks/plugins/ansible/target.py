"""One host as it is reached; nothing that loads SSH."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """Where one host of the inventory is reached, and as whom; `python` is the repository's choice or empty."""

    name: str
    address: str
    port: int
    user: str
    python: str = ""

    @property
    def known_as(self) -> str:
        """The name under which OpenSSH looks for its key in known_hosts."""
        return self.address if self.port == 22 else f"[{self.address}]:{self.port}"

    @property
    def place(self) -> str:
        return f"{self.name} ({self.address}:{self.port})"
