"""Tag objects, read: where they lead, what they are called inside, and by whom they say that they are signed."""

import re

import pygit2

from gitops_hooks.edge.repository import Repository
from gitops_hooks.edge.ssh_signature import split_signed
from gitops_hooks.model.lazy_dataclass import dataclass

_MOST = 1024 * 1024
_HEAD = re.compile(rb"object ([0-9a-f]{40})\ntype ([a-z]+)\ntag ([^\n]+)\n")


@dataclass(frozen=True, slots=True)
class TagObject:
    """One tag object: what it names and of which kind that is, its own name, what was signed, and the armour."""

    target: str
    kind: str
    name: str
    payload: bytes
    armour: bytes


def read_tag(repository: Repository, oid: str) -> TagObject | None:
    """The tag object of this id; None where it is another object, or one of over a mebibyte."""
    odb: pygit2.Odb = repository.git2.odb
    if oid not in odb:
        return None
    kind, size = odb.read_header(oid)
    if kind != pygit2.enums.ObjectType.TAG or size > _MOST:
        return None
    content = bytes(odb.read(oid)[1])
    head = _HEAD.match(content)
    if head is None:
        return None
    name = head[3].decode("utf-8", "backslashreplace")
    return TagObject(head[1].decode(), head[2].decode(), name, *split_signed(content))
