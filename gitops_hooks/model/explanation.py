"""Why the judge answers as it does, question by question."""

from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.verdict import Requirement


@dataclass(frozen=True, slots=True)
class Answer:
    """What the judge says to one question (`propose`, `push`, `land`, `approve`, …)."""

    question: str
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Counting:
    """One entry of approvals that applies: what it needs, who would count, and where it stands."""

    needs: str
    names: tuple[str, ...]
    place: str
    evaluate: bool
