"""What a proposal's answer tells beside its decision: how far it reaches, and whose approvals hold for it already."""

from collections.abc import Sequence

from gitops_hooks.core.approve import counted_approvals
from gitops_hooks.core.decide import Case
from gitops_hooks.core.reach import Reached
from gitops_hooks.model.approval import Approval
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.judgement import Note

_NAMED = 8


def reach_notes(reached: Sequence[Reached]) -> tuple[Note, ...]:
    """`reaches 3 of 40 hosts of production: web1 web2 web3`, one an environment."""
    return tuple(Note("reaches", _reach(one)) for one in reached)


def _reach(one: Reached) -> str:
    name = one.environment
    if not one.bounded:
        return f"every host of {name}, however many: its inventory is none that can be counted"
    count = len({host for inventory in one.inventories for host in inventory.hosts} | one.hosts)
    if not one.hosts:
        return f"none of {count} hosts of {name}"
    shown = sorted(one.hosts)[:_NAMED]
    more = f" and {len(one.hosts) - len(shown)} more" if len(one.hosts) > len(shown) else ""
    return f"{len(one.hosts)} of {count} host{'' if count == 1 else 's'} of {name}: {' '.join(shown)}{more}"


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
