"""What one check is run with: the policy's options, the branch as it stands, and outside tools."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_hooks.hookspec import Check, Tree
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.tool import Ran


@dataclass(frozen=True, slots=True)
class Asked:
    """A check that is to be run, with the value of each of its options; `faults` are why it cannot be run at all."""

    check: Check
    options: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bench:
    """The Workbench (hookspec.py) inside the sandbox."""

    options: Mapping[str, Any]
    target: Tree

    def tool(self, name: str) -> str | None:
        return None

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
        raise EdgeError(command[0], "this server runs no tools")

    def say(self, text: str) -> None:
        return
