"""An environment's log → what it amounts to: the newest deployment, what people said since, and what holds on."""

from collections.abc import Iterable
from dataclasses import field

from gitops_hooks.model.environment_event import Canceled, LetGo, Paused, Resumed, Reverted, RolledBack, Stopped
from gitops_hooks.model.event import Event, Finished, Requested, Started
from gitops_hooks.model.event_words import Oid, Word
from gitops_hooks.model.lazy_dataclass import dataclass

PINNED = "pinned"
_PAUSED, _OWED, _STOPPED = "paused", "revert", "stopped"
_MOST_BAD = 20


@dataclass(frozen=True, slots=True)
class LogState:
    """What an environment's log amounts to: its newest start, that start's end, and what people said since.

    `requested` (a request or a rollback) and `canceled` exclude each other: the newer counts. `paused` and `pinned`
    hold until somebody ends them, over any number of starts; so do `bad`, the trees that the server rolled back from.
    `stopped` is what agents were told of the stop of all deployments.
    `owed` is a rollback of the server's whose revert change is not told of yet, `reverted` what is told of that of
    `pinned`.
    """

    started: Event | None = None
    finished: Event | None = None
    requested: Event | None = None
    canceled: Event | None = None
    paused: Event | None = None
    stopped: Event | None = None
    pinned: Event | None = None
    owed: Event | None = None
    reverted: Event | None = None
    bad: tuple[Oid, ...] = ()

    def carries(self) -> tuple[Word, ...]:
        """What a start has to say of what holds on."""
        holds = ((_PAUSED, self.paused), (PINNED, self.pinned), (_OWED, self.owed), (_STOPPED, self.stopped))
        return tuple(Word(word) for word, event in holds if event is not None)


def fold_log(newest_first: Iterable[Event]) -> LogState:
    """Read back to the newest start, and further only for what it says that holds on."""
    events = iter(newest_first)
    fold = _Fold()
    for event in events:
        fold.mark(event)
        if isinstance(event.body, Started):
            fold.found["started"] = event
            fold.sought &= set(event.body.carries)
            break
        fold.take(event)
    fold.take_standing(events)
    return LogState(**fold.found, reverted=fold.revert_of_pin(), bad=tuple(dict.fromkeys(fold.bad))[:_MOST_BAD])


@dataclass(slots=True)
class _Fold:
    """What was found on the way back, and what is still looked for."""

    found: dict[str, Event] = field(default_factory=dict)
    sought: set[str] = field(default_factory=lambda: {_PAUSED, PINNED, _OWED, _STOPPED})
    reverts: dict[str, Event] = field(default_factory=dict)
    resumed: bool = False
    pardoned: set[Oid] = field(default_factory=set)
    bad: list[Oid] = field(default_factory=list)

    def mark(self, event: Event) -> None:
        """A tree is bad from the server's rollback on, until somebody asks for it by name."""
        match event.body:
            case Requested(tree=tree):
                self.pardoned.add(tree)
            case RolledBack(failed=failed, tree=tree) if failed and tree not in self.pardoned:
                self.bad.append(tree)
            case Started(bad=bad):
                self.bad += [tree for tree in bad if tree not in self.pardoned]

    def take(self, event: Event) -> None:
        """An event since the newest start."""
        match event.body:
            case Requested() | RolledBack() if "canceled" not in self.found:
                self.found.setdefault("requested", event)
            case Canceled() if "requested" not in self.found:
                self.found.setdefault("canceled", event)
            case Finished():
                self.found.setdefault("finished", event)
        self.take_hold(event)

    def take_standing(self, older: Iterable[Event]) -> None:
        """What the newest start says that holds on; an older one that does not say it has ended it."""
        for event in older:
            if not self.sought:
                return
            if isinstance(event.body, Started):
                self.sought &= set(event.body.carries)
            self.take_hold(event)

    def take_hold(self, event: Event) -> None:
        """Pauses, pins and revert changes: the newest word on each decides."""
        match event.body:
            case Paused():
                self._find(_PAUSED, event)
            case Resumed():
                # What the server rolled back from failed here: it takes more than the end of a pause to try it again.
                self.sought.discard(_PAUSED)
                self.resumed = True
            case Stopped():
                self._find(_STOPPED, event)
            case LetGo():
                self.sought.discard(_STOPPED)
            case Requested():
                self.sought.discard(PINNED)
            case Reverted(rollback=rollback):
                self.sought.discard(_OWED)
                self.reverts[rollback] = event
            case RolledBack(failed=failed):
                if failed or not self.resumed:
                    self._find(PINNED, event)
                if failed:
                    self._find(_OWED, event)

    def _find(self, what: str, event: Event) -> None:
        if what in self.sought:
            self.found["owed" if what == _OWED else what] = event
            self.sought.discard(what)

    def revert_of_pin(self) -> Event | None:
        pinned = self.found.get(PINNED)
        return self.reverts.get(pinned.oid) if pinned else None
