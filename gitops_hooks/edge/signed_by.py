"""Whether one of people's SSH keys signed some bytes, as `git push --signed` does (OpenSSH's PROTOCOL.sshsig).

Every type of key that may log in may sign; SHA-1 is never taken. Checked in-process: no other program
reads what a pusher sent.
"""

import base64
import binascii
import hashlib
import struct
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from gitops_hooks.edge.signatures import signature_parts, signed_bytes, wire_string

_HASHES = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_RSA = {b"rsa-sha2-256": hashes.SHA256, b"rsa-sha2-512": hashes.SHA512}
_CURVES = {b"ecdsa-sha2-nistp256": hashes.SHA256, b"ecdsa-sha2-nistp384": hashes.SHA384}
_CURVES |= {b"ecdsa-sha2-nistp521": hashes.SHA512}
_PRESENT = 1  # the flag of a security key that somebody touched it


def signing_key(armoured: str) -> str:
    """The public key that a signature names, as `type base64`, or ""; whether it really signed is asked next."""
    try:
        blob = _parts(armoured)[0]
        (length,) = struct.unpack_from(">I", blob)
        return f"{blob[4 : 4 + length].decode('ascii')} {base64.b64encode(blob).decode()}"
    except (ValueError, struct.error, binascii.Error):
        return ""


def is_signed_by(key: str, payload: bytes, armoured: str) -> bool:
    """Whether this very key (`type base64`) signed these bytes for git."""
    try:
        blob, namespace, reserved, digest, signature = _parts(armoured)
        if blob != base64.b64decode(key.split()[1], validate=True) or (namespace, reserved) != (b"git", b""):
            return False
        message = signed_bytes(_HASHES[digest](payload).digest(), digest)
        kind, rest = _take(signature)
        _check(key, kind, rest, message)
    except (ValueError, KeyError, IndexError, struct.error, binascii.Error, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _parts(armoured: str) -> list[bytes]:
    lines = armoured.strip().split("\n")
    return signature_parts(base64.b64decode("".join(lines[1:-1]), validate=True))


def _take(wire: bytes) -> tuple[bytes, bytes]:
    """The first string of a wire form, and what follows it."""
    (length,) = struct.unpack_from(">I", wire)
    if len(wire) < 4 + length:
        raise ValueError("cut off")
    return wire[4 : 4 + length], wire[4 + length :]


def _check(key: str, kind: bytes, rest: bytes, message: bytes) -> None:
    """Errors: InvalidSignature, and ValueError or KeyError for one of another form."""
    own = key.split()[0].encode()
    signature, extra = _take(rest)
    if own.startswith(b"sk-"):
        if kind != own:
            raise ValueError("a signature of another type")
        _check_touched(key, signature, extra, message)
        return
    if extra or (kind != own and not (own == b"ssh-rsa" and kind in _RSA)):
        raise ValueError("a signature of another type")
    _verifier(load_ssh_public_key(key.encode()), kind)(signature, message)


def _check_touched(key: str, signature: bytes, extra: bytes, message: bytes) -> None:
    """A security key signs a digest of its application and of the message, with a flag and a counter between them."""
    flags, _ = struct.unpack(">BI", extra)
    if not flags & _PRESENT:
        raise ValueError("nobody touched the security key")
    kind, rest = _take(base64.b64decode(key.split()[1], validate=True))
    fields = [kind.removeprefix(b"sk-").removesuffix(b"@openssh.com")]
    while rest:
        field, rest = _take(rest)
        fields.append(field)
    application = fields.pop()
    bare = base64.b64encode(b"".join(wire_string(field) for field in fields)).decode()
    digest = hashlib.sha256(application).digest() + extra + hashlib.sha256(message).digest()
    _verifier(load_ssh_public_key(f"{fields[0].decode()} {bare}".encode()), fields[0])(signature, digest)


def _verifier(public: object, kind: bytes) -> Callable[[bytes, bytes], None]:
    match public:
        case Ed25519PublicKey():
            return public.verify
        case ec.EllipticCurvePublicKey():
            return lambda signature, message: public.verify(_der(signature), message, ec.ECDSA(_CURVES[kind]()))
        case rsa.RSAPublicKey():
            return lambda signature, message: public.verify(signature, message, padding.PKCS1v15(), _RSA[kind]())
    raise ValueError("a key of another type")


def _der(signature: bytes) -> bytes:
    first, rest = _take(signature)
    second, left = _take(rest)
    if left:
        raise ValueError("bytes after the signature")
    return encode_dss_signature(int.from_bytes(first, "big"), int.from_bytes(second, "big"))
