"""The contract with plugins: what a guest may answer, and when it is asked."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import pluggy

from gitops_hooks.core.inventory import Inventory
from gitops_hooks.model.change import Change
from gitops_hooks.model.command import Command
from gitops_hooks.model.deployment import Deployment, Outcome, Say, Workplace
from gitops_hooks.model.drift import Drift
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.notice import Notice
from gitops_hooks.model.options import Option
from gitops_hooks.model.plan_found import Plan
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.push import Actor, Push
from gitops_hooks.model.rendered import PlayReads, Rendered, Unrendered
from gitops_hooks.model.tool import Ran, Tool
from gitops_hooks.model.verdict import Decision, Finding

PROJECT = "gitops_hooks"
API_VERSION = "1.0"
"""The version of what plugins may use of ours (docs/plugin-api.md); a plugin says `NEEDS_API = "1.0"`."""

MOST_PARTS = 16
"""Into how many parts a large change is divided where a check does not say fewer."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder of a tree: its git mode (0o40000 for a folder, 0o120000 for a symlink) and object id."""

    name: str
    mode: int
    oid: str


class Tree(Protocol):
    """The tree that would land, read-only; paths are `a/b/c`, never with a leading slash."""

    def entry(self, path: str) -> Entry | None:
        """The entry at this path, or None where there is nothing."""

    def size(self, path: str) -> int:
        """The blob's size in bytes, read from its header; -1 where there is no blob."""

    def read(self, path: str) -> bytes:
        """The blob's bytes. Errors: EdgeError where there is no blob or it is over the read limit."""

    def list(self, path: str = "") -> Iterator[Entry]:
        """The entries of one folder in git's order; empty where there is no folder."""


class Workbench(Protocol):
    """What a check has beside the change: what the policy says, the branch as it stands, and outside tools."""

    @property
    def options(self) -> Mapping[str, Any]:
        """The value of every option that the check declares, from the policy in force or its default."""

    @property
    def target(self) -> Tree:
        """The tree of the target branch's recorded tip, empty for a new branch; configuration is read from here."""

    def tool(self, name: str) -> str | None:
        """Where a tool that the check declares stands in the sandbox; None where this server has none."""

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
        """Run a declared tool in its sandbox; it stands in the folder `/tree`, and ends with everything it started.

        `command` may begin with settings of its environment, as in a shell: ["LANG=C", "tool", "word"].
        `files` are the paths of the tree that it sees there, a folder with all below it, "." for the whole tree.
        `given` are further files (`lint.yml` becomes `/given/lint.yml`). `writable` gives it a copy of `/tree`
        that it may write to. `seconds` can only shorten what is left of the check's own time.
        Errors: EdgeError where it cannot be run; the verdict is then an ERROR, whatever the check answers.
        """

    def say(self, text: str) -> None:
        """Tell the pusher how far it is: one line, shown escaped, and no more than one a second."""


@dataclass(frozen=True, slots=True)
class Check:
    """A named function from a change to findings; it runs confined and is killed at its time limit.

    `paths` are globs: the check is asked only when a changed path matches one of them, and shown those that do.
    `options` are what the policy may set for it, `tools` the programs that it may run. `each` says that every
    changed file is judged for itself, whatever else changed with it: what did not change since is then not judged
    again; `parts` is into how many judgements a large change is then divided at most, each in a child of its own.
    `kept` is False for a check whose verdict may be another tomorrow on the same files.
    With `commands` it may give Commands beside findings: the server runs them after the push, one result for the same
    tree and definition, and nothing lands before each has passed on exactly what would land.
    """

    name: str
    summary: str
    run: Callable[[Change, Tree, Workbench], Iterable[Finding | Command]]
    paths: tuple[str, ...] = ("**",)
    options: tuple[Option, ...] = ()
    tools: tuple[Tool, ...] = ()
    each: bool = False
    kept: bool = True
    commands: bool = False
    parts: int = MOST_PARTS


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a change, before or after: its tree, its inventory (None: none that can be read), and its plays."""

    tree: Tree
    inventory: Inventory | None = None
    plays: tuple[PlayReads, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """A change as one environment would see it: the branch's tip, what landing would make of it, and their differences.

    `hosts` are those that it reaches (None: nobody can say which). For a tool the trees are the folders `old`, `new`.
    """

    environment: Environment
    old: Side
    new: Side
    paths: tuple[str, ...]
    hosts: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Rendering:
    """How a deployer tells what a change makes different, from its files alone: confined like a check, and in two
    seconds. `tools` are the programs that it may run there."""

    run: Callable[[Preview, Workbench], Iterable[Rendered | Unrendered]]
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True)
class Deployer:
    """A named way to bring an environment to a commit; `deploy` runs in a mount and PID namespace of its own.

    `checks` are names of checks that every change to a branch with such an environment must pass, whatever
    the policy lists. `drift` says how the hosts differ from what was deployed, in the same kind of place, and
    changes nothing; None where the deployer cannot tell. `plan` says what a change that has not landed would do to
    the hosts, with a credential of its own, and changes nothing either; None where it cannot tell. `render` tells what
    of a proposal needs no host; None where nothing does.
    """

    name: str
    summary: str
    deploy: Callable[[Deployment, Workplace, Say], Outcome]
    checks: tuple[str, ...] = ()
    drift: Callable[[Deployment, Workplace, Say], Drift] | None = None
    plan: Callable[[Deployment, Workplace, Say], Plan] | None = None
    render: Rendering | None = None


@hookspec
def gitops_checks() -> Iterable[Check]:  # type: ignore[empty-body]  # a specification has no body
    """The checks that this plugin offers; the policy requires them by name."""


@hookspec(firstresult=True)
def gitops_actor(environ: Mapping[str, str]) -> Actor | None:
    """Who pushes, from the environment that the entry made; None leaves it to the next, nobody refuses."""


@hookspec
def gitops_deployers() -> Iterable[Deployer]:  # type: ignore[empty-body]  # a specification has no body
    """The deployers that this plugin offers; an environment names one."""


@hookspec
def gitops_decided(push: Push, decision: Decision) -> None:
    """Told after each decision; the answer does not count."""


@hookspec
def gitops_deployed(deployment: Deployment, outcome: Outcome, notice: Notice) -> None:
    """Told after a deployment's end, in a process of its own, and again later where it raises or hangs.

    A trusted plugin is told of every end, one that a `[[notify]]` names of those that this asks for.
    """


@hookspec
def gitops_settings(settings: Mapping[str, object]) -> Iterable[str]:  # type: ignore[empty-body]  # as above
    """What is wrong with the settings of a `[[notify]]` that names this plugin, a sentence a fault."""
