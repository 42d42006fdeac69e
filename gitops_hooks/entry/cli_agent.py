"""`gitops-hooks agent`: what runs in the environment, keeps it as the server releases it, and reports."""

import json
import os
import signal
import time
from dataclasses import asdict
from pathlib import Path

import click

from gitops_hooks.edge.agent_state import Notes, need_room
from gitops_hooks.edge.agent_toml import MACHINE_FILE, load_agent, missing_file
from gitops_hooks.edge.launch_box import own_program
from gitops_hooks.entry.agent import MODULE, MOST_PAUSE, alone, say
from gitops_hooks.entry.printing import json_option
from gitops_hooks.model.agent_file import AgentFile
from gitops_hooks.model.agent_mark import Standing
from gitops_hooks.model.errors import EdgeError

_OUT, _WRONG_USE = 1, 2
_MOST_SECONDS = 900.0


@click.command("agent")
@click.argument("word", required=False, type=click.Choice(["status"]))
@click.option("--config", type=click.Path(path_type=Path), default=MACHINE_FILE, show_default=True, help="Its file.")
@click.option("--once", "mode", flag_value="once", help="One round, then end.")
@click.option("--check", "mode", flag_value="check", help="Ask the server and verify what it says; change nothing.")
@json_option
def agent(word: str | None, config: Path, mode: str | None, as_json: bool) -> int:
    """Keep this host, or what it answers for, as the server releases it.

    Exit codes of status, --once and --check: 0 synced, 1 out of sync or degraded, 2 wrong configuration, 3 the server
    cannot be asked, 4 it refuses what the server gave it.
    """
    if word and mode:
        raise click.UsageError("status goes with no option but --config and --json")
    if not config.exists():
        raise missing_file(config.absolute())
    file = load_agent(config)
    if word == "status":
        return _status(file, as_json)
    if mode is None:
        # Everything that this program has loaded goes: what waits has to be small.
        command = own_program(MODULE, str(file.path))
        os.execv(command[0], command)  # noqa: S606  # no shell: that is meant
    return _round(file, checks=mode == "check")


def _round(file: AgentFile, *, checks: bool) -> int:
    from gitops_hooks.entry.agent_check import faults_here
    from gitops_hooks.entry.agent_round import Round

    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    if checks and (faults := faults_here(file)):
        for fault in faults:
            click.echo(f"gitops: {fault}", err=True)
        return _WRONG_USE
    with alone(file):
        status = Round(file, say, lambda: bool(asked), looks_only=checks).go()
    say(status.words)
    return status.code


def _status(file: AgentFile, as_json: bool) -> int:
    """What the last round found; one that is long ago is no good news."""
    notes = Notes(file.state)
    status, standing, mark = notes.status(), notes.standing(), notes.mark()
    if status is None:
        click.echo(json.dumps({"code": _OUT, "words": _NONE}) if as_json else _NONE)
        return _OUT
    silent = time.time() - status.at > (max(3 * file.interval, MOST_PAUSE) + _MOST_SECONDS) * 1.2
    code, words = status.code or (_OUT if silent else 0), status.words
    try:
        need_room(file.state)
    except EdgeError as error:
        code, words = _WRONG_USE, str(error)
    hosts = {name: standing.get(name, Standing()) for name in file.hosts}
    if as_json:
        facts = asdict(status) | {"code": code, "words": words, "silent": silent}
        facts |= {"environment": file.environment, "agent": file.name}
        rows = {name: asdict(one) | _meant(mark.environment.target(name)) for name, one in hosts.items()}
        click.echo(json.dumps(facts | {"stopped": mark.environment.stopped, "log": mark.log.tip, "hosts": rows}))
        return code
    since = f"{time.time() - status.at:.0f} s ago"
    click.echo(f"{file.environment}: {words} (last round {since}{', which is too long' if silent else ''})")
    for name, one in hosts.items():
        at = f"generation {one.generation} ({one.commit[:12]})" if one.generation else "nothing applied yet"
        click.echo(f"{name}: {one.sync}, {one.state or 'never run'}, {at}" + (f": {one.detail}" if one.detail else ""))
    return code


_NONE = "no round has ended yet; start it: gitops-hooks agent --once"


def _meant(target: object) -> dict[str, object]:
    return {"released": getattr(target, "generation", 0)}
