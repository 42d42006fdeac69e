"""Where a check looks: told to the judge's side before the check sees anything, and read again to find a kept verdict.

The confined child only says where it looks. What stands there the judge reads itself, so no lie of the child's gets
into what a verdict stands on; and nothing that it says later takes a look back, so the bytes by which a parser was
taken over stand in it too.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping

from gitops_hooks.edge.tool_wire import CHANGE, TARGET, TREE, Look
from gitops_hooks.hookspec import Entry, Tree
from gitops_hooks.model.change import Change
from gitops_hooks.model.lazy_dataclass import dataclass

Tell = Callable[[Look], None]
Answer = str | int | list[str | int] | None
"""What stands where a check looked: a value of the change, [mode, oid], or None for nothing."""

_OF_A_CHANGE = frozenset({"number", "target", "base", "head"})


class Teller:
    """Tells each look once; what the check was given anyway is no look."""

    def __init__(self, send: Tell, given: Collection[str]) -> None:
        self._send, self._told = send, {Look(TREE, path) for path in given}

    def __call__(self, side: str, path: str) -> None:
        look = Look(side, path)
        if look not in self._told:
            self._told.add(look)
            self._send(look)


@dataclass(frozen=True, slots=True)
class SeenTree:
    """A Tree (hookspec.py) that tells of each look before it answers."""

    tree: Tree
    side: str
    tell: Teller

    def entry(self, path: str) -> Entry | None:
        self.tell(self.side, path)
        return self.tree.entry(path)

    def size(self, path: str) -> int:
        self.tell(self.side, path)
        return self.tree.size(path)

    def read(self, path: str) -> bytes:
        self.tell(self.side, path)
        return self.tree.read(path)

    def list(self, path: str = "") -> Iterator[Entry]:
        self.tell(self.side, path)
        return self.tree.list(path)


@dataclass(frozen=True, slots=True)
class SeenChange(Change):
    """A Change that tells when a check asks for more of it than its files."""

    tell: Teller

    def __getattribute__(self, name: str) -> object:
        if name in _OF_A_CHANGE:
            object.__getattribute__(self, "tell")(CHANGE, name)
        return object.__getattribute__(self, name)


def seen_change(change: Change, tell: Teller) -> SeenChange:
    return SeenChange(change.number, change.target, change.base, change.head, change.files, tell)


@dataclass(frozen=True, slots=True)
class Sight:
    """Reads what stands where a check looked; each place once."""

    change: Change
    trees: Mapping[str, Tree]
    _seen: dict[Look, Answer]

    def __call__(self, look: Look) -> Answer:
        """Errors: whatever a tree raises that cannot be read, and ValueError for what is no place."""
        if look not in self._seen:
            self._seen[look] = self._read(look)
        return self._seen[look]

    def _read(self, look: Look) -> Answer:
        if look.side == CHANGE:
            return _value_of(self.change, look.path)
        tree = self.trees[look.side]
        if not look.path:
            return str(getattr(tree, "oid", "")) or _listed(tree)
        entry = tree.entry(look.path)
        return [entry.mode, entry.oid] if entry else None


def open_sight(change: Change, tree: Tree, target: Tree) -> Sight:
    return Sight(change, {TREE: tree, TARGET: target}, {})


def _value_of(change: Change, name: str) -> str | int:
    match name:
        case "number":
            return change.number
        case "target" | "base" | "head":
            return str(getattr(change, name))
    raise ValueError(name)


def _listed(tree: Tree) -> str:
    entries = repr([(entry.name, entry.mode, entry.oid) for entry in tree.list()])
    return hashlib.sha256(entries.encode("utf-8", "backslashreplace")).hexdigest()
