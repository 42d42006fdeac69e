"""An agent's own file, read strictly: every fault at once, with its line and its cure."""

import os
import re
import stat
from dataclasses import replace
from pathlib import Path

from gitops_hooks.edge.toml_text import REPOSITORY_ID, SOME, Faults, Table, open_toml
from gitops_hooks.model.agent_file import AgentFile, Connection, Roots
from gitops_hooks.model.credentials import Credentials
from gitops_hooks.model.errors import Fault, PolicyError

MACHINE_FILE = Path("/etc/gitops-hooks/agent.toml")
LEAST_INTERVAL, MOST_INTERVAL = 1, 24 * 3600

KEYS = (
    *("name", "url", "key", "known_hosts", "repository", "adoption", "server_key", "approvers", "environment"),
    *("hosts", "connection", "interval", "state", "prometheus", "host_key", "tool_folders"),
)
_GRANTED = ("key", "known_hosts", "vault_password", "kubeconfig")
_NEEDED = {Connection.INVENTORY: ("key", "known_hosts"), Connection.KUBERNETES: ("kubeconfig",), Connection.LOCAL: ()}
_NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}")
_OID = re.compile(r"[0-9a-f]{40}")
_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,253}")
# A helper of git's (`ext::`) would be a command, and a word that begins with a dash an option.
_URL = re.compile(r"ssh://[A-Za-z0-9][^\s\x00-\x1f]*|[A-Za-z0-9][A-Za-z0-9._@-]*:(?!//|:)[^\s]+")


def load_agent(path: Path) -> AgentFile:
    """The whole file; relative paths begin beside it. Errors: PolicyError with every fault and its line."""
    path = path.absolute()
    document = open_toml(path, ("credential",), (), path.name)
    top, credential = document.top, document.tables.get("credential")
    top.allow((*KEYS, "credential"))
    found = _read(path, top, credential)
    _refuse_open_files(path, found, top.faults)
    top.faults.check()
    return found


def _read(path: Path, top: Table, credential: Table | None) -> AgentFile:
    connection = _connection(top)
    return AgentFile(
        path,
        top.text("name", _NAME),
        top.text("url", _URL),
        _file(top, "key", path),
        _file(top, "known_hosts", path),
        Roots(
            top.text("repository", REPOSITORY_ID),
            top.text("adoption", _OID),
            _file(top, "server_key", path),
            _file(top, "approvers", path) if "approvers" in top.values else None,
        ),
        top.text("environment", _ENVIRONMENT),
        _hosts(top, connection),
        _state(top, path),
        connection,
        _interval(top),
        _credentials(top, credential, connection, path),
        _file(top, "host_key", path) if "host_key" in top.values else None,
        path.parent / top.text("prometheus", SOME) if "prometheus" in top.values else None,
    )


def _hosts(top: Table, connection: Connection) -> tuple[str, ...]:
    hosts = top.texts("hosts", _HOST)
    if not hosts and "hosts" not in top.values:
        top.fault("hosts", "'hosts' is missing: the names, as the inventory has them, that this agent answers for")
    elif not hosts:
        top.fault("hosts", "'hosts' must name at least one host")
    elif len(hosts) > 1 and connection is not Connection.INVENTORY:
        top.fault("hosts", f"'hosts' names {len(hosts)}, and connection = \"{connection.value}\" reaches one")
    return hosts


def _connection(top: Table) -> Connection:
    found = top.text("connection", SOME, Connection.LOCAL.value)
    names = [one.value for one in Connection]
    if found not in names:
        top.fault("connection", f"'connection' must be one of {', '.join(names)}, not {found!a}")
        return Connection.LOCAL
    return Connection(found)


def _interval(top: Table) -> int:
    found = top.values.get("interval", 60)
    if isinstance(found, bool) or not isinstance(found, int) or not LEAST_INTERVAL <= found <= MOST_INTERVAL:
        top.fault("interval", f"'interval' must be seconds from {LEAST_INTERVAL} to {MOST_INTERVAL}, not {found!a}")
        return 60
    return found


def _credentials(top: Table, table: Table | None, connection: Connection, path: Path) -> Credentials:
    """Hosts that are reached from elsewhere need a key; the agent makes the one for its own machine itself."""
    values = {} if table is None else table.values
    if table is not None:
        table.allow(_GRANTED)
    needed, tools = _NEEDED[connection], _tool_folders(top, connection, path)
    for name in needed:
        if name not in values:
            words = f'connection = "{connection.value}" needs {name} in [credential]'
            top.fault("credential" if table is not None else "connection", words)
    vault = () if connection is Connection.KUBERNETES else ("vault_password",)
    refused = set(_GRANTED) - {*needed, *vault}
    given = {}
    for name in (name for name in _GRANTED if table is not None and name in values):
        if table is not None and name in refused:
            table.fault(name, f"'{name}' is not for connection = \"{connection.value}\"")
        elif table is not None:
            given[name] = _file(table, name, path)
    return replace(Credentials.of(given, top.texts("hosts")), tools=tools)


def _tool_folders(top: Table, connection: Connection, path: Path) -> tuple[Path, ...]:
    """Where kubectl is, if not among the system's programs; a box sees all that lies there."""
    folders = top.folders("tool_folders", path, path.name)
    if folders and connection is not Connection.KUBERNETES:
        top.fault("tool_folders", f"'tool_folders' is not for connection = \"{connection.value}\"")
    return folders


def _file(table: Table, key: str, path: Path) -> Path:
    """A file that is there; relative names begin beside the agent's own file."""
    name = table.text(key, SOME)
    found = path.parent / name
    if name and not found.is_file():
        table.fault(key, f"'{key}': there is no file {found}")
    return found


def _state(top: Table, path: Path) -> Path:
    name = top.text("state", SOME)
    folder = path.parent / name
    if name and path.is_relative_to(folder.resolve()):
        top.fault("state", f"'state' may not hold {path.name} itself: what is trusted lies outside of what is fetched")
    return folder


def _refuse_open_files(path: Path, found: AgentFile, faults: Faults) -> None:
    """Whoever can write what the agent trusts is root on its hosts, and whoever reads a key is the agent."""
    secret = [("", path), ("key", found.key), ("host_key", found.host_key)]
    secret += [(f"[credential] {name}", file) for name, file in found.credentials.files if name != "known_hosts"]
    for name, file in secret:
        if file is not None and file.is_file():
            _refuse_mode(name, file, 0o077, "600", faults)
    for name, file in (
        ("known_hosts", found.known_hosts),
        ("server_key", found.roots.server_key),
        ("approvers", found.roots.approvers),
    ):
        if file is not None and file.is_file():
            _refuse_mode(name, file, 0o022, "644", faults)
            within = file.resolve().is_relative_to(found.state.resolve())
            if within and not path.is_relative_to(found.state.resolve()):
                faults.add(0, f"{name} lies in the state folder: what is trusted lies outside of what is fetched")


def _refuse_mode(name: str, file: Path, wrong: int, right: str, faults: Faults) -> None:
    told = file.stat()
    what = f"{name}: {file}" if name else str(file)
    if stat.S_IMODE(told.st_mode) & wrong:
        faults.add(0, f"{what} is open to others; run: chmod {right} {file}")
    if told.st_uid not in (os.geteuid(), 0):
        faults.add(0, f"{what} belongs to user {told.st_uid}; run: chown {os.geteuid()} {file}")


def missing_file(path: Path) -> PolicyError:
    """What to say where there is no file at all."""
    return PolicyError(path.name, (Fault(0, f"there is no file {path}; docs/agent.md says how to write it"),))
