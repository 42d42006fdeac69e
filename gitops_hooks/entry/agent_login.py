"""What an agent's key may do over SSH: fetch its repository, and push its own report."""

from gitops_hooks.core.agent_judge import agent_ref
from gitops_hooks.core.ssh_command import GitCommand, Words
from gitops_hooks.edge.agent_notes import agent_notes
from gitops_hooks.edge.home import Home
from gitops_hooks.entry.caller import unknown
from gitops_hooks.entry.git_session import Session, Start, prepare_git
from gitops_hooks.model.people import Person
from gitops_hooks.model.push import Actor
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.server import ServerFile


def answer_agent(
    home: Home, server: ServerFile, person: Person, actor: Actor, asked: GitCommand | Words | Refusal, protocol: str
) -> Start | Refusal:
    """Git for it, or a refusal by name; when it came is noted."""
    entry = server.repository_with_id(person.charge.repository) if person.charge else None
    if isinstance(asked, Refusal):
        return asked
    if isinstance(asked, Words):
        words = f"{person.name} is an agent: it fetches, and pushes {agent_ref(person.name)}; no words are for it"
        return Refusal("agent", words)
    if entry is None or entry.name != asked.repository:
        return unknown(asked.repository)
    agent_notes(home.state(entry.id), person.name).note_seen()
    return prepare_git(Session(home, server, entry, actor, asked.program, protocol))
