"""What events are written in: the kinds of their fields, and the stamp that each carries.

The annotation of a field decides how it is written (core/events.py): Oid, Word (no space), Text (free text of
people's own, JSON-encoded), tuples of those, numbers, yes or no, times in UTC.
"""

from datetime import datetime
from typing import NewType

from gitops_hooks.model.deployment import HostOutcome
from gitops_hooks.model.lazy_dataclass import dataclass

Oid = NewType("Oid", str)
Word = NewType("Word", str)
Text = NewType("Text", str)
Hosts = NewType("Hosts", tuple[HostOutcome, ...])


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every event carries: repository id, number in its own log (from 1), time, actor and key fingerprint."""

    repository: Word
    number: int
    at: datetime
    actor: Word
    key: Word
