"""OpenPGP's outer form (RFC 4880): armour, packets, and of each only what has to be known before gpgv is asked.

Strict where gpgv is generous: one block, whole packets of known length, version 4. Nothing is decrypted,
decompressed or believed here.
"""

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Iterator, Mapping

from gitops_hooks.model.lazy_dataclass import dataclass

SIGNATURE, PRIMARY, SUBKEY, USER_ID = 2, 6, 14, 13
CREATED, EXPIRES_AFTER, ISSUER, PRIMARY_USER_ID, FLAGS, ISSUER_FINGERPRINT = 2, 9, 16, 25, 27, 33

_ARMOUR = re.compile(
    r"\s*-----BEGIN PGP ([A-Z ]+)-----\n(?:[A-Za-z]+: [^\n]*\n)*[ \t]*\n"
    r"((?:[A-Za-z0-9+/=]{1,76}\n)+?)(?:=[A-Za-z0-9+/]{4}\n)?-----END PGP \1-----\s*"
)


class BrokenPacket(ValueError):
    """Bytes that are not what they should be; the text says how."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: its kind and what is in it."""

    tag: int
    body: bytes

    @property
    def framed(self) -> bytes:
        """Written the one way in which we write packets."""
        size = len(self.body)
        length = bytes([size]) if size < 192 else b"\xff" + struct.pack(">I", size)
        return bytes([0xC0 | self.tag]) + length + self.body


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature packet: its kind, how it was made, what it says, and by whom (fingerprint or key id, in capitals)."""

    packet: Packet
    kind: int
    algorithm: int
    digest: int
    says: Mapping[int, bytes]
    issuer: str

    @property
    def created(self) -> int:
        return int.from_bytes(self.says.get(CREATED, b""), "big")

    def is_by(self, fingerprint: str) -> bool:
        """Whether it says that this key made it; only gpgv finds out if that is true."""
        return bool(self.issuer) and fingerprint.endswith(self.issuer)


def open_armour(text: str, kind: str) -> bytes:
    """The bytes in the only block of a text. Errors: BrokenPacket."""
    found = _ARMOUR.fullmatch(text)
    if found is None or found[1] != kind:
        raise BrokenPacket(f"not one whole block 'BEGIN PGP {kind}'")
    try:
        return base64.b64decode(found[2].replace("\n", ""), validate=True)
    except binascii.Error:
        raise BrokenPacket("what is in the block is not base64") from None


def read_packets(content: bytes) -> Iterator[Packet]:
    """Every packet, of old or new form, each with its whole length said. Errors: BrokenPacket."""
    at = 0
    while at < len(content):
        tag, start, size = _frame(content, at)
        if start + size > len(content):
            raise BrokenPacket("a packet is cut off")
        yield Packet(tag, content[start : start + size])
        at = start + size


def _frame(content: bytes, at: int) -> tuple[int, int, int]:
    """Kind, beginning and length of the packet whose header stands here."""
    first = content[at]
    try:
        if first & 0xC0 == 0xC0:
            start, size = _new_length(content, at + 1)
            return first & 0x3F, start, size
        width = {0: 1, 1: 2, 2: 4}[first & 0x03]
        if not first & 0x80 or at + 1 + width > len(content):
            raise BrokenPacket("no packet begins where one should")
    except (KeyError, IndexError, struct.error):
        raise BrokenPacket("a packet does not say its length") from None
    return first >> 2 & 0x0F, at + 1 + width, int.from_bytes(content[at + 1 : at + 1 + width], "big")


def _new_length(content: bytes, at: int) -> tuple[int, int]:
    first = content[at]
    if first < 192:
        return at + 1, first
    if first < 224:
        return at + 2, (first - 192 << 8) + content[at + 1] + 192
    if first < 255:
        raise BrokenPacket("a packet does not say its length")
    return at + 5, int(struct.unpack_from(">I", content, at + 1)[0])


def read_signature(packet: Packet) -> Signed:
    """What a signature packet says of itself. Errors: BrokenPacket where it is not of version 4."""
    body = packet.body
    if packet.tag != SIGNATURE or body[:1] != b"\x04":
        raise BrokenPacket("not a signature of version 4")
    try:
        kind, algorithm, digest, size = struct.unpack_from(">BBBH", body, 1)
        (other,) = struct.unpack_from(">H", body, 6 + size)
        if 8 + size + other + 2 > len(body):
            raise BrokenPacket("a signature is cut off")
        hashed = dict(_subpackets(body[6 : 6 + size]))
        beside = dict(_subpackets(body[8 + size : 8 + size + other]))
    except (struct.error, IndexError):
        raise BrokenPacket("a signature is cut off") from None
    return Signed(packet, kind, algorithm, digest, hashed, _issuer({**beside, **hashed}))


def _subpackets(area: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(area):
        first = area[at]
        start, size = _new_length(area, at) if first < 192 or first == 255 else _two_octets(area, at)
        if size < 1 or start + size > len(area):
            raise BrokenPacket("a signature is cut off")
        yield area[start] & 0x7F, area[start + 1 : start + size]
        at = start + size


def _two_octets(area: bytes, at: int) -> tuple[int, int]:
    return at + 2, (area[at] - 192 << 8) + area[at + 1] + 192


def _issuer(says: Mapping[int, bytes]) -> str:
    whole = says.get(ISSUER_FINGERPRINT, b"")
    return (whole[1:] if len(whole) == 21 and whole[0] == 4 else says.get(ISSUER, b"")).hex().upper()


def fingerprint_of(key: Packet) -> str:
    """The 40 capital digits of a key of version 4. Errors: BrokenPacket."""
    if key.body[:1] != b"\x04" or len(key.body) < 8:
        raise BrokenPacket("a key that is not of version 4")
    framed = b"\x99" + struct.pack(">H", len(key.body)) + key.body
    return hashlib.sha1(framed, usedforsecurity=False).hexdigest().upper()
