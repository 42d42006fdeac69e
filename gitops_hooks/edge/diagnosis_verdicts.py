"""What doctor looks at in the kept verdicts: how many there are, where, and whether they are the server's own."""

from collections.abc import Iterable

from gitops_hooks.edge.diagnosis import Line, State, private, verdict
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.plugins import load_enabled
from gitops_hooks.edge.verdict_cache import open_memory
from gitops_hooks.edge.verdict_store import store_of
from gitops_hooks.model.server import RepositoryEntry, ServerFile


def verdict_lines(home: Home, server: ServerFile, entry: RepositoryEntry) -> Iterable[Line]:
    name, limits = f"verdicts of {entry.name}", server.limits
    store = store_of(home.state(entry.id), limits)
    if not limits.verdicts:
        yield Line(State.NOTE, name, "are not kept: every push runs every check", "raise verdicts in [limits]")
        return
    load_enabled(server.plugins, home)
    if open_memory(home.state(entry.id), server) is None:
        words = "are not kept: a plugin has no files, or was changed at this moment"
        yield Line(State.NOTE, name, words, "install plugins as packages, then run doctor again")
    count, size = store.usage()
    faults = [fault] if store.folder.exists() and (fault := private(store.folder, 0o700)) else []
    good = f"{count} files, {size / 2**20:.1f} MiB in {store.folder}; it may be removed at any time"
    yield from verdict(name, faults, good, f"rm -r {store.folder}")
