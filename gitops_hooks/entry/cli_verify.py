"""`gitops-hooks verify PATH`: the whole history of a mirror, judged again without any server."""

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import click

from gitops_hooks.edge.config import full_branch
from gitops_hooks.entry import guard
from gitops_hooks.entry.printing import json_option
from gitops_hooks.entry.verify import verify as judge_mirror
from gitops_hooks.entry.verify_words import facts, lines
from gitops_hooks.model.verification import Pins

_OID = re.compile("[0-9a-f]{40}")
_PAUSE = 0.2


def _event(ctx: click.Context, option: click.Parameter, value: str) -> str:
    if value and not _OID.fullmatch(value):
        raise click.BadParameter("is an event's commit, 40 digits in full", ctx, option)
    return value


@click.command("verify")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--server-key", required=True, type=click.Path(path_type=Path), help="The server's public key.")
@click.option("--branch", default="", help="Only this branch, and the default branch that it rests on.")
@click.option("--adoption", default="", callback=_event, help="The first event of the log, as you know it.")
@click.option("--id", "identity", default="", help="The repository's id, as you know it.")
@click.option("--from", "since", default="", callback=_event, help="An event that an earlier run ended with.")
@click.option("--approvers", type=click.Path(path_type=Path), help="Their keys, a line each: NAME TYPE BASE64.")
@json_option
def verify(path: Path, server_key: Path, branch: str, as_json: bool, **known: Any) -> int:  # noqa: ANN401  # Pins types them
    """Judge every landing since the adoption again, and name the first that was not authorised.

    PATH is a mirror (git clone --mirror). Nothing is asked of a server, the clock, or the network.
    """
    pins = Pins(path, server_key, branch=full_branch(branch), **known)
    counter = _Counter()
    found = judge_mirror(pins, counter.show)
    counter.end()
    click.echo(json.dumps(facts(found, pins), indent=2) if as_json else "\n".join(lines(found, pins)))
    return guard.REFUSED if found.faults else guard.DONE


class _Counter:
    """How far a long history has come, on a terminal only, at most five times a second."""

    def __init__(self) -> None:
        self.shows = sys.stderr.isatty()
        self.last = time.monotonic()

    def show(self, what: str, number: int) -> None:
        if self.shows and time.monotonic() - self.last >= _PAUSE:
            self.last = time.monotonic()
            click.echo(f"\r{number} {what} \x1b[K", nl=False, err=True)

    def end(self) -> None:
        if self.shows:
            click.echo("\r\x1b[K", nl=False, err=True)
