"""`gitops-hooks policy …` and `owners …` on the server's shell: the same words as over SSH, as the administrator.

`policy check FILE` without a repository needs no server: then names of people and plugins are not compared.
"""

import click

from gitops_hooks.core.floor import with_floor
from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.floor_toml import load_floor
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import load_people
from gitops_hooks.edge.plugins import load_enabled
from gitops_hooks.entry import guard
from gitops_hooks.entry.cli_words import run_local
from gitops_hooks.entry.policy_words import print_faults, read_policy
from gitops_hooks.entry.printing import json_option
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.push import NO_OID

_AS_TYPED = {"ignore_unknown_options": True, "allow_interspersed_args": False}
_WORDS = click.argument("words", nargs=-1, type=click.UNPROCESSED)


@click.group()
def policy() -> None:
    """Read a policy before it is pushed, and ask why it answers as it does."""


@policy.command("check")
@click.argument("file")
@click.option("-R", "--repo", "repository", default="", help="Also for this repository's default branch.")
@json_option
@click.pass_obj
def check(home: Home, file: str, repository: str, as_json: bool) -> int:
    """Parse FILE (`-`: standard input) with this server's people and plugins, and print every fault."""
    if repository:
        return run_local(home, "policy", ("-R", repository, "check", file, *(("--json",) if as_json else ())))
    try:
        found = _parse(home, read_policy(file), "policy.yaml" if file == "-" else file.rsplit("/", 1)[-1])
    except PolicyError as error:
        return print_faults(error, as_json)
    words = f"{file}: {len(found.branches)} branch rules, {len(found.environments)} environments, no fault"
    words += "".join(f"\n{rule.place}: the floor holds for {rule.match} as well" for rule in found.floor.rules)
    click.echo("[]" if as_json else words)
    return guard.DONE


@policy.command("explain", add_help_option=False, context_settings=_AS_TYPED)
@_WORDS
@click.pass_obj
def explain(home: Home, words: tuple[str, ...]) -> int:
    """Why the judge answers as it does: for a change, a path or a person; -R NAME says where."""
    return run_local(home, "policy", ("explain", *words))


@policy.command("replay", add_help_option=False, context_settings=_AS_TYPED)
@_WORDS
@click.pass_obj
def replay(home: Home, words: tuple[str, ...]) -> int:
    """The last landings under the policy in FILE, and what would differ; -R NAME says where."""
    return run_local(home, "policy", ("replay", *words))


@click.command("owners", add_help_option=False, context_settings=_AS_TYPED)
@_WORDS
@click.pass_obj
def owners(home: Home, words: tuple[str, ...]) -> int:
    """Whose approval a change of PATH needs; -R NAME says where."""
    return run_local(home, "owners", words)


def _parse(home: Home, text: bytes, source: str) -> Policy:
    """Without a server at hand (no home), names of people and plugins are not compared."""
    if not home.server_file.exists():
        return parse_policy(text, commit=NO_OID, known=None, source=source)
    plugins = load_enabled(load_server(home).plugins, home)
    policy = parse_policy(
        text,
        commit=NO_OID,
        known=load_people(home).names,
        deployers=plugins.looking(),
        checks=plugins.declared(),
        source=source,
    )
    return with_floor(policy, load_floor(home))
