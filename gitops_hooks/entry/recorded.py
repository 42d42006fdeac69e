"""One recorded landing, held against any policy: from the record and the objects alone."""

from dataclasses import replace

from gitops_hooks.core.approve import Contributors, Proof
from gitops_hooks.core.decide import Case
from gitops_hooks.core.fold import fold_change
from gitops_hooks.core.govern import govern
from gitops_hooks.edge.record import Record, meta_ref
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.commit import Range
from gitops_hooks.model.event import ChangeLanded, Event, Landing
from gitops_hooks.model.policy import Policy
from gitops_hooks.model.request import Refusal


def recorded_case(
    record: Record, event: Event, policy: Policy, change: ChangeRecord | None, bots: frozenset[str] = frozenset()
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
    hands = frozenset(landing.authors) | (change.uploaders if change else {event.stamp.actor})
    commits = frozenset(commit.oid for commit in span.commits)
    bound = (record.identity, landing.ref, span.base, span.head, commits)
    proof = Proof(*bound, hands | bots, hands, *((change.approvals, change.rejections) if change else ((),)))
    paths = tuple(file.path for file in merged.files)
    return span, Case(policy, governing, proof, Contributors(hands), paths, span.fast_forward)


def change_when_it_landed(record: Record, number: int) -> ChangeRecord | None:
    """The change as it was; what was said of it after it had landed proves nothing about the landing."""
    events = list(record.events(meta_ref(number)))[::-1]
    landed = next((at for at, event in enumerate(events) if isinstance(event.body, ChangeLanded)), len(events))
    return fold_change(events[:landed], record.identity) if events else None


def exclude(case: Case, names: frozenset[str]) -> Case:
    """The same case, in which these people do not count either."""
    proof = case.proof
    return replace(case, proof=replace(proof, excluded=proof.excluded | names, authors=proof.authors | names))
