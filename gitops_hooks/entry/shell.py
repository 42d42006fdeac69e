"""The forced command: what every SSH login of a user comes to, whatever it asked for."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_hooks.core.ssh_command import GitCommand, Words, parse_ssh_command
from gitops_hooks.edge.bell import ensure_reconciler
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import load_people
from gitops_hooks.edge.terminal import tell
from gitops_hooks.entry import guard
from gitops_hooks.entry.caller import readable, unknown
from gitops_hooks.entry.git_session import Session, run_git
from gitops_hooks.model.people import People
from gitops_hooks.model.push import Actor
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.server import ServerFile


@dataclass(frozen=True, slots=True)
class Login:
    """Who came in, with what the server's files say at this moment."""

    home: Home
    server: ServerFile
    people: People
    actor: Actor


def main(argv: Sequence[str] | None = None) -> int:
    """Serve one SSH command; answers the exit code that the client sees."""
    words = _parse(sys.argv[1:] if argv is None else argv)
    # Given to the guard alone, so that no message names a path of the server.
    seen = {guard.HOME_VARIABLE: words.home, "GITOPS_HOOKS_ACTOR": words.user}
    return guard.command(lambda: _serve(words, os.environb), "shell", seen)


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gitops-shell", allow_abbrev=False)
    for option in ("--home", "--user", "--key"):
        parser.add_argument(option, required=True)
    return parser.parse_args(list(argv))


def _serve(words: argparse.Namespace, environ: Mapping[bytes, bytes]) -> int:
    home = Home(Path(words.home).absolute())
    login = _log_in(home, words.user, words.key)
    answer = login if isinstance(login, Refusal) else _answer(login, environ)
    return _refuse(answer) if isinstance(answer, Refusal) else answer


def _log_in(home: Home, user: str, key: str) -> Login | Refusal:
    """A line in authorized_keys proves nothing once the user or the key was removed."""
    server, people = load_server(home), load_people(home)
    person = people.named(user)
    if person is None or key not in [each.fingerprint for each in person.keys]:
        return Refusal("login", "this key is no longer known here", "Ask the administrator for: gitops-hooks user add")
    return Login(home, server, people, Actor(person.name, key, person.kind))


def _answer(login: Login, environ: Mapping[bytes, bytes]) -> int | Refusal:
    ensure_reconciler(login.home)
    asked = parse_ssh_command(environ.get(b"SSH_ORIGINAL_COMMAND", b""))
    match asked:
        case GitCommand():
            return _git(login, asked, environ.get(b"GIT_PROTOCOL", b"").decode("ascii", "replace"))
        case Words():
            return _words(login, asked.words)
    return asked


def _git(login: Login, asked: GitCommand, protocol: str) -> int | Refusal:
    for entry in readable(login.server, login.actor):
        if entry.name == asked.repository:
            return run_git(Session(login.home, login.server, entry, login.actor, asked.program, protocol))
    return unknown(asked.repository)


def _words(login: Login, words: tuple[str, ...]) -> int | Refusal:
    # The forced command starts without installed packages, which git does not need; click lives among them.
    import site

    site.main()
    from gitops_hooks.entry.ssh_words import run_words

    return run_words(login.home, login.server, login.people, login.actor, words)


def _refuse(refusal: Refusal) -> int:
    tell((f"gitops: {refusal.reason}", *((refusal.cure,) if refusal.cure else ())))
    return guard.REFUSED


if __name__ == "__main__":
    sys.exit(main())
