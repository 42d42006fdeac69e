"""A push certificate, as git writes it, and whether it is a signed approval of one head (trust rule 13)."""

import re

from gitops_hooks.core.receive import shown
from gitops_hooks.model.lazy_dataclass import dataclass

MOST_BYTES = 64 * 1024
_BEGIN = re.compile(rb"-----BEGIN (?:SSH|PGP) SIGNATURE-----\n")
_OTHER = (b"-----BEGIN PGP ", b"-----BEGIN SIGNED MESSAGE")
_COMMAND = re.compile(rb"([0-9a-f]{40}) ([0-9a-f]{40}) ([^\n]+)")


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was signed (`payload`), and by which armoured signature; `commands` are (old, new, ref)."""

    nonce: str
    options: tuple[str, ...]
    commands: tuple[tuple[str, str, str], ...]
    payload: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class Bound:
    """What an approval is given for: repository id, change, full target ref, merge base and head."""

    repository: str
    change: int
    target: str
    base: str
    head: str

    @property
    def options(self) -> tuple[str, ...]:
        """The push options that say so."""
        branch = self.target.removeprefix("refs/heads/")
        return (f"repository={self.repository}", f"target={branch}", f"base={self.base}")

    @property
    def line(self) -> str:
        """The exact line that signs it."""
        said = " ".join(f"-o {option}" for option in self.options)
        return f"git push --signed {said} origin {self.head}:refs/approve/{self.change}"


def read_certificate(content: bytes) -> Certificate | str:
    """The certificate in a blob, or what is wrong with it."""
    if len(content) > MOST_BYTES:
        return f"the push certificate is larger than {MOST_BYTES} bytes"
    begin = _BEGIN.search(content)
    if begin is None:
        return _unsigned(content)
    payload = content[: begin.start()]
    head, _, tail = payload.partition(b"\n\n")
    lines = head.split(b"\n")
    if lines[0] != b"certificate version 0.1" or not tail.endswith(b"\n"):
        return "the push certificate is not of version 0.1"
    commands = [_COMMAND.fullmatch(line) for line in tail[:-1].split(b"\n")]
    try:
        fields = [line.decode("utf-8").partition(" ") for line in lines[1:]]
        found = tuple((m[1].decode(), m[2].decode(), m[3].decode("utf-8")) for m in commands if m)
        armour = content[begin.start() :].decode("ascii")
    except UnicodeDecodeError:
        return "the push certificate holds bytes that are no text"
    nonces = [value for name, _, value in fields if name == "nonce"]
    if len(found) != len(commands) or len(nonces) != 1 or any(name not in _FIELDS for name, _, _ in fields):
        return "the push certificate is not as git writes it"
    options = tuple(value for name, _, value in fields if name == "push-option")
    return Certificate(nonces[0], options, found, payload, armour)


_FIELDS = ("pusher", "pushee", "nonce", "push-option")


def _unsigned(content: bytes) -> str:
    if any(begin in content for begin in _OTHER):
        return "X.509 signatures and signed messages are not taken; sign with the SSH key that you log in with"
    return "the push certificate is not signed"


def certificate_faults(certificate: Certificate, bound: Bound) -> tuple[str, ...]:
    """Everything that keeps a certificate from being an approval of exactly this."""
    faults = []
    if len(certificate.commands) != 1:
        faults.append(f"{len(certificate.commands)} commands in one certificate; an approval is pushed alone")
    for old, new, ref in certificate.commands[:1]:
        if (old, ref.partition("%")[0]) != ("0" * 40, f"refs/approve/{bound.change}"):
            faults.append(f"it is for {shown(ref)}, not for refs/approve/{bound.change}")
        if new != bound.head:
            faults.append(f"it is for {new[:12]}, not for {bound.head[:12]}")
    for option in bound.options:
        name = option.partition("=")[0]
        said = [one for one in certificate.options if one.partition("=")[0] == name]
        if said != [option]:
            faults.append(f"-o {option} is not what it says: {shown(', '.join(said)) or f'no {name}'}")
    return tuple(faults)
