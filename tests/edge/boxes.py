"""Tools run for a test, as root and as somebody without any rights."""

import codecs
import ctypes
import os
import pickle
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops_hooks.edge.tool_box import find_tool
from gitops_hooks.edge.tool_wire import Run
from gitops_hooks.edge.toolbox import Toolbox
from gitops_hooks.edge.workbench import Bench
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.server import Limits
from gitops_hooks.model.tool import Ran
from gitops_hooks.testing import MemoryTree

# A number that nobody has here: as root it takes the place of the ordinary user.
ORDINARY = 54321
WHO = ("root", "ordinary") if os.geteuid() == 0 else ("ordinary",)
NAMES = ("sh", "bash", "cat", "sleep", "yes", "tail", "ls", "id", "nosuch")
# An ordinary user may not read this interpreter's own folder any more, and encodings are loaded when asked for.
codecs.lookup("ascii")

FILES = {"site.yml": b"a: 1\n", "roles/web/tasks/main.yml": b"[]\n", "bin/run": b"#!/bin/sh\necho ran\n"}
TREE = MemoryTree(FILES, {"bin/run": 0o100755})
LIMITS = Limits(tool_memory=128 * 1024**2, tool_output=100_000, tool_room=4 * 1024**2, tool_tasks=40)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run gave: how the tool ended, or why it did not begin; and what the verdict says of it."""

    ran: Ran | None
    refusal: str
    faults: tuple[str, ...]
    left: tuple[str, ...]


class Tools:
    """Runs tools for one test as this user or an ordinary one."""

    def __init__(self, who: str, scratch: Path) -> None:
        self.who, self.scratch = who, scratch

    def __call__(self, *command: str, tree: MemoryTree = TREE, limits: Limits = LIMITS, **more: object) -> Ran:
        answer = self.ask(*command, tree=tree, limits=limits, **more)
        assert answer.ran is not None, answer.refusal
        return answer.ran

    def ask(self, *command: str, tree: MemoryTree = TREE, limits: Limits = LIMITS, **more: object) -> Answer:
        return self.do(lambda: _run(Run(command, **more), tree, limits, self.scratch))  # type: ignore[arg-type]

    def do(self, work: Callable[[], Any]) -> Any:  # what the work answers
        """In a process of its own, which ends as a judge does."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                if self.who == "ordinary" and os.geteuid() == 0:
                    os.setgroups([])
                    os.setresgid(ORDINARY, ORDINARY, ORDINARY)
                    os.setresuid(ORDINARY, ORDINARY, ORDINARY)
                    ctypes.CDLL(None).prctl(4, 1)  # its own /proc is its own again
                with os.fdopen(writing, "wb") as pipe:
                    pickle.dump(work(), pipe)
            except Exception:  # noqa: BLE001  # told here, since the fork ends without a word
                traceback.print_exc()
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read()
        os.waitpid(pid, 0)
        return pickle.loads(said)


def _run(run: Run, tree: MemoryTree, limits: Limits, scratch: Path) -> Answer:
    found: Mapping[str, str | None] = {name: find_tool(name, ()) for name in NAMES}
    bench = Bench({}, tree, {name: path for name, path in found.items() if path})
    toolbox = Toolbox(bench, tree, (), scratch, limits, lambda text: None)
    ran, refusal = None, ""
    try:
        ran = toolbox.run(run, time.monotonic() + 20)
    except EdgeError as error:
        refusal = str(error)
    finally:
        toolbox.close()
    return Answer(ran, refusal, tuple(toolbox.faults), tuple(str(path) for path in scratch.rglob("*")))


@contextmanager
def tools_of(who: str) -> Iterator[Tools]:
    folder = Path(tempfile.mkdtemp(prefix="gt-"))
    try:
        if os.geteuid() == 0 and who == "ordinary":
            os.chown(folder, ORDINARY, ORDINARY)
        yield Tools(who, folder / "tools")
    finally:
        shutil.rmtree(folder)
