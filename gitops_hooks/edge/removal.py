"""What taking somebody away would do to the policies of this server."""

from gitops_hooks.core.approvers import missing_approvers
from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.edge.adoption import POLICY_PATH
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import load_people
from gitops_hooks.edge.index import open_index
from gitops_hooks.edge.record import Record
from gitops_hooks.edge.repository import open_repository
from gitops_hooks.edge.signatures import load_signer
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.people import People
from gitops_hooks.model.server import RepositoryEntry, ServerFile


def warn_before_removal(home: Home, name: str) -> tuple[str, ...]:
    """The repositories whose policy nobody could approve any more without this person, a line a rule."""
    server = load_server(home)
    left = People(tuple(person for person in load_people(home).everybody if person.name != name))
    found: list[str] = []
    for entry in server.repositories:
        try:
            found += [f"{entry.name}: {fault}" for fault in _faults(home, server, entry, left)]
        except (EdgeError, PolicyError) as error:
            # What cannot be read now is no better and no worse without this person.
            found.append(f"{entry.name}: its policy cannot be looked at: {error}")
    return tuple(found)


def _faults(home: Home, server: ServerFile, entry: RepositoryEntry, left: People) -> tuple[str, ...]:
    repository = open_repository(entry.path, server.limits, server.git)
    verifier = load_signer(home.signing_key).public
    record = Record(repository, entry.id, verifier, open_index(home.state(entry.id)))
    record.sync()
    default = record.standing(record.default_branch)
    text = repository.file(default.recorded, POLICY_PATH, 256 * 1024)
    if text is None:
        return ("it has no policy",)
    return missing_approvers(parse_policy(text, commit=default.recorded, known=None), default.ref, left)
