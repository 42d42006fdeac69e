"""One command of a repository in the box of tools: a writable copy of the tree, no network, and a log as it goes."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gitops_hooks.edge.scratch import open_scratch
from gitops_hooks.edge.tool_box import View, box_command, lay_passwd
from gitops_hooks.edge.tool_run import Bounds, Ends, run_boxed
from gitops_hooks.edge.tool_tree import WHOLE, write_tree
from gitops_hooks.hookspec import Tree
from gitops_hooks.model.command import Command, CommandState
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.server import Limits
from gitops_hooks.model.tool import Ran

RUN = "GITOPS_HOOKS_RUN"
# What it says to both its ends comes in its own order.
_TOGETHER = ("/bin/sh", "-c", 'exec "$@" 2>&1', "sh")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, whole seconds, and in the server's own words why it did not pass."""

    state: CommandState
    status: int = 0
    seconds: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where commands run: the server's limits, its folders of tools, and where the tree is written for the box."""

    limits: Limits
    folders: tuple[Path, ...]
    scratch: Path


def run_command(command: Command, tree: Tree, place: Place, run: str, hear: Callable[[bytes], object]) -> Ended:
    """Run it to its end or a limit; `run` is a word that its box carries, and `hear` gets what it writes."""
    began = time.monotonic()
    try:
        ran = _run(command, tree, place, run, hear)
    except EdgeError as error:
        return Ended(CommandState.ERROR, 0, _since(began), str(error))
    except OSError as error:
        return Ended(CommandState.ERROR, 0, _since(began), f"no room for the tree that it reads: {error.strerror}")
    return _ended(ran, _since(began))


def _since(began: float) -> int:
    return round(time.monotonic() - began)


def _run(command: Command, tree: Tree, place: Place, run: str, hear: Callable[[bytes], object]) -> Ran:
    seconds = min(float(command.seconds), place.limits.command_seconds)
    # The box's own limits are those of a check, which takes seconds.
    limits = replace(place.limits, check_seconds=seconds)
    before = os.umask(0o022)  # as root, the command is somebody else and must be able to read the tree
    try:
        scratch = open_scratch(place.scratch)
        try:
            passwd = lay_passwd(scratch.folder)
            write_tree(tree, (WHOLE,), scratch.folder / "tree", limits)
            view = View(passwd, scratch.folder / "tree", None, True)
            bounds = Bounds(time.monotonic() + seconds, seconds, limits.tool_memory, limits.command_log)

            def box(ends: Ends) -> list[str]:
                return [*box_command(view, place.folders, limits, ends), f"{RUN}={run}", *_TOGETHER, *command.words]

            return run_boxed(box, b"", bounds, hear)
        finally:
            scratch.remove()
    finally:
        os.umask(before)


def _ended(ran: Ran, seconds: int) -> Ended:
    if ran.timed_out:
        return Ended(CommandState.LATE, ran.status, seconds, ran.cut)
    if ran.cut or ran.status:
        return Ended(CommandState.FAILED, ran.status, seconds, ran.cut or f"ended with {ran.status}")
    return Ended(CommandState.PASSED, 0, seconds)
