"""How pre-receive and proc-receive begin: the repository open, and the pusher known."""

from collections.abc import Mapping
from pathlib import Path

from gitops_hooks.entry.environment import Hook, read_hook
from gitops_hooks.entry.sitting import Sitting, find_actor, open_sitting
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.push import Actor


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
