"""`gitops-hooks doctor`: every reason why this server would refuse, lag or be unsafe, each with its cure."""

import json
from collections.abc import Iterator
from functools import partial

import click

from gitops_hooks.edge import diagnosis as machine
from gitops_hooks.edge import diagnosis_access as access
from gitops_hooks.edge import diagnosis_contents as contents
from gitops_hooks.edge import diagnosis_notify as notify
from gitops_hooks.edge import diagnosis_trust as trust
from gitops_hooks.edge import diagnosis_verdicts as verdicts
from gitops_hooks.edge import diagnosis_warm as warm
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.diagnosis import Line, State, ask
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import load_people
from gitops_hooks.entry import guard
from gitops_hooks.entry.doctor_agents import agent_lines, stray_lines
from gitops_hooks.entry.doctor_debts import debt_lines
from gitops_hooks.entry.doctor_plans import plan_lines
from gitops_hooks.entry.printing import json_option
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.people import People
from gitops_hooks.model.server import ServerFile


@click.command("doctor")
@json_option
@click.pass_obj
def doctor(home: Home, as_json: bool) -> int:
    """Look at everything that pushes and deployments stand on. Answers 1 where anything fails."""
    found = []
    for line in examine(home):
        found.append(line)
        if not as_json:
            _print(line)
    if as_json:
        facts = [{"state": e.state.value, "name": e.name, "words": e.words, "cure": e.cure} for e in found]
        click.echo(json.dumps(facts))
    return guard.REFUSED if any(line.state is State.FAIL for line in found) else guard.DONE


def examine(home: Home) -> Iterator[Line]:
    """Every line, in the order in which faults should be mended."""
    if not home.server_file.exists():
        words = f"there is no server in {home.path}"
        yield Line(State.FAIL, "home", words, "gitops-hooks user add NAME KEY.pub --email ADDRESS makes one")
        return
    yield from ask("home", lambda: machine.home_lines(home))
    yield from ask("hooks", lambda: machine.hook_lines(home))
    yield from ask("judge", lambda: machine.judge_lines(home))
    yield from ask("byte code", lambda: machine.byte_code_lines(home))
    yield from ask("reconciler", lambda: machine.reconciler_lines(home))
    yield from ask("stop", lambda: machine.stop_lines(home))
    try:
        server, people = load_server(home), load_people(home)
    except PolicyError as error:
        for fault in str(error).split("\n"):
            yield Line(State.FAIL, error.source, fault, f"edit {home.path / error.source}")
        return
    yield Line(State.OK, "server.toml", "and users.toml have no fault")
    yield from _examine_contents(home, server, people)


def _examine_contents(home: Home, server: ServerFile, people: People) -> Iterator[Line]:
    yield from ask("warm judge", lambda: warm.warm_lines(home, server))
    yield from ask("server key", lambda: access.key_pair_lines(home))
    yield from ask("releases", lambda: access.release_lines(home))
    yield from ask("writable files", lambda: access.writable_lines(home, server))
    yield from ask("foreign keys", lambda: access.foreign_key_lines(home, server))
    yield from ask("sshd settings", lambda: access.sshd_lines())
    yield from ask("disk", lambda: trust.space_lines(home, server))
    yield from ask("git", lambda: machine.git_lines(server))
    yield from ask("authorized_keys", lambda: machine.ssh_lines(home, server, people))
    yield from ask("gpgv", lambda: access.openpgp_lines(people))
    yield from ask("sandbox", lambda: contents.confinement_lines(server))
    yield from ask("plugins", lambda: contents.plugin_lines(home, server))
    yield from ask("floor", lambda: contents.floor_lines(home, server, people))
    yield from ask("agents", lambda: stray_lines(server, people))
    for entry in server.repositories:
        yield from ask(f"repository {entry.name}", partial(contents.repository_lines, home, server, entry))
        yield from ask(f"folder of {entry.name}", partial(trust.beside_lines, entry))
        yield from ask(f"record of {entry.name}", partial(trust.record_lines, home, server, entry))
        yield from ask(f"branches of {entry.name}", partial(trust.standing_lines, home, server, entry))
        yield from ask(f"policy of {entry.name}", partial(trust.policy_lines, home, server, people, entry))
        yield from ask(f"debts of {entry.name}", partial(debt_lines, home, server, entry))
        yield from ask(f"plans of {entry.name}", partial(plan_lines, home, server, entry))
        yield from ask(f"agents of {entry.name}", partial(agent_lines, home, server, entry))
        yield from ask(f"verdicts of {entry.name}", partial(verdicts.verdict_lines, home, server, entry))
    for one in server.notify:
        yield from ask(f"notify {one.name}", partial(notify.notify_lines, home, server, one))
    for credential in server.credentials:
        yield from ask("credential", partial(contents.credential_lines, server, credential))


def _print(line: Line) -> None:
    click.echo(f"{line.state.value:<5} {line.name}: {line.words}")
    if line.cure and line.state is not State.OK:
        click.echo(f"      {line.cure}")
