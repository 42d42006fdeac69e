"""Who counts: approvals against the rules, for exactly these commits."""

from collections.abc import Iterable
from dataclasses import dataclass

from gitops_hooks.model.approval import Approval, Rejection
from gitops_hooks.model.commit import Commit
from gitops_hooks.model.people import People
from gitops_hooks.model.policy import ApprovalRule, Policy
from gitops_hooks.model.verdict import Requirement, Status


@dataclass(frozen=True, slots=True)
class Contributors:
    """Who pushed, wrote, committed or co-authored any part: names, and (commit, address) of strangers."""

    names: frozenset[str]
    strangers: tuple[tuple[str, str], ...] = ()


def contributors(commits: Iterable[Commit], pushers: Iterable[str], people: People) -> Contributors:
    """Everybody who had a hand in these commits."""
    names = set(pushers)
    strangers = []
    for commit in commits:
        for address in commit.addresses:
            person = people.with_address(address)
            if person:
                names.add(person.name)
            else:
                strangers.append((commit.oid, address))
    return Contributors(frozenset(names), tuple(strangers))


@dataclass(frozen=True, slots=True)
class Proof:
    """What approvals are held against: repository id, full ref, merge base, head, every commit that would land.

    `excluded` are the names that never count here: contributors, and bots.
    """

    repository: str
    ref: str
    base: str
    head: str
    commits: frozenset[str]
    excluded: frozenset[str]
    authors: frozenset[str]
    approvals: tuple[Approval, ...]
    rejections: tuple[Rejection, ...] = ()

    def covers(self, approval: Approval) -> bool:
        """Whether an approval was given for exactly this landing."""
        bound = (approval.repository, approval.target, approval.base, approval.head)
        return bound == (self.repository, self.ref, self.base, self.head) and self.commits <= set(approval.commits)

    def counted(self, rule: ApprovalRule, policy: Policy) -> tuple[Approval, ...]:
        """The approvals that count towards a rule, one a person, earliest first."""
        found: dict[str, Approval] = {}
        for approval in self.approvals:
            counts = approval.actor not in self.excluded and policy.allows(rule.sources, approval.actor)
            if counts and self.covers(approval) and (approval.signer or not rule.signed):
                found.setdefault(approval.actor, approval)
        return tuple(found.values())


def judge_approvals(rules: Iterable[ApprovalRule], policy: Policy, proof: Proof) -> tuple[Requirement, ...]:
    """One requirement a rule, and one more where a reviewer has rejected this head."""
    found = [_judge_rule(rule, policy, proof) for rule in rules]
    rejected = sorted({rejection.actor for rejection in proof.rejections if rejection.head == proof.head})
    if rejected:
        reason = f"Rejected by {', '.join(rejected)}. A new revision, or their approval, lifts it."
        found.append(Requirement("rejected", Status.UNSATISFIED, reason))
    return tuple(found)


def _judge_rule(rule: ApprovalRule, policy: Policy, proof: Proof) -> Requirement:
    counted = proof.counted(rule, policy)
    enough = len(counted) >= rule.count
    what = needed(rule)
    if enough:
        names = ", ".join(approval.actor for approval in counted)
        return Requirement("approvals", Status.SATISFIED, f"{len(counted)} of {what} ({names}).", rule.place)
    reason = f"{len(counted)} of {what}.{_who_does_not_count(proof.authors)}{_stale(rule, policy, proof)}"
    return Requirement("approvals", Status.UNSATISFIED, reason, rule.place)


def needed(rule: ApprovalRule) -> str:
    """`2 approvals by @ops for inventories/**`."""
    word = ("signed " if rule.signed else "") + ("approval" if rule.count == 1 else "approvals")
    sources = " or ".join("anybody" if item == "*" else item for item in rule.sources.items)
    paths = f" for {', '.join(rule.paths)}" if rule.paths else ""
    return f"{rule.count} {word} by {sources}{paths}"


def _who_does_not_count(authors: frozenset[str]) -> str:
    if not authors:
        return ""
    names = ", ".join(sorted(authors))
    return f" The author ({names}) does not count." if len(authors) == 1 else f" The authors ({names}) do not count."


def _stale(rule: ApprovalRule, policy: Policy, proof: Proof) -> str:
    stale = sorted(
        {a.actor for a in proof.approvals if not proof.covers(a) and policy.allows(rule.sources, a.actor)}
        - {a.actor for a in proof.approvals if proof.covers(a)}
        - proof.excluded
    )
    return f" {', '.join(stale)} approved other commits; an approval stays with its commit." if stale else ""


def asks_signature(rules: Iterable[ApprovalRule], policy: Policy, actor: str) -> ApprovalRule | None:
    """The first rule that would count this actor's approval only if it is signed."""
    return next((rule for rule in rules if rule.signed and policy.allows(rule.sources, actor)), None)


def would_count(rules: Iterable[ApprovalRule], policy: Policy, proof: Proof, actor: str) -> Requirement:
    """Whether any rule would count this actor's approval; one that no rule counts is not stored."""
    if actor in proof.authors:
        reason = f"{actor} pushed, wrote or committed a part of it, and so does not count."
        return Requirement("approve", Status.UNSATISFIED, reason)
    if actor in proof.excluded:
        return Requirement("approve", Status.UNSATISFIED, f"{actor} is a bot, and no rule counts bots.")
    if any(policy.allows(rule.sources, actor) for rule in rules):
        return Requirement("approve", Status.SATISFIED, f"{actor} counts")
    sources = ", ".join(dict.fromkeys(needed(rule) for rule in rules))
    return Requirement("approve", Status.UNSATISFIED, f"No rule counts {actor}; needed: {sources}.")
