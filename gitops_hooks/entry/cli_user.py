"""`gitops-hooks user`: who may log in, with which keys, known by which addresses."""

from pathlib import Path

import click

from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.config_edit import set_rights
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import add_user, load_people, remove_user
from gitops_hooks.edge.new_home import make_home
from gitops_hooks.edge.public_key import read_key
from gitops_hooks.entry import guard
from gitops_hooks.entry.cli_user_key import email, key
from gitops_hooks.entry.printing import Facts, json_option, print_facts, print_list
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.people import Person
from gitops_hooks.model.push import ActorKind


@click.group()
def user() -> None:
    """Who may log in. A key given here may run git and the listed words, and nothing else."""


user.add_command(key)
user.add_command(email)


@user.command("add")
@click.argument("name")
@click.argument("key", type=click.Path(allow_dash=True, path_type=Path))
@click.option("--email", "addresses", multiple=True, help="An address that this person commits with; several times.")
@click.option("--bot", is_flag=True, help="A program: its approvals count only where a rule says so.")
@json_option
@click.pass_obj
def add(home: Home, name: str, key: Path, addresses: tuple[str, ...], bot: bool, as_json: bool) -> None:
    """Add NAME with the public key in the file KEY (- reads it from the input)."""
    text = read_key(key)
    make_home(home)
    person = add_user(home, name, text, addresses, bot)
    print_facts(_facts(person), f"added {_line(person)}", as_json)
    if not addresses and not as_json:
        words = f"{name} has no address: commits by {name} are nobody's and are refused."
        click.echo(f"{words} Add one:  gitops-hooks user email add {name} ADDRESS", err=True)


@user.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Also where something would be left without anybody.")
@click.pass_obj
def remove(home: Home, name: str, yes: bool) -> int:
    """Take NAME's keys and rights away, at once."""
    if load_people(home).named(name) is None:
        raise EdgeError("users.toml", f"there is no user '{name}'")
    warnings = _warnings(home, name)
    for line in warnings:
        click.echo(f"warning: {line}", err=True)
    if warnings and not yes:
        click.echo(f"Nothing was changed. If it is meant:  gitops-hooks user remove {name} --yes", err=True)
        return guard.REFUSED
    remove_user(home, name)
    for repository in _take_rights(home, name):
        click.echo(f"took the rights on {repository}")
    click.echo(f"removed {name}")
    return guard.DONE


@user.command("list")
@json_option
@click.pass_obj
def list_users(home: Home, as_json: bool) -> None:
    """Everybody whom the server knows."""
    rows = [(_facts(person), _line(person)) for person in load_people(home).everybody]
    print_list(rows, "nobody yet:  gitops-hooks user add NAME KEY.pub --email ADDRESS", as_json)


def _warnings(home: Home, name: str) -> tuple[str, ...]:
    # The look into every policy needs libgit2, which no other word of this group does.
    from gitops_hooks.edge.removal import warn_before_removal

    return warn_before_removal(home, name)


def _take_rights(home: Home, name: str) -> list[str]:
    """A right that stays behind would fall to the next person of that name."""
    found = [entry for entry in load_server(home).repositories if name in (*entry.read, *entry.write)]
    for entry in found:
        read, write = (tuple(each for each in names if each != name) for names in (entry.read, entry.write))
        set_rights(home, entry.name, read, write)
    return [entry.name for entry in found]


def _facts(person: Person) -> Facts:
    return {
        "name": person.name,
        "kind": person.kind.value,
        "keys": [key.fingerprint for key in person.keys],
        "openpgp": [key.fingerprint for key in person.openpgp],
        "addresses": list(person.addresses),
    }


def _line(person: Person) -> str:
    kind = " (bot)" if person.kind is ActorKind.BOT else ""
    keys = " ".join(key.fingerprint for key in (*person.keys, *person.openpgp))
    return f"{person.name}{kind}  {', '.join(person.addresses) or 'no address'}  {keys}"
