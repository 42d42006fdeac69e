"""pre-receive for an agent: its report, and nothing else, judged without the policy and without plugins."""

import contextlib
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path

from gitops_hooks.core.agent_judge import RULE, agent_ref, judge_agent_refs, judge_report
from gitops_hooks.core.receive import read_commands, read_options
from gitops_hooks.core.report import refused
from gitops_hooks.edge import journal
from gitops_hooks.edge.agent_notes import MOST_AT_ONCE, SECONDS_PER_REPORT, agent_notes
from gitops_hooks.edge.agent_refs import newest_report, read_report
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.identities import load_people
from gitops_hooks.edge.repository import open_repository
from gitops_hooks.edge.terminal import tell
from gitops_hooks.entry.environment import read_hook
from gitops_hooks.entry.wording import refusal_judgement
from gitops_hooks.model.agent import Report
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.people import Person
from gitops_hooks.model.push import NO_OID, RefUpdate
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.server import RepositoryEntry, ServerFile


def judge_agent_push(environ: Mapping[str, str], stdin: bytes) -> bool:
    """Whether the whole push may pass. Errors: EdgeError, PolicyError."""
    hook = read_hook(environ)
    server, person = load_server(hook.home), load_people(hook.home).login(environ.get("GITOPS_HOOKS_ACTOR", ""))
    entry = server.repository(hook.repository)
    if entry is None or Path.cwd().resolve() != entry.path.resolve():
        raise EdgeError(hook.repository, "is not the repository that git is working in")
    if person is None or person.charge is None or person.charge.repository != entry.id:
        raise EdgeError("the pusher", "is not known here")
    refusal = _judge(environ, stdin, (server, entry, person), hook.home.state(entry.id))
    if refusal is None:
        return True
    update = RefUpdate(NO_OID, NO_OID, agent_ref(person.name))
    tell(refused(refusal_judgement(update, refusal).decision))
    facts = {"repository": entry.name, "agent": person.name, "refused": refusal.reason}
    journal.append(hook.home, "agent", facts, server.limits.journal_size)
    return False


def _judge(
    environ: Mapping[str, str], stdin: bytes, who: tuple[ServerFile, RepositoryEntry, Person], state: Path
) -> Refusal | None:
    server, entry, person = who
    if wait := agent_notes(state, person.name).take_turn(time.time()):
        words = f"one report in {SECONDS_PER_REPORT:g} s, and {MOST_AT_ONCE} at once, is what an agent may push"
        return Refusal(RULE, words, f"Push again in {math.ceil(wait)} s.")
    updates, options = read_commands(stdin, most=server.limits.refs), read_options(environ, server.limits.options)
    if isinstance(updates, Refusal):
        return updates
    if isinstance(options, Refusal):
        return options
    if fault := judge_agent_refs(person.name, updates, options):
        return fault
    repository = open_repository(entry.path, server.limits, server.git, environ)
    try:
        report = read_report(repository, updates[0].new)
    except ValueError as error:
        return Refusal(RULE, f"It is no report: {error}")
    before: Report | None = None
    # What no agent of ours has pushed is replaced by what one does.
    with contextlib.suppress(ValueError):
        before = newest_report(repository, person.name)
    assert person.charge is not None  # noqa: S101  # for the type checker: the caller asked
    return judge_report(report, person.name, person.charge, before)


def read_all(descriptor: int, most: int) -> bytes:
    """What git has to say, a little more than `most` bytes of it at the most."""
    found = b""
    while part := os.read(descriptor, 1 << 20):
        found += part
        if len(found) > most:
            break
    return found
