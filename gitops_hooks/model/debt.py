"""What break-glass leaves behind."""

from datetime import datetime

from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Override:
    """Why and in spite of what something lands by break-glass, and within how many seconds it must be approved."""

    reason: str
    overridden: tuple[str, ...]
    settle: int


@dataclass(frozen=True, slots=True)
class Debt:
    """A landing by break-glass (its event) that is owed an approval by somebody else, and when its branch closes.

    `opened` and `paid` are numbers of events in the log; `paid` is 0 and `payment` "" as long as it is owed.
    """

    landing: str
    ref: str
    change: int
    head: str
    due: datetime
    opened: int
    paid: int = 0
    payment: str = ""
