"""`gitops-hooks recovery`: the administrator's recorded ways back, on the server's own shell only."""

from pathlib import Path

import click

from gitops_hooks.edge.home import Home

_REASON = click.option("--reason", required=True, help="Why; kept in the repository's log.")
_REPOSITORY = click.argument("repository")
_REF = click.argument("ref")


@click.group()
def recovery() -> None:
    """Ways back from a broken state; each is recorded in refs/gitops/log."""


@recovery.command("restore")
@_REPOSITORY
@_REF
@_REASON
@click.pass_obj
def restore(home: Home, repository: str, ref: str, reason: str) -> None:
    """Move REF (in full: refs/heads/main) back to where the record says that it stands."""
    from gitops_hooks.entry import recovery as acts

    click.echo(acts.restore(home, repository, ref, reason))


@recovery.command("adopt")
@_REPOSITORY
@_REF
@_REASON
@click.pass_obj
def adopt(home: Home, repository: str, ref: str, reason: str) -> None:
    """Record REF (in full) where it really stands, though nobody approved it."""
    from gitops_hooks.entry import recovery as acts

    click.echo(acts.adopt_tip(home, repository, ref, reason))


@recovery.command("policy")
@_REPOSITORY
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_REASON
@click.pass_obj
def policy(home: Home, repository: str, file: Path, reason: str) -> None:
    """Commit FILE as the policy without approval, when nobody is left who could approve one."""
    from gitops_hooks.entry import recovery as acts

    click.echo(acts.put_policy(home, repository, file.read_bytes(), reason))


@recovery.command("settle")
@_REPOSITORY
@click.argument("change", type=click.IntRange(1, 10**9))
@_REASON
@click.pass_obj
def settle(home: Home, repository: str, change: int, reason: str) -> None:
    """Open a branch that an unsettled break-glass landing of CHANGE closed, though nobody approved it."""
    from gitops_hooks.entry import recovery as acts

    click.echo(acts.settle_debt(home, repository, change, reason))


@recovery.command("index")
@_REPOSITORY
@click.pass_obj
def index(home: Home, repository: str) -> None:
    """Build the index of changes and tips again from the refs."""
    from gitops_hooks.entry import recovery as acts

    click.echo(acts.rebuild_index(home, repository))
