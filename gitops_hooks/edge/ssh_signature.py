"""SSH signatures by people's own keys, of every type that may log in (OpenSSH's PROTOCOL.sshsig).

The server's own signatures, of one key and one type, are made and checked in signatures.py.
"""

import base64
import binascii
import hashlib
import re
import struct

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

BEGIN = b"-----BEGIN SSH SIGNATURE-----"
_END = b"-----END SSH SIGNATURE-----"
_ARMOUR = re.compile(rb"(?<=\n)-----BEGIN (?:SSH|PGP) SIGNATURE-----")
_MAGIC = b"SSHSIG"
_NAMESPACE = b"git"
_DIGESTS = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_CURVES: dict[str, type[hashes.HashAlgorithm]] = {
    "nistp256": hashes.SHA256,
    "nistp384": hashes.SHA384,
    "nistp521": hashes.SHA512,
}
_TOUCHED = 0x01


class _Bad(ValueError):
    """Bytes that are no signature."""


def split_signed(content: bytes) -> tuple[bytes, bytes]:
    """A tag object's bytes as what was signed, and the armour at its end (empty where there is none)."""
    found = _ARMOUR.search(content)
    return (content, b"") if found is None else (content[: found.start()], content[found.start() :])


def signing_key(armour: bytes) -> str:
    """The `type base64` text of the key that a signature names; empty where it is no SSH signature."""
    try:
        key = _parts(armour)[0]
        (length,) = struct.unpack_from(">I", key, 0)
        return f"{key[4 : 4 + length].decode('ascii')} {base64.b64encode(key).decode()}"
    except (ValueError, struct.error, IndexError):
        return ""


def is_signed(payload: bytes, armour: bytes, key: str) -> bool:
    """Whether exactly this key (`type base64`) signed these bytes as git signs."""
    try:
        blob, namespace, reserved, digest, signature = _parts(armour)
        if blob != base64.b64decode(key.split()[1]) or namespace != _NAMESPACE or reserved or digest not in _DIGESTS:
            return False
        hashed = _DIGESTS[digest](payload).digest()
        signed = _MAGIC + b"".join(_string(part) for part in (namespace, reserved, digest, hashed))
        return _verifies(key, signature, signed)
    except (ValueError, IndexError, struct.error, InvalidSignature, UnsupportedAlgorithm):
        return False


def _parts(armour: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    lines = armour.rstrip(b"\n").split(b"\n")
    if lines[0] != BEGIN or lines[-1] != _END:
        raise _Bad("not armoured")
    try:
        blob = base64.b64decode(b"".join(lines[1:-1]), validate=True)
    except binascii.Error:
        raise _Bad("not base64") from None
    if blob[:10] != _MAGIC + struct.pack(">I", 1):
        raise _Bad("not an SSH signature of version 1")
    key, namespace, reserved, digest, signature = _strings(blob[10:], 5)
    return key, namespace, reserved, digest, signature


def _string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def _strings(blob: bytes, count: int, rest: int = 0) -> list[bytes]:
    """`count` length-prefixed strings, and after them exactly `rest` bytes, which come last."""
    found, at = [], 0
    for _ in range(count):
        (length,) = struct.unpack_from(">I", blob, at)
        found.append(blob[at + 4 : at + 4 + length])
        at += 4 + length
    if at + rest != len(blob):
        raise _Bad("cut, or longer than it should be")
    return [*found, blob[at:]] if rest else found


def _verifies(key: str, signature: bytes, signed: bytes) -> bool:
    kind = key.split()[0]
    if kind.startswith("sk-"):
        return _verifies_token(key, signature, signed)
    algorithm, raw = _strings(signature, 2)
    public = load_ssh_public_key(key.encode())
    return _check(public, algorithm.decode("ascii"), kind, raw, signed)


def _verifies_token(key: str, signature: bytes, signed: bytes) -> bool:
    """A hardware token signs digests, with its flags and counter; somebody must have touched it."""
    kind = key.split()[0]
    algorithm, raw, state = _strings(signature, 2, rest=5)
    *fields, application = _strings(base64.b64decode(key.split()[1]), 3 if "ed25519" in kind else 4)
    plain = kind.removeprefix("sk-").removesuffix("@openssh.com")
    if algorithm.decode("ascii") != kind or not state[0] & _TOUCHED:
        return False
    inner = b"".join(_string(part) for part in (plain.encode(), *fields[1:]))
    public = load_ssh_public_key(f"{plain} {base64.b64encode(inner).decode()}".encode())
    told = hashlib.sha256(application).digest() + state + hashlib.sha256(signed).digest()
    return _check(public, plain, plain, raw, told)


def _check(public: object, algorithm: str, kind: str, raw: bytes, signed: bytes) -> bool:
    """True, or raises InvalidSignature; False for an algorithm that does not belong to the key."""
    if isinstance(public, Ed25519PublicKey) and algorithm == kind == "ssh-ed25519":
        public.verify(raw, signed)
        return True
    if isinstance(public, ec.EllipticCurvePublicKey) and algorithm == kind:
        r, s = (int.from_bytes(part, "big") for part in _strings(raw, 2))
        digest = _CURVES[kind.rsplit("-", 1)[-1]]
        public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(digest()))
        return True
    # SHA-1 (`ssh-rsa`) is no signature any more; OpenSSH makes none either.
    rsa = {"rsa-sha2-256": hashes.SHA256(), "rsa-sha2-512": hashes.SHA512()}
    if isinstance(public, RSAPublicKey) and algorithm in rsa:
        public.verify(raw, signed, padding.PKCS1v15(), rsa[algorithm])
        return True
    return False
