"""Outside tools that a check runs: what it names, and how one run ended."""

from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that a check may run, by its name on the tools' PATH; `version` are the words that make it say its own.

    What a tool prints to those words is a part of the key by which verdicts are kept. With `own_network` it may
    configure a network that is empty, in namespaces of its own; only a server whose file allows it has such a tool.
    """

    name: str
    version: tuple[str, ...] = ("--version",)
    own_network: bool = False


@dataclass(frozen=True, slots=True)
class Ran:
    """How a tool ended: its exit code (128 + n after signal n), what it wrote, and whether a limit ended it.

    `cut` says in words which limit that was (time, memory, output); such a run always makes the verdict an ERROR.
    """

    status: int
    stdout: bytes
    stderr: bytes
    cut: str = ""

    @property
    def timed_out(self) -> bool:
        return self.cut.startswith("took longer")
