"""What a deployer renders of a change, made in the confined child of checks, in time; read as a stranger's words."""

import json
import signal
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NoReturn

from gitops_hooks.edge.sandbox import SandboxLimits, run_confined
from gitops_hooks.edge.tool_box import find_tools
from gitops_hooks.edge.toolbox import Toolbox
from gitops_hooks.edge.workbench import Bench, Grounds
from gitops_hooks.hookspec import Entry, Preview, Rendering, Tree
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.rendered import Rendered, Unrendered
from gitops_hooks.model.server import Limits

MOST = 200
TEXT = 8_000
_WHAT = 400
_HOSTS = 1_000
_ANSWER = 4 * 1024 * 1024
# What was found by then is kept; only what does not hear the alarm is ended with all of it.
_GRACE = 0.5

Found = tuple[Rendered | Unrendered, ...]


class _Late(BaseException):
    """The time is up; no plugin's own `except Exception` hears of it."""


@dataclass(frozen=True, slots=True)
class BothTrees:
    """Two trees as the folders `old` and `new` of one, for tools."""

    old: Tree
    new: Tree

    def _side(self, path: str) -> tuple[Tree, str]:
        name, _, rest = path.partition("/")
        return (self.old if name == "old" else self.new), rest

    def entry(self, path: str) -> Entry | None:
        tree, rest = self._side(path)
        return tree.entry(rest) if rest else Entry(path, 0o40000, "")

    def size(self, path: str) -> int:
        tree, rest = self._side(path)
        return tree.size(rest)

    def read(self, path: str) -> bytes:
        tree, rest = self._side(path)
        return tree.read(rest)

    def list(self, path: str = "") -> Iterator[Entry]:
        if not path:
            return iter((Entry("old", 0o40000, ""), Entry("new", 0o40000, "")))
        tree, rest = self._side(path)
        return tree.list(rest)


def render(rendering: Rendering, preview: Preview, grounds: Grounds, limits: Limits, seconds: float) -> Found:
    """What the deployer tells; where it fails, is late or says nothing that can be read, that is what is told."""
    tools, _ = find_tools(rendering.tools, grounds.folders, ())
    bench = Bench({}, grounds.target, tools, -1, tuple(tool.name for tool in rendering.tools))
    toolbox = Toolbox(bench, grounds.whole, grounds.folders, grounds.scratch, limits, lambda text: None)
    budget = SandboxLimits(seconds=seconds + _GRACE, memory=limits.check_memory, output=_ANSWER)
    work = partial(_work, rendering, preview, bench, seconds)
    try:
        confined = run_confined(work, readable=grounds.readable, limits=budget, hatch=toolbox)
    finally:
        toolbox.close()
    if confined.failure:
        return (Unrendered(f"what is rendered: it {confined.failure}"),)
    return _parse(confined.output)


def _work(rendering: Rendering, preview: Preview, bench: Bench, seconds: float) -> bytes:
    """Inside. Errors: whatever the plugin raises."""
    found: list[list[object]] = []
    signal.signal(signal.SIGALRM, _be_late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        _collect(rendering.run(preview, bench), found)
    except _Late:
        found.append(["?", f"it took longer than {seconds:.1f} s, and the rest was not looked at", []])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return json.dumps(found).encode()


def _be_late(number: int, frame: object) -> NoReturn:
    raise _Late


def _collect(given: Iterable[Rendered | Unrendered], found: list[list[object]]) -> None:
    for one in given:
        if len(found) >= MOST:
            found.append(["?", f"only the first {MOST} of what differs were looked at", []])
            return
        if isinstance(one, Unrendered):
            found.append(["?", one.why[:_WHAT], list(one.hosts[:_HOSTS])])
        else:
            cut = "" if len(one.text) <= TEXT else "\n… the rest is too long to be told"
            found.append([one.what[:_WHAT], one.text[:TEXT] + cut, list(one.hosts[:_HOSTS])])


def _parse(output: bytes) -> Found:
    try:
        answer = json.loads(output)
        if isinstance(answer, list) and len(answer) <= MOST + 2:
            return tuple(map(_parse_one, answer))
    except (ValueError, RecursionError):
        pass
    return (Unrendered("what is rendered: it answered something else"),)


def _parse_one(item: object) -> Rendered | Unrendered:
    """Errors: ValueError for any other shape."""
    match item:
        case [str() as what, str() as text, list() as hosts] if all(isinstance(host, str) for host in hosts):
            names = tuple(map(str, hosts[:_HOSTS]))
            return Unrendered(text[:_WHAT], names) if what == "?" else Rendered(what[:_WHAT], names, text[: 2 * TEXT])
    raise ValueError("neither Rendered nor Unrendered")


def both_grounds(grounds: Grounds, old: Tree, new: Tree, scratch: Path) -> Grounds:
    """The same grounds for a tool that sees both trees."""
    both = BothTrees(old, new)
    return Grounds(
        grounds.oid, grounds.tree, grounds.target, both, grounds.readable, scratch, grounds.folders, grounds.own_network
    )
