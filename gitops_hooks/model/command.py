"""Commands of a repository that have to pass on what would land, and how each of them ended."""

import hashlib
import json
from enum import Enum

from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One command that the server runs after the push, in a writable copy of the tree that would land.

    `name` is lower-case letters, digits, - and _; `words` are the program and its words; `seconds` is its whole time,
    of which the server's own limit may leave less.
    """

    name: str
    words: tuple[str, ...]
    seconds: int = 600

    def definition(self, check: str) -> str:
        """What a result is a result of: a digest over the check's name and all of this."""
        text = json.dumps([check, self.name, list(self.words), self.seconds])
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class CommandState(Enum):
    """How far a command is; only one that PASSED lets anything land."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"
    LATE = "late"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Awaited:
    """A command that a verdict waits for; `event` holds its result once there is one, `detail` says how it ended.

    `before` says that it ended for this head on another tree: the branch has moved since.
    """

    command: Command
    state: CommandState = CommandState.PENDING
    event: str = ""
    detail: str = ""
    before: bool = False

    @property
    def passed(self) -> bool:
        return self.state is CommandState.PASSED


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What the record says of one run: `event` holds it, `tree` is what it ran on, `head` the commit proposed then."""

    event: str
    check: str
    name: str
    definition: str
    tree: str
    head: str
    state: CommandState
    seconds: int
    detail: str
