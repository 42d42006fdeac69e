"""Which older revisions' approvals hold for a head: made out from objects alone, never from the look of a patch."""

from collections.abc import Iterator

from gitops_hooks.edge.repository import Repository
from gitops_hooks.model.approval import Kept
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.commit import Range
from gitops_hooks.model.policy import Keep


def find_kept(repository: Repository, record: ChangeRecord | None, span: Range, keep: Keep) -> tuple[Kept, ...]:
    """The (base, head) of whatever was said before that holds for `span` as well, with the reason.

    A rejection is kept as an approval is: otherwise a rebase would shake it off and leave the approvals.
    """
    if record is None or keep is Keep.NOTHING:
        return ()
    found = []
    for base, head in dict.fromkeys(_said_of(record)):
        if (base, head) != (span.base, span.head) and (kind := _kind(repository, base, head, span, keep)):
            found.append(Kept(base, head, kind.value))
    return tuple(found)


def _said_of(record: ChangeRecord) -> Iterator[tuple[str, str]]:
    for approval in record.approvals:
        if approval.carries:
            yield approval.base, approval.head
    for rejection in record.rejections:
        for revision in record.revisions:
            if revision.head == rejection.head:
                yield revision.base, revision.head


def _kind(repository: Repository, base: str, head: str, span: Range, keep: Keep) -> Keep | None:
    same = repository.tree_of(head) == repository.tree_of(span.head)
    if base == span.base:
        # On one base the merge of the two is the approved tree itself: both words ask the same.
        return Keep.NO_CODE_CHANGE if same else None
    if keep is not Keep.TRIVIAL_REBASE or not repository.descends(span.base, base):
        return None
    merged = repository.merge_onto(base, span.base, head)
    return Keep.TRIVIAL_REBASE if merged == repository.tree_of(span.head) else None
