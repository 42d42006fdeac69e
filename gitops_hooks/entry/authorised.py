"""Was this tip authorised? The records since the last look, judged again with the same rules as the push was.

Facts and time come from the records; today's clock, users and plugins are not asked (trust rule 5).
"""

from gitops_hooks.core.approve import Contributors, Proof
from gitops_hooks.core.decide import Case, judge_landing, judge_unapproved_push
from gitops_hooks.core.govern import Governing, govern
from gitops_hooks.core.life import judge_draft
from gitops_hooks.core.override import judge_overridden
from gitops_hooks.core.results import Inscription
from gitops_hooks.core.shape import shape_of
from gitops_hooks.edge.record import LOG
from gitops_hooks.entry.owed import overdue_then
from gitops_hooks.entry.results import is_result, judge_result, plan_result
from gitops_hooks.entry.sitting import Sitting, policy_at
from gitops_hooks.entry.stacking import ground_of
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.commit import Merged, Range, Shape
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.event import Administered, Adopted, Event, Landed, Landing
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import CheckOutcome, Requirement


def judge_tip(sitting: Sitting, ref: str) -> Refusal | None:
    """Whether the real tip of a governed ref may be deployed; None when it may."""
    sitting.record.sync()
    standing = sitting.record.standing(ref)
    if not standing.trusted or standing.real == NO_OID:
        reason = f"{ref} stands at {standing.real[:12]}, the record says {standing.recorded[:12]}"
        return Refusal("record", reason, "The administrator runs: gitops-hooks recovery restore|adopt")
    fact = f"judged {ref}"
    judged = sitting.record.index.fact(fact)
    for landing in _landings_since(sitting, ref, judged):
        if refusal := judge_record(sitting, landing):
            return refusal
    sitting.record.index.set_fact(fact, sitting.repository.tip(LOG))
    return None


def _landings_since(sitting: Sitting, ref: str, judged: str) -> list[Event]:
    """The carried-out landings of a ref that were not judged again before, oldest first."""
    done: set[str] = set()
    found: list[Event] = []
    standing = sitting.record.standing(ref)
    if standing.open_landing and standing.record == standing.open_landing.oid:
        done.add(standing.open_landing.oid)
    for event in sitting.record.events(LOG):
        if event.oid == judged:
            break
        match event.body:
            case Landed(landing=landing, ref=moved) if moved == ref:
                done.add(landing)
            case Landing(ref=moved) if moved == ref and event.oid in done:
                found.append(event)
    return found[::-1]


def judge_record(sitting: Sitting, event: Event) -> Refusal | None:
    """Whether one landing was authorised by the policy in force at its time; None when it was."""
    landing = event.body
    if not isinstance(landing, Landing):
        return Refusal("record", f"event {event.oid[:12]} is no landing")
    policy = _policy_of(sitting, event, landing)
    if isinstance(policy, Refusal):
        return policy
    governing = govern(policy, landing.ref)
    if governing is None:
        return None
    if landing.way == "create":
        return _first_fault(event, (governing.may("create", event.stamp.actor),))
    matter = _objects_of(sitting, event, landing, governing)
    if isinstance(matter, Refusal):
        return matter
    return _judge_landing(sitting, event, landing, policy, governing, *matter)


def _policy_of(sitting: Sitting, event: Event, landing: Landing) -> Policy | Refusal:
    if landing.policy not in _policies_before(sitting, event):
        return Refusal("policy", f"{landing.policy[:12]} was not the policy in force at event {event.oid[:12]}")
    try:
        return policy_at(sitting.repository, landing.policy)
    except PolicyError as error:
        return Refusal("policy", str(error))


def _policies_before(sitting: Sitting, event: Event) -> set[str]:
    """The commits that the default branch was recorded at when this event was written."""
    found: set[str] = set()
    reached = False
    default = sitting.record.default_branch
    for earlier in sitting.record.events(LOG):
        if not reached:
            reached = earlier.oid == event.oid
            continue
        match earlier.body:
            case Landing(ref=ref, new=new) if ref == default:
                # Carried out but not closed yet counts as well: the reader could see it.
                found.add(new)
            case Landed(ref=ref, new=new) | Administered(ref=ref, new=new) if ref == default:
                return found | {new}
            case Adopted(policy=policy):
                return found | {policy}
    return found


def _objects_of(
    sitting: Sitting, event: Event, landing: Landing, governing: Governing
) -> tuple[Range, Merged] | Refusal:
    """The range and the result, made again from (tip, head), and equal to what was recorded."""
    span = sitting.repository.range(landing.old, landing.head)
    merged = sitting.repository.merge(span) if isinstance(span, Range) else span
    if isinstance(span, Refusal) or isinstance(merged, Refusal):
        return merged if isinstance(merged, Refusal) else Refusal("merge", "cannot be made again")
    result = sitting.repository.commit(landing.new)
    if not _fits(sitting, event, landing, shape_of(governing.land_method, span), (span, merged)) or (
        span.base,
        merged.tree,
        result.tree,
    ) != (landing.base, landing.tree, landing.tree):
        return Refusal("merge", f"{landing.new[:12]} is not what landing {landing.head[:12]} makes")
    return span, merged


def _fits(sitting: Sitting, event: Event, landing: Landing, shape: Shape, made: tuple[Range, Merged]) -> bool:
    """Whether the branch moved to the head itself or to exactly what the server makes of it."""
    if landing.way != "change" or shape is Shape.ITSELF:
        return landing.new == landing.head
    record = sitting.record.change(landing.change)
    branch = landing.ref.removeprefix("refs/heads/")
    words = Inscription(landing.change, record.title if record else "", branch, event.stamp.actor)
    planned = plan_result(sitting.repository, shape, *made, words)
    if isinstance(planned, Refusal):
        return False
    return is_result(sitting.repository, landing.new, planned, made[0], event.stamp.at)


def _judge_landing(
    sitting: Sitting,
    event: Event,
    landing: Landing,
    policy: Policy,
    governing: Governing,
    span: Range,
    merged: Merged,
) -> Refusal | None:
    record = sitting.record.change(landing.change) if landing.change else None
    names = frozenset(landing.authors) | (record.uploaders if record else {event.stamp.actor})
    proof = Proof(
        sitting.entry.id,
        landing.ref,
        span.base,
        span.head,
        frozenset(commit.oid for commit in span.commits),
        names,
        names,
        tuple(a for a in record.approvals if a.event in landing.approvals) if record else (),
    )
    paths = tuple(file.path for file in merged.files)
    life = _life(sitting, record, span, judge_result(sitting.repository, governing.land_method, span, merged))
    owed = overdue_then(sitting.record, event, landing.ref, lambda earlier: _policies_before(sitting, earlier))
    case = Case(policy, governing, proof, Contributors(names), paths, span.fast_forward, life, owed)
    if landing.way == "push":
        return _first_fault(event, judge_unapproved_push(case, event.stamp.actor))
    verdicts = _missing_verdicts(governing, landing)
    return verdicts or _first_fault(event, _judge_change(event, landing, record, case))


def _judge_change(event: Event, landing: Landing, record: ChangeRecord | None, case: Case) -> tuple[Requirement, ...]:
    """A landing by break-glass is the actor's own, whoever had asked for auto-land."""
    if landing.reason:
        return judge_overridden(case, event.stamp.actor, landing)
    return judge_landing(case, _lander(event, record, case))


def _life(
    sitting: Sitting, record: ChangeRecord | None, span: Range, found: tuple[Requirement, ...]
) -> tuple[Requirement, ...]:
    """A change says nothing more once it has landed, so what it says now is what it said then."""
    if record is None:
        return found
    return (*ground_of(sitting, span.tip, record, span.head).requirements, *judge_draft(record, span.head), *found)


def _lander(event: Event, record: ChangeRecord | None, case: Case) -> str:
    """Who landed it: the actor, or whoever may land and had asked for auto-land on that revision."""
    actor = event.stamp.actor
    revision = record.revision_at(case.proof.head) if record else None
    if revision and revision.auto_land_by and not case.governing.may("land", actor).holds:
        return revision.auto_land_by
    return actor


def _missing_verdicts(governing: Governing, landing: Landing) -> Refusal | None:
    passed = {f"{name}:{outcome.value}:{landing.tree}" for name in governing.checks for outcome in _PASSED}
    seen = {words.split(":", 1)[0] for words in landing.verdicts if words in passed}
    missing = [name for name in governing.checks if name not in seen]
    return Refusal("checks", f"no verdict on the landed tree by {', '.join(missing)}") if missing else None


_PASSED = (CheckOutcome.OK, CheckOutcome.FINDINGS)


def _first_fault(event: Event, requirements: tuple[Requirement, ...]) -> Refusal | None:
    for requirement in requirements:
        if not requirement.holds:
            return Refusal(requirement.rule, f"landing {event.oid[:12]}: {requirement.reason}")
    return None
