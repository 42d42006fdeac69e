"""`gitops-hooks change …` and `env …` on the server's shell: the same commands as over SSH, as the administrator."""

import click

from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import load_people
from gitops_hooks.entry import guard
from gitops_hooks.entry.caller import Caller, choose_repository
from gitops_hooks.entry.click_run import run_click
from gitops_hooks.entry.groups import run_group
from gitops_hooks.entry.ssh_words import take_repository
from gitops_hooks.model.request import Refusal

_SWITCH = (("stop",), ("start",))
_AS_TYPED = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command("change", add_help_option=False, context_settings=_AS_TYPED)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def change(home: Home, words: tuple[str, ...]) -> int:
    """The changes of a repository; -R NAME says which."""
    return run_local(home, "change", words)


@click.command("env", add_help_option=False, context_settings=_AS_TYPED)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def env(home: Home, words: tuple[str, ...]) -> int:
    """The environments of a repository; -R NAME says which. `stop` and `start` are for all of them."""
    if words[:1] in _SWITCH:
        from gitops_hooks.entry.stop_words import switch

        return run_click(switch, "gitops-hooks env", words, home)
    return run_local(home, "env", words)


def run_local(home: Home, group: str, words: tuple[str, ...]) -> int:
    """Run these words as the administrator, in the repository that -R names."""
    if not words or words[-1] in ("-h", "--help"):
        return run_group(group, [*words[:-1], "--help"], f"gitops-hooks {group}", None)
    asked = take_repository((group, *words))
    server = load_server(home)
    chosen = asked if isinstance(asked, Refusal) else choose_repository(server, None, asked.repository)
    if isinstance(asked, Refusal) or isinstance(chosen, Refusal):
        return _refuse(asked if isinstance(asked, Refusal) else chosen)
    caller = Caller(home, server, load_people(home), chosen, None)
    return run_group(group, asked.words[1:], f"gitops-hooks {group}", caller)


def _refuse(refusal: object) -> int:
    if isinstance(refusal, Refusal):
        guard.say(tuple(line for line in (refusal.reason, refusal.cure) if line))
    return guard.WRONG_USE
