"""How an approved head becomes part of its branch: itself, or what the server makes from exactly (tip, head)."""

from gitops_hooks.model.commit import Range, Shape
from gitops_hooks.model.policy import LandMethod
from gitops_hooks.model.verdict import Requirement


def shape_of(method: LandMethod | Requirement, span: Range) -> Shape:
    """What landing makes; where the rules exclude each other nothing lands, and a merge stands for that."""
    match method:
        case LandMethod.SQUASH:
            single = len(span.commits) == 1 and len(span.commits[0].parents) == 1
            return Shape.ITSELF if span.fast_forward and single else Shape.SQUASH
        case LandMethod.REBASE:
            return Shape.ITSELF if span.fast_forward else Shape.REBASE
        case LandMethod.ALWAYS_MERGE:
            return Shape.MERGE
    return Shape.ITSELF if span.fast_forward else Shape.MERGE


def first_merge(span: Range) -> str:
    """A commit of several parents in the range, or ""."""
    return next((commit.oid for commit in span.commits if len(commit.parents) > 1), "")
