"""The forced command: what every SSH login of a user comes to, whatever it asked for. `login` stands before it."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gitops_hooks.core.ssh_command import GitCommand, Words, parse_ssh_command
from gitops_hooks.edge.bell import ensure_reconciler
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import load_people
from gitops_hooks.edge.terminal import tell
from gitops_hooks.entry import git_run, guard
from gitops_hooks.entry.caller import readable, unknown
from gitops_hooks.entry.git_session import Session, Start, prepare_git
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.people import People, Person
from gitops_hooks.model.push import Actor
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.server import ServerFile

_OPTIONS = ("--home", "--user", "--key")


@dataclass(frozen=True, slots=True)
class Login:
    """Who came in, with what the server's files say at this moment; `agent` where it is none of the people."""

    home: Home
    server: ServerFile
    people: People
    actor: Actor
    agent: Person | None = None


def main(argv: Sequence[str] | None = None) -> int:
    """Serve one SSH command; answers the exit code that the client sees."""
    words = tuple(sys.argv[1:] if argv is None else argv)
    # Taken apart by hand: argparse alone would be a fifth of this program's start.
    if words[::2] != _OPTIONS or len(words) != 2 * len(_OPTIONS):
        tell((f"gitops: this program is started by sshd, with {' '.join(_OPTIONS)}",))
        return guard.WRONG_USE
    home, user, key = words[1::2]
    answer = decide(home, user, key, os.environb)
    if isinstance(answer, int):
        return answer
    return git_run.run(answer.argv, answer.environ, answer.seconds, answer.folder, answer.descriptors)


def decide(home: str, user: str, key: str, environ: Mapping[bytes, bytes]) -> int | Start:
    """What becomes of this login: git, ready to be started, or the exit code of what was said, or done."""
    # Given to the guard alone, so that no message names a path of the server.
    seen = {guard.HOME_VARIABLE: home, "GITOPS_HOOKS_ACTOR": user}
    return guard.command(lambda: _decide(Home(Path(home).absolute()), user, key, environ), "shell", seen)


def _decide(home: Home, user: str, key: str, environ: Mapping[bytes, bytes]) -> int | Start:
    login = _log_in(home, user, key)
    answer = login if isinstance(login, Refusal) else _answer(login, environ)
    return _refuse(answer) if isinstance(answer, Refusal) else answer


def _log_in(home: Home, user: str, key: str) -> Login | Refusal:
    """A line in authorized_keys proves nothing once the user or the key was removed."""
    server, people = load_server(home), load_people(home)
    person = people.login(user)
    if person is None or key not in [each.fingerprint for each in person.keys]:
        return Refusal("login", "this key is no longer known here", "Ask the administrator for: gitops-hooks user add")
    actor = Actor(person.name, key, person.kind)
    return Login(home, server, people, actor, person if person.charge else None)


def _answer(login: Login, environ: Mapping[bytes, bytes]) -> int | Start | Refusal:
    ensure_reconciler(login.home)
    asked = parse_ssh_command(environ.get(b"SSH_ORIGINAL_COMMAND", b""))
    protocol = environ.get(b"GIT_PROTOCOL", b"").decode("ascii", "replace")
    if login.agent:
        from gitops_hooks.entry.agent_login import answer_agent

        return answer_agent(login.home, login.server, login.agent, login.actor, asked, protocol)
    match asked:
        case GitCommand():
            return _git(login, asked, protocol)
        case Words():
            return _words(login, asked.words)
    return asked


def _git(login: Login, asked: GitCommand, protocol: str) -> Start | Refusal:
    for entry in readable(login.server, login.actor):
        if entry.name == asked.repository:
            return prepare_git(Session(login.home, login.server, entry, login.actor, asked.program, protocol))
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
