"""One line of a `.pub` file → a key that may log in, or the reason why it may not."""

import base64
import binascii
import re
import struct
import sys
from pathlib import Path

from gitops_hooks.edge.keys import fingerprint
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.people import PublicKey

_RSA_BITS = 3072
_LONGEST = 16 * 1024
_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
_LINE = re.compile(r"([A-Za-z0-9@.-]+) ([A-Za-z0-9+/]+={0,2})(?:[ \t].*)?")


def parse_key(text: str) -> PublicKey:
    """The one key of a text; its comment is dropped. Errors: EdgeError with the reason and the cure."""
    if text.lstrip().startswith("-----BEGIN PGP PUBLIC"):
        cure = "add the person with an SSH key, then: gitops-hooks user key add NAME FILE"
        raise EdgeError("public key", f"an OpenPGP key signs, and logs nobody in; {cure}")
    lines = [line.strip() for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) != 1 or len(text) > _LONGEST:
        raise EdgeError("public key", "a file must hold exactly one key, as ssh-keygen writes it to NAME.pub")
    if "PRIVATE KEY" in lines[0]:
        raise EdgeError("public key", "this is a private key; give the .pub file beside it")
    found = _LINE.fullmatch(lines[0])
    if found is None or found[1] not in _TYPES:
        raise EdgeError("public key", f"the line must begin with one of {', '.join(_TYPES)}; options are not taken")
    kind, encoded = found[1], found[2]
    _check(kind, _fields(encoded))
    return PublicKey(fingerprint(f"{kind} {encoded}"), f"{kind} {encoded}")


def read_key(path: Path) -> str:
    """The text of a key file; `-` is the standard input. Errors: EdgeError."""
    if str(path) == "-":
        return sys.stdin.read(4 * _LONGEST)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise EdgeError(str(path), "cannot be read as a public key; give the .pub file that ssh-keygen wrote") from None


def _fields(encoded: str) -> list[bytes]:
    """The strings of the key's wire form (RFC 4251, section 5): nothing before, between or after them."""
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise EdgeError("public key", "its second word is not base64") from None
    fields, at = [], 0
    while at + 4 <= len(blob):
        (size,) = struct.unpack_from(">I", blob, at)
        fields.append(blob[at + 4 : at + 4 + size])
        at += 4 + size
    if at != len(blob) or base64.b64encode(blob).decode() != encoded:
        raise EdgeError("public key", "the key is cut or has something after its end")
    return fields


def _check(kind: str, fields: list[bytes]) -> None:
    if fields[0] != kind.encode():
        raise EdgeError("public key", f"the line says {kind}, the key itself another type")
    if len(fields) != _field_count(kind):
        raise EdgeError("public key", f"this is no whole {kind} key")
    if kind == "ssh-rsa" and (bits := int.from_bytes(fields[2], "big").bit_length()) < _RSA_BITS:
        raise EdgeError("public key", f"an RSA key needs {_RSA_BITS} bits and this has {bits}; make an ed25519 key")
    if kind.endswith("ed25519") and len(fields[1]) != 32:
        raise EdgeError("public key", f"this is no whole {kind} key")


def _field_count(kind: str) -> int:
    # type, then: ed25519 its point; ecdsa curve and point; rsa exponent and modulus; sk-… an application more
    count = 2 if "ed25519" in kind else 3
    return count + 1 if kind.startswith("sk-") else count
