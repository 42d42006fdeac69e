"""`gitops-hooks user key` and `user email`: what one person logs in with and commits with."""

from datetime import UTC, datetime
from pathlib import Path

import click

from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import load_people
from gitops_hooks.edge.public_key import read_key
from gitops_hooks.entry.printing import Facts, json_option, print_list
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.people import Person, PublicKey

_NAME = click.argument("name")


@click.group()
def key() -> None:
    """The keys of one person; all of them are that one person."""


@click.group()
def email() -> None:
    """The addresses that one person commits with."""


@key.command("add")
@_NAME
@click.argument("file", type=click.Path(allow_dash=True, path_type=Path))
@click.pass_obj
def add_key(home: Home, name: str, file: Path) -> None:
    """Let NAME log in with the public key in FILE too (- reads it from the input).

    An OpenPGP key (gpg --armor --export) logs nobody in: it signs approvals and tags.
    """
    from gitops_hooks.edge import identities_edit as edit
    from gitops_hooks.edge.openpgp_key import is_openpgp

    text = read_key(file)
    if is_openpgp(text):
        _add_openpgp(home, name, text)
        return
    person = edit.add_key(home, name, text)
    _tell(f"added {person.keys[-1].fingerprint} to", person, "key")


def _add_openpgp(home: Home, name: str, text: str) -> None:
    from gitops_hooks.edge import identities_edit as edit
    from gitops_hooks.edge.gpgv import find_gpgv
    from gitops_hooks.edge.openpgp_key import take_openpgp

    find_gpgv()
    taken = take_openpgp(text, datetime.now(UTC))
    person = edit.add_openpgp(home, name, taken)
    _tell(f"added {taken.fingerprint} to", person, "OpenPGP key")


@key.command("remove")
@_NAME
@click.argument("fingerprint")
@click.pass_obj
def remove_key(home: Home, name: str, fingerprint: str) -> None:
    """Take the key with this FINGERPRINT away from NAME: no new login or signature with it from now on."""
    from gitops_hooks.edge import identities_edit as edit

    person = edit.remove_key(home, name, fingerprint)
    _tell(f"removed {fingerprint} from", person, "key" if ":" in fingerprint else "OpenPGP key")


@key.command("list")
@click.argument("name", required=False)
@json_option
@click.pass_obj
def list_keys(home: Home, name: str | None, as_json: bool) -> None:
    """Every key with its owner, or those of NAME."""
    people = load_people(home)
    if name and people.login(name) is None:
        raise EdgeError("users.toml", f"there is no user '{name}'")
    chosen = [person for person in (*people.everybody, *people.agents) if name in (None, person.name)]
    rows = [_row(person, one) for person in chosen for one in (*person.keys, *person.openpgp)]
    print_list(rows, "nobody yet:  gitops-hooks user add NAME KEY.pub --email ADDRESS", as_json)


def _row(person: Person, one: PublicKey) -> tuple[Facts, str]:
    signs_only = "  openpgp" if one in person.openpgp else ""
    facts: Facts = {"name": person.name, "fingerprint": one.fingerprint, "key": one.text}
    return facts, f"{person.name}  {one.fingerprint}{signs_only}"


@email.command("add")
@_NAME
@click.argument("address")
@click.pass_obj
def add_address(home: Home, name: str, address: str) -> None:
    """Commits by ADDRESS are NAME's too."""
    from gitops_hooks.edge import identities_edit as edit

    person = edit.add_address(home, name, address)
    _tell(f"added {person.addresses[-1]} to", person, "address")


@email.command("remove")
@_NAME
@click.argument("address")
@click.pass_obj
def remove_address(home: Home, name: str, address: str) -> None:
    """Commits by ADDRESS are nobody's from now on."""
    from gitops_hooks.edge import identities_edit as edit

    person = edit.remove_address(home, name, address)
    _tell(f"removed {address} from", person, "address")


def _tell(done: str, person: Person, noun: str) -> None:
    """What was done, and how many of the same the person has now."""
    number = len({"key": person.keys, "OpenPGP key": person.openpgp, "address": person.addresses}[noun])
    plural = "es" if noun.endswith("s") else "s"
    click.echo(f"{done} {person.name}, who has {number} {noun}{'' if number == 1 else plural}")
