"""The server's own key, which signs events: it stays out of every program that parses what was pushed.

A confined child is a fork, and reads whatever its parent has in memory. So the key is loaded in a child of its own, for
one signature, or for all of a program that asked for one; or, where nothing is confined, in place, and from then on
nothing can be.
"""

import os
from contextlib import suppress
from functools import partial
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from gitops_hooks.edge.attendant import Attendant
from gitops_hooks.edge.keys import public_half
from gitops_hooks.edge.sandbox import confine_no_more
from gitops_hooks.edge.side_by_side import Aside
from gitops_hooks.edge.signatures import Verifier, armour, load_verifier
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass

_WHERE = "the server's signing key"
_SECONDS = 30.0
_SIGNED, _FAILED = b"+", b"-"
_attending: dict[Path, Attendant] = {}


@dataclass(frozen=True, slots=True)
class Signer:
    """The key by its file, and its public half; `in_place` where this program confines nothing from here on."""

    path: Path
    public: Verifier
    in_place: bool = False

    def sign(self, payload: bytes) -> str:
        """The armoured signature of a commit's bytes without its signature header. Errors: EdgeError."""
        said = self._ask_attendant(payload)
        if said is None and self.in_place:
            confine_no_more("this program holds the server's signing key")
            return _sign(self.path, self.public.text, payload)
        if said is None:
            said = self._ask_a_fork(payload)
        if said is None or said[:1] != _SIGNED:
            raise EdgeError(_WHERE, said[1:].decode() if said else "gave no signature")
        return said[1:].decode()

    def _ask_attendant(self, payload: bytes) -> bytes | None:
        attendant = _attending.get(self.path)
        return attendant.ask(self.public.text.encode() + b"\0" + payload) if attendant else None

    def _ask_a_fork(self, payload: bytes) -> bytes | None:
        try:
            return Aside(partial(_answer, self.path, self.public.text, payload)).close(_SECONDS)
        except OSError as error:
            raise EdgeError(_WHERE, f"cannot be used now: {error.strerror}") from None


def have_attendant(path: Path) -> bool:
    """From here on a child of this program signs for it with this key, which is read anew for each signature.

    Answers whether it was made now. Without one (the machine has no room, or it has ended) each signature is made as it
    would be otherwise.
    """
    if path in _attending:
        return False
    with suppress(OSError):
        _attending[path] = Attendant(partial(_answer_again, path))
    return path in _attending


def _answer_again(path: Path, asked: bytes) -> bytes:
    public, _, payload = asked.partition(b"\0")
    return _answer(path, public.decode(), payload)


def _answer(path: Path, public: str, payload: bytes) -> bytes:
    try:
        return _SIGNED + _sign(path, public, payload).encode()
    except EdgeError as error:
        return _FAILED + error.what.encode()


def _sign(path: Path, public: str, payload: bytes) -> str:
    key = _load(path)
    if Verifier(key.public_key()).text != public:
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
