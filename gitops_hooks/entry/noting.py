"""What is told with a proposal and decides nothing; whatever is in its way, the proposal goes on."""

from gitops_hooks.core.notes import kept_notes, reach_notes
from gitops_hooks.core.reach import Reached
from gitops_hooks.core.rendered_notes import PROPOSAL_LINES, rendered_notes
from gitops_hooks.entry.matter import Matter
from gitops_hooks.entry.reaching import find_reach
from gitops_hooks.entry.rendering import render_matter
from gitops_hooks.entry.sitting import Checker, Sitting
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.judgement import Note


def find_notes(sitting: Sitting, matter: Matter, check: Checker) -> tuple[Note, ...]:
    """How far a change reaches in each environment of its branch, what it makes different there as far as that needs
    no host, and the approvals that it keeps."""
    return (*_reach(sitting, matter, check), *kept_notes(matter.case, matter.record))


def _reach(sitting: Sitting, matter: Matter, check: Checker) -> tuple[Note, ...]:
    try:
        reached = reach_of_matter(sitting, matter)
    except EdgeError as error:
        return (Note("reaches", f"nobody can say how far: {error}"),)

    def look(seconds: float) -> tuple[Note, ...]:
        return rendered_notes(render_matter(sitting, matter, reached, seconds), PROPOSAL_LINES)

    shown = check.shown(f"{matter.standing.ref} {matter.span.head} {matter.merged.tree}", look) if reached else ()
    return (*reach_notes(reached), *shown)


def reach_of_matter(sitting: Sitting, matter: Matter) -> tuple[Reached, ...]:
    """What a landing would touch, in each environment of its branch."""
    repository, ref = sitting.repository, matter.standing.ref
    if not any(environment.branch == ref for environment in sitting.policy.environments):
        return ()
    trees = (repository.tree_of(matter.span.tip), matter.merged.tree)
    return find_reach(repository, sitting.policy, ref, trees, matter.case.paths)
