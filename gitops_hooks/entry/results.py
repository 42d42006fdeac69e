"""What a landing makes of exactly (tip, approved head): for the one who lands and for whoever judges it again."""

from collections.abc import Sequence
from datetime import datetime

import pygit2

from gitops_hooks.core.decide import fails
from gitops_hooks.core.results import Inscription, Planned, commit_text, plan_merge, plan_rebased, plan_squash
from gitops_hooks.core.shape import first_merge, shape_of
from gitops_hooks.edge.objects import ObjectWriter
from gitops_hooks.edge.replay import replay
from gitops_hooks.edge.repository import Repository
from gitops_hooks.model.commit import Merged, Range, Shape
from gitops_hooks.model.policy import LandMethod
from gitops_hooks.model.request import Refusal
from gitops_hooks.model.verdict import Requirement


def judge_result(
    repository: Repository, method: LandMethod | Requirement, span: Range, merged: Merged
) -> tuple[Requirement, ...]:
    """Whether the branch's way of landing can make anything of this head; nothing is said where it can."""
    if method is LandMethod.REBASE and (merge := first_merge(span)):
        return (
            fails("land_method", f"{merge[:7]} is a merge, and the branch takes none (rebase). Rebase, and propose."),
        )
    shape = shape_of(method, span)
    if shape in (Shape.ITSELF, Shape.MERGE):
        return ()
    if merged.tree == repository.tree_of(span.tip):
        return (fails("land_method", "Nothing of it is left to land: the branch has all of it already."),)
    planned = _rebased(repository, span, merged, Inscription(0, "", "", "")) if shape is Shape.REBASE else ()
    return (fails("land_method", planned.reason),) if isinstance(planned, Refusal) else ()


def plan_result(
    repository: Repository, shape: Shape, span: Range, merged: Merged, landing: Inscription
) -> tuple[Planned, ...] | Refusal:
    """The commits that the server makes on top of the tip, oldest first; none where the head itself lands."""
    match shape:
        case Shape.ITSELF:
            return ()
        case Shape.MERGE:
            return (plan_merge(merged.tree, span.head, landing),)
        case Shape.SQUASH:
            return (plan_squash(merged.tree, span.commits, landing),)
        case Shape.REBASE:
            return _rebased(repository, span, merged, landing)


def _rebased(
    repository: Repository, span: Range, merged: Merged, landing: Inscription
) -> tuple[Planned, ...] | Refusal:
    """Each commit again; together they must give the tree that was merged, judged and checked."""
    replayed = replay(repository, span.tip, span.commits)
    if isinstance(replayed, Refusal):
        return replayed
    if not replayed or replayed[-1].tree != merged.tree:
        return Refusal(
            "rebase", "Commit by commit it gives another tree than merged at once. Rebase, and propose again."
        )
    return tuple(plan_rebased(each.commit, each.tree, landing) for each in replayed)


def write_result(objects: ObjectWriter, planned: Sequence[Planned], tip: str, head: str, at: datetime) -> str:
    """Make the commits; the one that the branch moves to."""
    made = tip
    for each in planned:
        made = objects.write_planned(each, made, at)
    return made if planned else head


def is_result(repository: Repository, new: str, planned: Sequence[Planned], span: Range, at: datetime) -> bool:
    """Whether a commit is, byte for byte but for the signature, what the plan makes of the tip at that time."""
    if not planned:
        return new == span.head
    for each in reversed(planned):
        found = repository.git2[new].peel(pygit2.Commit)
        parent = str(found.parent_ids[0]) if found.parent_ids else ""
        if _unsigned(found) != commit_text(each, parent, at).encode():
            return False
        new = parent
    return new == span.tip


def _unsigned(commit: pygit2.Commit) -> bytes:
    """The commit's bytes without its signature; none where it has no signature, as all that the server makes has."""
    try:
        return commit.gpg_signature[1]
    except KeyError:
        return b""
