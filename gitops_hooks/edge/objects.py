"""The only writer of objects: signed event commits, merge commits, and the first policy's commit."""

from dataclasses import dataclass
from datetime import datetime

import pygit2

from gitops_hooks.core.events import write_event
from gitops_hooks.edge.disk import needing_room
from gitops_hooks.edge.signatures import Signer
from gitops_hooks.model.event import Approved, Event
from gitops_hooks.model.push import NO_OID

CERTIFICATE = "certificate"
_NAME, _ADDRESS = "gitops-hooks", "gitops-hooks@localhost"


@dataclass(frozen=True, slots=True)
class ObjectWriter:
    """Writes where its repository writes: the quarantine in pre-receive, the store elsewhere."""

    repository: pygit2.Repository
    signer: Signer

    def write_event(self, event: Event, parent: str | None) -> str:
        """The event as a commit on top of its log's tip; its object id. Its tree is empty, but for a certificate.

        Nothing else holds a certificate: without the tree the next garbage collection would take it.
        """
        builder = self.repository.TreeBuilder()
        if isinstance(event.body, Approved) and event.body.certificate != NO_OID:
            builder.insert(CERTIFICATE, pygit2.Oid(hex=event.body.certificate), pygit2.enums.FileMode.BLOB)
        with needing_room(pygit2.GitError):
            tree = str(builder.write())
        parents = (parent,) if parent else ()
        return self._commit(tree, parents, write_event(event), event.stamp.at)

    def write_merge(self, tree: str, tip: str, head: str, message: str, at: datetime) -> str:
        """A merge commit of exactly (tip, head) by the server."""
        return self._commit(tree, (tip, head), message, at)

    def write_commit(self, tree: str, parents: tuple[str, ...], message: str, at: datetime) -> str:
        """A commit of the server's own, signed like its events."""
        return self._commit(tree, parents, message, at)

    def _commit(self, tree: str, parents: tuple[str, ...], message: str, at: datetime) -> str:
        who = f"{_NAME} <{_ADDRESS}> {int(at.timestamp())} +0000"
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {who}", f"committer {who}"]
        content = "\n".join([*lines, "", message])
        signature = self.signer.sign(content.encode())
        with needing_room(pygit2.GitError):
            return str(self.repository.create_commit_with_signature(content, signature, "gpgsig"))
