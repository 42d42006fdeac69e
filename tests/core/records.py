"""Small values that the tests of the judging core share: commits by letter, people, a policy, events in order."""

from collections.abc import Sequence
from datetime import UTC, datetime

from gitops_hooks.model.approval import Approval, Rejection
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.change_event import Approved, Proposed, Rejected
from gitops_hooks.model.commit import Commit
from gitops_hooks.model.event import Body, Event
from gitops_hooks.model.event_words import Oid, Stamp, Text, Word
from gitops_hooks.model.people import People, Person
from gitops_hooks.model.policy import ApprovalRule, BranchRule, LandMethod, Names, Policy
from gitops_hooks.model.push import ActorKind

REPOSITORY = "r" * 32
MAIN = "refs/heads/main"
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SENIORS = ApprovalRule(1, Names(("@senior",)), (), "policy.yaml:9")


def oid(letter: str) -> Oid:
    return Oid(letter * 40)


def person(name: str, kind: ActorKind = ActorKind.PERSON) -> Person:
    return Person(name, (), (f"{name}@example.org",), kind)


PEOPLE = People(tuple(person(name) for name in ("alice", "bob", "carol", "dave")))


def branch(
    *approvals: ApprovalRule,
    push: Sequence[str] = (),
    land: Sequence[str] = ("alice", "bob"),
    method: LandMethod = LandMethod.MERGE,
    any_author: bool = False,
) -> BranchRule:
    propose, nobody = Names(("*",)), Names()
    rights = (Names(tuple(push)), propose, Names(tuple(land)), nobody)
    return BranchRule("main", "policy.yaml:5", *rights, approvals or (SENIORS,), ("yaml",), method, any_author)


def policy(*branches: BranchRule) -> Policy:
    return Policy("p" * 40, (("senior", ("bob", "carol")),), branches or (branch(),), ())


def commit(letter: str, *addresses: str, parents: Sequence[str] = ("0",)) -> Commit:
    return Commit(oid(letter), oid("7"), tuple(oid(parent) for parent in parents), addresses, f"Commit {letter}\n")


def approval(actor: str, head: str = "b", number: int = 0, **more: str | tuple[str, ...]) -> Approval:
    """Given at head (a letter) on top of base a, for exactly that commit."""
    bound = {"repository": REPOSITORY, "target": MAIN, "base": oid("a"), "head": oid(head), "commits": (oid(head),)}
    return Approval(event=f"{number:040x}", actor=actor, policy="p" * 40, **{**bound, **more})  # type: ignore[arg-type]


def rejection(actor: str, head: str = "b") -> Rejection:
    return Rejection("9" * 40, actor, oid(head))


def stamp(number: int, actor: str = "alice") -> Stamp:
    return Stamp(Word(REPOSITORY), number, AT, Word(actor), Word("SHA256:key"))


def proposed(revision: int = 1, head: str = "b", **more: object) -> Proposed:
    facts: dict[str, object] = {
        "change": 1,
        "revision": revision,
        "target": Word(MAIN),
        "topic": Word(""),
        "title": Text("A change"),
        "description": Text(""),
        "change_id": Word(""),
        "base": oid("a"),
        "head": oid(head),
        "commits": (oid(head),),
        "policy": oid("f"),
        "auto_land": False,
        "verdicts": (Word(f"yaml:ok:{oid('7')}"),),
        "draft": False,
        "depends": 0,
        "ground": oid("0"),
        "reviewers": (),
        "cc": (),
    }
    return Proposed(**{**facts, **more})  # type: ignore[arg-type]


def approved(head: str = "b") -> Approved:
    return Approved(1, Word(MAIN), oid("a"), oid(head), (oid(head),), oid("f"), Text(""))


def rejected(head: str = "b") -> Rejected:
    return Rejected(1, oid(head), Text("no"))


def history(*said: tuple[str, Body]) -> list[Event]:
    """Events by (actor, body), numbered from 1; each one's commit is its number."""
    return [Event(stamp(number, actor), body, f"{number:040x}") for number, (actor, body) in enumerate(said, 1)]


def heads_of(record: ChangeRecord) -> list[tuple[int, str]]:
    return [(revision.number, revision.head[0]) for revision in record.revisions]
