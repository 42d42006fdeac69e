"""One person's keys and addresses, added and taken away one by one."""

from typing import TYPE_CHECKING

from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import SOURCE, edit_person
from gitops_hooks.edge.openpgp_key import OpenPgpKey, read_openpgp
from gitops_hooks.edge.public_key import parse_key
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.people import Person

if TYPE_CHECKING:
    from tomlkit.items import Table


def add_key(home: Home, name: str, text: str) -> Person:
    """One more key of the same person. Errors: EdgeError; PolicyError where the key is somebody's."""
    key = parse_key(text)

    def change(person: "Table") -> None:
        person["keys"] = [*person["keys"], key.text]

    return edit_person(home, name, change)


def add_openpgp(home: Home, name: str, key: OpenPgpKey) -> Person:
    """One more key that signs, and logs nobody in; the same key again replaces what is kept of it.

    Errors: EdgeError; PolicyError where the key is somebody's.
    """

    def change(person: "Table") -> None:
        others = [text for text in _openpgp(person) if read_openpgp(text).fingerprint != key.fingerprint]
        person["openpgp"] = [*others, key.text]

    return edit_person(home, name, change)


def _openpgp(person: "Table") -> list[str]:
    return [str(text) for text in person.get("openpgp", [])]


def remove_key(home: Home, name: str, fingerprint: str) -> Person:
    """Take one key away, at once. Errors: EdgeError where it is not this person's, or their last one to log in with."""

    def change(person: "Table") -> None:
        signing = [text for text in _openpgp(person) if read_openpgp(text).fingerprint != fingerprint]
        if len(signing) < len(_openpgp(person)):
            person["openpgp"] = signing
            return
        kept = [str(text) for text in person["keys"] if parse_key(str(text)).fingerprint != fingerprint]
        if len(kept) == len(person["keys"]):
            raise EdgeError(SOURCE, f"'{name}' has no key {fingerprint}; see: gitops-hooks user key list {name}")
        if not kept:
            raise EdgeError(SOURCE, f"this is the only key of '{name}'; add another first, or: user remove {name}")
        person["keys"] = kept

    return edit_person(home, name, change)


def add_address(home: Home, name: str, address: str) -> Person:
    """One more address that this person commits with. Errors: PolicyError where it is somebody's."""

    def change(person: "Table") -> None:
        person["addresses"] = [*person.get("addresses", []), address]

    return edit_person(home, name, change)


def remove_address(home: Home, name: str, address: str) -> Person:
    """Commits by this address are nobody's from now on. Errors: EdgeError where it is not this person's."""

    def change(person: "Table") -> None:
        kept = [str(each) for each in person.get("addresses", []) if str(each).lower() != address.lower()]
        if len(kept) == len(person.get("addresses", [])):
            raise EdgeError(SOURCE, f"'{name}' has no address {address!a}")
        person["addresses"] = kept

    return edit_person(home, name, change)
