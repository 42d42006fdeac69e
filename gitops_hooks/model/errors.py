"""The two exceptions of the suite; a refusal is a value and never one of these."""

from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in a text: its 1-based line (0 where the whole text is meant) and what is wrong."""

    line: int
    message: str


class PolicyError(Exception):
    """A policy, server or users file that cannot be used, with every fault that was found in it."""

    def __init__(self, source: str, faults: tuple[Fault, ...]) -> None:
        super().__init__(source, faults)
        self.source = source
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(
            f"{self.source}:{fault.line}: {fault.message}" if fault.line else f"{self.source}: {fault.message}"
            for fault in self.faults
        )


class EdgeError(Exception):
    """Something outside failed: `where` names the thing, `what` says what happened and the cure."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(where, what)
        self.where = where
        self.what = what

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"
