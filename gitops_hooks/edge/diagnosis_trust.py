"""What doctor looks at in a repository: its record, where its branches stand, its policy, what lies beside it."""

import shutil
from collections.abc import Iterable, Iterator

from gitops_hooks.core.approvers import missing_anywhere
from gitops_hooks.core.govern import govern
from gitops_hooks.core.policy_branches import gap
from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.edge.adoption import POLICY_PATH, file_faults
from gitops_hooks.edge.diagnosis import Line, State, verdict
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.index import open_index
from gitops_hooks.edge.plugins import load_enabled
from gitops_hooks.edge.record import LOG, Record
from gitops_hooks.edge.repository import open_repository
from gitops_hooks.edge.signer import load_signer
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.people import People
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.server import RepositoryEntry, ServerFile


def record_lines(home: Home, server: ServerFile, entry: RepositoryEntry) -> Iterable[Line]:
    """Whether every event of the repository's log was signed by this server, without a gap."""
    record = _open(home, server, entry)
    count, faults = 0, []
    try:
        count = sum(1 for _ in record.events(LOG))
        record.sync()
    except EdgeError as error:
        faults.append(str(error))
    cure = f"gitops-hooks recovery restore {entry.name} {LOG} --reason '…'; if server_key was replaced, put it back"
    return verdict(f"record of {entry.name}", faults, f"{count} events, all signed by this server", cure)


def standing_lines(home: Home, server: ServerFile, entry: RepositoryEntry) -> Iterable[Line]:
    """Whether governed branches stand where the record put them."""
    record = _open(home, server, entry)
    record.sync()
    policy = _policy(record)
    standings = [record.standing(tip.ref) for tip in record.index.tips() if not policy or govern(policy, tip.ref)]
    faults = [
        f"{one.ref} stands at {one.real[:12]}, and the record says {one.recorded[:12]}"
        for one in standings
        if not one.trusted
    ]
    cure = f"gitops-hooks recovery restore|adopt {entry.name} REF --reason '…'"
    return verdict(f"branches of {entry.name}", faults, "governed ones stand where the record put them", cure)


def policy_lines(home: Home, server: ServerFile, people: People, entry: RepositoryEntry) -> Iterable[Line]:
    """Whether the policy in force can be enforced with the people and plugins that there are."""
    record = _open(home, server, entry)
    record.sync()
    name, cure = f"policy of {entry.name}", f"gitops-hooks recovery policy {entry.name} FILE --reason '…'"
    default = record.standing(record.default_branch)
    text = _text(record, default.recorded)
    if text is None:
        return verdict(name, [f"there is none at {default.recorded[:12]}"], "", cure)
    plugins = load_enabled(server.plugins, home)
    try:
        policy = parse_policy(
            text,
            commit=default.recorded,
            known=people.names,
            deployers=plugins.looking(),
            checks=plugins.declared(),
            source=POLICY_PATH,
        )
    except PolicyError as error:
        return verdict(name, str(error).split("\n"), "", cure)
    branch = record.default_branch.removeprefix("refs/heads/")
    hole = gap(policy.branches, branch)
    missing = (*((f"the default branch {branch} {hole}",) if hole else ()), *missing_anywhere(policy, people))
    return verdict(name, missing, f"{len(policy.branches)} branch rules, each with people who could approve", cure)


def beside_lines(entry: RepositoryEntry) -> Iterable[Line]:
    """Files that make git and us see another history or another merge than what was recorded."""
    return verdict(f"folder of {entry.name}", file_faults(entry.path), "holds nothing that changes what is read", "")


def space_lines(home: Home, server: ServerFile) -> Iterator[Line]:
    """A full disk refuses pushes and loses lines of the journal."""
    for path in dict.fromkeys((home.path, *(entry.path for entry in server.repositories))):
        free = shutil.disk_usage(path).free
        if free < server.limits.input_size:
            words = f"{free // 2**20} MiB are free at {path}, less than one push may bring"
            yield Line(State.FAIL, "disk", words, "make room, or lower input_size in [limits]")


def _open(home: Home, server: ServerFile, entry: RepositoryEntry) -> Record:
    repository = open_repository(entry.path, server.limits, server.git)
    return Record(repository, entry.id, load_signer(home.signing_key).public, open_index(home.state(entry.id)))


def _text(record: Record, commit: str) -> bytes | None:
    return record.repository.file(commit, POLICY_PATH, 256 * 1024) if commit != NO_OID else None


def _policy(record: Record) -> Policy | None:
    default = record.standing(record.default_branch).recorded
    text = _text(record, default)
    try:
        return parse_policy(text, commit=default, known=None) if text is not None else None
    except PolicyError:
        return None
