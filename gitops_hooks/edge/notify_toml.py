"""`[[notify]]` of the server's file: who is told of deployments, by which plugin, and of what."""

import re
from collections.abc import Collection, Sequence

from gitops_hooks.edge.toml_text import MODULE, SOME, Table
from gitops_hooks.model.news import News, NotifyEntry

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,31}")
_ON = {**{news.value: news for news in News}, "every": None}


def read_notify(tables: Sequence[Table], repositories: Collection[str]) -> tuple[NotifyEntry, ...]:
    """Every table, its faults with those of the file."""
    found: dict[str, NotifyEntry] = {}
    for table in tables:
        entry = _read(table, repositories)
        if entry.name and entry.name in found:
            table.fault("name", f"two [[notify]] have the name '{entry.name}'")
        found[entry.name] = entry
    return tuple(found.values())


def _read(table: Table, repositories: Collection[str]) -> NotifyEntry:
    table.allow(("name", "plugin", "repositories", "environments", "on", "settings"))
    wanted = table.texts("repositories", SOME)
    for name in wanted:
        if name not in repositories:
            table.fault("repositories", f"there is no repository {name!a} in this file")
    settings = table.values.get("settings", {})
    if not isinstance(settings, dict):
        table.fault("settings", "'settings' must be a table")
        settings = {}
    return NotifyEntry(
        table.text("name", _NAME),
        table.text("plugin", MODULE),
        wanted,
        table.texts("environments", _ENVIRONMENT),
        _on(table),
        settings,
    )


def _on(table: Table) -> tuple[News, ...]:
    """Empty for every end, which goes with nothing else: it holds all the others."""
    words = table.texts("on", SOME, tuple(news.value for news in News))
    if unknown := sorted(set(words) - set(_ON)):
        table.fault("on", f"'on': {unknown[0]!a} is none of {', '.join(_ON)}")
    elif "every" in words and len(words) > 1:
        table.fault("on", "'on': \"every\" stands alone; it is told of every end of a deployment")
    elif not words and "on" in table.values:
        table.fault("on", "'on' names nothing, so that nobody would be told; remove the [[notify]] instead")
    return tuple(news for word in words if (news := _ON.get(word)) is not None)
