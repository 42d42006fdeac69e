"""Refs of a change that go: of one whose content was purged, and of one that a killed writer never recorded."""

from gitops_hooks.edge.ledger import Ledger
from gitops_hooks.edge.refs import RefMove
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.push import NO_OID


def drop_content(ledger: Ledger, record: ChangeRecord) -> None:
    """Delete the refs that hold a purged change's commits; its history is a ref of its own."""
    names = [str(number) for number in range(1, record.head.number + 1)]
    for name in ("head", *names):
        ref = f"refs/changes/{record.number}/{name}"
        stands = ledger.record.repository.tip(ref)
        if stands != NO_OID and (lost := ledger.refs.move([RefMove(ref, stands, NO_OID)])):
            raise EdgeError(ref, lost.words)


def drop_unborn(sitting: Sitting, number: int) -> None:
    """A killed writer recorded no revision of this number: there is no such change, and its refs go."""
    revision = 1
    while (stands := sitting.repository.tip(ref := f"refs/changes/{number}/{revision}")) != NO_OID:
        if lost := sitting.ledger.refs.move([RefMove(ref, stands, NO_OID)]):
            raise EdgeError(ref, lost.words)
        revision += 1
    sitting.record.index.forget(number)
