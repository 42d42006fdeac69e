"""What a landing brings, read from the objects; who pushed it, from the change's record and the server's people."""

from collections.abc import Iterable

from gitops_hooks.core.bounded import asks_for_files, asks_who_pushed
from gitops_hooks.core.govern import Governing
from gitops_hooks.core.results import SERVER_ADDRESS
from gitops_hooks.edge.introduced import introduced
from gitops_hooks.edge.repository import Repository
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.commit import Commit, Range
from gitops_hooks.model.content import Content
from gitops_hooks.model.event import Landing
from gitops_hooks.model.people import People
from gitops_hooks.model.request import Refusal


def read_content(
    sitting: Sitting, governing: Governing, span: Range, pushers: frozenset[str], record: ChangeRecord | None
) -> Content | Refusal:
    """The content of a range as it is judged now, in whole seconds as the record keeps them."""
    files = introduced(sitting.repository, span.commits) if asks_for_files(governing) else ()
    if isinstance(files, Refusal):
        return files
    vouched: frozenset[str] = frozenset()
    if asks_who_pushed(governing):
        vouched = _vouched(span.commits, _first_pushers(sitting, record), pushers, sitting.people)
        for commit in span.commits:
            if _server_made(sitting, commit):
                # Its own reverts have no other author; what it rebased keeps the one that was pushed.
                own = ("committer", "author") if commit.author == SERVER_ADDRESS else ("committer",)
                vouched |= {f"{role}:{commit.oid}" for role in own}
    return Content(span.commits, files, vouched, sitting.ledger.clock().replace(microsecond=0))


def read_content_again(
    repository: Repository, governing: Governing, span: Range, landing: Landing
) -> Content | Refusal:
    """The content as a record has it: the moment and who pushed from there, the rest from the objects."""
    files = introduced(repository, span.commits) if asks_for_files(governing) else ()
    if isinstance(files, Refusal):
        return files
    return Content(span.commits, files, frozenset(landing.vouched), landing.judged)


def _first_pushers(sitting: Sitting, record: ChangeRecord | None) -> dict[str, str]:
    """Who first pushed each commit of a change: a colleague's revision on top does not take over what is below."""
    found: dict[str, str] = {}
    for revision in record.revisions if record else ():
        for commit in sitting.repository.between(revision.base, revision.head):
            found.setdefault(commit.oid, revision.uploader)
    return found


def _server_made(sitting: Sitting, commit: Commit) -> bool:
    """A commit that the server itself made: by a rebase it stands in for the one that was pushed."""
    return commit.committer == SERVER_ADDRESS and sitting.record.is_ours(commit.oid)


def _vouched(
    commits: Iterable[Commit], first: dict[str, str], pushers: frozenset[str], people: People
) -> frozenset[str]:
    found: set[str] = set()
    for commit in commits:
        names = {first[commit.oid]} if commit.oid in first else pushers
        persons = [person for name in names if (person := people.named(name))]
        for role, address in (("author", commit.author), ("committer", commit.committer)):
            if any(address in person.addresses for person in persons):
                found.add(f"{role}:{commit.oid}")
    return frozenset(found)
