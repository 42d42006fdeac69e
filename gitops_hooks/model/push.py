"""What arrives: ref updates, and who sends them."""

from enum import Enum

from gitops_hooks.model.lazy_dataclass import dataclass

NO_OID = "0" * 40


class ActorKind(Enum):
    """Whether a name stands for somebody, for a program, or for an agent: that fetches and reports, and no more."""

    PERSON = "person"
    BOT = "bot"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who pushes, as the server knows them; `key` is the fingerprint (SHA256:…) that logged in."""

    name: str
    key: str
    kind: ActorKind = ActorKind.PERSON


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One command of a push: full ref name and two 40-digit object ids, NO_OID for absent."""

    old: str
    new: str
    ref: str

    @property
    def creates(self) -> bool:
        return self.old == NO_OID

    @property
    def deletes(self) -> bool:
        return self.new == NO_OID


@dataclass(frozen=True, slots=True)
class PushCertificate:
    """The blob that came with a signed push; `nonce` is what this server gave for it, "" where git did not find it."""

    oid: str
    content: bytes
    nonce: str


@dataclass(frozen=True, slots=True)
class Push:
    """One whole push to one repository (`repository` is the id that `repo add` minted)."""

    repository: str
    actor: Actor
    updates: tuple[RefUpdate, ...]
    options: tuple[str, ...] = ()
