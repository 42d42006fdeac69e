"""The judge's side of a workbench: it runs the tools that a confined check asks for, and lets it speak."""

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from gitops_hooks.edge.scratch import Scratch, open_scratch
from gitops_hooks.edge.tool_box import Passwd, View, box_command, lay_passwd
from gitops_hooks.edge.tool_run import Bounds, Ends, run_boxed
from gitops_hooks.edge.tool_tree import WHOLE, write_given, write_tree
from gitops_hooks.edge.tool_wire import (
    BESIDE,
    TOOL,
    TREE,
    Incoming,
    Look,
    Malformed,
    Over,
    Run,
    Say,
    encode_fault,
    encode_ran,
    parse_request,
    write_until,
)
from gitops_hooks.edge.workbench import Bench
from gitops_hooks.hookspec import Tree
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.server import Limits
from gitops_hooks.model.tool import Ran

_PAUSE = 1.0
_MOST_LINES = 30
MOST_LOOKS = 10_000
_LOOKS_ROOM = 1024 * 1024


class Toolbox:
    """The Hatch (sandbox_child.py) of one check, an open resource; `faults` are why its verdict must be an ERROR.

    `looks` are where it has looked, in its order; nothing that it says later takes one back. With more of them than
    are kept it has `overlooked` some. It `ran` where a tool was asked for; which, `began` is told at the first. While
    one runs `waiting` is called several times a second.
    """

    def __init__(
        self,
        bench: Bench,
        tree: Tree,
        folders: Sequence[Path],
        scratch: Path,
        limits: Limits,
        say: Callable[[str], None],
    ) -> None:
        self.faults: list[str] = []
        self.looks: dict[Look, None] = {}
        self.ran = False
        self.began: Callable[[tuple[str, ...]], None] = lambda names: None
        self.waiting: Callable[[], None] = lambda: None
        self.overlooked, self._room = False, _LOOKS_ROOM
        self._bench, self._tree, self._limits, self._say = bench, tree, limits, say
        self._folders, self._parent = folders, scratch
        self._scratch: Scratch | None = None
        self._passwd: Passwd | None = None
        self._trees: dict[tuple[str, ...], Path] = {}
        self._spoken, self._lines = 0.0, 0
        self._incoming: Incoming | None = None

    @property
    def end(self) -> int:
        return self._bench.end

    @end.setter
    def end(self, number: int) -> None:
        self._bench.end = number

    def serve(self, asked: int, deadline: float) -> str | None:
        incoming = self._incoming = self._incoming or Incoming(asked)
        incoming.deadline = deadline
        while time.monotonic() < deadline:
            try:
                request = parse_request(incoming)
            except (Over, ConnectionError):
                return None
            except (Malformed, OSError):
                return "asked for something that is no request"
            self._serve(request, asked, deadline)
            if not incoming.has_more():
                return ""
        return f"took longer than {self._limits.check_seconds:g} s"

    def _serve(self, request: Run | Say | Look, asked: int, deadline: float) -> None:
        match request:
            case Look():
                self._note(request)
            case Say():
                self._speak(request.text)
            case Run():
                for path in request.files:
                    self._note(Look(TREE, "" if path == WHOLE else path))
                # A tool may start another, in words that are known here or in ways that are not.
                for name in self._bench.declared:
                    named = any(name in word for word in request.command)
                    self._note(Look(TOOL if named else BESIDE, name))
                self._answer(request, asked, deadline)

    def _note(self, look: Look) -> None:
        self._room -= len(look.path)
        if self._room < 0 or len(self.looks) >= MOST_LOOKS:
            self.overlooked = True
        else:
            self.looks[look] = None

    def _answer(self, request: Run, asked: int, deadline: float) -> None:
        if not self.ran:
            self.ran = True
            self.began(tuple(look.path for look in self.looks if look.side == TOOL))
        try:
            answer = encode_ran(self.run(request, deadline))
        except EdgeError as error:
            self.faults.append(str(error))
            answer = encode_fault(error.what)
        # A check that has ended, or whose time is over, hears nothing; its end is told elsewhere.
        with contextlib.suppress(Malformed, OSError):
            write_until(asked, answer, deadline)

    def _speak(self, text: str) -> None:
        now = time.monotonic()
        if now - self._spoken >= _PAUSE and self._lines < _MOST_LINES:
            self._spoken, self._lines = now, self._lines + 1
            self._say(text)

    def run(self, request: Run, deadline: float) -> Ran:
        """Errors: EdgeError where it cannot be run."""
        name = next((word for word in request.command if "=" not in word), "")
        if name not in self._bench.tools and name not in self._bench.tools.values():
            raise EdgeError(name or "tool", "is no tool that this check declares, or this server has none of that name")
        own = [name for each in self._bench.own_network if name in (each, self._bench.tools.get(each))]
        view = replace(self._view(request), own_network=bool(own))
        left = max(0.0, deadline - time.monotonic())
        seconds = left if request.seconds is None else min(left, request.seconds)
        bounds = Bounds(time.monotonic() + seconds, seconds, self._limits.tool_memory, self._limits.tool_output)

        def command(ends: Ends) -> list[str]:
            return [*box_command(view, self._folders, self._limits, ends), *request.command]

        ran = run_boxed(command, request.stdin, bounds, waiting=self.waiting)
        if ran.status in (126, 127) and ran.stderr.startswith(b"/usr/bin/env: "):
            said = ran.stderr[:200].decode("utf-8", "replace").strip().rpartition(": ")[2]
            raise EdgeError(name, f"does not start in its box: {said}")
        if ran.cut:
            self.faults.append(f"{name}: {ran.cut}")
        return ran

    def _view(self, request: Run) -> View:
        # As root, the tool is somebody else and must be able to read what is written here.
        before = os.umask(0o022)
        try:
            return self._write(request)
        finally:
            os.umask(before)

    def _write(self, request: Run) -> View:
        try:
            folder, passwd = self._open()
            given = Path(tempfile.mkdtemp(dir=folder)) / "given" if request.given else None
        except OSError as error:
            raise EdgeError("tools", f"no room for files that a tool reads: {error.strerror}") from None
        if given is not None:
            write_given(request.given, given)
        tree = self._written(folder, request.files) if request.files else None
        return View(passwd, tree, given, request.writable)

    def _open(self) -> tuple[Path, Passwd]:
        """The folder of this check and who its tools are, for its first tool."""
        if self._scratch is None:
            self._scratch = open_scratch(self._parent)
        if self._passwd is None:
            self._passwd = lay_passwd(self._scratch.folder)
        return self._scratch.folder, self._passwd

    def _written(self, folder: Path, paths: tuple[str, ...]) -> Path:
        """The folder with these paths; the same ones are written once."""
        if paths not in self._trees:
            place = folder / f"tree-{len(self._trees)}"
            write_tree(self._tree, paths, place, self._limits)
            self._trees[paths] = place
        return self._trees[paths]

    def close(self) -> None:
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = None
