"""An agent's report as its commit holds it: by exact form, each size asked before anything is read."""

import pygit2
from pygit2.enums import ObjectType

from gitops_hooks.core.agent_judge import agent_ref
from gitops_hooks.core.agent_report import MOST_BYTES, parse
from gitops_hooks.edge.repository import Repository
from gitops_hooks.model.agent import REPORT_NAME, Report
from gitops_hooks.model.push import NO_OID

_FILE = 0o100644
_MOST_AROUND = 4096


def read_report(repository: Repository, oid: str) -> Report:
    """The report of one commit. Errors: ValueError that says what is wrong with it."""
    commit = _read(repository, oid, ObjectType.COMMIT, _MOST_AROUND, "its commit")
    assert isinstance(commit, pygit2.Commit)  # noqa: S101  # for the type checker: its kind was asked
    if commit.parent_ids:
        raise ValueError("its commit has a parent; a report replaces the one before, and has none")
    tree = _read(repository, str(commit.tree_id), ObjectType.TREE, _MOST_AROUND, "its tree")
    assert isinstance(tree, pygit2.Tree)  # noqa: S101  # as above
    entries = [(entry.name, int(entry.filemode)) for entry in tree]
    if entries != [(REPORT_NAME, _FILE)]:
        raise ValueError(f"its tree holds something else than the one file {REPORT_NAME}")
    blob = _read(repository, str(tree[REPORT_NAME].id), ObjectType.BLOB, MOST_BYTES, REPORT_NAME)
    assert isinstance(blob, pygit2.Blob)  # noqa: S101  # as above
    return parse(blob.data)


def newest_report(repository: Repository, name: str) -> Report | None:
    """What an agent reported last; None where it never did. Errors: ValueError where that cannot be read."""
    tip = repository.tip(agent_ref(name))
    return None if tip == NO_OID else read_report(repository, tip)


def _read(repository: Repository, oid: str, kind: ObjectType, most: int, words: str) -> pygit2.Object:
    if oid not in repository.git2.odb:
        raise ValueError(f"{words} is not there")
    found, size = repository.git2.odb.read_header(oid)
    if found != kind:
        raise ValueError(f"{words} is none")
    if size > most:
        raise ValueError(f"{words} is larger than {most} bytes")
    return repository.git2[oid]
