"""The repository's record, read: change histories, the log, recorded tips; each event's signature is checked."""

import subprocess
from collections.abc import Iterator
from itertools import dropwhile

import pygit2

from gitops_hooks.core.debts import fold_debts
from gitops_hooks.core.events import InvalidEvent, read_event
from gitops_hooks.core.fold import fold_change
from gitops_hooks.edge.index import Index, Step
from gitops_hooks.edge.refs import clean_environment
from gitops_hooks.edge.repository import Repository
from gitops_hooks.edge.signatures import Verifier
from gitops_hooks.model.change import ChangeRecord
from gitops_hooks.model.change_event import ChangeLanded
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.event import (
    Administered,
    Adopted,
    Evaluated,
    Event,
    Landed,
    Landing,
    Settled,
    Voided,
)
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.record import RecordedTip, Standing

LOG = "refs/gitops/log"
_RESTORE = f"the administrator runs: gitops-hooks recovery restore REPOSITORY {LOG} --reason '…'"


def meta_ref(number: int) -> str:
    return f"refs/changes/{number}/meta"


@dataclass(frozen=True, slots=True)
class Record:
    """The record of one repository (`identity` is its id), as signed by the server's key."""

    repository: Repository
    identity: str
    verifier: Verifier
    index: Index

    # --- events ---

    def event(self, oid: str) -> Event:
        """One event. Errors: EdgeError where it is not one, or was not signed by this server for this repository."""
        try:
            commit = self.repository.git2[oid].peel(pygit2.Commit)
            signature, payload = commit.gpg_signature
            event = read_event(commit.message, oid)
        except (KeyError, AttributeError, ValueError) as error:
            raise EdgeError(f"event {oid[:12]}", f"is not an event of this server: {error}") from None
        if not signature or not self.verifier.verifies(payload, signature.decode("ascii", "replace")):
            raise EdgeError(f"event {oid[:12]}", "was not signed by this server")
        if event.stamp.repository != self.identity:
            raise EdgeError(f"event {oid[:12]}", "belongs to another repository")
        return event

    def is_ours(self, oid: str) -> bool:
        """Whether a commit was made and signed by this server."""
        try:
            signature, payload = self.repository.git2[oid].peel(pygit2.Commit).gpg_signature
        except (KeyError, ValueError):
            return False
        return bool(signature) and self.verifier.verifies(payload, signature.decode("ascii", "replace"))

    def events(self, ref: str) -> Iterator[Event]:
        """The events of one log, newest first, with their numbers checked to fall by one."""
        oid = self.repository.tip(ref)
        number = 0
        while oid != NO_OID:
            event = self.event(oid)
            if number and event.stamp.number != number - 1:
                raise EdgeError(ref, f"event {oid[:12]} has number {event.stamp.number} after {number}")
            number = event.stamp.number
            yield event
            parents = self.repository.git2[oid].peel(pygit2.Commit).parent_ids
            oid = str(parents[0]) if parents else NO_OID
        if number > 1:
            raise EdgeError(ref, f"begins with number {number}; earlier events are missing")

    def newest(self, ref: str) -> Event | None:
        oid = self.repository.tip(ref)
        return self.event(oid) if oid != NO_OID else None

    # --- changes ---

    def change(self, number: int) -> ChangeRecord | None:
        """The change of this number, or None. Errors: EdgeError where its history is not ours."""
        return self._fold(number, list(self.events(meta_ref(number))))

    def change_as_of(self, number: int, tip: str) -> ChangeRecord | None:
        """The change as its history was up to one event. Errors: EdgeError where that is not in it."""
        later = self.events(meta_ref(number))
        upto = list(dropwhile(lambda event: event.oid != tip, later))
        if not upto:
            raise EdgeError(f"change {number}", f"has no event {tip[:12]}")
        return self._fold(number, upto)

    def _fold(self, number: int, events: list[Event]) -> ChangeRecord | None:
        if not events:
            return None
        try:
            return fold_change(events[::-1], self.identity)
        except InvalidEvent as error:
            raise EdgeError(f"change {number}", str(error)) from None

    def newest_landing(self, number: int) -> Event | None:
        """The event of the landing that a change's own history names."""
        bodies = (event.body for event in self.events(meta_ref(number)))
        return next((self.event(body.record) for body in bodies if isinstance(body, ChangeLanded)), None)

    def all_numbers(self) -> tuple[int, ...]:
        """Every change's number, by listing the refs: for rebuilding the index, never for a push."""
        command = [self.repository.git, "--git-dir", str(self.repository.path), "for-each-ref"]
        ran = subprocess.run(
            [*command, "--format=%(refname)", "refs/changes/"],
            capture_output=True,
            env=clean_environment(),
            timeout=300,
            check=True,
        )
        names = ran.stdout.decode().splitlines()
        return tuple(int(name.split("/")[2]) for name in names if name.endswith("/meta"))

    def ensure_changes(self) -> None:
        """Build the index of changes where it is missing."""
        if self.index.fact("changes") == "built":
            return
        found = (self.change(number) for number in self.all_numbers())
        self.index.rebuild_changes([change for change in found if change])

    # --- the repository's own log ---

    def sync(self) -> str:
        """Bring the index up to the log's tip, which is returned. Errors: EdgeError where there is no record."""
        tip = self.repository.tip(LOG)
        if tip == NO_OID:
            way = _RESTORE if self.index.fact("log") else "the administrator runs: gitops-hooks repo add"
            raise EdgeError("the repository", f"has no record; {way}")
        while (seen := self.index.fact("log")) != tip:
            try:
                step = self._step(seen, tip)
            except EdgeError as error:
                raise EdgeError(error.where, f"{error.what}; {_RESTORE}") from None
            if self.index.advance(seen, step):
                break
        return tip

    def _step(self, seen: str, tip: str) -> Step:
        fresh: list[Event] = []
        anew = True
        for event in self.events(LOG):
            if event.oid == seen:
                anew = False
                break
            fresh.append(event)
        if anew and seen:
            raise EdgeError(LOG, f"no longer holds event {seen[:12]}, where it stood: it was rewritten")
        default = "" if anew else self.index.fact("default")
        tips: dict[str, RecordedTip] = {}
        intents: dict[str, str] = {}
        for event in reversed(fresh):
            default = _take(event, tips, intents) or default
        debts, payments = fold_debts(fresh[::-1])
        return Step(tip, default, tuple(tips.values()), tuple(intents.items()), anew, debts, payments)

    @property
    def default_branch(self) -> str:
        """The full ref of the default branch, as adopted."""
        return self.index.fact("default")

    def standing(self, ref: str) -> Standing:
        """A ref as it is and as it is recorded, with an intent that was carried out but not closed counted in."""
        found = self._standing(ref)
        if found.real == found.recorded or self.repository.tip(LOG) == self.index.fact("log"):
            return found
        # A landing beside this push says in the log what it does before it does it: what the ref shows, the log tells.
        self.sync()
        return self._standing(ref)

    def _standing(self, ref: str) -> Standing:
        real = self.repository.tip(ref)
        tip = self.index.tip(ref)
        landing = self.index.intent(ref)
        intent = self.event(landing) if landing else None
        recorded, record = (tip.tip, tip.record) if tip else (NO_OID, "")
        if intent and isinstance(intent.body, Landing) and real == intent.body.new and recorded == intent.body.old:
            recorded, record = real, intent.oid
        return Standing(ref, real, recorded, record, intent)


def _take(event: Event, tips: dict[str, RecordedTip], intents: dict[str, str]) -> str:
    """Add one event of the log to what it amounts to; the default branch where the event names it."""
    match event.body:
        case Adopted() as body:
            words = iter(body.refs)
            for oid, ref in zip(words, words, strict=True):
                tips[ref] = RecordedTip(ref, oid, event.oid)
            return body.default
        case Landing() as body:
            intents[body.ref] = event.oid
        case Landed() as body:
            gone = body.new == NO_OID
            tips[body.ref] = RecordedTip(body.ref, "" if gone else body.new, body.landing)
            intents[body.ref] = ""
        case Voided() as body:
            intents[body.ref] = ""
        case Administered(ref=ref) if ref == LOG:
            return ""  # the log itself was put back: no ref of people's moved
        case Administered() as body:
            tips[body.ref] = RecordedTip(body.ref, "" if body.new == NO_OID else body.new, event.oid)
            intents[body.ref] = ""
        case Settled() | Evaluated():
            return ""  # no ref of people's moved
        case _:
            raise EdgeError(LOG, f"event {event.oid[:12]} does not belong to this log")
    return ""
