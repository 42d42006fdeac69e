"""What taking somebody away would leave without anybody: rules, branches, changes, environments with credentials."""

from collections.abc import Iterator

from gitops_hooks.core.approvers import left_alone, missing_anywhere
from gitops_hooks.core.floor import with_floor
from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.edge.adoption import POLICY_PATH
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.floor_toml import load_floor
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import load_people
from gitops_hooks.edge.index import open_index
from gitops_hooks.edge.record import Record
from gitops_hooks.edge.repository import open_repository
from gitops_hooks.edge.signer import load_signer
from gitops_hooks.model.change import ChangeState
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.people import People
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.server import RepositoryEntry, ServerFile

_MOST_CHANGES = 1000


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who leaves, and everybody who stays."""

    name: str
    left: People


def warn_before_removal(home: Home, name: str) -> tuple[str, ...]:
    """What would be left without anybody in each repository, a line each; empty where nothing would."""
    server = load_server(home)
    people = load_people(home)
    leaving = Leaving(name, People(tuple(person for person in people.everybody if person.name != name)))
    found: list[str] = []
    for entry in server.repositories:
        try:
            found += [f"{entry.name}: {line}" for line in _concerns(home, server, entry, leaving)]
        except (EdgeError, PolicyError) as error:
            # What cannot be read now is no better and no worse without this person.
            found.append(f"{entry.name}: its policy cannot be looked at: {error}")
    return tuple(found)


def _concerns(home: Home, server: ServerFile, entry: RepositoryEntry, leaving: Leaving) -> Iterator[str]:
    record = _open(home, server, entry)
    default = record.standing(record.default_branch)
    text = record.repository.file(default.recorded, POLICY_PATH, 256 * 1024) if default.recorded != NO_OID else None
    if text is None:
        yield "it has no policy"
        return
    policy = with_floor(parse_policy(text, commit=default.recorded, known=None), load_floor(home))
    yield from missing_anywhere(policy, leaving.left)
    yield from left_alone(policy, leaving.name, leaving.left)
    yield from _credentials(server, entry, policy, leaving)
    if entry.may_write(leaving.name) and not any(entry.may_write(person) for person in leaving.left.names):
        yield "nobody else may write to it"
    yield from _changes(record, leaving.name)


def _credentials(server: ServerFile, entry: RepositoryEntry, policy: Policy, leaving: Leaving) -> Iterator[str]:
    """A credential outlives whoever deployed with it: it goes on working for an environment that nobody operates."""
    for granted in (each for each in server.credentials if each.repository == entry.id):
        found = policy.environment(granted.environment)
        names = found.operate if found else None
        if names is None or not policy.allows(names, leaving.name):
            continue
        if not any(policy.allows(names, other) for other in leaving.left.names):
            named = next((str(path) for _, path in granted.credentials.files), "a [[credential]]")
            yield f"{named} deploys to {granted.environment}, which nobody else may operate"


def _changes(record: Record, name: str) -> Iterator[str]:
    record.ensure_changes()
    for number in sorted(record.index.newest(_MOST_CHANGES, only_open=True)):
        change = record.change(number)
        if change is None or change.state is not ChangeState.OPEN:
            continue
        branch = change.target.removeprefix("refs/heads/")
        if change.owner == name:
            yield f"change {number} for {branch} is open and {name}'s"
        elif any(approval.actor == name for approval in change.approvals):
            yield f"change {number} for {branch} is open, and {name}'s approval of it would no longer count"


def _open(home: Home, server: ServerFile, entry: RepositoryEntry) -> Record:
    repository = open_repository(entry.path, server.limits, server.git)
    verifier = load_signer(home.signing_key).public
    record = Record(repository, entry.id, verifier, open_index(home.state(entry.id)))
    record.sync()
    return record
