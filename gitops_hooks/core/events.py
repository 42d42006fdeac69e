"""Event ⇄ commit message: one block of known keys, each once, in one order.

A message is valid only if writing what was read gives the same bytes again, so that an unknown, repeated,
missing or oddly spelt key can never hide in one, and text of a pusher can never become a fact.
"""

import json
import re
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any

from gitops_hooks.core.utc_time import read_time, write_time
from gitops_hooks.model import change_event as said
from gitops_hooks.model import environment_event as operations
from gitops_hooks.model import event as nouns
from gitops_hooks.model.command import CommandState
from gitops_hooks.model.deployment import HostOutcome, HostState, RunState
from gitops_hooks.model.event import Body, Event
from gitops_hooks.model.event_words import Hosts, Oid, Stamp, Text, Word
from gitops_hooks.model.lazy_dataclass import dataclass

FORMAT = 1

# Compiled here: what a fork of the warm judge compiles, each push compiles.
_OBJECT_ID = re.compile("[0-9a-f]{40}")
_COUNT = re.compile("0|[1-9][0-9]{0,15}")

_KINDS: dict[str, type[Any]] = {
    "proposed": said.Proposed,
    "rebased": said.Rebased,
    "edited": said.Edited,
    "commented": said.Commented,
    "approved": said.Approved,
    "rejected": said.Rejected,
    "withdrawn": said.Withdrawn,
    "closed": said.Closed,
    "purged": said.Purged,
    "reopened": said.Reopened,
    "ran": said.Ran,
    "run-again": said.RunAgain,
    "plan-asked": said.PlanAsked,
    "planned": said.Planned,
    "change-landed": said.ChangeLanded,
    "adopted": nouns.Adopted,
    "landing": nouns.Landing,
    "landed": nouns.Landed,
    "voided": nouns.Voided,
    "settled": nouns.Settled,
    "evaluated": nouns.Evaluated,
    "administered": nouns.Administered,
    "started": nouns.Started,
    "finished": nouns.Finished,
    "requested": nouns.Requested,
    "paused": operations.Paused,
    "resumed": operations.Resumed,
    "canceled": operations.Canceled,
    "rolled-back": operations.RolledBack,
    "reverted": operations.Reverted,
    "drifted": operations.Drifted,
    "released": operations.Released,
    "stopped": operations.Stopped,
    "let-go": operations.LetGo,
}
_SUBJECTS: dict[type[Any], str] = {
    said.Proposed: "change {body.change} revision {body.revision} for {body.target} by {stamp.actor}",
    said.Rebased: "change {body.change} revision {body.revision} rebased onto {body.base:.7} for {stamp.actor}",
    said.Edited: "change {body.change} edited by {stamp.actor}",
    said.Commented: "change {body.change} at {body.head:.7} commented by {stamp.actor}",
    said.Approved: "change {body.change} at {body.head:.7} approved by {stamp.actor}",
    said.Rejected: "change {body.change} at {body.head:.7} rejected by {stamp.actor}",
    said.Withdrawn: "change {body.change} at {body.head:.7} taken back by {stamp.actor}",
    said.Closed: "change {body.change} closed by {stamp.actor}",
    said.Purged: "change {body.change} purged by {stamp.actor}",
    said.Reopened: "change {body.change} reopened by {stamp.actor}",
    said.Ran: "change {body.change} at {body.head:.7}: {body.check}/{body.name} {body.state.value} on {body.tree:.7}",
    said.RunAgain: "change {body.change} at {body.head:.7}: commands to run again for {stamp.actor}",
    said.PlanAsked: "change {body.change} at {body.head:.7}: a plan asked for by {stamp.actor}",
    said.Planned: "change {body.change} at {body.head:.7}: planned on {body.tree:.7}",
    said.ChangeLanded: "change {body.change} landed as {body.result:.7}",
    nouns.Adopted: "repository adopted by {stamp.actor}, default branch {body.default}",
    nouns.Landing: "{body.ref} to move {body.old:.7}..{body.new:.7} for {stamp.actor}",
    nouns.Landed: "{body.ref} moved to {body.new:.7}",
    nouns.Voided: "{body.ref} not moved",
    nouns.Settled: "landing {body.landing:.7} of change {body.change} settled by {stamp.actor}",
    nouns.Evaluated: "{body.new:.7} of {stamp.actor} would have been refused",
    nouns.Administered: "{body.act} of {body.ref} to {body.new:.7} by the administrator",
    nouns.Started: "{body.environment}: deployment {stamp.number} of {body.commit:.7} started",
    nouns.Finished: "{body.environment}: deployment {body.generation} of {body.commit:.7} {body.state.value}",
    nouns.Requested: "{body.environment}: deployment of {body.commit:.7} requested by {stamp.actor}",
    operations.Paused: "{body.environment}: paused by {stamp.actor}",
    operations.Resumed: "{body.environment}: resumed by {stamp.actor}",
    operations.Canceled: "{body.environment}: deployment of {body.commit:.7} canceled by {stamp.actor}",
    operations.RolledBack: "{body.environment}: rolled back to {body.commit:.7} by {stamp.actor}",
    operations.Reverted: "{body.environment}: revert change {body.change} of rollback {body.rollback:.7}",
    operations.Drifted: "{body.environment}: {body.out} out of sync, {body.clean} in sync with {body.commit:.7}",
    operations.Released: "{body.environment}: deployment {body.generation} of {body.commit:.7} released to agents",
    operations.Stopped: "{body.environment}: all deployments are stopped",
    operations.LetGo: "{body.environment}: deployments begin again",
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


class InvalidEvent(ValueError):
    """A message that no server of ours wrote; the text says which part is wrong."""


@dataclass(frozen=True, slots=True)
class _Codec:
    """How one type of field is written, and read again."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]


def _word(text: str) -> str:
    if text == "-":
        return ""
    if not text or not text.isprintable() or " " in text:
        raise InvalidEvent("a word is empty or holds a space")
    return text


def _write_word(word: str) -> str:
    if word == "-":
        raise InvalidEvent("the word '-' stands for none")
    return _word(word) if word else "-"


def _oid(text: str) -> str:
    if not _OBJECT_ID.fullmatch(text):
        raise InvalidEvent("an object id is not 40 hexadecimal digits")
    return text


def _number(text: str) -> int:
    if not _COUNT.fullmatch(text):
        raise InvalidEvent("a number is not one")
    return int(text)


def _many(one: _Codec) -> _Codec:
    return _Codec(
        lambda values: " ".join(one.write(value) for value in values) or "none",
        lambda text: () if text == "none" else tuple(one.read(part) for part in text.split(" ")),
    )


def _write_hosts(hosts: Hosts) -> str:
    rows = [[host.name, host.state.value, host.changed, host.detail, host.untouched] for host in hosts]
    return json.dumps([row if row[-1] else row[:-1] for row in rows])


def _read_hosts(text: str) -> tuple[HostOutcome, ...]:
    return tuple(HostOutcome(name, HostState(state), *rest) for name, state, *rest in json.loads(text))


_WORD = _Codec(_write_word, _word)
_OID = _Codec(_oid, _oid)
_CODECS: dict[object, _Codec] = {
    Oid: _OID,
    Word: _WORD,
    Text: _Codec(json.dumps, json.loads),
    int: _Codec(lambda number: str(int(number)), _number),
    bool: _Codec(lambda truth: "yes" if truth else "no", {"yes": True, "no": False}.__getitem__),
    datetime: _Codec(write_time, read_time),
    RunState: _Codec(lambda state: str(state.value), RunState),
    CommandState: _Codec(lambda state: str(state.value), CommandState),
    Hosts: _Codec(_write_hosts, _read_hosts),
    tuple[Oid, ...]: _many(_OID),
    tuple[Word, ...]: _many(_WORD),
}


def write_event(event: Event) -> str:
    """The commit message: a subject for people, a blank line, the facts."""
    head = [f"Event: {_NAMES[type(event.body)]}", f"Format: {FORMAT}"]
    return "\n".join([_subject(event), "", *head, *_lines(event.stamp), *_lines(event.body)]) + "\n"


def read_event(message: str, oid: str = "") -> Event:
    """The event in a commit message. Errors: InvalidEvent for anything that write_event would not write."""
    try:
        event = _read(message, oid)
        same = write_event(event) == message
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidEvent(f"event {oid[:12]}: {type(error).__name__}: {error}") from None
    if not same:
        raise InvalidEvent(f"event {oid[:12]}: not written as this server writes it")
    return event


def reads_as_event(message: str) -> bool:
    """Whether it would be a fact, were it signed by the server: nobody's text ever is."""
    try:
        read_event(message)
    except InvalidEvent:
        return False
    return True


def _read(message: str, oid: str) -> Event:
    lines = message.split("\n")[2:-1]
    found = dict(line.split(": ", 1) for line in lines)
    if found["Format"] != str(FORMAT):
        raise InvalidEvent(f"format {found['Format']}; this release reads format {FORMAT}")
    body: Body = _read_fields(_KINDS[found["Event"]], found)
    return Event(_read_fields(Stamp, found), body, oid)


def _read_fields(kind: type[Any], found: dict[str, str]) -> Any:  # noqa: ANN401  # the caller names the kind
    return kind(**{field.name: _CODECS[field.type].read(found[_key(field.name)]) for field in fields(kind)})


def _lines(value: Stamp | Body) -> list[str]:
    return [f"{_key(field.name)}: {_CODECS[field.type].write(getattr(value, field.name))}" for field in fields(value)]


def _key(name: str) -> str:
    return name.replace("_", "-").capitalize()


def _subject(event: Event) -> str:
    return _SUBJECTS[type(event.body)].format(stamp=event.stamp, body=event.body)
