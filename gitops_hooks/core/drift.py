"""What looks found, folded from an environment's log: who is out of sync, and how often each was brought back."""

from collections.abc import Iterable
from dataclasses import field
from datetime import datetime, timedelta
from itertools import islice
from zlib import crc32

from gitops_hooks.model.drift import Drift, Sync
from gitops_hooks.model.environment_event import Drifted
from gitops_hooks.model.event import Event, Finished, Started
from gitops_hooks.model.event_words import Oid, Word
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.policy import Environment

HEALS = "it brings back what is out of sync"
MOST_TRIES = 3
MOST_NAMED = 200
_MOST_EVENTS = 200
_JITTER = 10


@dataclass(frozen=True, slots=True)
class Drifting:
    """`told` is the newest event of a look; `out` are its hosts that nothing was deployed to since.

    `tries` are how often each host was brought back without being in sync afterwards; `ended` is when the newest
    deployment ended, and `healed` whether that brought hosts back; `pending` that no look has followed it.
    """

    told: Drifted | None = None
    out: frozenset[str] = frozenset()
    tries: tuple[tuple[str, int], ...] = ()
    ended: datetime | None = None
    healed: bool = False
    pending: bool = False

    @property
    def stuck(self) -> tuple[str, ...]:
        """Hosts that are out of sync again however often they are brought back."""
        return tuple(
            name for name, count in self.tries if count >= MOST_TRIES and name in self.out and not self.pending
        )


@dataclass(slots=True)
class _Fold:
    told: Drifted | None = None
    mended: set[str] = field(default_factory=set)
    # Hosts that were out of sync at every look so far.
    still: set[str] | None = None
    tries: dict[str, int] = field(default_factory=dict)
    ended: datetime | None = None
    healed: bool | None = None
    counting: bool = True
    later: list[Started] = field(default_factory=list)

    def take(self, event: Event, commit: str) -> bool:
        """Whether older events matter."""
        match event.body:
            case Finished() as body:
                self.ended = self.ended or event.stamp.at
                if self.told is None:
                    self.mended |= {host.name for host in body.hosts if host.state.is_good}
            case Drifted() as body:
                self.told = self.told or body
                first = self.still is None
                self.still = set(body.hosts) if self.still is None else self.still & set(body.hosts)
                for begun in self.later if first else ():
                    self._take_start(begun, begun.commit)
            case Started() as body:
                self._take_start(body, commit)
        return self.told is None or (self.counting and bool(self.still))

    def _take_start(self, body: Started, commit: str) -> None:
        heals = body.reason == HEALS
        self.healed = heals if self.healed is None else self.healed
        self.counting = self.counting and body.commit == commit
        if not heals or not self.counting:
            return
        if self.still is None:
            # Whom the newest look found is not read yet.
            self.later.append(body)
            return
        for host in self.still if body.whole else self.still & set(body.limit):
            self.tries[host] = self.tries.get(host, 0) + 1


def fold_drift(newest_first: Iterable[Event], commit: str) -> Drifting:
    """Read back as far as it takes, and no more than 200 events; `commit` is what is deployed."""
    fold = _Fold()
    for event in islice(newest_first, _MOST_EVENTS):
        if not fold.take(event, commit):
            break
    named = frozenset(fold.told.hosts) if fold.told else frozenset[str]()
    tries = tuple(sorted((name, count) for name, count in fold.tries.items() if name in named))
    return Drifting(fold.told, named - fold.mended, tries, fold.ended, bool(fold.healed), bool(fold.later))


def drifted_by(environment: str, commit: str, generation: int, found: Drift, known: Drifting) -> Drifted | None:
    """The event of a look, or None where the log says so already.

    A host that was out of sync stays so while it cannot be looked at.
    """
    unknown = {host.name for host in found.hosts if host.sync is Sync.UNKNOWN}
    out = {host.name for host in found.hosts if host.sync is Sync.OUT} | (known.out & unknown)
    before = known.told
    same = set(before.hosts) == _named(out) and set(before.unknown) == _named(unknown) if before else not out | unknown
    if not found.hosts or (same and known.out == _named(out)):
        return None
    return Drifted(
        Word(environment),
        Oid(commit),
        generation,
        tuple(Word(name) for name in sorted(_named(out))),
        tuple(Word(name) for name in sorted(_named(unknown))),
        len(out),
        len(found.hosts) - len(out | unknown),
        sum(len(host.differences) + host.more for host in found.hosts),
    )


def _named(names: set[str]) -> set[str]:
    return set(sorted(names)[:MOST_NAMED])


def look_due(environment: Environment, last: datetime | None, known: Drifting, repository: str) -> datetime | None:
    """When the next look is due: after a try to bring hosts back at once, else an interval after the last one.

    A tenth of the interval at most later, each time another part of it.
    """
    if last and known.healed and known.ended and known.ended > last:
        return known.ended
    begins = last or known.ended
    if not environment.drift or begins is None:
        return None
    spread = environment.drift // _JITTER + 1
    later = crc32(f"{repository} {environment.name} drift {begins.isoformat()}".encode()) % spread
    return begins + timedelta(seconds=environment.drift + later)


def heal_due(
    known: Drifting, found: Drift, retry_seconds: float, most_seconds: float
) -> tuple[tuple[str, ...], datetime | None]:
    """The hosts to bring back, and from when on (None: at once): later with each try, and never after the third.

    `found` is what the last look found: one that is not there any more is left alone, as is one that cannot be reached.
    """
    tries = dict(known.tries)
    there = {host.name for host in found.hosts if host.sync is Sync.OUT}
    hosts = tuple(sorted(name for name in known.out & there if tries.get(name, 0) < MOST_TRIES))
    most = max((tries.get(name, 0) for name in hosts), default=0)
    if not most or known.ended is None:
        return hosts, None
    return hosts, known.ended + timedelta(seconds=min(retry_seconds * 2 ** (most - 1), most_seconds))
