"""The server's own file, read strictly; config_edit.py changes it."""

import dataclasses
import math
import re
from dataclasses import replace
from pathlib import Path

from gitops_hooks.edge.credential_toml import GRANTED, OF_PLANS, read_granted, read_use, refuse_deploying_keys
from gitops_hooks.edge.exec_toml import read_exec_checks
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.notify_toml import read_notify
from gitops_hooks.edge.toml_text import MODULE, REPOSITORY_ID, SOME, Document, Faults, Table, open_toml, parse_toml
from gitops_hooks.model.server import PLAN, CredentialEntry, Limits, PluginLists, RepositoryEntry, ServerFile

SOURCE = "server.toml"
REPOSITORY_NAME = re.compile(r"(?!.*\.\.)(?!.*\.git\Z)[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_TABLES = ("plugins", "limits", "floor")
_LISTS = ("repository", "credential", "exec_check", "notify")
_TOP = ("authorized_keys", "deploy_as", "git", "own_network", "tool_folders")
_NFT = "nft"
_LATER = ("signed", "evaluate", "break_glass")
_MAY_BE_NONE = ("verdicts", "warm_seconds")
_PERSON = re.compile(r"\*|[a-z][a-z0-9._-]{0,31}")
_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,200}")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


def load_server(home: Home) -> ServerFile:
    """The whole of server.toml. Errors: PolicyError with every fault of the file and its line."""
    return server_of(home, server_document(home))


def server_document(home: Home) -> Document:
    """The file as it stands, for floor_toml.py: the forced command loads no YAML and leaves the floor to the judges.

    Errors: PolicyError where it is no TOML.
    """
    return open_toml(home.server_file, _TABLES, _LISTS, SOURCE)


def parse_server(home: Home, text: str) -> ServerFile:
    """The same for a text that is not in place yet. Errors: PolicyError."""
    return server_of(home, parse_toml(text, _TABLES, _LISTS, Faults(SOURCE)))


def server_of(home: Home, document: Document) -> ServerFile:
    """What the file says but for its floor. Errors: PolicyError."""
    top = document.top
    top.allow((*_TOP, *_TABLES, *_LISTS), _LATER)
    repositories = tuple(_repository(home, table) for table in document.lists["repository"])
    _refuse_twins(document.lists["repository"], repositories)
    keys = top.text("authorized_keys", SOME, "")
    server = ServerFile(
        repositories,
        _credentials(home, document, repositories),
        replace(_plugins(document.tables.get("plugins")), programs=read_exec_checks(document.lists["exec_check"])),
        _limits(document.tables.get("limits")),
        top.text("git", SOME, "git"),
        _path(home, keys) if keys else None,
        top.text("deploy_as", _USER, ""),
        top.folders("tool_folders", home.path.absolute(), "this home"),
        _own_network(top),
        read_notify(document.lists["notify"], [entry.name for entry in repositories]),
    )
    top.faults.check()
    return server


def _repository(home: Home, table: Table) -> RepositoryEntry:
    table.allow(("name", "path", "id", "read", "write"), ("floor",))
    return RepositoryEntry(
        table.text("name", REPOSITORY_NAME),
        _path(home, table.text("path", SOME)),
        table.text("id", REPOSITORY_ID),
        table.texts("read", _PERSON),
        table.texts("write", _PERSON),
    )


def _refuse_twins(tables: tuple[Table, ...], entries: tuple[RepositoryEntry, ...]) -> None:
    for key in ("name", "path", "id"):
        seen: set[object] = set()
        for table, entry in zip(tables, entries, strict=True):
            value = getattr(entry, key)
            if isinstance(table.values.get(key), str) and value in seen:
                table.fault(key, f"two repositories have the {key} {table.values[key]!a}")
            seen.add(value)


def _credentials(
    home: Home, document: Document, repositories: tuple[RepositoryEntry, ...]
) -> tuple[CredentialEntry, ...]:
    ids = {entry.name: entry.id for entry in repositories}
    found: dict[tuple[str, ...], CredentialEntry] = {}
    states: set[Path] = set()
    for table in document.lists["credential"]:
        entry = _credential(home, table, ids)
        key = (entry.repository, entry.environment, entry.branch, entry.use)
        if key in found and all(key):
            again = " for plans" if entry.use == PLAN else ""
            table.faults.add(table.line, f"environment '{entry.environment}' has its credentials{again} twice")
        found[key] = entry
        state = entry.credentials.state_folder
        if state in states:
            table.fault("state_folder", f"two environments have the state_folder {table.values['state_folder']!a}")
        states |= {state} if state else set()
    refuse_deploying_keys(document.lists["credential"], tuple(found.values()), home.path)
    return tuple(found.values())


def _credential(home: Home, table: Table, ids: dict[str, str]) -> CredentialEntry:
    table.allow(("repository", "environment", "branch", *GRANTED, *OF_PLANS))
    name = table.text("repository", SOME)
    if name and name not in ids:
        table.fault("repository", f"there is no repository {name!a} in this file")
    return CredentialEntry(
        ids.get(name, ""),
        table.text("environment", _ENVIRONMENT),
        full_branch(table.text("branch", _BRANCH)),
        read_granted(table, home.path),
        read_use(table),
    )


def full_branch(name: str) -> str:
    """`main` and `refs/heads/main` are one branch; its full ref is what everything else compares."""
    return name if name.startswith("refs/") or not name else f"refs/heads/{name}"


def _own_network(top: Table) -> tuple[str, ...]:
    """Each opens the kernel a little further to bytes that were pushed: one that nobody has thought about is none."""
    names = top.texts("own_network", SOME)
    if names not in ((), (_NFT,)):
        top.fault("own_network", f"'own_network' may name {_NFT} alone: [\"{_NFT}\"]")
    return names


def _plugins(table: Table | None) -> PluginLists:
    if table is None:
        return PluginLists()
    table.allow(("checks", "trusted"))
    default = PluginLists()
    return PluginLists(table.texts("checks", MODULE, default.checks), table.texts("trusted", MODULE, default.trusted))


def _limits(table: Table | None) -> Limits:
    default = Limits()
    if table is None:
        return default
    kinds = {each.name: type(getattr(default, each.name)) for each in dataclasses.fields(Limits)}
    table.allow(kinds)
    known = {key: value for key, value in table.values.items() if key in kinds}
    for key, value in known.items():
        if not _fits(value, kinds[key], key in _MAY_BE_NONE):
            noun = "a whole number" if kinds[key] is int else "a number"
            least = "from 0" if key in _MAY_BE_NONE else "above 0"
            table.fault(key, f"'{key}' must be {noun} {least}, not {value!a}")
    good = {key: value for key, value in known.items() if _fits(value, kinds[key], key in _MAY_BE_NONE)}
    return Limits(**{key: kinds[key](value) for key, value in good.items()})


def _fits(value: object, kind: type, may_be_none: bool) -> bool:
    # TOML has inf and nan, and in Python a bool is an int: neither is a limit.
    if isinstance(value, bool) or not isinstance(value, int if kind is int else (int, float)):
        return False
    return math.isfinite(value) and (value > 0 or (may_be_none and value == 0))


def _path(home: Home, text: str) -> Path:
    return home.path / text
