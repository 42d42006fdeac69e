"""The only writer of objects: signed event commits, what landings make, and the first policy's commit."""

from datetime import datetime

import pygit2

from gitops_hooks.core.events import write_event
from gitops_hooks.core.results import Planned, commit_text
from gitops_hooks.edge.disk import needing_room
from gitops_hooks.edge.signer import Signer
from gitops_hooks.model.change_event import Approved
from gitops_hooks.model.event import Event
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import NO_OID

CERTIFICATE = "certificate"


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
        return self.write_planned(Planned(tree, write_event(event)), parent or "", event.stamp.at)

    def write_commit(self, tree: str, parents: tuple[str, ...], message: str, at: datetime) -> str:
        """A commit of the server's own on at most one parent, signed like its events."""
        return self.write_planned(Planned(tree, message), "".join(parents), at)

    def write_planned(self, planned: Planned, parent: str, at: datetime) -> str:
        """A commit that the server makes, on this parent ("" for none), signed by it."""
        content = commit_text(planned, parent, at)
        signature = self.signer.sign(content.encode())
        with needing_room(pygit2.GitError):
            return str(self.repository.create_commit_with_signature(content, signature, "gpgsig"))
