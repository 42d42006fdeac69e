"""What one check is run with: the policy's options, the branch as it stands, and outside tools."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from gitops_hooks.edge.tool_wire import (
    TOOL,
    Look,
    Malformed,
    Over,
    Run,
    encode_look,
    encode_run,
    encode_say,
    parse_answer,
)
from gitops_hooks.hookspec import Check, Tree
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.tool import Ran


@dataclass(frozen=True, slots=True)
class Asked:
    """A check that is to be run, with the value of each of its options; `faults` are why it cannot be run at all."""

    check: Check
    options: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the checks of one change look at.

    `tree` (object id `oid`) is what would land, `target` what the branch holds, `whole` is `tree` without the limit
    on one read, for tools; `readable` are the folders of its objects, `scratch` is where files for tools are
    written, `folders` are the server's folders of tools, `own_network` the names that its file gives one.
    """

    oid: str
    tree: Tree
    target: Tree
    whole: Tree
    readable: Sequence[Path]
    scratch: Path
    folders: tuple[Path, ...] = ()
    own_network: tuple[str, ...] = ()


@dataclass(slots=True)
class Bench:
    """The Workbench (hookspec.py) as it is inside the sandbox: what it cannot do itself it asks for, through `end`.

    `tools` are the programs that may be run, by name, each with the path that it has for the tool itself; `declared`
    are the names of those that the check would run. With `seen` it tells which of them it asks for. Those in
    `own_network` get one.
    """

    options: Mapping[str, Any]
    target: Tree
    tools: Mapping[str, str] = field(default_factory=dict)
    end: int = -1
    declared: tuple[str, ...] = ()
    seen: bool = False
    own_network: tuple[str, ...] = ()

    def tool(self, name: str) -> str | None:
        if self.seen:
            self.look(Look(TOOL, name))
        return self.tools.get(name)

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
        words = tuple(map(str, command))
        name = next((word for word in words if "=" not in word), "tool")
        request = Run(words, tuple(map(str, files)), tuple((given or {}).items()), bytes(stdin), seconds, writable)
        try:
            self._send(encode_run(request))
            answer = parse_answer(lambda most: os.read(self.end, most))
        except (Over, Malformed, OSError):
            raise EdgeError(name, "cannot be run here") from None
        except ValueError as error:
            raise EdgeError(name, str(error)) from None
        if isinstance(answer, str):
            raise EdgeError(name, answer)
        return answer

    def say(self, text: str) -> None:
        if self.end >= 0:
            self._send(encode_say(text))

    def look(self, look: Look) -> None:
        """Tell the judge's side where the check is about to look."""
        self._send(encode_look(look))

    def _send(self, said: bytes) -> None:
        left = memoryview(said)
        while left:
            left = left[os.write(self.end, left) :]
