"""One recorded landing, held against any policy: from the record and the objects alone."""

from dataclasses import replace

from gitops_hooks.core.approve import Contributors, Proof
from gitops_hooks.core.decide import Case
from gitops_hooks.core.fold import fold_change
from gitops_hooks.core.govern import Governing, govern
from gitops_hooks.edge.record import Record, meta_ref
from gitops_hooks.entry.content import read_content_again
from gitops_hooks.entry.demanding import find_demands, find_trials, known_owners
from gitops_hooks.entry.kept import find_kept
from gitops_hooks.entry.planned import plan_then
from gitops_hooks.entry.results import judge_result
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.change_event import ChangeLanded
from gitops_hooks.model.commit import Merged, Range
from gitops_hooks.model.event import Event, Landing, Settled
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.owners import Known
from gitops_hooks.model.people import People
from gitops_hooks.model.policy import Keep, Policy
from gitops_hooks.model.push import ActorKind
from gitops_hooks.model.request import Refusal


@dataclass(frozen=True, slots=True)
class Present:
    """Who is who where approvals are counted: the bots, those who have left, and the addresses of code owners."""

    bots: frozenset[str]
    gone: frozenset[str]
    owners: Known


def present_then(body: Landing | Settled) -> Present:
    """As the record has it, which does not ask today's people: whoever is named owns, whose addresses it tells."""
    pairs = (words.partition("=") for words in body.owners)
    return Present(frozenset(body.bots), frozenset(), Known(None, tuple((name, at) for name, _, at in pairs)))


def present_now(people: People, change: ChangeRecord | None) -> Present:
    """As the server knows people today; who has left since they approved counts no more."""
    bots = frozenset(person.name for person in people.everybody if person.kind is ActorKind.BOT)
    gone = frozenset(approval.actor for approval in (change.approvals if change else ())) - people.names
    return Present(bots, gone, known_owners(people))


def hands_then(event: Event, landing: Landing, change: ChangeRecord | None) -> frozenset[str]:
    """Who had a hand in what landed, and so does not count."""
    return frozenset(landing.authors) | (change.uploaders if change else {event.stamp.actor})


def prove(
    record: Record, event: Event, change: ChangeRecord | None, span: Range, keep: Keep, present: Present
) -> Proof:
    """What was said of a recorded landing, and what it has to fit. Errors: ValueError for an event of another kind."""
    if not isinstance(event.body, Landing):
        raise ValueError(event.oid)
    hands = hands_then(event, event.body, change)
    return Proof(
        record.identity,
        event.body.ref,
        span.base,
        span.head,
        frozenset(commit.oid for commit in span.commits),
        hands | present.gone,
        hands,
        change.approvals if change else (),
        change.rejections if change else (),
        present.bots,
        find_kept(record.repository, change, span, keep),
    )


def recorded_case(
    record: Record, event: Event, policy: Policy, change: ChangeRecord | None, present: Present | None = None
) -> tuple[Range, Case] | Refusal:
    """The landing of this event as a case under a policy, with all approvals that `change` has."""
    landing = event.body
    governing = govern(policy, landing.ref) if isinstance(landing, Landing) else None
    if governing is None or not isinstance(landing, Landing):
        return Refusal("target", "No rule governs it.")
    span = record.repository.range(landing.old, landing.head)
    merged = record.repository.merge(span) if isinstance(span, Range) else span
    if isinstance(span, Refusal) or isinstance(merged, Refusal):
        return merged if isinstance(merged, Refusal) else Refusal("merge", "cannot be made again")
    proof = prove(record, event, change, span, governing.keep, present or present_then(landing))
    case = _case(record, landing, governing, (span, merged), proof, present or present_then(landing))
    return case if isinstance(case, Refusal) else (span, case)


def _case(
    record: Record, landing: Landing, governing: Governing, made: tuple[Range, Merged], proof: Proof, present: Present
) -> Case | Refusal:
    span, merged = made
    repository, policy = record.repository, governing.policy
    content = read_content_again(repository, governing, span, landing)
    if isinstance(content, Refusal):
        return content
    demands = find_demands(repository, governing, span, merged, present.owners)
    trials = find_trials(repository, governing.ref, span, merged, policy, present.owners)
    life = judge_result(repository, governing.land_method, span, merged) if landing.way == "change" else ()
    told = (content, demands, life, (), trials)
    paths = tuple(file.path for file in merged.files)
    hands = Contributors(proof.authors)
    seen = plan_then(record, landing)
    return Case(policy, governing, proof, hands, paths, span.fast_forward, *told, deployed=landing.deployed, plan=seen)


def change_when_it_landed(record: Record, number: int) -> ChangeRecord | None:
    """The change as it was; what was said of it after it had landed proves nothing about the landing."""
    events = list(record.events(meta_ref(number)))[::-1]
    landed = next((at for at, event in enumerate(events) if isinstance(event.body, ChangeLanded)), len(events))
    return fold_change(events[:landed], record.identity) if events else None


def exclude(case: Case, names: frozenset[str]) -> Case:
    """The same case, in which these people do not count either."""
    proof = case.proof
    return replace(case, proof=replace(proof, excluded=proof.excluded | names, authors=proof.authors | names))
