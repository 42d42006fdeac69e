"""What doctor looks at in the server's own files: repositories, credentials, plugins, and what confines them."""

from collections.abc import Iterable
from pathlib import Path

from gitops_hooks.edge.diagnosis import Line, private, verdict
from gitops_hooks.edge.enrolment import recorded_identity
from gitops_hooks.edge.git_settings import receive_settings, settings_faults
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.plugins import load_enabled
from gitops_hooks.edge.repository import open_repository
from gitops_hooks.model.server import CredentialEntry, RepositoryEntry, ServerFile


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
    name = f"credential {owner.name if owner else '?'}/{entry.environment}"
    given = entry.credentials
    secrets = (given.key, *([given.vault_password] if given.vault_password else []))
    faults = [fault for path in secrets if (fault := _secret_fault(path, server))]
    faults += [] if given.known_hosts.is_file() else [f"{given.known_hosts} is missing"]
    return verdict(name, faults, f"for {' '.join(given.hosts)}", "see [[credential]] in server.toml")


def _secret_fault(path: Path, server: ServerFile) -> str:
    if not path.is_file():
        return f"{path} is missing"
    if any(path.resolve().is_relative_to(entry.path.resolve()) for entry in server.repositories):
        return f"{path} lies in a repository"
    # Deployments may run as a user of their own, whose file it then is.
    return "" if server.deploy_as else private(path, 0o600)


def plugin_lines(home: Home, server: ServerFile) -> Iterable[Line]:
    plugins = load_enabled(server.plugins, home)
    plugins.actor({})
    names = [*plugins.checks(), *plugins.deployers()]
    return verdict("plugins", (), f"offer {', '.join(names) or 'nothing'}", "")


def confinement_lines(server: ServerFile) -> Iterable[Line]:
    """Each probe's own words carry the cure."""
    from gitops_hooks.edge import launch, sandbox

    yield from verdict("sandbox", filter(None, [sandbox.probe()]), "checks run confined", "")
    yield from verdict("deployments", filter(None, [launch.probe(server.deploy_as)]), "run confined", "")
