"""`gitops-hooks policy check FILE`: the faults that a push of this policy would be refused for."""

from pathlib import Path

import click

from gitops_hooks.core.floor import with_floor
from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.floor_toml import load_floor
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import load_people
from gitops_hooks.edge.plugins import load_enabled
from gitops_hooks.entry import guard
from gitops_hooks.entry.printing import Facts, json_option, print_list
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.push import NO_OID


@click.group()
def policy() -> None:
    """Read a policy before it is pushed."""


@policy.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def check(home: Home, file: Path, as_json: bool) -> int:
    """Parse FILE with this server's people and plugins, and print every fault with its line."""
    try:
        text = file.read_bytes()
    except OSError as error:
        raise EdgeError(str(file), f"cannot be read: {error.strerror}") from None
    try:
        found = _parse(home, text, file.name)
    except PolicyError as error:
        rows: list[tuple[Facts, str]] = [
            ({"line": fault.line, "message": fault.message}, line)
            for fault, line in zip(error.faults, str(error).split("\n"), strict=False)
        ]
        print_list(rows, "", as_json)
        return guard.REFUSED
    words = f"{file.name}: {len(found.branches)} branch rules, {len(found.environments)} environments, no fault"
    words += "".join(f"\n{rule.place}: the floor holds for {rule.match} as well" for rule in found.floor.rules)
    print_list([], words, as_json)
    return guard.DONE


def _parse(home: Home, text: bytes, source: str) -> Policy:
    """Without a server at hand (no home), names of people and plugins are not compared."""
    if not home.server_file.exists():
        return parse_policy(text, commit=NO_OID, known=None, source=source)
    plugins = load_enabled(load_server(home).plugins, home)
    policy = parse_policy(
        text,
        commit=NO_OID,
        known=load_people(home).names,
        deployers=frozenset(plugins.deployers()),
        checks=frozenset(plugins.checks()),
        source=source,
    )
    return with_floor(policy, load_floor(home))
