"""How a deployment goes through its hosts: in which batches, and when it stops."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """So many hosts, or so many of a hundred."""

    number: int
    percent: bool = False

    def __str__(self) -> str:
        return f"{self.number}{'%' if self.percent else ''}"

    def of(self, hosts: int) -> int:
        """How many of so many hosts; a part of one counts as one."""
        return -(-self.number * hosts // 100) if self.percent else self.number

    def exceeded(self, found: int, hosts: int) -> bool:
        """Whether `found` of so many hosts are more than this; as many are not."""
        return found * 100 > self.number * hosts if self.percent else found > self.number


@dataclass(frozen=True, slots=True)
class Rollout:
    """`batches` one after another, the last again and again (empty: all hosts at once).

    More than `max_failed` bad hosts of a batch, and the next one is not begun.
    """

    batches: tuple[Share, ...] = ()
    max_failed: Share = Share(0)


AT_ONCE = Rollout()
