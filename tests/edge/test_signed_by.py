"""Signatures of people's keys: held against what ssh-keygen makes, and every way in which one does not fit."""

import base64
import hashlib
import struct
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gitops_hooks.edge.signatures import signed_bytes, wire_string
from gitops_hooks.edge.signed_by import is_signed_by, signing_key

PAYLOAD = b"certificate version 0.1\n"
APPLICATION = b"ssh:"


def make(folder: Path, kind: str, bits: str) -> tuple[Path, str]:
    path = folder / f"{kind}{bits}"
    words = ["ssh-keygen", "-q", "-t", kind, *(("-b", bits) if bits else ()), "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(words, check=True, timeout=60)
    return path, path.with_suffix(".pub").read_text().strip()


def sign(path: Path, namespace: str = "git", *more: str) -> str:
    words = ["ssh-keygen", "-q", "-Y", "sign", *more, "-n", namespace, "-f", str(path)]
    return subprocess.run(words, input=PAYLOAD, capture_output=True, check=True, timeout=60).stdout.decode()


@pytest.mark.parametrize(
    ("kind", "bits"),
    [("ed25519", ""), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"), ("rsa", "3072")],
)
def test_what_ssh_keygen_signed_is_signed(tmp_path, kind, bits):
    path, key = make(tmp_path, kind, bits)
    armoured = sign(path)
    assert signing_key(armoured) == key
    assert is_signed_by(key, PAYLOAD, armoured)
    assert is_signed_by(key, PAYLOAD, sign(path, "git", "-O", "hashalg=sha256"))
    assert not is_signed_by(key, PAYLOAD + b" ", armoured)


def test_another_key_another_namespace_and_what_is_no_signature_do_not_fit(tmp_path):
    path, key = make(tmp_path, "ed25519", "")
    (tmp_path / "other").mkdir()
    _, other = make(tmp_path / "other", "ed25519", "")
    assert not is_signed_by(other, PAYLOAD, sign(path))
    assert not is_signed_by(key, PAYLOAD, sign(path, "file"))
    for text in ("", "x", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----", sign(path)[:-60]):
        assert not is_signed_by(key, PAYLOAD, text)
    assert signing_key("-----BEGIN SSH SIGNATURE-----\n!\n-----END SSH SIGNATURE-----") == ""


def armour(blob: bytes, signature: bytes) -> str:
    parts = (blob, b"git", b"", b"sha512", signature)
    text = base64.b64encode(b"SSHSIG" + struct.pack(">I", 1) + b"".join(map(wire_string, parts))).decode()
    return f"-----BEGIN SSH SIGNATURE-----\n{text}\n-----END SSH SIGNATURE-----"


def touched(flags: int) -> tuple[bytes, bytes]:
    """What a security key signs, and the flag and counter that go with it."""
    extra = struct.pack(">BI", flags, 7)
    message = signed_bytes(hashlib.sha512(PAYLOAD).digest(), b"sha512")
    return hashlib.sha256(APPLICATION).digest() + extra + hashlib.sha256(message).digest(), extra


@pytest.mark.parametrize(("flags", "fits"), [(1, True), (5, True), (0, False), (4, False)])
@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_a_security_key_signs_only_when_somebody_touched_it(kind, flags, fits):
    message, extra = touched(flags)
    if kind == "ed25519":
        private = ed25519.Ed25519PrivateKey.generate()
        name = b"sk-ssh-ed25519@openssh.com"
        point = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        blob = b"".join(map(wire_string, (name, point, APPLICATION)))
        signature = private.sign(message)
    else:
        curve = ec.generate_private_key(ec.SECP256R1())
        name = b"sk-ecdsa-sha2-nistp256@openssh.com"
        point = curve.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        blob = b"".join(map(wire_string, (name, b"nistp256", point, APPLICATION)))
        pair = decode_dss_signature(curve.sign(message, ec.ECDSA(hashes.SHA256())))
        signature = b"".join(wire_string(b"\0" + number.to_bytes(32, "big")) for number in pair)
    key = f"{name.decode()} {base64.b64encode(blob).decode()}"
    armoured = armour(blob, wire_string(name) + wire_string(signature) + extra)
    assert signing_key(armoured) == key
    assert is_signed_by(key, PAYLOAD, armoured) is fits
    assert not is_signed_by(key, PAYLOAD + b" ", armoured)
