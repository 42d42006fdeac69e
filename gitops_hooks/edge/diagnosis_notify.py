"""Whether those whom the server's file wants told of deployments can be told, and were."""

from collections.abc import Iterable
from datetime import UTC, datetime

from gitops_hooks.edge.diagnosis import Line, State
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.plugins import load_notifier
from gitops_hooks.edge.told import load_told
from gitops_hooks.model.news import NotifyEntry
from gitops_hooks.model.server import ServerFile


def notify_lines(home: Home, server: ServerFile, entry: NotifyEntry) -> Iterable[Line]:
    """A FAIL where its plugin or settings cannot be used, a note where it was not told of something yet."""
    load_notifier(entry, home)
    late = [line for repository in server.repositories for line in _late(home, repository.id, repository.name, entry)]
    return late or [Line(State.OK, f"notify {entry.name}", f"by {entry.plugin}")]


def _late(home: Home, identity: str, name: str, entry: NotifyEntry) -> Iterable[Line]:
    for environment, told in load_told(home.state(identity), entry.name).items():
        if told.tries:
            due = datetime.fromtimestamp(told.due, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            words = f"{name}: {environment}: not told after {told.tries} tries: {told.error}"
            yield Line(State.NOTE, f"notify {entry.name}", words, f"it is tried again at {due}")
