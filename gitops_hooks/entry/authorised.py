"""Was this tip authorised? The records since the last look, judged again with the same rules as the push was.

Facts and time come from the records; today's clock, users, plugins and limits are not asked (trust rule 5).
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from gitops_hooks.core.approve import Contributors, counted_approvals, kept_words
from gitops_hooks.core.decide import Case, judge_forced_push, judge_landing, judge_unapproved_push
from gitops_hooks.core.floor import parse_floor, with_floor
from gitops_hooks.core.govern import Governing, govern
from gitops_hooks.core.life import judge_draft
from gitops_hooks.core.override import judge_overridden
from gitops_hooks.core.results import Inscription
from gitops_hooks.core.shape import shape_of
from gitops_hooks.core.tag_rules import govern_tag
from gitops_hooks.edge.record import LOG, Record
from gitops_hooks.entry.authorised_moves import forced_objects, judge_created, judge_deleted, judge_tag_record
from gitops_hooks.entry.content import read_content_again
from gitops_hooks.entry.demanding import find_demands
from gitops_hooks.entry.owed import overdue_then
from gitops_hooks.entry.planned import plan_then
from gitops_hooks.entry.proven import judge_runs
from gitops_hooks.entry.recorded import present_then, prove
from gitops_hooks.entry.results import is_result, judge_result, plan_result
from gitops_hooks.entry.signing import judge_signatures
from gitops_hooks.entry.sitting import Sitting, policy_at
from gitops_hooks.entry.stacking import ground_of
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.commit import Merged, Range, Shape
from gitops_hooks.model.errors import PolicyError
from gitops_hooks.model.event import Administered, Adopted, Event, Landed, Landing
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.record import Standing
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.server import RECORDED_LIMITS
from gitops_hooks.model.verdict import CheckOutcome, Requirement


def judge_tip(sitting: Sitting, ref: str) -> Refusal | None:
    """Whether the real tip of a governed ref may be deployed; None when it may."""
    tip = sitting.record.sync()
    standing = sitting.record.standing(ref)
    if standing.trusted and standing.real == NO_OID:
        return Refusal("record", f"{ref} is not there", "Create it again, or take the environment out of the policy.")
    if not standing.trusted:
        reason = f"{ref} stands at {standing.real[:12]}, the record says {standing.recorded[:12]}"
        return Refusal("record", reason, "The administrator runs: gitops-hooks recovery restore|adopt")
    fact = f"judged {ref}"
    judged = sitting.record.index.fact(fact)
    for landing in _landings_since(sitting, ref, judged):
        if refusal := judge_record(sitting.record, landing, _policies_before(sitting.record, landing)):
            return refusal
    # What is written meanwhile is looked at next time, and so is a landing that is not carried out yet: the next look
    # goes back no further than this one.
    if not _is_under_way(standing):
        sitting.record.index.set_fact(fact, tip)
    return None


def _is_under_way(standing: Standing) -> bool:
    """Whether somebody is about to move the ref, or was killed before that."""
    return standing.open_landing is not None and standing.record != standing.open_landing.oid


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


def judge_record(
    record: Record, event: Event, in_force: Collection[str], approvers: Mapping[str, frozenset[str]] | None = None
) -> Refusal | None:
    """Whether one landing was authorised by the policy in force at its time; None when it was.

    `in_force` are the commits whose policy a judge could see then. The reconciler asks it before it deploys, and
    `verify` of a mirror, where there is no server: the record and the objects behind it are all that it may look at.
    `approvers` are the keys by name that a verifier pins.
    """
    landing = event.body
    if not isinstance(landing, Landing):
        return Refusal("record", f"event {event.oid[:12]} is no landing")
    # The sizes that a push may have are today's, and the push was then.
    record = replace(record, repository=replace(record.repository, limits=RECORDED_LIMITS))
    policy = _policy_of(record, event, landing, in_force)
    if isinstance(policy, Refusal):
        return policy
    if rules := govern_tag(policy, landing.ref):
        return _first_fault(event, judge_tag_record(record, event, landing, policy, rules))
    governing = govern(policy, landing.ref)
    if governing is None:
        return None
    if landing.way == "create":
        return _first_fault(event, judge_created(record, event, landing, governing))
    if landing.way == "delete":
        return _first_fault(event, judge_deleted(record, event, landing, governing))
    forced = landing.way == "force"
    if unproven := judge_signatures(record, landing, approvers):
        return unproven
    matter = forced_objects(record.repository, landing) if forced else _objects_of(record, event, landing, governing)
    if isinstance(matter, Refusal):
        return matter
    return _judge_landing(record, event, landing, policy, governing, *matter)


def _policy_of(record: Record, event: Event, landing: Landing, in_force: Collection[str]) -> Policy | Refusal:
    if landing.policy not in in_force:
        return Refusal("policy", f"{landing.policy[:12]} was not the policy in force at event {event.oid[:12]}")
    try:
        return with_floor(policy_at(record.repository, landing.policy), parse_floor(landing.floor))
    except PolicyError as error:
        return Refusal("policy", str(error))


def _policies_before(record: Record, event: Event) -> set[str]:
    """The commits that the default branch was recorded at when this event was written."""
    found: set[str] = set()
    reached = False
    default = record.default_branch
    for earlier in record.events(LOG):
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


def _objects_of(record: Record, event: Event, landing: Landing, governing: Governing) -> tuple[Range, Merged] | Refusal:
    """The range and the result, made again from (tip, head), and equal to what was recorded."""
    repository = record.repository
    span = repository.range(landing.old, landing.head)
    merged = repository.merge(span) if isinstance(span, Range) else span
    if isinstance(span, Refusal) or isinstance(merged, Refusal):
        return merged if isinstance(merged, Refusal) else Refusal("merge", "cannot be made again")
    result = repository.commit(landing.new)
    same = (span.base, merged.tree, result.tree) == (landing.base, landing.tree, landing.tree)
    if not same or not _fits(record, event, landing, shape_of(governing.land_method, span), (span, merged)):
        return Refusal("merge", f"{landing.new[:12]} is not what landing {landing.head[:12]} makes")
    return span, merged


def _fits(record: Record, event: Event, landing: Landing, shape: Shape, made: tuple[Range, Merged]) -> bool:
    """Whether the branch moved to the head itself or to exactly what the server makes of it."""
    if landing.way != "change" or shape is Shape.ITSELF:
        return landing.new == landing.head
    change = record.change_as_of(landing.change, landing.meta) if landing.change else None
    branch = landing.ref.removeprefix("refs/heads/")
    words = Inscription(landing.change, change.title if change else "", branch, event.stamp.actor)
    planned = plan_result(record.repository, shape, *made, words)
    if isinstance(planned, Refusal):
        return False
    return is_result(record.repository, landing.new, planned, made[0], event.stamp.at)


def _judge_landing(
    record: Record,
    event: Event,
    landing: Landing,
    policy: Policy,
    governing: Governing,
    span: Range,
    merged: Merged,
) -> Refusal | None:
    change = record.change_as_of(landing.change, landing.meta) if landing.change else None
    present = present_then(landing)
    rested = (
        replace(change, approvals=tuple(a for a in change.approvals if a.event in landing.approvals))
        if change
        else None
    )
    proof = prove(record, event, rested, span, governing.keep, present)
    paths = tuple(file.path for file in merged.files)
    content = read_content_again(record.repository, governing, span, landing)
    if isinstance(content, Refusal):
        return content
    demands = find_demands(record.repository, governing, span, merged, present.owners)
    found = judge_result(record.repository, governing.land_method, span, merged) if landing.way == "change" else ()
    life = (*_life(record, change, span), *found)
    owed = overdue_then(record, event, landing.ref, lambda earlier: _policies_before(record, earlier))
    told = (content, demands, life, owed, (), landing.deployed, plan_then(record, landing))
    case = Case(policy, governing, proof, Contributors(proof.authors), paths, span.fast_forward, *told)
    if unchecked := _missing_verdicts(governing, landing) or judge_runs(record, landing):
        return unchecked
    if landing.way == "push":
        return _first_fault(event, judge_unapproved_push(case, event.stamp.actor))
    if landing.way == "force":
        return _first_fault(event, judge_forced_push(case, event.stamp.actor))
    return _wrongly_kept(event, landing, case) or _first_fault(event, _judge_change(event, landing, change, case))


def _judge_change(event: Event, landing: Landing, change: ChangeRecord | None, case: Case) -> tuple[Requirement, ...]:
    """A landing by break-glass is the actor's own, whoever had asked for auto-land."""
    if landing.reason:
        return judge_overridden(case, event.stamp.actor, landing)
    return judge_landing(case, _lander(event, change, case))


def _wrongly_kept(event: Event, landing: Landing, case: Case) -> Refusal | None:
    counted = counted_approvals(case.demands.rules, case.policy, case.bound)
    if set(kept_words(counted, case.proof)) == set(landing.kept):
        return None
    return Refusal("keep", f"landing {event.oid[:12]}: it counts approvals of another revision than objects bear out")


def _life(record: Record, change: ChangeRecord | None, span: Range) -> tuple[Requirement, ...]:
    """What of the change itself kept it from landing: `change` is as it was judged, and its ground was in the tip."""
    if change is None:
        return ()
    return (*ground_of(record, span.tip, change, span.head).requirements, *judge_draft(change, span.head))


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
