"""Who people are: belongs to the server, never to a repository."""

from dataclasses import dataclass

from gitops_hooks.model.push import ActorKind


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public key: its fingerprint and its text (`type base64`).

    SSH's is SHA256:…, its text that of authorized_keys; OpenPGP's is 40 capital digits, its text `openpgp base64`.
    """

    fingerprint: str
    text: str


@dataclass(frozen=True, slots=True)
class Person:
    """One name with all its keys and all its addresses (lower case); `openpgp` keys only sign, and log nobody in."""

    name: str
    keys: tuple[PublicKey, ...]
    addresses: tuple[str, ...]
    kind: ActorKind = ActorKind.PERSON
    openpgp: tuple[PublicKey, ...] = ()


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
