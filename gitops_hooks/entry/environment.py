"""What the forced command tells the hooks through the environment."""

from collections.abc import Mapping
from pathlib import Path

from gitops_hooks.edge.home import Home
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook of one push."""

    home: Home
    repository: str
    push: str


def read_hook(environ: Mapping[str, str]) -> Hook:
    """Errors: EdgeError where the hook was not started by the forced command."""
    names = ("GITOPS_HOOKS_HOME", "GITOPS_HOOKS_REPOSITORY", "GITOPS_HOOKS_PUSH")
    if not all(environ.get(name) for name in names):
        raise EdgeError("this repository", "takes pushes over SSH only, by the server's own command")
    home, repository, push = (environ[name] for name in names)
    return Hook(Home(Path(home)), repository, push)


def is_agent(environ: Mapping[str, str]) -> bool:
    """Whether the forced command let an agent in, and nobody else."""
    return environ.get("GITOPS_HOOKS_KIND") == "agent"
