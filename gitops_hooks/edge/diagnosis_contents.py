"""What doctor looks at in the server's own files: repositories, credentials, plugins, and what confines them."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from gitops_hooks.edge.diagnosis import Line, private, verdict
from gitops_hooks.edge.enrolment import recorded_identity
from gitops_hooks.edge.floor_toml import load_floor
from gitops_hooks.edge.git_settings import receive_settings, settings_faults
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.launch_box import check_credential, is_other
from gitops_hooks.edge.plugins import load_enabled
from gitops_hooks.edge.repository import open_repository
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.people import People
from gitops_hooks.model.server import PLAN, CredentialEntry, Limits, RepositoryEntry, ServerFile


def repository_lines(home: Home, server: ServerFile, entry: RepositoryEntry) -> Iterable[Line]:
    name = f"repository {entry.name}"
    cure = f"gitops-hooks repo add {entry.path} --admin NAME writes record and settings again"
    faults = [fault for path in (entry.path, entry.path / "config") if (fault := private(path, 0o755))]
    faults += settings_faults(server.git, entry.path, receive_settings(home, server.limits))
    if recorded_identity(open_repository(entry.path, server.limits, server.git)) != entry.id:
        faults.append("its record is missing, or belongs to another repository")
    return verdict(name, faults, "has its settings and its record", cure)


def credential_lines(server: ServerFile, entry: CredentialEntry) -> Iterable[Line]:
    owner = server.repository_with_id(entry.repository)
    kind = "plan credential" if entry.use == PLAN else "credential"
    name = f"{kind} {owner.name if owner else '?'}/{entry.environment}"
    given = entry.credentials
    look = _look_as_other if is_other(server.deploy_as) else _look_myself
    looks = [look(path, key != "known_hosts", server) for key, path in given.files]
    if given.state_folder is not None:
        looks.append(_state_fault(given.state_folder, server))
    words = f"for {' '.join(given.hosts)}" if given.hosts else "for what needs no host"
    return verdict(name, filter(None, looks), words, "see [[credential]] in server.toml")


def _state_fault(folder: Path, server: ServerFile) -> str:
    if is_other(server.deploy_as):
        return check_credential(folder, server.deploy_as)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} is no folder that deployments can write to"
    return private(folder, 0o700)


def _look_myself(path: Path, is_secret: bool, server: ServerFile) -> str:
    if not path.is_file():
        return f"{path} is missing"
    return _place_fault(path, server) or (private(path, 0o600) if is_secret else "")


def _look_as_other(path: Path, is_secret: bool, server: ServerFile) -> str:
    """The deployment user alone may read it: whoever gets hold of the server's user must not."""
    if is_secret and os.access(path, os.R_OK):
        return f"{path} can be read by the server's own user"
    return _place_fault(path, server) or check_credential(path, server.deploy_as)


def _place_fault(path: Path, server: ServerFile) -> str:
    inside = any(path.resolve().is_relative_to(entry.path.resolve()) for entry in server.repositories)
    return f"{path} lies in a repository" if inside else ""


def floor_lines(home: Home, server: ServerFile, people: People) -> Iterable[Line]:
    """Whom and what the floor names, which only people and plugins together can tell."""
    checks = load_enabled(server.plugins, home).declared()
    try:
        rules = load_floor(home, people.names, checks).rules
    except PolicyError as error:
        yield from verdict("floor", str(error).split("\n"), "", f"edit {home.server_file}")
        return
    if rules:
        yield from verdict("floor", (), f"{len(rules)} rules hold for every repository", "")


def plugin_lines(home: Home, server: ServerFile) -> Iterable[Line]:
    plugins = load_enabled(server.plugins, home)
    plugins.actor({})
    names = [*plugins.checks(), *plugins.deployers()]
    return verdict("plugins", (), f"offer {', '.join(names) or 'nothing'}", "")


def _tool_faults(server: ServerFile, *probes: Callable[[Sequence[Path], Limits], str]) -> list[str]:
    missing = [f"{folder} of tool_folders cannot be read" for folder in server.tool_folders if not _is_open(folder)]
    return [*missing, *filter(None, [probe(server.tool_folders, server.limits) for probe in probes])]


def _is_open(folder: Path) -> bool:
    return folder.is_absolute() and os.access(folder, os.R_OK | os.X_OK)


def confinement_lines(server: ServerFile) -> Iterable[Line]:
    """Each probe's own words carry the cure."""
    from gitops_hooks.edge import launch, sandbox, tools

    yield from verdict("sandbox", filter(None, [sandbox.probe()]), "checks run confined", "")
    probes = (tools.probe_tools, *([tools.probe_own_network] if server.own_network else ()))
    yield from verdict("tools", _tool_faults(server, *probes), "of checks run confined", "")
    yield from verdict("deployments", filter(None, [launch.probe(server.deploy_as)]), "run confined", "")
