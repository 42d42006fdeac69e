"""How every hook begins: the environment that the entry made, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitops_hooks.edge.home import Home
from gitops_hooks.entry.sitting import Sitting, find_actor, open_sitting
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.push import Actor


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


def open_hook(environ: Mapping[str, str], *, quarantine: bool) -> tuple[Hook, Sitting, Actor]:
    """The hook, its repository opened, and who pushes. Errors: EdgeError, PolicyError."""
    hook = read_hook(environ)
    sitting = open_sitting(hook.home, hook.repository, environ if quarantine else None)
    # The hook must be of the repository whose rights and policy are asked.
    if Path.cwd().resolve() != sitting.entry.path.resolve():
        raise EdgeError(hook.repository, "is not the repository that git is working in")
    return hook, sitting, find_actor(sitting, environ)


def push_folder(hook: Hook, sitting: Sitting) -> Path:
    """Where the hooks of one push leave word for each other."""
    return sitting.state / "pushes" / hook.push
