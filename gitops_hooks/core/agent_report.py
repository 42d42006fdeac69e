"""An agent's report ⇄ the bytes of its blob: strict JSON, written in one way only.

A document counts only if writing what was read gives the same bytes again, so that no key stands twice and no number
is read in two ways.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from gitops_hooks.core.utc_time import read_time, write_time
from gitops_hooks.model.agent import HostReport, Report
from gitops_hooks.model.deployment import HostState
from gitops_hooks.model.drift import Sync

FORMAT = 1
MOST_BYTES = 64 * 1024
MOST_HOSTS = 300
MOST_TEXT = 2000
_MOST_NAME = 255
_MOST_NUMBER = 10**15
_SYNC = {Sync.SYNCED: "synced", Sync.OUT: "out-of-sync", Sync.UNKNOWN: "unknown"}
_SYNC_OF = {word: sync for sync, word in _SYNC.items()}
_STATE_OF = {"": None} | {state.value: state for state in HostState}
_WORD = re.compile(r"[!-~]+")
_OID = re.compile("[0-9a-f]{40}")


def encode(report: Report) -> bytes:
    """The blob; details are cut where it would be too large. Errors: ValueError where it still is."""
    most = MOST_TEXT
    while True:
        hosts = tuple(replace(host, detail=host.detail[:most]) for host in report.hosts)
        written = _write(replace(report, hosts=hosts, alarm=report.alarm[:MOST_TEXT]))
        if len(written) <= MOST_BYTES:
            return written
        if not most:
            raise ValueError(f"hosts: {len(report.hosts)} of them are more than a report of {MOST_BYTES} bytes takes")
        most //= 2


def parse(blob: bytes) -> Report:
    """The report. Errors: ValueError that names the field."""
    if len(blob) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES} bytes")
    try:
        found = json.loads(blob)
    except (ValueError, RecursionError):
        raise ValueError("it is not one JSON document") from None
    if isinstance(found, dict) and found.get("format") != FORMAT:
        raise ValueError(f"format: it is {_shown(found.get('format'))}; this release reads {FORMAT}")
    read = _read(found, "", _REPORT)
    read.pop("format")
    report = Report(**read)
    if _write(report) != blob:
        raise ValueError("it is not written as encode writes it: keys in order, each once, no spaces, one line feed")
    return report


def _write(report: Report) -> bytes:
    rows = {
        "format": FORMAT,
        "agent": report.agent,
        "repository": report.repository,
        "environment": report.environment,
        "generation": report.generation,
        "commit": report.commit,
        "log": report.log,
        "sequence": report.sequence,
        "at": write_time(report.at),
        "hosts": [_host_row(host) for host in report.hosts],
        "alarm": report.alarm,
        "records": report.records,
    }
    return json.dumps(rows, separators=(",", ":")).encode() + b"\n"


def _host_row(host: HostReport) -> dict[str, object]:
    return {
        "name": host.name,
        "state": host.state.value if host.state else "",
        "sync": _SYNC[host.sync],
        "changed": host.changed,
        "detail": host.detail,
        "generation": host.generation,
        "commit": host.commit,
        "began": host.began,
        "seconds": host.seconds,
    }


def _read(found: object, place: str, fields: Mapping[str, Callable[[object, str], Any]]) -> dict[str, Any]:
    """Every field of one object, each by its own reader."""
    if not isinstance(found, dict):
        raise ValueError(f"{place or 'it'}: is not a JSON object")
    at = f"{place}." if place else ""
    for name in found:
        if name not in fields:
            raise ValueError(f"{at}{_shown(name)}: there is no such field")
    for name in fields:
        if name not in found:
            raise ValueError(f"{at}{name}: is missing")
    return {name: read(found[name], f"{at}{name}") for name, read in fields.items()}


def _word(found: object, place: str) -> str:
    if not isinstance(found, str) or not _WORD.fullmatch(found) or len(found) > _MOST_NAME:
        raise ValueError(f"{place}: is not a word of 1 to {_MOST_NAME} printable ASCII characters")
    return found


def _text(found: object, place: str) -> str:
    if not isinstance(found, str) or len(found) > MOST_TEXT:
        raise ValueError(f"{place}: is not a text of at most {MOST_TEXT} characters")
    return found


def _number(found: object, place: str) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < _MOST_NUMBER:
        raise ValueError(f"{place}: is not a number from 0 to {_MOST_NUMBER - 1}")
    return found


def _from_one(found: object, place: str) -> int:
    number = _number(found, place)
    if not number:
        raise ValueError(f"{place}: counts from 1")
    return number


def _oid(found: object, place: str) -> str:
    if found == "" or (isinstance(found, str) and _OID.fullmatch(found)):
        return str(found)
    raise ValueError(f"{place}: is neither an object id of 40 hexadecimal digits nor empty")


def _time(found: object, place: str) -> datetime:
    try:
        return read_time(found if isinstance(found, str) else "")
    except ValueError:
        raise ValueError(f"{place}: is not a time like 2026-11-26T09:00:00Z") from None


def _state(found: object, place: str) -> HostState | None:
    if not isinstance(found, str) or found not in _STATE_OF:
        raise ValueError(f"{place}: is none of {', '.join(filter(None, _STATE_OF))}, nor empty")
    return _STATE_OF[found]


def _sync(found: object, place: str) -> Sync:
    if not isinstance(found, str) or found not in _SYNC_OF:
        raise ValueError(f"{place}: is none of {', '.join(_SYNC_OF)}")
    return _SYNC_OF[found]


def _hosts(found: object, place: str) -> tuple[HostReport, ...]:
    if not isinstance(found, list) or len(found) > MOST_HOSTS:
        raise ValueError(f"{place}: is not a list of at most {MOST_HOSTS} hosts")
    hosts = tuple(HostReport(**_read(row, f"{place}[{at}]", _HOST)) for at, row in enumerate(found))
    names = [host.name for host in hosts]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{place}: {twice[0]} stands there twice")
    return hosts


def _shown(found: object) -> str:
    return ascii(found)[:40]


_HOST: dict[str, Callable[[object, str], Any]] = {
    "name": _word,
    "state": _state,
    "sync": _sync,
    "changed": _number,
    "detail": _text,
    "generation": _number,
    "commit": _oid,
    "began": _number,
    "seconds": _number,
}
_REPORT: dict[str, Callable[[object, str], Any]] = {
    "format": _number,
    "agent": _word,
    "repository": _word,
    "environment": _word,
    "generation": _number,
    "commit": _oid,
    "log": _oid,
    "sequence": _from_one,
    "at": _time,
    "hosts": _hosts,
    "alarm": _text,
    "records": _text,
}
