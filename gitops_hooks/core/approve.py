"""Who counts: approvals against the rules, for exactly these commits."""

from collections.abc import Collection, Iterable

from gitops_hooks.core.reject import judge_rejections
from gitops_hooks.model.approval import Approval, Kept, Rejection
from gitops_hooks.model.commit import Commit
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.people import People
from gitops_hooks.model.policy import ApprovalRule, Names, Policy, ReachLimit, Strict
from gitops_hooks.model.verdict import Requirement, Status


@dataclass(frozen=True, slots=True)
class Contributors:
    """Who pushed, wrote, committed or co-authored any part: names, and (commit, address) of strangers."""

    names: frozenset[str]
    strangers: tuple[tuple[str, str], ...] = ()


def contributors(
    commits: Iterable[Commit], pushers: Iterable[str], people: People, strict: Collection[Strict] = ()
) -> Contributors:
    """Everybody who had a hand in these commits; by strict rules whoever signed them off had one too."""
    names = set(pushers)
    strangers = []
    for commit in commits:
        signers = commit.signers if Strict.SIGNED_OFF in strict else ()
        for address in dict.fromkeys((*commit.addresses, *signers)):
            person = people.with_address(address)
            if person:
                names.add(person.name)
            else:
                strangers.append((commit.oid, address))
    return Contributors(frozenset(names), tuple(strangers))


@dataclass(frozen=True, slots=True)
class Proof:
    """What approvals are held against: repository id, full ref, merge base, head, every commit that would land.

    `excluded` are the names that never count here, the contributors; `bots` count where a rule says so. What was
    said of one of `kept` was said of this head. With `plan`, the digest of one, only approvals of that count.
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
    bots: frozenset[str] = frozenset()
    kept: tuple[Kept, ...] = ()
    plan: str = ""

    def saw(self, approval: Approval) -> bool:
        """Whether it was given with the plan that this landing rests on, where it rests on one."""
        return approval.plan == self.plan if self.plan else True

    def covers(self, approval: Approval) -> bool:
        """Whether an approval was given for exactly this landing, or is kept for it."""
        return self.is_exact(approval) or self.kept_as(approval) is not None

    def is_exact(self, approval: Approval) -> bool:
        bound = (approval.repository, approval.target, approval.base, approval.head)
        return bound == (self.repository, self.ref, self.base, self.head) and self.commits <= set(approval.commits)

    def kept_as(self, approval: Approval) -> Kept | None:
        """The older revision that an approval was given for, where what was said of that holds here."""
        if (approval.repository, approval.target) != (self.repository, self.ref) or not approval.carries:
            return None
        given = (approval.base, approval.head)
        return next((kept for kept in self.kept if (kept.base, kept.head) == given), None)

    def counted(self, rule: ApprovalRule, policy: Policy) -> tuple[Approval, ...]:
        """The approvals that count towards a rule, one a person, earliest first; bots never fill it alone."""
        found: dict[str, Approval] = {}
        for approval in self.approvals:
            counts = approval.actor not in self.excluded and self.allows(rule, policy, approval.actor)
            counts = counts and self.covers(approval) and self.saw(approval)
            if counts and (approval.signer or not rule.signed):
                found.setdefault(approval.actor, approval)
        bots = [actor for actor in found if actor in self.bots]
        surplus = bots[max(rule.count - 1, 1) :]
        return tuple(approval for actor, approval in found.items() if actor not in surplus)

    def allows(self, rule: ApprovalRule, policy: Policy, actor: str) -> bool:
        """Whether a rule counts this actor, whatever they had to do with the change."""
        if actor in self.bots:
            return counts_bot(rule, policy, actor)
        return policy.allows(rule.sources, actor)


def counts_bot(rule: ApprovalRule, policy: Policy, bot: str) -> bool:
    return policy.allows(rule.sources if "*" in rule.bots.items else rule.bots, bot)


def counted_approvals(rules: Iterable[ApprovalRule], policy: Policy, proof: Proof) -> tuple[Approval, ...]:
    """The approvals that count towards any of these rules, each once."""
    found = {approval.event: approval for rule in rules for approval in proof.counted(rule, policy)}
    return tuple(found.values())


def kept_words(approvals: Iterable[Approval], proof: Proof) -> tuple[str, ...]:
    """`event:why` of those that were given for an older revision."""
    carried = [(a, kept) for a in approvals if not proof.is_exact(a) and (kept := proof.kept_as(a))]
    return tuple(f"{approval.event}:{kept.kind}" for approval, kept in carried)


def judge_approvals(
    rules: Iterable[ApprovalRule], policy: Policy, proof: Proof, vetoes: Iterable[tuple[Names, str]] = ()
) -> tuple[Requirement, ...]:
    """One requirement a rule, and one more where a reviewer has rejected this head, or vetoed the change."""
    found = [_judge_rule(rule, policy, proof) for rule in rules]
    kept = {kept.head for kept in proof.kept}
    return (*found, *judge_rejections(proof.rejections, proof.head, kept, policy, vetoes))


def _judge_rule(rule: ApprovalRule, policy: Policy, proof: Proof) -> Requirement:
    counted = proof.counted(rule, policy)
    enough = len(counted) >= rule.count
    what = needed(rule)
    if enough:
        names = ", ".join(_counted_as(approval, proof) for approval in counted)
        return Requirement(rule.rule, Status.SATISFIED, f"{len(counted)} of {what} ({names}).", rule.place)
    reason = f"{len(counted)} of {what}.{_who_does_not_count(proof.authors)}{_stale(rule, policy, proof)}"
    reason += _unseen(rule, policy, proof)
    return Requirement(rule.rule, Status.UNSATISFIED, reason, rule.place)


def _counted_as(approval: Approval, proof: Proof) -> str:
    kept = None if proof.is_exact(approval) else proof.kept_as(approval)
    return f"{approval.actor}, kept from {approval.head[:7]}: {kept.kind}" if kept else approval.actor


def needed(rule: ApprovalRule) -> str:
    """`2 approvals by @ops for inventories/**`."""
    word = ("signed " if rule.signed else "") + ("approval" if rule.count == 1 else "approvals")
    if rule.words:
        return f"{rule.count} {word} by {rule.words}"
    named = [bot for bot in rule.bots.items if bot != "*" and bot not in rule.sources.items]
    sources = " or ".join("anybody" if item == "*" else item for item in (*rule.sources.items, *named))
    paths = f" for {', '.join(rule.paths)}" if rule.paths else ""
    return f"{rule.count} {word} by {sources}{paths}{_reach_words(rule.reach)}"


def _reach_words(reach: ReachLimit | None) -> str:
    if reach is None:
        return ""
    found = [] if reach.more_than is None else [f"more than {reach.more_than} hosts"]
    found += [f"hosts of {group}" for group in reach.groups]
    return f" where it reaches {' or '.join(found)}"


def _who_does_not_count(authors: frozenset[str]) -> str:
    if not authors:
        return ""
    names = ", ".join(sorted(authors))
    return f" The author ({names}) does not count." if len(authors) == 1 else f" The authors ({names}) do not count."


def _stale(rule: ApprovalRule, policy: Policy, proof: Proof) -> str:
    stale = sorted(
        {a.actor for a in proof.approvals if not proof.covers(a) and proof.allows(rule, policy, a.actor)}
        - {a.actor for a in proof.approvals if proof.covers(a)}
        - proof.excluded
    )
    return f" {', '.join(stale)} approved other commits; an approval stays with its commit." if stale else ""


def _unseen(rule: ApprovalRule, policy: Policy, proof: Proof) -> str:
    able = [a for a in proof.approvals if proof.covers(a) and a.actor not in proof.excluded]
    able = [a for a in able if proof.allows(rule, policy, a.actor)]
    unseen = sorted({a.actor for a in able} - {a.actor for a in able if proof.saw(a)})
    return f" {', '.join(unseen)} approved without this plan; look at it and approve again." if unseen else ""


def asks_signature(rules: Iterable[ApprovalRule], policy: Policy, proof: Proof, actor: str) -> ApprovalRule | None:
    """The first rule that would count this actor's approval only if it is signed."""
    return next((rule for rule in rules if rule.signed and proof.allows(rule, policy, actor)), None)


def would_count(rules: Iterable[ApprovalRule], policy: Policy, proof: Proof, actor: str) -> Requirement:
    """Whether any rule would count this actor's approval; one that no rule counts is not stored."""
    if actor in proof.authors:
        reason = f"{actor} pushed, wrote or committed a part of it, and so does not count."
        return Requirement("approve", Status.UNSATISFIED, reason)
    rules = tuple(rules)
    if actor not in proof.excluded and any(proof.allows(rule, policy, actor) for rule in rules):
        return Requirement("approve", Status.SATISFIED, f"{actor} counts")
    if actor in proof.bots:
        return Requirement("approve", Status.UNSATISFIED, f"{actor} is a bot, and no rule counts bots.")
    sources = ", ".join(dict.fromkeys(needed(rule) for rule in rules))
    return Requirement("approve", Status.UNSATISFIED, f"No rule counts {actor}; needed: {sources}.")
