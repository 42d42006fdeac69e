"""From every broken state one recorded command leads back; only the administrator has them, on the server."""

from datetime import UTC, datetime
from pathlib import Path

from gitops_hooks.core.approvers import missing_approvers
from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.edge.adoption import POLICY_PATH, with_file
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.identities import load_people
from gitops_hooks.edge.index import forget_index, open_index
from gitops_hooks.edge.ledger import SERVER, Ledger
from gitops_hooks.edge.locks import hold
from gitops_hooks.edge.objects import ObjectWriter
from gitops_hooks.edge.pushes import using
from gitops_hooks.edge.record import LOG, Record
from gitops_hooks.edge.refs import RefMove, RefWriter
from gitops_hooks.edge.repository import open_repository
from gitops_hooks.edge.signer import load_signer
from gitops_hooks.model.errors import EdgeError, Fault, PolicyError
from gitops_hooks.model.event import Administered, Event, Settled
from gitops_hooks.model.event_words import Oid, Stamp, Text, Word
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.people import People
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.server import RepositoryEntry

_LOCK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Bench:
    """One repository, open for the administrator, whatever its policy is worth."""

    entry: RepositoryEntry
    state: Path
    ledger: Ledger
    people: People


def open_bench(home: Home, name: str) -> Bench:
    """Errors: EdgeError where there is no such repository, or it or its record cannot be read."""
    bench = _open_unread(home, name)
    bench.ledger.record.sync()
    return bench


def _open_unread(home: Home, name: str) -> Bench:
    server = load_server(home)
    entry = server.repository(name)
    if entry is None:
        raise EdgeError(name, "is no repository of this server; see: gitops-hooks repo list")
    repository = open_repository(entry.path, server.limits, server.git)
    signer = load_signer(home.signing_key)
    record = Record(repository, entry.id, signer.public, open_index(home.state(entry.id)))
    refs = RefWriter(entry.path, server.git)
    ledger = Ledger(record, ObjectWriter(repository.git2, signer), refs, lambda: datetime.now(UTC))
    return Bench(entry, home.state(entry.id), ledger, load_people(home))


def _open_for(home: Home, name: str, ref: str) -> Bench:
    """Errors: EdgeError also for a name that the log never holds, which would look like one to be deleted."""
    if not ref.startswith(("refs/heads/", "refs/tags/")):
        raise EdgeError(ref, f"is not recorded; name a branch or a tag in full, as refs/heads/main, or {LOG}")
    return open_bench(home, name)


def restore(home: Home, name: str, ref: str, reason: str) -> str:
    """Move a ref back to where its record says that it stands; what was done, in words."""
    if ref == LOG:
        return _restore_log(home, name, reason)
    bench = _open_for(home, name, ref)
    with using(bench.state), hold(bench.state, ref, _LOCK_SECONDS):
        standing = bench.ledger.record.standing(ref)
        if standing.trusted:
            return f"{ref} stands at {standing.real[:12]}, as recorded; nothing to do"
        if standing.recorded != NO_OID and standing.recorded not in bench.ledger.record.repository.git2.odb:
            raise EdgeError(ref, f"the recorded commit {standing.recorded[:12]} is gone; adopt what is there instead")
        _record(bench, "restore", ref, standing.real, standing.recorded, reason)
        _move(bench, RefMove(ref, standing.real, standing.recorded))
    return f"{ref} is back from {standing.real[:12]} to {standing.recorded[:12]}"


def _restore_log(home: Home, name: str, reason: str) -> str:
    """Put the log back to where it was last seen, with the event that says so on top, in one move."""
    bench = _open_unread(home, name)
    record, ledger = bench.ledger.record, bench.ledger
    with hold(bench.state, LOG, _LOCK_SECONDS):
        seen, real = record.index.fact("log"), record.repository.tip(LOG)
        if _reads(record):
            return f"{LOG} holds what it held; nothing to do"
        if not seen or not record.repository.is_commit(seen):
            raise EdgeError(LOG, "where it stood is not known here any more; take it from a mirror")
        number = record.event(seen).stamp.number + 1
        stamp = Stamp(Word(record.identity), number, ledger.clock().replace(microsecond=0), Word(SERVER.name), Word(""))
        body = Administered(Word("restore"), Word(LOG), Oid(real), Oid(seen), Text(reason))
        _move(bench, RefMove(LOG, real, ledger.objects.write_event(Event(stamp, body), seen)))
        record.sync()
    return f"{LOG} is back from {real[:12]} to {seen[:12]}"


def _reads(record: Record) -> bool:
    try:
        record.sync()
    except EdgeError:
        return False
    return True


def adopt_tip(home: Home, name: str, ref: str, reason: str) -> str:
    """Take over where a ref really stands, as if it had been adopted there; what was done, in words."""
    bench = _open_for(home, name, ref)
    with using(bench.state), hold(bench.state, ref, _LOCK_SECONDS):
        standing = bench.ledger.record.standing(ref)
        if standing.trusted:
            return f"{ref} stands at {standing.real[:12]}, as recorded; nothing to do"
        _record(bench, "adopt", ref, standing.recorded, standing.real, reason)
    return f"{ref} is recorded at {standing.real[:12]}, before at {standing.recorded[:12]}"


def put_policy(home: Home, name: str, text: bytes, reason: str) -> str:
    """Commit a policy to the default branch without approval, for when nobody is left who could approve one."""
    bench = open_bench(home, name)
    record = bench.ledger.record
    ref = record.default_branch
    with using(bench.state), hold(bench.state, ref, _LOCK_SECONDS):
        standing = record.standing(ref)
        if not standing.trusted:
            raise EdgeError(ref, "does not stand where the record says; first: gitops-hooks recovery restore|adopt")
        branch = ref.removeprefix("refs/heads/")
        policy = parse_policy(text, commit=standing.real, known=bench.people.names, default_branch=branch)
        if missing := missing_approvers(policy, ref, bench.people):
            raise PolicyError(POLICY_PATH, tuple(Fault(0, words) for words in missing))
        tree = with_file(record.repository.git2, record.repository.tree_of(standing.real), POLICY_PATH, text)
        message = f"Recover the policy\n\n{reason}\n"
        commit = bench.ledger.objects.write_commit(tree, (standing.real,), message, bench.ledger.clock())
        _record(bench, "policy", ref, standing.real, commit, reason)
        _move(bench, RefMove(ref, standing.real, commit))
    return f"{branch} carries the new policy as {commit[:12]}; fetch before you go on"


def settle_debt(home: Home, name: str, change: int, reason: str) -> str:
    """Record that a landing by break-glass owes nothing more, for when nobody is left who could approve it."""
    bench = open_bench(home, name)
    record = bench.ledger.record
    owed = [debt for debt in record.index.debts_of(change) if not debt.paid]
    if not owed:
        return f"change {change} owes nothing; nothing to do"
    policy = Oid(record.standing(record.default_branch).recorded)
    for debt in owed:
        with using(bench.state), hold(bench.state, debt.ref, _LOCK_SECONDS):
            body = Settled(Oid(debt.landing), Word(debt.ref), change, (), (), policy, Text(""), (), (), Text(reason))
            bench.ledger.log(LOG, body, SERVER)
    record.sync()
    return f"change {change} is settled on {owed[0].ref}"


def rebuild_index(home: Home, name: str) -> str:
    """Forget the index and build it again from the refs; what was done, in words."""
    server = load_server(home)
    entry = server.repository(name)
    if entry is None:
        raise EdgeError(name, "is no repository of this server; see: gitops-hooks repo list")
    forget_index(home.state(entry.id))
    bench = open_bench(home, name)
    bench.ledger.record.ensure_changes()
    return "the index is built again from the refs"


def _record(bench: Bench, act: str, ref: str, old: str, new: str, reason: str) -> None:
    """The act is recorded before anything moves; an open landing of the ref ends with it."""
    body = Administered(Word(act), Word(ref), Oid(old), Oid(new), Text(reason))
    bench.ledger.log(LOG, body, SERVER)
    bench.ledger.record.sync()


def _move(bench: Bench, move: RefMove) -> None:
    if lost := bench.ledger.refs.move([move]):
        raise EdgeError(move.ref, f"{lost.words}; run the command again")
