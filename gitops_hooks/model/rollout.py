"""How a deployment goes through its hosts: in which batches, and when it stops."""

from enum import Enum
from typing import TypeVar

from gitops_hooks.model.lazy_dataclass import dataclass

T = TypeVar("T")


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


class HealthKind(Enum):
    """How a host is asked whether it is well."""

    TCP = "tcp"
    HTTP = "http"
    COMMAND = "command"
    PLAYBOOK = "playbook"


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One question: a port, an address with `{host}` in it, a command or a playbook, as `what` says.

    `timeout` of each try and the `delay` between two are seconds; there are `retries` more after the first.
    """

    kind: HealthKind
    what: str
    status: int = 200
    timeout: int = 10
    retries: int = 3
    delay: int = 5

    def __str__(self) -> str:
        return f"{self.kind.value} {self.what}"


@dataclass(frozen=True, slots=True)
class Rollout:
    """`batches` one after another, the last again and again (empty: all hosts at once), `health` asked after each.

    More than `max_failed` bad hosts of a batch, and the next one is not begun. More than `max_changed` of the hosts to
    visit, and nothing begins until somebody asks for it.
    """

    batches: tuple[Share, ...] = ()
    max_failed: Share = Share(0)
    health: tuple[HealthCheck, ...] = ()
    max_changed: Share | None = None

    def stop_words(self, bad: int, hosts: int) -> str:
        """Why no batch may follow one of so many hosts, of which so many are bad; empty where one may."""
        if not self.max_failed.exceeded(bad, hosts):
            return ""
        return f"{bad} of its {hosts} hosts failed, and max_failed is {self.max_failed}"

    def cut(self, hosts: tuple[T, ...]) -> tuple[tuple[T, ...], ...]:
        """The hosts in their order, in batches; the last size counts for all that are left, as `serial` of a play."""
        if not self.batches:
            return (hosts,)
        found: list[tuple[T, ...]] = []
        begin = 0
        while begin < len(hosts):
            size = self.batches[min(len(found), len(self.batches) - 1)].of(len(hosts))
            found.append(hosts[begin : begin + size])
            begin += size
        return tuple(found)


AT_ONCE = Rollout()
