"""SSH signatures of commits, as git makes and checks them (gpg.format=ssh, OpenSSH's PROTOCOL.sshsig).

Written in-process because `ssh-keygen -Y` costs 8 ms a signature; tested against it.
"""

import base64
import binascii
import hashlib
import struct
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_public_key,
)

from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass

_MAGIC = b"SSHSIG"
_NAMESPACE = b"git"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"


def wire_string(value: bytes) -> bytes:
    """Its length, then itself (RFC 4251, section 5)."""
    return struct.pack(">I", len(value)) + value


def signed_bytes(digest: bytes, name: bytes) -> bytes:
    """What a key signs: the digest of the payload, bound to git's namespace and to the digest's own name."""
    return _MAGIC + b"".join(wire_string(part) for part in (_NAMESPACE, b"", name, digest))


def _to_sign(payload: bytes) -> bytes:
    return signed_bytes(hashlib.sha512(payload).digest(), b"sha512")


def _public_blob(key: Ed25519PublicKey) -> bytes:
    return base64.b64decode(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])


def armour(key: Ed25519PrivateKey, payload: bytes) -> str:
    """The armoured signature of a commit's bytes without its signature header."""
    signature = wire_string(b"ssh-ed25519") + wire_string(key.sign(_to_sign(payload)))
    parts = (_public_blob(key.public_key()), _NAMESPACE, b"", b"sha512", signature)
    blob = _MAGIC + struct.pack(">I", 1) + b"".join(wire_string(part) for part in parts)
    text = base64.b64encode(blob).decode()
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    return "\n".join([_BEGIN, *lines, _END])


@dataclass(frozen=True, slots=True)
class Verifier:
    """The public half, which readers pin."""

    key: Ed25519PublicKey

    @property
    def text(self) -> str:
        """`type base64`, as OpenSSH writes it."""
        return self.key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    def verifies(self, payload: bytes, armoured: str) -> bool:
        """Whether this very key signed these bytes as a git commit."""
        try:
            blob = base64.b64decode("".join(armoured.strip().split("\n")[1:-1]), validate=True)
            parts = signature_parts(blob)
        except (ValueError, binascii.Error, struct.error):
            return False
        if parts[:4] != [_public_blob(self.key), _NAMESPACE, b"", b"sha512"]:
            return False
        return self._fits(parts[4], payload)

    def _fits(self, signature: bytes, payload: bytes) -> bool:
        prefix = wire_string(b"ssh-ed25519") + struct.pack(">I", 64)
        if not signature.startswith(prefix):
            return False
        try:
            self.key.verify(signature[len(prefix) :], _to_sign(payload))
        except InvalidSignature:
            return False
        return True


def signature_parts(blob: bytes) -> list[bytes]:
    """Key, namespace, reserved, digest's name, signature. Errors: ValueError, struct.error."""
    if blob[:10] != _MAGIC + struct.pack(">I", 1):
        raise ValueError("not an SSH signature of version 1")
    parts, at = [], 10
    for _ in range(5):
        (length,) = struct.unpack_from(">I", blob, at)
        parts.append(blob[at + 4 : at + 4 + length])
        at += 4 + length
    if at != len(blob):
        raise ValueError("bytes after the signature")
    return parts


def load_verifier(path: Path) -> Verifier:
    """The public half of the server's key. Errors: EdgeError where there is none or it is of another type."""
    try:
        key = load_ssh_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise EdgeError("the server's public key", f"cannot be read ({type(error).__name__})") from None
    if not isinstance(key, Ed25519PublicKey):
        raise EdgeError("the server's public key", "is not an ed25519 key")
    return Verifier(key)
