"""OpenPGP public keys that may sign for somebody: read, cut down to what verifying needs, or refused with the cure.

What is kept is the primary key with one name and the subkeys that sign, each with its newest own signature. Whether
those own signatures are true is gpgv's to say, at each signature; here nothing more is believed than that a key
which calls itself weak, expired or revoked is.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from gitops_hooks.edge import openpgp_packets as form
from gitops_hooks.edge.openpgp_packets import BrokenPacket, Packet, Signed
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.people import PublicKey

BEGIN = "-----BEGIN PGP "
TYPE = "openpgp"

_LONGEST = 256 * 1024
_MOST_KEPT = 8 * 1024
_RSA_BITS = 2048
_RSA, _DSA, _ECDSA, _EDDSA = (1, 3), 17, 19, 22
_ED25519 = bytes.fromhex("2b06010401da470f01")
_NIST = tuple(map(bytes.fromhex, ("2a8648ce3d030107", "2b81040022", "2b81040023")))
_SHA2 = (8, 9, 10, 11)
_REVOKED, _SUBKEY_REVOKED, _NAME_REVOKED = 0x20, 0x28, 0x30
_NAMED, _DIRECT, _BOUND = (0x10, 0x11, 0x12, 0x13), (0x1F,), (0x18,)
_SIGNS = 0x02


@dataclass(frozen=True, slots=True)
class OpenPgpKey:
    """A whole key as it is kept; `signing` are the fingerprints that may sign, with the second each ends (0: never)."""

    fingerprint: str
    keyring: bytes
    signing: tuple[tuple[str, int], ...]

    @property
    def text(self) -> str:
        """`openpgp BASE64`, as users.toml and events hold it."""
        return f"{TYPE} {base64.b64encode(self.keyring).decode()}"

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.fingerprint, self.text)

    def ends(self, fingerprint: str) -> int | None:
        """When this one of its keys stops to sign (0: never); None where it is none of them."""
        return dict(self.signing).get(fingerprint)


@dataclass(frozen=True, slots=True)
class _Part:
    """A primary key or subkey, with everything that is signed about it."""

    packet: Packet
    fingerprint: str
    signed: tuple[Signed, ...]


def is_openpgp(text: str) -> bool:
    """Whether a file means to be OpenPGP's, of any kind."""
    return text.lstrip().startswith(BEGIN)


def take_openpgp(text: str, now: datetime) -> OpenPgpKey:
    """The key in an armoured file, if it may sign from now on. Errors: EdgeError with the reason and the cure."""
    if "PRIVATE KEY BLOCK" in text[:4096]:
        raise _refused("this is a private key; give what this prints: gpg --armor --export FINGERPRINT")
    if len(text) > _LONGEST:
        raise _refused(f"the file is larger than {_LONGEST} bytes; make it with: {_export()}")
    try:
        return _build(form.open_armour(text.replace("\r\n", "\n"), "PUBLIC KEY BLOCK"), int(now.timestamp()))
    except BrokenPacket as error:
        raise _refused(f"{error}; make the file with: {_export()}") from None


def read_openpgp(text: str) -> OpenPgpKey:
    """A key as it was kept (`openpgp BASE64`), whatever the time is now. Errors: EdgeError."""
    kind, _, encoded = text.partition(" ")
    try:
        key = _build(base64.b64decode(encoded, validate=True), 0)
    except (BrokenPacket, binascii.Error) as error:
        raise _refused(str(error)) from None
    if kind != TYPE or key.text != text:
        raise _refused("not as `gitops-hooks user key add` keeps it")
    return key


def _refused(reason: str) -> EdgeError:
    return EdgeError("OpenPGP key", reason)


def _export(fingerprint: str = "FINGERPRINT") -> str:
    return f"gpg --armor --export-options export-minimal --export {fingerprint}"


def _build(content: bytes, now: int) -> OpenPgpKey:
    """Errors: BrokenPacket for bytes that are no key, EdgeError for a key that is not taken."""
    primary, names, subkeys = _sort(form.read_packets(content))
    own = [one for one in primary.signed if one.is_by(primary.fingerprint)]
    if any(one.kind == _REVOKED for one in primary.signed):
        raise _refused(f"{primary.fingerprint} is revoked; add the key that replaces it")
    direct = _newest(own, _DIRECT)
    name, certified = _choose_name(primary, names)
    statements = [one for one in (direct, certified) if one is not None]
    _check_strength(primary, statements)
    ends = min(filter(None, (_ends(primary, one) for one in statements)), default=0)
    if ends and ends <= now:
        day = datetime.fromtimestamp(ends, UTC)
        cure = f"gpg --quick-set-expire {primary.fingerprint} 2y, then export it again"
        raise _refused(f"{primary.fingerprint} expired on {day:%Y-%m-%d}; {cure}")
    kept = [(sub, bound, end) for sub, bound, end in _signing(primary, subkeys, ends) if not 0 < end <= now]
    signing = [(primary.fingerprint, ends)] if _may_sign(statements) else []
    signing += [(sub.fingerprint, end) for sub, _, end in kept]
    if not signing:
        cure = f"gpg --quick-add-key {primary.fingerprint} ed25519 sign 2y, then export it again"
        raise _refused(f"{primary.fingerprint} has no key that signs, or they are expired or revoked; {cure}")
    packets = [primary.packet, *([direct.packet] if direct else []), name, certified.packet]
    packets += [packet for sub, bound, _ in kept for packet in (sub.packet, bound.packet)]
    keyring = b"".join(packet.framed for packet in packets)
    if len(keyring) > _MOST_KEPT:
        raise _refused(f"{primary.fingerprint} with all its signing keys is larger than {_MOST_KEPT} bytes")
    return OpenPgpKey(primary.fingerprint, keyring, tuple(signing))


def _sort(packets: Iterable[Packet]) -> tuple[_Part, list[_Part], list[_Part]]:
    """The primary key, its names and its subkeys, each with the signatures that follow it."""
    groups: list[tuple[Packet, list[Signed]]] = []
    for packet in packets:
        if packet.tag == form.SIGNATURE:
            if not groups:
                raise BrokenPacket("a signature stands where a key should begin")
            if packet.body[:1] == b"\x04":
                groups[-1][1].append(form.read_signature(packet))
        else:
            groups.append((packet, []))
    if sum(packet.tag == form.PRIMARY for packet, _ in groups) != 1 or groups[0][0].tag != form.PRIMARY:
        raise BrokenPacket("the file must hold exactly one key")
    parts = [_Part(packet, _name_of(packet), tuple(signed)) for packet, signed in groups]
    return parts[0], _of_kind(parts, form.USER_ID), _of_kind(parts, form.SUBKEY)


def _name_of(packet: Packet) -> str:
    return form.fingerprint_of(packet) if packet.tag in (form.PRIMARY, form.SUBKEY) else ""


def _of_kind(parts: Sequence[_Part], tag: int) -> list[_Part]:
    return [part for part in parts if part.packet.tag == tag]


def _newest(signed: Iterable[Signed], kinds: Sequence[int]) -> Signed | None:
    return max((one for one in signed if one.kind in kinds), key=lambda one: one.created, default=None)


def _choose_name(primary: _Part, names: Sequence[_Part]) -> tuple[Packet, Signed]:
    """The name that gpg would show first, with what the key itself says of it; revoked names are none."""
    found = []
    for name in names:
        own = [one for one in name.signed if one.is_by(primary.fingerprint)]
        certified = _newest(own, _NAMED)
        revoked = _newest(own, (_NAME_REVOKED,))
        if certified and not (revoked and revoked.created >= certified.created):
            found.append((form.PRIMARY_USER_ID in certified.says, certified.created, name.packet, certified))
    if not found:
        raise _refused(f"{primary.fingerprint} has no name that is not revoked; make the file with: {_export()}")
    _, _, packet, certified = max(found, key=lambda one: one[:2])
    return packet, certified


def _signing(primary: _Part, subkeys: Sequence[_Part], most: int) -> Iterable[tuple[_Part, Signed, int]]:
    """Subkeys that sign, with what binds them and when they end, which is never after the primary key."""
    for sub in subkeys:
        own = [one for one in sub.signed if one.is_by(primary.fingerprint)]
        bound = _newest(own, _BOUND)
        if bound is None or any(one.kind == _SUBKEY_REVOKED for one in own) or not _may_sign([bound]):
            continue
        _check_strength(sub, [bound])
        yield sub, bound, min(filter(None, (_ends(sub, bound), most)), default=0)


def _may_sign(statements: Sequence[Signed]) -> bool:
    flags = [one.says[form.FLAGS] for one in statements if one.says.get(form.FLAGS)]
    return any(each[0] & _SIGNS for each in flags)


def _ends(part: _Part, statement: Signed) -> int:
    after = int.from_bytes(statement.says.get(form.EXPIRES_AFTER, b""), "big")
    return int.from_bytes(part.packet.body[1:5], "big") + after if after else 0


def _check_strength(part: _Part, statements: Sequence[Signed]) -> None:
    """Errors: EdgeError for a key, or a signature of the key about itself, that others could forge."""
    weak = _weakness(part.packet.body)
    if weak:
        raise _refused(
            f"{part.fingerprint} is {weak}; make a new one: gpg --quick-generate-key 'NAME <ADDRESS>' ed25519"
        )
    if any(one.digest not in _SHA2 for one in statements):
        cure = f"gpg --cert-digest-algo SHA256 --quick-set-expire {part.fingerprint} 2y, then export it again"
        raise _refused(f"{part.fingerprint} is held together by SHA-1 or weaker; {cure}")


def _weakness(body: bytes) -> str:
    algorithm, rest = body[5], body[6:]
    if algorithm in _RSA:
        bits = int.from_bytes(rest[:2], "big")
        return "" if bits >= _RSA_BITS else f"an RSA key of {bits} bits, and {_RSA_BITS} are needed"
    if algorithm == _DSA:
        return "a DSA key, which is not taken"
    curve = rest[1 : 1 + rest[0]]
    if (algorithm == _EDDSA and curve == _ED25519) or (algorithm == _ECDSA and curve in _NIST):
        return ""
    return "of a type that is not taken (ed25519, RSA, and ECDSA on NIST's curves are)"
