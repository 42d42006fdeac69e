"""Who people are: belongs to the server, never to a repository."""

from dataclasses import dataclass

from gitops_hooks.model.push import ActorKind


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One SSH public key: its fingerprint (SHA256:…) and its authorized_keys text (`type base64`)."""

    fingerprint: str
    text: str


@dataclass(frozen=True, slots=True)
class Person:
    """One name with all its keys and all its addresses (lower case)."""

    name: str
    keys: tuple[PublicKey, ...]
    addresses: tuple[str, ...]
    kind: ActorKind = ActorKind.PERSON


@dataclass(frozen=True, slots=True)
class People:
    """Everybody whom the server knows."""

    everybody: tuple[Person, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        return frozenset(person.name for person in self.everybody)

    def named(self, name: str) -> Person | None:
        return next((person for person in self.everybody if person.name == name), None)

    def with_address(self, address: str) -> Person | None:
        wanted = address.lower()
        return next((person for person in self.everybody if wanted in person.addresses), None)
