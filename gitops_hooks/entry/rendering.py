"""What a change makes different that needs no host: each environment's deployer is asked, confined and in little time.

It decides nothing and refuses nothing: whatever is in its way is told instead.
"""

import time
from collections.abc import Sequence

from gitops_hooks.core.reach import Reached
from gitops_hooks.core.rendered_notes import RenderedEnvironment
from gitops_hooks.entry.asking import grounds_of
from gitops_hooks.entry.matter import Matter
from gitops_hooks.entry.reaching import read_sides
from gitops_hooks.entry.sitting import Sitting
from gitops_hooks.hookspec import Preview, Rendering
from gitops_hooks.model.change import Change
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.rendered import Rendered, Unrendered

Found = tuple[Rendered | Unrendered, ...]


def render_matter(
    sitting: Sitting, matter: Matter, reached: Sequence[Reached], seconds: float
) -> tuple[RenderedEnvironment, ...]:
    """What is to be told of the environments that a landing reaches; all of them share the time."""
    until, told = time.monotonic() + seconds, []
    deployers = sitting.plugins.deployers() if reached else {}
    for one in reached:
        environment = sitting.policy.environment(one.environment)
        deployer = deployers.get(environment.deployer) if environment else None
        if environment is None or deployer is None or deployer.render is None or not (one.hosts or not one.bounded):
            continue
        if found := _render(sitting, matter, environment, (one, deployer.render), until - time.monotonic()):
            told.append(RenderedEnvironment(environment.name, found))
    return tuple(told)


def _render(
    sitting: Sitting, matter: Matter, environment: Environment, asked: tuple[Reached, Rendering], seconds: float
) -> Found:
    # Imported where something is rendered: most pushes concern no environment.
    from gitops_hooks.edge.render import both_grounds, render

    reached, rendering = asked
    if seconds <= 0:
        return (Unrendered("the time for it was spent on other environments"),)
    try:
        old, new = read_sides(
            sitting.repository, environment, (sitting.repository.tree_of(matter.span.tip), matter.merged.tree)
        )
        hosts = tuple(sorted(reached.hosts)) if reached.bounded else None
        preview = Preview(environment, old, new, tuple(file.path for file in matter.merged.files), hosts)
        change = Change(0, matter.standing.ref, matter.span.base, matter.span.head, matter.merged.files)
        grounds = grounds_of(sitting, change, matter.merged.tree)
        both = both_grounds(grounds, old.tree, new.tree, grounds.scratch)
        return render(rendering, preview, both, sitting.server.limits, seconds)
    except EdgeError as error:
        return (Unrendered(str(error)),)
