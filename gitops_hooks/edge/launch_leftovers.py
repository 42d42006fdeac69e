"""What a dead reconciler left running: found by run id, and ended before anything else is deployed."""

import os
import pwd
from collections.abc import Iterable
from pathlib import Path

from gitops_hooks.edge import living
from gitops_hooks.edge.launch_box import DEPLOY_PROGRAM, MODULE
from gitops_hooks.edge.living import Living

# A cut lifeline ends a child within this time; only what does not hear it must be killed.
_LIFELINE_SECONDS = 2.0


def leftovers(run_ids: Iterable[str], deploy_as: str = "") -> tuple[Living, ...]:
    """The programs of these runs that still live, by their argv and user; never anything of another run."""
    # A run without an id, as one that agents carry out, has no programs here: every program is without one.
    wanted = frozenset(run_ids) - {""}
    users = _users(deploy_as)
    return tuple(one for one in living.list_living() if _run_id(one) in wanted and _is_ours(one, users))


def end_leftovers(run_ids: Iterable[str], deploy_as: str = "", seconds: float = 5.0) -> tuple[Living, ...]:
    """End the programs of these runs; answers those that still live, and while there are any nothing may start."""
    wanted = tuple(run_ids)
    found = living.wait_gone(leftovers(wanted, deploy_as), _LIFELINE_SECONDS)
    living.end(found, gentle_seconds=0, seconds=seconds)
    return leftovers(wanted, deploy_as)


def _run_id(one: Living) -> str:
    # Before it has become the box, and in sudo's own words, it is the program that makes the box.
    if not {MODULE, str(DEPLOY_PROGRAM)} & set(one.argv) or "--run-id" not in one.argv[:-1]:
        return ""
    return one.argv[one.argv.index("--run-id") + 1]


def _users(deploy_as: str) -> frozenset[int]:
    try:
        return frozenset({os.geteuid(), *([pwd.getpwnam(deploy_as).pw_uid] if deploy_as else [])})
    except KeyError:
        return frozenset({os.geteuid()})


def _is_ours(one: Living, users: frozenset[int]) -> bool:
    # sudo itself runs as root, whoever asked for it.
    return one.owner in users or (one.owner == 0 and Path(one.argv[0]).name == "sudo")
