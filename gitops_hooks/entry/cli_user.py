"""`gitops-hooks user`: who may log in, with which keys, known by which addresses."""

from collections.abc import Mapping
from pathlib import Path

import click

from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.config_edit import set_rights
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import add_agent, add_user, load_people, remove_user
from gitops_hooks.edge.new_home import make_home
from gitops_hooks.edge.public_key import read_key
from gitops_hooks.entry import guard
from gitops_hooks.entry.cli_user_key import email, key
from gitops_hooks.entry.printing import Facts, json_option, print_facts, print_list
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.people import Charge, Person
from gitops_hooks.model.push import ActorKind
from gitops_hooks.model.server import RepositoryEntry


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
@click.option("--agent", "environment", help="An agent of this environment: it fetches and reports, and no more.")
@click.option("--hosts", help="The hosts that the agent answers for: web1,web2; '*' for all of the environment.")
@click.option("-R", "repository", help="The repository of the agent's environment, where there are several.")
@json_option
@click.pass_obj
def add(
    home: Home, /, name: str, key: Path, addresses: tuple[str, ...], bot: bool, as_json: bool, **agent: str | None
) -> None:
    """Add NAME with the public key in the file KEY (- reads it from the input)."""
    wanted = _wish(agent, bot or bool(addresses))
    text = read_key(key)
    make_home(home)
    if wanted:
        person = add_agent(home, name, text, _charge(home, *wanted))
        print_facts(_facts(person), f"added {_line(person)}", as_json)
        return
    person = add_user(home, name, text, addresses, bot)
    print_facts(_facts(person), f"added {_line(person)}", as_json)
    if not addresses and not as_json:
        words = f"{name} has no address: commits by {name} are nobody's and are refused."
        click.echo(f"{words} Add one:  gitops-hooks user email add {name} ADDRESS", err=True)


def _wish(agent: Mapping[str, str | None], is_somebody: bool) -> tuple[str, str, str] | None:
    """The environment, hosts and repository of an agent, or None where no agent is added."""
    environment, hosts, repository = (agent[name] or "" for name in ("environment", "hosts", "repository"))
    if not environment and (hosts or repository):
        raise click.UsageError("--hosts and -R are of an agent; say with --agent of which environment")
    if environment and is_somebody:
        raise click.UsageError("an agent is no bot and commits nothing; leave --bot and --email out")
    if environment and not hosts:
        raise click.UsageError("say with --hosts what the agent answers for: web1,web2 or '*'")
    return (environment, hosts, repository) if environment else None


def _charge(home: Home, environment: str, hosts: str, repository: str) -> Charge:
    return Charge(_agents_repository(home, repository).id, environment, tuple(hosts.split(",")))


def _agents_repository(home: Home, named: str) -> RepositoryEntry:
    entries = load_server(home).repositories
    found = [entry for entry in entries if named in ("", entry.name)]
    if len(found) != 1:
        words = f"there is no repository '{named}'" if named else "name the agent's repository with -R"
        raise EdgeError("server.toml", f"{words}; there are: {' '.join(entry.name for entry in entries) or 'none'}")
    return found[0]


@user.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Also where something would be left without anybody.")
@click.pass_obj
def remove(home: Home, name: str, yes: bool) -> int:
    """Take NAME's keys and rights away, at once."""
    person = load_people(home).login(name)
    if person is None:
        raise EdgeError("users.toml", f"there is no user '{name}'")
    # No rule counts an agent, so none is left without somebody.
    warnings = () if person.charge else _warnings(home, name)
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
    people = load_people(home)
    rows = [(_facts(person), _line(person)) for person in (*people.everybody, *people.agents)]
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
    charge = person.charge
    if charge:
        told: Facts = {"repository": charge.repository, "environment": charge.environment, "hosts": list(charge.hosts)}
        keys = [key.fingerprint for key in person.keys]
        return {"name": person.name, "kind": person.kind.value, "keys": keys, **told}
    return {
        "name": person.name,
        "kind": person.kind.value,
        "keys": [key.fingerprint for key in person.keys],
        "openpgp": [key.fingerprint for key in person.openpgp],
        "addresses": list(person.addresses),
    }


def _line(person: Person) -> str:
    if person.charge:
        keys = " ".join(key.fingerprint for key in person.keys)
        return f"{person.name} (agent of {person.charge.environment})  {' '.join(person.charge.hosts)}  {keys}"
    kind = " (bot)" if person.kind is ActorKind.BOT else ""
    keys = " ".join(key.fingerprint for key in (*person.keys, *person.openpgp))
    return f"{person.name}{kind}  {', '.join(person.addresses) or 'no address'}  {keys}"
