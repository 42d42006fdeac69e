"""What one landing would be: the objects behind a head, gathered once, ready for the pure rules."""

from dataclasses import dataclass, replace

from gitops_hooks.core.approve import Proof, contributors
from gitops_hooks.core.approvers import missing_approvers
from gitops_hooks.core.debts import overdue
from gitops_hooks.core.decide import Case, fails, holds, judge_standing
from gitops_hooks.core.govern import Governing
from gitops_hooks.core.life import judge_draft
from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.core.rehearse import trial_checks, waive_on_trial
from gitops_hooks.core.results import SERVER_ADDRESS
from gitops_hooks.core.shape import shape_of
from gitops_hooks.core.verdict_words import verdict_words
from gitops_hooks.entry.results import judge_result
from gitops_hooks.entry.sitting import POLICY_PATH, POLICY_SIZE, Checker, Sitting
from gitops_hooks.entry.stacking import Ground, ground_of
from gitops_hooks.model.change import Change, ChangeRecord
from gitops_hooks.model.commit import Commit, Merged, Range, Shape
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.judgement import Land
from gitops_hooks.model.push import ActorKind
from gitops_hooks.model.record import Standing
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import Requirement, Verdict


@dataclass(frozen=True, slots=True)
class Matter:
    """One head held against one governed ref; `record` is the change that it belongs to, if any."""

    standing: Standing
    span: Range
    merged: Merged
    case: Case
    record: ChangeRecord | None

    def land(self, way: str, verdicts: tuple[Verdict, ...]) -> Land:
        """The landing that follows when everything holds."""
        counted = {
            approval.event: approval.actor
            for rule in self.case.governing.approval_rules(self.case.paths)
            for approval in self.case.proof.counted(rule, self.case.policy)
        }
        return Land(
            way,
            self.standing.ref,
            self.span,
            self.merged,
            self.record,
            tuple(sorted(self.case.contributors.names)),
            tuple(counted) if way == "change" else (),
            tuple(dict.fromkeys(counted.values())) if way == "change" else (),
            verdict_words(verdicts),
            self.shape if way == "change" else Shape.ITSELF,
        )

    @property
    def shape(self) -> Shape:
        """What landing it as a change makes."""
        return shape_of(self.case.governing.land_method, self.span)


def gather(
    sitting: Sitting,
    governing: Governing,
    standing: Standing,
    head: str,
    pushers: frozenset[str],
    record: ChangeRecord | None,
    ground: Ground | None = None,
) -> Matter | Refusal:
    """Everything that the rules ask about landing `head` on a governed ref.

    A head that stands on another open change is held against that; without `ground` the record says so.
    Refused where the ref does not stand as recorded, before its history is asked, and where head cannot be merged.
    """
    if not (record_says := judge_standing(standing)).holds:
        return Refusal(record_says.rule, record_says.reason)
    ground = ground or ground_of(sitting, standing.real, record, head)
    span = sitting.repository.range(ground.tip or standing.real, head)
    if isinstance(span, Refusal):
        return span
    merged = sitting.repository.merge(span)
    if isinstance(merged, Refusal):
        return merged
    pushers |= record.uploaders if record else frozenset()
    hands = contributors(written(sitting, span), pushers, sitting.people)
    proof = _proof(sitting, standing.ref, span, hands.names, record)
    paths = tuple(file.path for file in merged.files)
    result = () if ground.tip else judge_result(sitting.repository, governing.land_method, span, merged)
    life = (*ground.requirements, *(judge_draft(record, head) if record else ()), *result)
    owed = overdue(sitting.record.index.debts(standing.ref), sitting.ledger.clock())
    case = Case(sitting.policy, governing, proof, hands, paths, span.fast_forward, life, owed)
    return Matter(standing, span, merged, case, record)


def _proof(sitting: Sitting, ref: str, span: Range, hands: frozenset[str], record: ChangeRecord | None) -> Proof:
    """What approvals are held against; bots never count."""
    return Proof(
        sitting.entry.id,
        ref,
        span.base,
        span.head,
        frozenset(commit.oid for commit in span.commits),
        hands | _bots(sitting) | _gone(sitting, record),
        hands,
        record.approvals if record else (),
        record.rejections if record else (),
    )


def _bots(sitting: Sitting) -> frozenset[str]:
    return frozenset(person.name for person in sitting.people.everybody if person.kind is ActorKind.BOT)


def written(sitting: Sitting, span: Range) -> tuple[Commit, ...]:
    """The commits with those who wrote them: that the server itself made one again is nobody's hand in it."""
    return tuple(
        replace(commit, addresses=tuple(a for a in commit.addresses if a != SERVER_ADDRESS))
        if SERVER_ADDRESS in commit.addresses and sitting.record.is_ours(commit.oid)
        else commit
        for commit in span.commits
    )


def _gone(sitting: Sitting, record: ChangeRecord | None) -> frozenset[str]:
    """Whoever approved and has left since: the server knows nobody of that name any more."""
    return frozenset(approval.actor for approval in (record.approvals if record else ())) - sitting.people.names


def check_names(sitting: Sitting, governing: Governing) -> tuple[str, ...]:
    """The checks that the policy lists for a ref, and those that deployers of its environments insist on."""
    names = list(governing.checks)
    deployers = sitting.plugins.deployers()
    for environment in sitting.policy.environments:
        if environment.branch == governing.ref and environment.deployer in deployers:
            names += deployers[environment.deployer].checks
    return tuple(dict.fromkeys(names))


def run_checks(sitting: Sitting, matter: Matter, check: Checker) -> tuple[Verdict, ...]:
    """The verdicts on the tree that would land."""
    number = matter.record.number if matter.record else 0
    ends = (matter.span.base, matter.span.head)
    change = Change(number, matter.standing.ref, *ends, matter.merged.files)
    names = check_names(sitting, matter.case.governing)
    on_trial = tuple(name for name in trial_checks(sitting.policy, matter.standing.ref) if name not in names)
    return waive_on_trial(check(change, matter.merged.tree, (*names, *on_trial)), on_trial)


def judge_policy(sitting: Sitting, matter: Matter) -> tuple[Requirement, ...]:
    """The policy in the tree that would land on the default branch must be one that can be enforced."""
    touched = any(file.path == POLICY_PATH or file.path == ".gitops" for file in matter.merged.files)
    if matter.standing.ref != sitting.default.ref or not touched:
        return ()
    try:
        policy = parse_policy(
            _policy_bytes(sitting, matter.merged.tree),
            commit=matter.span.head,
            known=sitting.people.names,
            deployers=frozenset(sitting.plugins.deployers()),
            checks=frozenset(sitting.plugins.checks()),
            default_branch=sitting.default_name,
            source=POLICY_PATH,
        )
    except PolicyError as error:
        return (fails("policy", str(error)),)
    except EdgeError as error:
        return (fails("policy", str(error)),)
    missing = missing_approvers(policy, sitting.default.ref, sitting.people)
    return tuple(fails("policy", words) for words in missing) or (holds("policy"),)


def _policy_bytes(sitting: Sitting, tree: str) -> bytes:
    found = sitting.repository.tree(tree)
    entry = found.entry(POLICY_PATH)
    if entry is None:
        raise EdgeError(POLICY_PATH, "would be gone; the default branch always carries the policy")
    if entry.mode != 0o100644:
        raise EdgeError(POLICY_PATH, "must be a regular file that is not executable")
    if found.size(POLICY_PATH) > POLICY_SIZE:
        raise EdgeError(POLICY_PATH, f"is larger than {POLICY_SIZE} bytes")
    return found.read(POLICY_PATH)
