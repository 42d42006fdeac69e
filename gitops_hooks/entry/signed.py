"""One question for both kinds of keys that people have: which of them signed this, and is it true?

OpenPGP's part is imported only where there is such a key or signature: most servers have none.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from gitops_hooks.edge.signed_by import is_signed_by, signing_key
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.people import Person

_BEGIN = "-----BEGIN PGP SIGNATURE-----"
_TYPE = "openpgp "


def find_signer(armour: str, people: Iterable[Person]) -> tuple[str, str] | str:
    """Whose key, and which (as the record keeps it), a signature says that it is by; or what is wrong with it.

    Two empty words where it is nobody's key.
    """
    if not armour.startswith(_BEGIN):
        key = signing_key(armour)
        owners = (person.name for person in people if key in {own.text for own in person.keys})
        name = next(owners, "")
        return (name, key) if name else ("", "")
    from gitops_hooks.edge.openpgp_signature import find_key, read_armour

    signed = read_armour(armour.encode())
    if isinstance(signed, str):
        return signed
    for person in people:
        if key := find_key((own.text for own in person.openpgp), signed):
            return person.name, key
    return "", ""


def unsigned_because(key: str, payload: bytes, armour: str, at: datetime, *, margin: bool = False) -> str:
    """Why this very key (as the record keeps it) did not sign these bytes at that time; "" where it did.

    `margin` is for what is to be recorded a moment later. Errors: EdgeError where gpgv cannot be asked.
    """
    if not key.startswith(_TYPE):
        return "" if is_signed_by(key, payload, armour) else "the signature does not fit what was signed"
    from gitops_hooks.edge.openpgp_signature import MARGIN, signature_fault

    return signature_fault(key, payload, armour.encode(), at + (MARGIN if margin else timedelta()))


def pin_of(key: str) -> str:
    """What a verifier pins of a recorded key: an SSH key whole, an OpenPGP key by fingerprint. Errors: EdgeError."""
    if not key.startswith(_TYPE):
        return key
    from gitops_hooks.edge.openpgp_key import read_openpgp

    return f"{_TYPE}{read_openpgp(key).fingerprint}"


def judge_now(key: str, payload: bytes, armour: str, at: datetime) -> str:
    """The same while a push waits: a server that cannot ask refuses, and says how it is cured."""
    try:
        return unsigned_because(key, payload, armour, at, margin=True)
    except EdgeError as error:
        return str(error)
