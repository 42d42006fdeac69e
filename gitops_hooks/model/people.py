"""Who people are: belongs to the server, never to a repository."""

from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import ActorKind


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public key: its fingerprint and its text (`type base64`).

    SSH's is SHA256:…, its text that of authorized_keys; OpenPGP's is 40 capital digits, its text `openpgp base64`.
    """

    fingerprint: str
    text: str


EVERY_HOST = "*"


@dataclass(frozen=True, slots=True)
class Charge:
    """What an agent answers for: hosts of one environment of one repository (its id); `*` is every host of it."""

    repository: str
    environment: str
    hosts: tuple[str, ...]

    def covers(self, host: str) -> bool:
        return host in self.hosts or EVERY_HOST in self.hosts

    def overlap(self, other: "Charge") -> tuple[str, ...]:
        """The hosts that both answer for."""
        if (self.repository, self.environment) != (other.repository, other.environment):
            return ()
        mine, theirs = (set(one.hosts) for one in (self, other))
        if EVERY_HOST in mine | theirs:
            return tuple(sorted((mine | theirs) - {EVERY_HOST})) or (EVERY_HOST,)
        return tuple(sorted(mine & theirs))


@dataclass(frozen=True, slots=True)
class Person:
    """One name with all its keys and all its addresses (lower case); `openpgp` keys only sign, and log nobody in.

    An agent has a `charge`, and no addresses.
    """

    name: str
    keys: tuple[PublicKey, ...]
    addresses: tuple[str, ...]
    kind: ActorKind = ActorKind.PERSON
    openpgp: tuple[PublicKey, ...] = ()
    charge: Charge | None = None


@dataclass(frozen=True, slots=True)
class People:
    """Everybody whom the server knows; agents stand apart, so that no rule ever counts one among people."""

    everybody: tuple[Person, ...] = ()
    agents: tuple[Person, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        return frozenset(person.name for person in self.everybody)

    def named(self, name: str) -> Person | None:
        return next((person for person in self.everybody if person.name == name), None)

    def login(self, name: str) -> Person | None:
        """Who logs in by this name: one of the people, or an agent."""
        return next((person for person in (*self.everybody, *self.agents) if person.name == name), None)

    def with_address(self, address: str) -> Person | None:
        wanted = address.lower()
        return next((person for person in self.everybody if wanted in person.addresses), None)
