"""What the repository's own log says of one ref."""

from gitops_hooks.model.event import Event
from gitops_hooks.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class RecordedTip:
    """Where the record says that a ref stands, and the event that says so."""

    ref: str
    tip: str
    record: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A ref as it is and as it is recorded; `open_landing` is an intent that nothing has closed yet."""

    ref: str
    real: str
    recorded: str
    record: str
    open_landing: Event | None = None

    @property
    def trusted(self) -> bool:
        """Whether the ref stands where the record put it."""
        return self.real == self.recorded
