"""The record, written: every event is signed, numbered and appended by compare-and-swap."""

from collections.abc import Callable
from datetime import datetime

from gitops_hooks.edge.objects import ObjectWriter
from gitops_hooks.edge.record import Record
from gitops_hooks.edge.refs import LostRace, RefMove, RefWriter
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.event import Body, Event
from gitops_hooks.model.event_words import Stamp, Word
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import NO_OID, Actor

_TRIES = 50
SERVER = Actor("server", "")


@dataclass(frozen=True, slots=True)
class Ledger:
    """The one who writes events into one repository; `clock` gives the time of each."""

    record: Record
    objects: ObjectWriter
    refs: RefWriter
    clock: Callable[[], datetime]

    def append(
        self, ref: str, body: Body, actor: Actor, *, expect: str | None = None, at: datetime | None = None
    ) -> Event | LostRace:
        """Append one event to a log; with `expect` only while the log's tip is that commit (NO_OID: none)."""
        for _ in range(_TRIES):
            tip = self.record.repository.tip(ref)
            if expect is not None and tip != expect:
                return LostRace(f"{ref} is at {tip[:12]}, not at {expect[:12]}")
            event = self._write(tip, body, actor, at)
            lost = self.refs.move([RefMove(ref, tip, event.oid)])
            if lost is None:
                return event
            if expect is not None:
                return lost
        raise EdgeError(ref, "others write to it all the time; push again")

    def prepare(self, ref: str, body: Body, actor: Actor, tip: str) -> RefMove:
        """Write one event on top of a log's tip, and the move that would append it: several make one transaction."""
        return RefMove(ref, tip, self._write(tip, body, actor, None).oid)

    def _write(self, tip: str, body: Body, actor: Actor, at: datetime | None) -> Event:
        number = self.record.event(tip).stamp.number + 1 if tip != NO_OID else 1
        stamp = Stamp(Word(self.record.identity), number, at or self.now(), Word(actor.name), Word(actor.key))
        oid = self.objects.write_event(Event(stamp, body), tip if tip != NO_OID else None)
        return Event(stamp, body, oid)

    def log(self, ref: str, body: Body, actor: Actor, at: datetime | None = None) -> Event:
        """Append one event to a log that others may be writing to as well."""
        event = self.append(ref, body, actor, at=at)
        if isinstance(event, LostRace):
            raise EdgeError(ref, event.words)
        return event

    def now(self) -> datetime:
        """The time as an event can hold it."""
        return self.clock().replace(microsecond=0)
