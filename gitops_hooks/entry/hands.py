"""Whose hand is in what would land: the commits that are asked for those who wrote, committed or signed them off."""

from collections.abc import Iterator
from dataclasses import replace

from gitops_hooks.core.govern import Governing
from gitops_hooks.core.results import SERVER_ADDRESS
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import ChangeRecord, Revision
from gitops_hooks.model.commit import Commit, Range
from gitops_hooks.model.policy import Strict


def hands_in(sitting: Sitting, governing: Governing, span: Range, record: ChangeRecord | None) -> tuple[Commit, ...]:
    """The commits whose authors do not count: what would land and what that was made of, or by rule all revisions."""
    found = {commit.oid: commit for commit in span.commits}
    if record:
        every = Strict.EVERY_REVISION in governing.strict
        for revision in record.revisions if every else _made_of(record, frozenset(found)):
            found |= {commit.oid: commit for commit in sitting.repository.between(revision.base, revision.head)}
    return tuple(_without_server(sitting, commit) for commit in found.values())


def _made_of(record: ChangeRecord, commits: frozenset[str]) -> Iterator[Revision]:
    """The revisions that the server made these commits of: it is their committer, and who was is known from there."""
    heads = set(commits)
    for revision in reversed(record.revisions):
        source = record.revision_at(revision.source) if revision.head in heads and revision.source else None
        if source:
            heads.add(source.head)
            yield source


def _without_server(sitting: Sitting, commit: Commit) -> Commit:
    """That the server itself made a commit again is nobody's hand in it."""
    if SERVER_ADDRESS not in commit.addresses or not sitting.record.is_ours(commit.oid):
        return commit
    return replace(commit, addresses=tuple(a for a in commit.addresses if a != SERVER_ADDRESS))
