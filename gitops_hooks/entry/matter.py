"""What one landing would be: the objects behind a head, gathered once, ready for the pure rules."""

from collections.abc import Mapping
from dataclasses import replace

from gitops_hooks.core.approve import Contributors, Proof, contributors, counted_approvals, kept_words
from gitops_hooks.core.approvers import missing_approvers
from gitops_hooks.core.commands import hold_back
from gitops_hooks.core.debts import overdue
from gitops_hooks.core.decide import Case, fails, holds, judge_standing
from gitops_hooks.core.floor import with_floor
from gitops_hooks.core.govern import Governing, govern, matching
from gitops_hooks.core.life import judge_draft
from gitops_hooks.core.owners import touches_owners
from gitops_hooks.core.policy_file import parse_policy
from gitops_hooks.core.rehearse import trial_checks, waive_on_trial
from gitops_hooks.core.shape import shape_of
from gitops_hooks.core.verdict_words import run_words, verdict_words
from gitops_hooks.entry.awaiting import look_up
from gitops_hooks.entry.content import read_content
from gitops_hooks.entry.demanding import find_demands, find_trials, judge_owners_file
from gitops_hooks.entry.deployed import find_deployed
from gitops_hooks.entry.hands import hands_in
from gitops_hooks.entry.kept import find_kept
from gitops_hooks.entry.planned import find_plan
from gitops_hooks.entry.recorded import Present, present_now
from gitops_hooks.entry.results import judge_result
from gitops_hooks.entry.sitting import POLICY_PATH, POLICY_SIZE, Checker, Sitting
from gitops_hooks.entry.stacking import Ground, ground_of
from gitops_hooks.hookspec import Deployer
from gitops_hooks.model.change import Change, ChangeRecord
from gitops_hooks.model.commit import Merged, Range, Shape
from gitops_hooks.model.content import Content
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.judgement import Land
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.owners import Known
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.push import NO_OID
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
    owners: Known

    def land(self, way: str, verdicts: tuple[Verdict, ...]) -> Land:
        """The landing that follows when everything holds."""
        case = self.case
        counted = counted_approvals(case.demands.rules, case.policy, case.bound) if way == "change" else ()
        actors = tuple(dict.fromkeys(approval.actor for approval in counted))
        return Land(
            way,
            self.standing.ref,
            self.span,
            self.merged,
            self.record,
            tuple(sorted(case.contributors.names)),
            tuple(approval.event for approval in counted),
            actors,
            verdict_words(verdicts),
            case.content.at,
            self.shape if way == "change" else Shape.ITSELF,
            tuple(sorted(case.content.vouched)),
            bots=tuple(actor for actor in actors if actor in case.proof.bots),
            kept=kept_words(counted, case.proof),
            owners=self.owners.addresses_of(actors) if case.governing.owners else (),
            runs=run_words(verdicts),
            deployed=case.deployed,
            plan=case.plan.word,
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
    if standing.real == NO_OID:
        return Refusal("target", f"{standing.ref} is not there any more.", "Whoever may create it brings it back.")
    ground = ground or ground_of(sitting.record, standing.real, record, head)
    span = sitting.repository.range(ground.tip or standing.real, head)
    if isinstance(span, Refusal):
        return span
    merged = sitting.repository.merge(span)
    if isinstance(merged, Refusal):
        return merged
    result = () if ground.tip else judge_result(sitting.repository, governing.land_method, span, merged)
    life = (*ground.requirements, *(judge_draft(record, head) if record else ()), *result)
    return weigh(sitting, governing, standing, (span, merged), pushers, record, life)


def weigh(
    sitting: Sitting,
    governing: Governing,
    standing: Standing,
    made: tuple[Range, Merged],
    pushers: frozenset[str],
    record: ChangeRecord | None,
    life: tuple[Requirement, ...] = (),
) -> Matter | Refusal:
    """The matter of a range and of what it makes. Refused where its commits together change too many files."""
    span, merged = made
    content = _read(sitting, governing, span, pushers, record)
    if isinstance(content, Refusal):
        return content
    pushers = pushers | (record.uploaders if record else frozenset())
    wrote = hands_in(sitting, governing, span, record)
    hands = contributors(wrote, pushers, sitting.people, governing.strict)
    present = present_now(sitting.people, record)
    known = present.owners
    demands = find_demands(sitting.repository, governing, span, merged, known)
    trials = find_trials(sitting.repository, governing.ref, span, merged, sitting.policy, known)
    paths = tuple(file.path for file in merged.files)
    proof = _prove(sitting, governing, span, hands, (record, present))
    owed = overdue(sitting.record.index.debts(standing.ref), sitting.ledger.clock())
    told = (content, demands, life, owed, trials)
    stood = find_deployed(sitting, standing.ref)
    seen = find_plan(sitting, standing.ref, span, merged, record)
    case = Case(sitting.policy, governing, proof, hands, paths, span.fast_forward, *told, deployed=stood, plan=seen)
    return Matter(standing, span, merged, case, record, known)


def _read(
    sitting: Sitting, governing: Governing, span: Range, pushers: frozenset[str], record: ChangeRecord | None
) -> Content | Refusal:
    """All that the rules ask for, those on trial too; what only these cannot be told refuses nothing."""
    everything = replace(governing, rules=matching(sitting.policy, governing.ref))
    content = read_content(sitting, everything, span, pushers, record)
    if isinstance(content, Refusal) and everything.rules != governing.rules:
        return read_content(sitting, governing, span, pushers, record)
    return content


def _prove(
    sitting: Sitting,
    governing: Governing,
    span: Range,
    hands: Contributors,
    said: tuple[ChangeRecord | None, Present],
) -> Proof:
    """Everything that was said of a change, and what it has to fit."""
    record, present = said
    return Proof(
        sitting.entry.id,
        governing.ref,
        span.base,
        span.head,
        frozenset(commit.oid for commit in span.commits),
        hands.names | present.gone,
        hands.names,
        record.approvals if record else (),
        record.rejections if record else (),
        present.bots,
        find_kept(sitting.repository, record, span, governing.keep),
    )


def check_names(sitting: Sitting, governing: Governing) -> tuple[str, ...]:
    """The checks that the policy lists for a ref, and those that deployers of its environments insist on."""
    return named_checks(governing, sitting.plugins.deployers())


def named_checks(governing: Governing, deployers: Mapping[str, Deployer]) -> tuple[str, ...]:
    """The same, from the policy and what is enabled alone."""
    names = list(governing.checks)
    for environment in governing.policy.environments:
        if environment.branch == governing.ref and environment.deployer in deployers:
            names += deployers[environment.deployer].checks
    return tuple(dict.fromkeys(names))


def run_checks(sitting: Sitting, matter: Matter, check: Checker) -> tuple[Verdict, ...]:
    """The verdicts on the tree that would land, as a proposal meets them: commands may be open."""
    return waive_on_trial(*_ask(sitting, matter, check))


def run_checks_to_land(sitting: Sitting, matter: Matter, check: Checker) -> tuple[Verdict, ...]:
    """The same as a landing meets them: every command has passed, or refuses."""
    verdicts, on_trial = _ask(sitting, matter, check)
    number = matter.record.number if matter.record else 0
    branch = matter.standing.ref.removeprefix("refs/heads/")
    return waive_on_trial(tuple(hold_back(verdict, number, branch) for verdict in verdicts), on_trial)


def _ask(sitting: Sitting, matter: Matter, check: Checker) -> tuple[tuple[Verdict, ...], tuple[str, ...]]:
    """What all checks say, and which of them only rules on trial ask for."""
    number = matter.record.number if matter.record else 0
    ends = (matter.span.base, matter.span.head)
    change = Change(number, matter.standing.ref, *ends, matter.merged.files)
    names = check_names(sitting, matter.case.governing)
    everything = on_all_accounts(sitting, matter.case.governing)
    said = check(change, matter.merged.tree, everything)
    return look_up(sitting, matter.record, said), everything[len(names) :]


def on_all_accounts(sitting: Sitting, governing: Governing) -> tuple[str, ...]:
    """The checks of a ref, then those that only rules on trial ask for."""
    return tuple(dict.fromkeys((*check_names(sitting, governing), *trial_checks(sitting.policy, governing.ref))))


def judge_policy(sitting: Sitting, matter: Matter) -> tuple[Requirement, ...]:
    """The policy in the tree that would land on the default branch must be one that can be enforced."""
    touched = any(file.path == POLICY_PATH or file.path == ".gitops" for file in matter.merged.files)
    if matter.standing.ref != sitting.default.ref or not touched:
        rules = matter.case.governing.owners
        return _judge_owners(sitting, matter, sitting.policy) if touches_owners(rules, matter.case.paths) else ()
    try:
        written = parse_policy(
            _policy_bytes(sitting, matter.merged.tree),
            commit=matter.span.head,
            known=sitting.people.names,
            deployers=sitting.plugins.looking(),
            checks=sitting.plugins.declared(),
            default_branch=sitting.default_name,
            source=POLICY_PATH,
        )
    except PolicyError as error:
        return (fails("policy", str(error)),)
    except EdgeError as error:
        return (fails("policy", str(error)),)
    policy = with_floor(written, sitting.policy.floor)
    missing = missing_approvers(policy, sitting.default.ref, sitting.people)
    faults = tuple(fails("policy", words) for words in missing) or (holds("policy"),)
    return (*faults, *_judge_owners(sitting, matter, policy))


def _judge_owners(sitting: Sitting, matter: Matter, policy: Policy) -> tuple[Requirement, ...]:
    """The file of code owners in the tree that would land must be one that can be asked; `policy` is the one there."""
    governing = govern(policy, matter.standing.ref)
    rules = governing.owners if governing else ()
    return judge_owners_file(sitting.repository, matter.span, matter.merged, rules, policy, matter.owners)


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
