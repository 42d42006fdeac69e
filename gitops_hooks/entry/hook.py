"""How pre-receive and proc-receive begin: the repository open, and the pusher known."""

from collections.abc import Mapping
from pathlib import Path

from gitops_hooks.core.approvers import missing_approvers
from gitops_hooks.core.policy_branches import gap
from gitops_hooks.entry.environment import Hook, read_hook
from gitops_hooks.entry.sitting import POLICY_PATH, RECOVERY, Sitting, find_actor, open_sitting
from gitops_hooks.model.errors import EdgeError, Fault, PolicyError
from gitops_hooks.model.push import Actor


def open_hook(environ: Mapping[str, str], *, quarantine: bool) -> tuple[Hook, Sitting, Actor]:
    """The hook, its repository opened, and who pushes. Errors: EdgeError, PolicyError."""
    hook = read_hook(environ)
    # Checks are run in pre-receive alone: under the lock nothing is, and each event of a push is signed there.
    sitting = open_sitting(hook.home, hook.repository, environ if quarantine else None, in_place=not quarantine)
    # The hook must be of the repository whose rights and policy are asked.
    if Path.cwd().resolve() != sitting.entry.path.resolve():
        raise EdgeError(hook.repository, "is not the repository that git is working in")
    refuse_open_ways(sitting)
    return hook, sitting, find_actor(sitting, environ)


def open_ways(sitting: Sitting) -> tuple[str, ...]:
    """Why the policy in force protects the default branch too little, or lets nobody approve."""
    if hole := gap(sitting.policy.branches, sitting.default_name):
        return (f"the default branch {sitting.default_name} {hole}",)
    return missing_approvers(sitting.policy, sitting.default.ref, sitting.people)


def refuse_open_ways(sitting: Sitting) -> None:
    """Errors: PolicyError, which names the way back, where the policy in force leaves one open."""
    if ways := open_ways(sitting):
        raise PolicyError(POLICY_PATH, tuple(Fault(0, words) for words in (*ways, RECOVERY)))


def push_folder(hook: Hook, sitting: Sitting) -> Path:
    """Where the hooks of one push leave word for each other."""
    return sitting.state / "pushes" / hook.push
