"""`gitops-hooks reconcile`: the reconciler's own process, in front of the administrator or beside them."""

import click

from gitops_hooks.edge.home import Home


@click.command("reconcile")
@click.option("--once", "mode", flag_value="--once", help="Bring everything to what it should be, then end.")
@click.option("--ensure", "mode", flag_value="--ensure", help="Start the reconciler unless it runs; for cron.")
@click.option("--stop", "mode", flag_value="--stop", help="End the reconciler that runs, and the warm judge.")
@click.pass_obj
def reconcile(home: Home, mode: str | None) -> int:
    """Compare what should be live with what is, and deploy until they are equal."""
    from gitops_hooks.entry.reconciler import main

    return main(["--home", str(home.path), *([mode] if mode else [])])
