"""What checks say, what rules say, and the answer to a push."""

from enum import Enum

from gitops_hooks.model.command import Awaited, CommandState
from gitops_hooks.model.lazy_dataclass import dataclass


class Severity(Enum):
    """An error refuses; a warning is only told."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: path in the tree, 1-based line (0 for the whole file), what is wrong and the cure."""

    path: str
    line: int
    message: str
    severity: Severity = Severity.ERROR


class CheckOutcome(Enum):
    """A check that raised, hung, vanished or is missing is ERROR, which refuses.

    PENDING may be proposed, and never lands: commands have to pass first.
    """

    OK = "ok"
    PENDING = "pending"
    FINDINGS = "findings"
    ERROR = "error"


class Status(Enum):
    """The six words for a requirement."""

    SATISFIED = "SATISFIED"
    UNSATISFIED = "UNSATISFIED"
    OVERRIDDEN = "OVERRIDDEN"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    BYPASSED = "BYPASSED"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check's result on one tree (object id); `detail` says why an ERROR is one.

    `waived` is BYPASSED where only rules in evaluate mode ask, OVERRIDDEN under break-glass: its findings are told.
    `awaited` are the commands that have to pass before anything lands.
    """

    check: str
    tree: str
    outcome: CheckOutcome
    findings: tuple[Finding, ...] = ()
    detail: str = ""
    waived: Status | None = None
    awaited: tuple[Awaited, ...] = ()

    @property
    def faulty(self) -> bool:
        """Whether there is a finding that refuses unless it is waived."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def open(self) -> bool:
        """Whether a command that it waits for has not ended on this tree."""
        return any(each.state is CommandState.PENDING for each in self.awaited)

    @property
    def refuses(self) -> bool:
        return self.outcome is CheckOutcome.ERROR or (self.faulty and self.waived is None)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One rule's answer: the rule's name (`approvals`, `land`, …), its place in the policy, and its reason in words."""

    rule: str
    status: Status
    reason: str
    place: str = ""

    @property
    def holds(self) -> bool:
        return self.status in (Status.SATISFIED, Status.NOT_APPLICABLE, Status.OVERRIDDEN, Status.BYPASSED)


@dataclass(frozen=True, slots=True)
class Decision:
    """The whole answer to one ref update: accepted only if every requirement holds and no verdict refuses."""

    ref: str
    requirements: tuple[Requirement, ...]
    verdicts: tuple[Verdict, ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        # An answer without a single reason is no answer: empty means refuse.
        return (
            bool(self.requirements)
            and all(requirement.holds for requirement in self.requirements)
            and not any(verdict.refuses for verdict in self.verdicts)
        )
