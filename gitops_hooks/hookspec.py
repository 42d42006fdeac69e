"""The contract with plugins: what a guest may answer, and when it is asked."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import pluggy

from gitops_hooks.model.change import Change
from gitops_hooks.model.deployment import Deployment, Outcome, Say, Workplace
from gitops_hooks.model.push import Actor, Push
from gitops_hooks.model.verdict import Decision, Finding

PROJECT = "gitops_hooks"
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


@dataclass(frozen=True, slots=True)
class Check:
    """A named function from a change to findings; it runs confined and is killed at its time limit.

    `paths` are globs: the check is asked only when a changed path matches one of them.
    """

    name: str
    summary: str
    run: Callable[[Change, Tree], Iterable[Finding]]
    paths: tuple[str, ...] = ("**",)


@dataclass(frozen=True, slots=True)
class Deployer:
    """A named way to bring an environment to a commit; `deploy` runs in a mount and PID namespace of its own.

    `checks` are names of checks that every change to a branch with such an environment must pass, whatever
    the policy lists.
    """

    name: str
    summary: str
    deploy: Callable[[Deployment, Workplace, Say], Outcome]
    checks: tuple[str, ...] = ()


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
def gitops_deployed(deployment: Deployment, outcome: Outcome) -> None:
    """Told after each deployment's end; the answer does not count."""
