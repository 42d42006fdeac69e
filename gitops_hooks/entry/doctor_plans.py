"""What doctor says of plans: branches that ask for one which nothing was granted for, where nothing can land."""

from collections.abc import Iterator

from gitops_hooks.core.govern import govern
from gitops_hooks.edge.diagnosis import Line, State
from gitops_hooks.edge.home import Home
from gitops_hooks.entry.sitting import open_sitting
from gitops_hooks.model.errors import EdgeError, PolicyError
from gitops_hooks.model.server import PLAN, RepositoryEntry, ServerFile


def plan_lines(home: Home, server: ServerFile, entry: RepositoryEntry) -> Iterator[Line]:
    """A note for each environment; what cannot be read is told of by lines of its own."""
    try:
        policy = open_sitting(home, entry.name, server=server).policy
    except (EdgeError, PolicyError):
        return
    for environment in policy.environments:
        governing = govern(policy, environment.branch)
        asked = governing is not None and any(rule.plan for rule in governing.rules)
        if asked and server.credentials_for(entry.id, environment.name, environment.branch, PLAN) is None:
            branch = environment.branch.removeprefix("refs/heads/")
            words = f"{branch} asks for plans, and there is no plan credential for {environment.name}"
            cure = f'add a [[credential]] with use = "plan" for {environment.name} to server.toml'
            yield Line(State.NOTE, f"plans of {entry.name}", words, cure)
