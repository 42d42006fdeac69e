"""What a proposal's answer tells beside its decision: how far it reaches, and whose approvals hold for it already."""

from collections.abc import Collection, Sequence

from gitops_hooks.core.approve import counted_approvals
from gitops_hooks.core.decide import Case
from gitops_hooks.core.reach import Reached
from gitops_hooks.model.approval import Approval
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.judgement import Note

_NAMED = 8
_NAMED_WHY = 3
_REASONS = 3


def reach_notes(reached: Sequence[Reached], most: int = _REASONS) -> tuple[Note, ...]:
    """`reaches 3 of 40 hosts of production: web1 web2 web3`, and below it why, at most so many reasons of each."""
    return tuple(note for one in reached for note in (Note("reaches", _reach(one)), *_why(one, most)))


def _why(one: Reached, most: int) -> tuple[Note, ...]:
    told = [Note("", f"{_names(why.hosts, _NAMED_WHY)}: {why.words}") for why in one.why[:most]]
    more = len(one.why) - most
    return (*told, Note("", f"and {more} more reasons: change show")) if more > 0 else tuple(told)


def _reach(one: Reached) -> str:
    name = one.environment
    if not one.bounded:
        return f"every host of {name}, however many: its inventory is none that can be counted"
    count = len({host for inventory in one.inventories for host in inventory.hosts} | one.hosts)
    if not one.hosts:
        return f"none of {count} hosts of {name}"
    return f"{len(one.hosts)} of {count} host{'' if count == 1 else 's'} of {name}: {_names(one.hosts, _NAMED)}"


def _names(hosts: Collection[str], most: int) -> str:
    more = f" and {len(hosts) - most} more" if len(hosts) > most else ""
    return " ".join(sorted(hosts)[:most]) + more


def kept_notes(case: Case, record: ChangeRecord | None) -> tuple[Note, ...]:
    """Each approval of an older revision that counts for this head, with what allows that."""
    if record is None:
        return ()
    counted = counted_approvals(case.demands.rules, case.policy, case.proof)
    return tuple(
        Note("kept", f"{approval.actor}'s approval of {_revision(record, approval)} ({kept.kind})")
        for approval in counted
        if not case.proof.is_exact(approval) and (kept := case.proof.kept_as(approval))
    )


def _revision(record: ChangeRecord, approval: Approval) -> str:
    found = record.revision_at(approval.head)
    return f"revision {found.number}" if found else approval.head[:7]
