"""For tests of checks: a tree in memory, a change of it, and one call that gives the findings.

`MemoryRepository` has commits and branches; `gitops_hooks.testing_server` is a whole server, as a fixture of pytest.
"""

import hashlib
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from gitops_hooks.edge.parts import shown_change
from gitops_hooks.edge.tool_box import find_tools
from gitops_hooks.edge.tool_wire import Run
from gitops_hooks.edge.toolbox import Toolbox
from gitops_hooks.edge.workbench import Bench
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.server import Limits
from gitops_hooks.plugin import Change, ChangedFile, Check, Command, EdgeError, Entry, Finding, Ran, Tree, Workbench
from gitops_hooks.testing_repository import MemoryRepository

__all__ = ["MemoryRepository", "MemoryTree", "a_bench", "a_change", "commands_of", "run_check"]

FILE, EXECUTABLE, SYMLINK, FOLDER = 0o100644, 0o100755, 0o120000, 0o40000
_NOTHING = "0" * 40


def _oid(content: bytes) -> str:
    """The id that git gives to a blob."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class MemoryTree:
    """A Tree of these files; `modes` names those that are no plain files, `most` bounds the bytes of one read."""

    files: Mapping[str, bytes]
    modes: Mapping[str, int] = field(default_factory=dict)
    most: int = 4 * 1024 * 1024

    def entry(self, path: str) -> Entry | None:
        name = path.rsplit("/", 1)[-1]
        if path in self.files:
            return Entry(name, self.modes.get(path, FILE), _oid(self.files[path]))
        below = sorted(file for file in self.files if file.startswith(path + "/"))
        return Entry(name, FOLDER, _oid("\0".join(below).encode("utf-8", "surrogateescape"))) if below else None

    def size(self, path: str) -> int:
        return len(self.files[path]) if path in self.files else -1

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise EdgeError(path, "there is no such file in this tree")
        if len(self.files[path]) > self.most:
            raise EdgeError(path, f"is {len(self.files[path])} bytes; at most {self.most} are read")
        return self.files[path]

    def list(self, path: str = "") -> Iterator[Entry]:
        start = path + "/" if path else ""
        names = {file[len(start) :].split("/", 1)[0] for file in self.files if file.startswith(start)}
        for name in sorted(names):
            if found := self.entry(start + name):
                yield found


def a_change(tree: MemoryTree, paths: Sequence[str] | None = None, deleted: Sequence[str] = ()) -> Change:
    """A proposal for main that adds these paths of the tree (all, when none are named) and deletes those."""
    added = (
        ChangedFile(path, 0, _NOTHING, tree.modes.get(path, FILE), _oid(tree.files[path]))
        for path in (tree.files if paths is None else paths)
    )
    gone = (ChangedFile(path, FILE, _oid(b""), 0, _NOTHING) for path in deleted)
    return Change(1, "refs/heads/main", "a" * 40, "b" * 40, tuple(sorted((*added, *gone), key=lambda file: file.path)))


def run_check(
    check: Check,
    files: Mapping[str, bytes],
    *,
    changed: Sequence[str] | None = None,
    modes: Mapping[str, int] | None = None,
    options: Mapping[str, Any] | None = None,
    target: Mapping[str, bytes] | None = None,
    tool_folders: Sequence[Path] = (),
) -> tuple[Finding, ...]:
    """The findings of a check on a change that adds these files (`changed`: only those; the others were there).

    `options` are values as the check gets them, in place of its defaults; `target` is what the target branch
    holds, in place of the files that did not change. As on a server, the check is shown the files that its paths
    match, and not asked where there is none. `tool_folders` are as in server.toml, and
    a tool that wants a network of its own has it.
    """
    tree = MemoryTree(files, modes or {})
    change = a_change(tree, changed)
    if target is None:
        target = {path: files[path] for path in files if path not in {file.path for file in change.files}}
    bench = a_bench(check, options, MemoryTree(target, modes or {}), tree, tool_folders)
    shown = shown_change(check, change)
    given = check.run(shown, tree, bench) if shown.files else ()
    return tuple(each for each in given if not isinstance(each, Command))


def commands_of(
    check: Check, files: Mapping[str, bytes], options: Mapping[str, Any] | None = None
) -> tuple[Command, ...]:
    """The commands that a check gives on a change that adds these files; nothing is run."""
    tree = MemoryTree(files, {})
    shown = shown_change(check, a_change(tree, None))
    given = check.run(shown, tree, a_bench(check, options, tree=tree)) if shown.files else ()
    return tuple(each for each in given if isinstance(each, Command))


def a_bench(
    check: Check,
    options: Mapping[str, Any] | None = None,
    target: Tree = MemoryTree({}),
    tree: Tree = MemoryTree({}),
    tool_folders: Sequence[Path] = (),
) -> Workbench:
    """The workbench of a check with these options, all others at their defaults; tools run for real, in their box.

    Errors: ValueError.
    """
    found, networked = find_tools(check.tools, tool_folders, [tool.name for tool in check.tools])
    bench = Bench(_options(check, options or {}), target, found, own_network=networked)
    return _OpenBench(bench, tree, tuple(tool_folders))


@dataclass(frozen=True, slots=True)
class _OpenBench:
    """A Workbench in the test's own process; only its tools are confined."""

    bench: Bench
    tree: Tree
    folders: tuple[Path, ...] = ()

    @property
    def options(self) -> Mapping[str, Any]:
        return self.bench.options

    @property
    def target(self) -> Tree:
        return self.bench.target

    def tool(self, name: str) -> str | None:
        return self.bench.tool(name)

    def run(
        self,
        command: Sequence[str],
        *,
        files: Iterable[str] = (),
        given: Mapping[str, bytes] | None = None,
        stdin: bytes = b"",
        seconds: float | None = None,
        writable: bool = False,
    ) -> Ran:
        limits = Limits()
        request = Run(tuple(command), tuple(files), tuple((given or {}).items()), stdin, seconds, writable)
        with tempfile.TemporaryDirectory(prefix="gitops-check-") as folder:
            toolbox = Toolbox(self.bench, self.tree, self.folders, Path(folder), limits, self.say)
            try:
                return toolbox.run(request, time.monotonic() + limits.check_seconds)
            finally:
                toolbox.close()

    def say(self, text: str) -> None:
        return


def _options(check: Check, given: Mapping[str, Any]) -> dict[str, Any]:
    names = {option.name for option in check.options}
    if strange := sorted(given.keys() - names):
        raise ValueError(f"the check {check.name} has no option {', '.join(strange)}")
    values = {option.name: option.default for option in check.options if option.default is not None} | dict(given)
    if missing := sorted(names - values.keys()):
        raise ValueError(f"the check {check.name} needs its option {', '.join(missing)}")
    return values
