"""`gitops-hooks repo`: the repositories of this server, who may read and who may write them."""

from pathlib import Path

import click

from gitops_hooks.edge.config import REPOSITORY_NAME, load_server
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import load_people, write_authorized_keys
from gitops_hooks.edge.new_home import make_home
from gitops_hooks.entry.printing import Facts, json_option, print_list
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.server import RepositoryEntry


@click.group()
def repo() -> None:
    """The repositories of this server."""


@repo.command("add")
@click.argument("place")
@click.option("--admin", default="", help="Who approves and lands under the first policy.")
@click.option("--from", "mirror", default="", help="A mirror to restore it from: a folder or an address.")
@click.option("--read", multiple=True, help="Who may fetch; '*' is everybody with a key. Several times.")
@click.option("--write", multiple=True, help="Who may push and fetch; the administrator always may. Several times.")
@json_option
@click.pass_obj
def add(
    home: Home, place: str, admin: str, mirror: str, read: tuple[str, ...], write: tuple[str, ...], as_json: bool
) -> None:
    """Put the bare repository at PLACE, a path or a new name, under its policy and open it to people."""
    from gitops_hooks.edge.enrolment import Wish, enrol

    make_home(home)
    # After a restore nobody's line stands there yet.
    write_authorized_keys(home, load_people(home))
    path = _path(home, place)
    if not admin and not (mirror and load_server(home).repository(_name(path))):
        raise click.UsageError("Missing option '--admin'.")
    entry, acts = enrol(home, Wish(_name(path), path, admin, read, write, mirror))
    if as_json:
        print_list([(_facts(entry), "")], "", True)
        return
    for act in acts:
        click.echo(act)
    if mirror:
        for line in _look_back(home, entry):
            click.echo(f"warning: {line}", err=True)
    click.echo(f"{entry.name} is served. Clone it:  git clone git@HOST:{entry.name}")


@repo.command("remove")
@click.argument("name")
@click.pass_obj
def remove(home: Home, name: str) -> None:
    """Close NAME to everybody and take our settings out; the repository itself stays."""
    from gitops_hooks.edge.enrolment import release

    for act in release(home, name)[1]:
        click.echo(act)
    click.echo(f"removed {name}")


@repo.command("list")
@json_option
@click.pass_obj
def list_repositories(home: Home, as_json: bool) -> None:
    """Every repository with its rights."""
    rows = [(_facts(entry), _line(entry)) for entry in load_server(home).repositories]
    print_list(rows, "none yet:  gitops-hooks repo add NAME --admin NAME", as_json)


def _look_back(home: Home, entry: RepositoryEntry) -> tuple[str, ...]:
    from gitops_hooks.edge.index import open_index
    from gitops_hooks.edge.record import Record
    from gitops_hooks.edge.repository import open_repository
    from gitops_hooks.edge.restoring import moved_since
    from gitops_hooks.edge.signer import load_signer

    server = load_server(home)
    repository = open_repository(entry.path, server.limits, server.git)
    return moved_since(
        Record(repository, entry.id, load_signer(home.signing_key).public, open_index(home.state(entry.id)))
    )


def _path(home: Home, place: str) -> Path:
    if "/" in place or place in (".", ".."):
        return Path(place).expanduser().resolve()
    return home.repositories / f"{place.removesuffix('.git')}.git"


def _name(path: Path) -> str:
    name = path.name.removesuffix(".git")
    if not REPOSITORY_NAME.fullmatch(name):
        raise EdgeError(f"{name!a}", "cannot be a repository's name: letters, digits and ._- only, not at its start")
    return name


def _facts(entry: RepositoryEntry) -> Facts:
    return {
        "name": entry.name,
        "path": str(entry.path),
        "id": entry.id,
        "read": list(entry.read),
        "write": list(entry.write),
    }


def _line(entry: RepositoryEntry) -> str:
    read, write = " ".join(entry.read) or "nobody else", " ".join(entry.write) or "nobody"
    return f"{entry.name}  {entry.path}  read: {read}  write: {write}"
