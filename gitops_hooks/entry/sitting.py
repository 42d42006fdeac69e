"""Everything that is open while one push is judged."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from gitops_hooks.core.floor import with_floor
from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.edge.config import server_document, server_of
from gitops_hooks.edge.floor_toml import floor_of
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import load_people
from gitops_hooks.edge.index import open_index
from gitops_hooks.edge.ledger import Ledger
from gitops_hooks.edge.objects import ObjectWriter
from gitops_hooks.edge.plugins import Plugins, load_enabled
from gitops_hooks.edge.record import Record
from gitops_hooks.edge.refs import RefWriter
from gitops_hooks.edge.repository import Repository, open_repository
from gitops_hooks.edge.signer import load_signer
from gitops_hooks.model.change import Change, Revision
from gitops_hooks.model.errors import EdgeError, Fault, PolicyError
from gitops_hooks.model.judgement import Note
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.people import People
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.push import Actor, PushCertificate
from gitops_hooks.model.record import Standing
from gitops_hooks.model.server import RepositoryEntry, ServerFile
from gitops_hooks.model.verdict import Verdict

POLICY_PATH = ".gitops/policy.yaml"
POLICY_SIZE = 256 * 1024


class Checker(Protocol):
    """Who answers for the checks, and for what is only shown of a change: those who look now, or what they found."""

    def __call__(self, change: Change, tree: str, names: tuple[str, ...]) -> tuple[Verdict, ...]:
        """The verdicts on the change and what it makes."""

    def shown(self, key: str, look: Callable[[float], tuple[Note, ...]]) -> tuple[Note, ...]:
        """What is told of it beside; `look` takes at most so many seconds."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """One repository of one server, open; `policy` is the one in force at `default.recorded`."""

    home: Home
    server: ServerFile
    entry: RepositoryEntry
    people: People
    plugins: Plugins
    repository: Repository
    record: Record
    ledger: Ledger
    default: Standing
    policy: Policy
    certificate: PushCertificate | None = None

    @property
    def state(self) -> Path:
        return self.home.state(self.entry.id)

    @property
    def default_name(self) -> str:
        return self.default.ref.removeprefix("refs/heads/")


def open_sitting(
    home: Home,
    name: str,
    environ: Mapping[str, str] | None = None,
    server: ServerFile | None = None,
    *,
    in_place: bool = False,
) -> Sitting:
    """Open a repository by its name in the server's file, with the quarantine where `environ` is a pre-receive's.

    It signs in a child of its own, `in_place` where nothing is confined (edge/signer.py).

    Errors: EdgeError and PolicyError; nothing is judged without a valid policy in force.
    """
    document = server_document(home)  # read once: rights and floor of one moment
    server = server or server_of(home, document)
    entry = server.repository(name)
    if entry is None:
        raise EdgeError(name, "is no repository of this server")
    repository = open_repository(entry.path, server.limits, server.git, environ)
    signer = load_signer(home.signing_key, in_place=in_place)
    record = Record(repository, entry.id, signer.public, open_index(home.state(entry.id)))
    record.sync()
    default = record.standing(record.default_branch)
    writer = ObjectWriter(repository.git2, signer)
    ledger = Ledger(record, writer, RefWriter(entry.path, server.git), lambda: datetime.now(UTC))
    plugins = load_enabled(server.plugins, home)
    policy = with_floor(policy_at(repository, default.recorded), floor_of(document))
    return Sitting(home, server, entry, load_people(home), plugins, repository, record, ledger, default, policy)


def brought_up(sitting: Sitting) -> Sitting:
    """The same sitting after the default branch may have moved: the policy in force is the one there now."""
    default = sitting.record.standing(sitting.record.default_branch)
    if default.recorded == sitting.default.recorded:
        return replace(sitting, default=default)
    policy = with_floor(policy_at(sitting.repository, default.recorded), sitting.policy.floor)
    return replace(sitting, default=default, policy=policy)


def reopened(sitting: Sitting) -> Sitting:
    """The same repository after checks or a queue have taken their time: people, rights and floor are those of now."""
    in_place = sitting.ledger.objects.signer.in_place
    return replace(open_sitting(sitting.home, sitting.entry.name, in_place=in_place), certificate=sitting.certificate)


def policy_at(repository: Repository, commit: str) -> Policy:
    """The policy as it is written at a recorded tip of the default branch, without any floor.

    Errors: PolicyError, which names the way back.
    """
    text = repository.file(commit, POLICY_PATH, POLICY_SIZE)
    if text is None:
        raise PolicyError(POLICY_PATH, (Fault(0, f"is missing at {commit[:12]}. {RECOVERY}"),))
    try:
        return _policy_of(text, commit)
    except PolicyError as error:
        raise PolicyError(error.source, (*error.faults, Fault(0, RECOVERY))) from None


@lru_cache(maxsize=4)
def _policy_of(text: bytes, commit: str) -> Policy:
    """A push asks at least twice, and the same process may judge the next one. Errors: PolicyError."""
    return parse_policy(text, commit=commit, known=None, source=POLICY_PATH)


RECOVERY = "The administrator runs: gitops-hooks recovery policy REPOSITORY FILE --reason '…'"


def find_actor(sitting: Sitting, environ: Mapping[str, str]) -> Actor:
    """Who pushes. Errors: EdgeError where nobody is known, or may not write here."""
    actor = sitting.plugins.actor(environ)
    if actor is None:
        raise EdgeError("the pusher", "is not known here; push over SSH with a key that the administrator added")
    person = sitting.people.named(actor.name)
    if person is None or not sitting.entry.may_write(actor.name):
        raise EdgeError(actor.name, "may not write to this repository")
    return actor


def find_asker(sitting: Sitting, revision: Revision) -> Actor | None:
    """Who asked that it lands, if they are still here."""
    return find_present(sitting, revision.auto_land_by, revision.auto_land_key)


def find_present(sitting: Sitting, name: str, key: str) -> Actor | None:
    """Somebody who still is here, with the key that they came with, and may write."""
    person = sitting.people.named(name)
    known = person is not None and key in [each.fingerprint for each in person.keys]
    if person is None or not known or not sitting.entry.may_write(person.name):
        return None
    return Actor(person.name, key, person.kind)
