"""`gitops-hooks env stop` and `start`: the administrator's, for all repositories at once."""

import click

from gitops_hooks.edge import journal
from gitops_hooks.edge.bell import ensure_reconciler, ring
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.stopping import lay_stop, read_stop, take_stop_away
from gitops_hooks.entry import guard


@click.group()
def switch() -> None:
    """Whether anything is deployed at all."""


@switch.command()
@click.option("--reason", default="", help="Why; told to everybody who asks.")
@click.pass_obj
def stop(home: Home, reason: str) -> int:
    """Begin no deployment anywhere, and end those that run."""
    found = lay_stop(home, reason)
    journal.append(home, "stopped", {"reason": found.reason})
    click.echo("all deployments are stopped, and those that ran are ended; again:  gitops-hooks env start")
    return _ring(home)


@switch.command()
@click.pass_obj
def start(home: Home) -> int:
    """Let deployments begin again; what is due begins by itself."""
    before = read_stop(home)
    if not take_stop_away(home):
        click.echo("nothing was stopped")
        return guard.DONE
    journal.append(home, "started", {"stopped": before.words if before else ""})
    click.echo("deployments begin again")
    return _ring(home)


def _ring(home: Home) -> int:
    ensure_reconciler(home)
    ring(home)
    return guard.DONE
