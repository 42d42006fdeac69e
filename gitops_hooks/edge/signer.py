"""The server's own key, which signs events: it stays out of every program that parses what was pushed.

A confined child is a fork, and reads whatever its parent has in memory. So the key is loaded in a child of its own, for
one signature; or, where nothing is confined, in place, and from then on nothing can be.
"""

import os
from functools import partial
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from gitops_hooks.edge.keys import public_half
from gitops_hooks.edge.sandbox import confine_no_more
from gitops_hooks.edge.side_by_side import Aside
from gitops_hooks.edge.signatures import Verifier, armour, load_verifier
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass

_WHERE = "the server's signing key"
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Signer:
    """The key by its file, and its public half; `in_place` where this program confines nothing from here on."""

    path: Path
    public: Verifier
    in_place: bool = False

    def sign(self, payload: bytes) -> str:
        """The armoured signature of a commit's bytes without its signature header. Errors: EdgeError."""
        if self.in_place:
            confine_no_more("this program holds the server's signing key")
            return self._sign(payload)
        try:
            said = Aside(partial(self._answer, payload)).close(_SECONDS)
        except OSError as error:
            raise EdgeError(_WHERE, f"cannot be used now: {error.strerror}") from None
        if said is None or said[:1] != b"+":
            raise EdgeError(_WHERE, said[1:].decode() if said else "gave no signature")
        return said[1:].decode()

    def _answer(self, payload: bytes) -> bytes:
        try:
            return b"+" + self._sign(payload).encode()
        except EdgeError as error:
            return b"-" + error.what.encode()

    def _sign(self, payload: bytes) -> str:
        key = _load(self.path)
        if Verifier(key.public_key()).text != self.public.text:
            raise EdgeError(_WHERE, "is not the one whose public half lies beside it; run doctor")
        return armour(key, payload)


def load_signer(path: Path, *, in_place: bool = False) -> Signer:
    """The server's key by its file. Errors: EdgeError where it cannot be read, or its public half cannot be used."""
    if not os.access(path, os.R_OK):
        raise EdgeError(_WHERE, "cannot be read")
    return Signer(path, load_verifier(public_half(path)), in_place)


def public_of(path: Path) -> Verifier:
    """What the key itself says that its public half is, for who confines nothing. Errors: EdgeError."""
    return Verifier(_load(path).public_key())


def _load(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_ssh_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise EdgeError(_WHERE, f"cannot be read ({type(error).__name__})") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise EdgeError(_WHERE, "is not an ed25519 key")
    return key
