"""What should be true of changes and landings, kept a second time in the plainest way, to hold the judge against."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rules:
    """A policy in plain sets; each demand is (count, who may give it, the folder it is for or "")."""

    landers: frozenset[str]
    demands: tuple[tuple[int, frozenset[str], str], ...]

    def text(self) -> str:
        lines = ["version: 1", "branches:", "  - match: main", "    propose: ['*']"]
        lines += [f"    land: [{', '.join(sorted(self.landers))}]", "    approvals:"]
        for count, givers, folder in self.demands:
            paths = f", paths: ['{folder}/**']" if folder else ""
            lines.append(f"      - {{count: {count}, from: [{', '.join(sorted(givers))}]{paths}}}")
        return "\n".join([*lines, ""])

    def applying(self, paths: Iterable[str]) -> list[tuple[int, frozenset[str]]]:
        changed = list(paths)
        found = [
            (count, givers)
            for count, givers, folder in self.demands
            if not folder or any(path.startswith(f"{folder}/") for path in changed)
        ]
        # Where no demand is for these paths, one approval by anybody is needed.
        return found or [(1, frozenset(("alice", "bob", "carol", "dave")))]


@dataclass(slots=True)
class Draft:
    """One change: its heads with their uploaders, oldest first, and what was said of them.

    `loose` are the rejections that reach no other head any more, since their giver said something else later.
    """

    number: int
    topic: str
    heads: list[tuple[str, str]]
    approved: set[tuple[str, str, str]] = field(default_factory=set)
    rejected: set[tuple[str, str]] = field(default_factory=set)
    loose: set[tuple[str, str]] = field(default_factory=set)
    is_open: bool = True
    is_landed: bool = False
    is_draft: bool = False

    @property
    def head(self) -> str:
        return self.heads[-1][0]

    @property
    def uploaders(self) -> set[str]:
        return {who for _, who in self.heads}

    def has(self, commit: str) -> bool:
        return any(head == commit for head, _ in self.heads)

    def approve(self, who: str, head: str, base: str) -> None:
        self.approved.add((who, head, base))
        self.rejected.discard((who, head))
        self.loose |= {word for word in self.rejected if word[0] == who}

    def reject(self, who: str, head: str) -> None:
        self.rejected.add((who, head))
        self.loose.discard((who, head))
        self.approved = {word for word in self.approved if word[:2] != (who, head)}

    def withdraw(self, who: str, head: str) -> bool:
        """Take back what stands of one head, at the newest also what reaches it; whether there was anything."""
        newest = head == self.head
        gone = {word for word in self.approved if word[0] == who and (newest or word[1] == head)}
        taken = {(who, head)} & self.rejected
        loosened = {word for word in self.rejected - self.loose - taken if newest and word[0] == who}
        self.approved -= gone
        self.rejected -= taken
        self.loose |= loosened
        return bool(gone or taken or loosened)


def meets(rules: Rules, draft: Draft, head: str, base: str, hands: set[str], paths: Iterable[str]) -> bool:
    """Whether the approvals of exactly this head on this base are complete."""
    if any(at == head for _, at in draft.rejected):
        return False
    given = {who for who, at, onto in draft.approved if (at, onto) == (head, base)} - hands
    return all(len(given & givers) >= count for count, givers in rules.applying(paths))


def may_review(rules: Rules, who: str, hands: set[str], paths: Iterable[str]) -> bool:
    """Whether a word of this person counts for anything here."""
    return who not in hands and any(who in givers for _, givers in rules.applying(paths))
