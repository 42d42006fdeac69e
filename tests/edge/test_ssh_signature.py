"""Signatures of people's keys: what OpenSSH makes is read, and nothing else passes."""

import base64
import hashlib
import struct
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gitops_hooks.edge.ssh_signature import is_signed, signing_key, split_signed

PAYLOAD = b"object 1\ntype commit\ntag v1\n\nA release\n"
KINDS = [("ed25519", ""), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"), ("rsa", "3072")]


def make_key(folder: Path, kind: str, bits: str) -> Path:
    size = ["-b", bits] if bits else []
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-f", str(folder / "key")], check=True)
    return folder / "key"


def text_of(key: Path) -> str:
    return " ".join(key.with_suffix(".pub").read_text().split()[:2])


def sign(key: Path, payload: bytes, *words: str, namespace: str = "git") -> bytes:
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, *words, "-f", str(key)]
    return subprocess.run(command, input=payload, capture_output=True, check=True).stdout


@pytest.mark.parametrize(("kind", "bits"), KINDS)
def test_what_openssh_signs_is_verified_for_exactly_these_bytes_and_this_key(tmp_path, kind, bits):
    key = make_key(tmp_path, kind, bits)
    armour = sign(key, PAYLOAD)
    assert signing_key(armour) == text_of(key)
    assert is_signed(PAYLOAD, armour, text_of(key))
    assert is_signed(PAYLOAD, sign(key, PAYLOAD, "-O", "hashalg=sha256"), text_of(key))
    assert not is_signed(PAYLOAD + b"\n", armour, text_of(key))
    assert not is_signed(PAYLOAD, sign(key, PAYLOAD, namespace="file"), text_of(key))
    (tmp_path / "other").mkdir()
    other = make_key(tmp_path / "other", kind, bits)
    assert not is_signed(PAYLOAD, armour, text_of(other))
    assert not is_signed(PAYLOAD, sign(other, PAYLOAD), text_of(key))


@pytest.mark.parametrize("at", range(0, 200, 7))
def test_a_changed_or_cut_signature_is_none(tmp_path, at):
    key = make_key(tmp_path, "ed25519", "")
    armour = sign(key, PAYLOAD)
    lines = armour.strip().split(b"\n")
    blob = bytearray(base64.b64decode(b"".join(lines[1:-1])))
    spot = at % len(blob)

    def wrapped(content: bytes) -> bytes:
        return b"\n".join([lines[0], base64.b64encode(content), lines[-1]])

    assert is_signed(PAYLOAD, wrapped(bytes(blob)), text_of(key))
    assert not is_signed(PAYLOAD, wrapped(bytes(blob[:spot])), text_of(key))
    assert not is_signed(PAYLOAD, wrapped(bytes(blob) + b"x"), text_of(key))
    blob[spot] ^= 1
    assert not is_signed(PAYLOAD, wrapped(bytes(blob)), text_of(key))


@pytest.mark.parametrize(
    "armour", [b"", b"\n", b"-----BEGIN PGP SIGNATURE-----\n\nx\n", b"-----BEGIN SSH SIGNATURE-----\n!!\n", b"\xff"]
)
def test_what_is_no_ssh_signature_names_no_key(armour):
    assert signing_key(armour) == ""
    assert not is_signed(PAYLOAD, armour, "ssh-ed25519 AAAA")


def test_a_tag_is_what_stands_before_the_first_signature_in_it():
    armour = b"-----BEGIN SSH SIGNATURE-----\nx\n-----END SSH SIGNATURE-----\n"
    assert split_signed(PAYLOAD) == (PAYLOAD, b"")
    assert split_signed(PAYLOAD + armour) == (PAYLOAD, armour)
    assert split_signed(PAYLOAD + armour + armour) == (PAYLOAD, armour + armour)


# A hardware token, played by software as PROTOCOL.u2f describes it: it signs digests, its flags and its counter.


def _string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def _mpint(number: int) -> bytes:
    return _string(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _token(kind: str, flags: int) -> tuple[str, bytes]:
    """A token's key as text, and its armoured signature of PAYLOAD."""
    application = b"ssh:"
    message = b"SSHSIG" + b"".join(_string(p) for p in (b"git", b"", b"sha512", hashlib.sha512(PAYLOAD).digest()))
    state = bytes([flags]) + struct.pack(">I", 7)
    told = hashlib.sha256(application).digest() + state + hashlib.sha256(message).digest()
    if "ed25519" in kind:
        key = Ed25519PrivateKey.generate()
        point = [key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)]
        raw = key.sign(told)
    else:
        curve = ec.generate_private_key(ec.SECP256R1())
        dot = curve.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        point = [b"nistp256", dot]
        raw = b"".join(_mpint(part) for part in decode_dss_signature(curve.sign(told, ec.ECDSA(hashes.SHA256()))))
    blob = b"".join(_string(part) for part in (kind.encode(), *point, application))
    signature = _string(kind.encode()) + _string(raw) + state
    parts = b"".join(_string(part) for part in (blob, b"git", b"", b"sha512", signature))
    body = base64.b64encode(b"SSHSIG" + struct.pack(">I", 1) + parts)
    armour = b"-----BEGIN SSH SIGNATURE-----\n" + body + b"\n-----END SSH SIGNATURE-----\n"
    return f"{kind} {base64.b64encode(blob).decode()}", armour


@pytest.mark.parametrize("kind", ["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"])
def test_a_token_signs_when_somebody_touches_it(kind):
    key, armour = _token(kind, flags=1)
    assert signing_key(armour) == key
    assert is_signed(PAYLOAD, armour, key)
    assert not is_signed(PAYLOAD + b"x", armour, key)
    key, armour = _token(kind, flags=0)
    assert not is_signed(PAYLOAD, armour, key)
