"""The server's journal: refusals and alarms, one JSON object a line, bounded by one rotation."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from gitops_hooks.edge.home import Home
from gitops_hooks.model.server import Limits

_LONGEST = 16 * 1024
_TRIES = 100


def append(home: Home, kind: str, facts: Mapping[str, str | int], size: int = Limits().journal_size) -> None:
    """Append one line; past `size` bytes the file becomes `journal.jsonl.1`. A full disk loses the line, no more."""
    line = _line(kind, facts)
    with contextlib.suppress(OSError):
        _append(home, line, size)


def write_journal(home: str, kind: str, facts: Mapping[str, str | int]) -> None:
    """Append one line to the journal of the server whose folder is `home`; never raises."""
    append(Home(Path(home)), kind, facts)


def _line(kind: str, facts: Mapping[str, str | int]) -> bytes:
    # ASCII escapes keep a pusher's newline, U+2028 or terminal sequence inside its own value.
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    record: dict[str, str | int] = {"time": now, "kind": kind}
    for key, value in facts.items():
        record.setdefault(key, value if isinstance(value, int) else value[:_LONGEST])
    return json.dumps(record, ensure_ascii=True).encode("ascii") + b"\n"


def _append(home: Home, line: bytes, size: int) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    # The lock has a file of its own: a lock on a file that is renamed away would guard nothing.
    lock = os.open(home.journal.with_name("journal.lock"), flags, 0o600)
    try:
        _take(lock)
        if home.journal.exists() and home.journal.stat().st_size + len(line) > size:
            home.journal.replace(home.journal.with_name("journal.jsonl.1"))
        journal = os.open(home.journal, flags, 0o600)
        try:
            _write_whole(journal, line)
        finally:
            os.close(journal)
    finally:
        os.close(lock)


def _take(lock: int) -> None:
    """Lock within a second: a process that was stopped with the lock must not stop every push."""
    for _ in range(_TRIES):
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(1 / _TRIES)
    raise TimeoutError


def _write_whole(journal: int, line: bytes) -> None:
    """Half a line on a full disk would swallow the next one."""
    before = os.fstat(journal).st_size
    if os.write(journal, line) != len(line):
        os.ftruncate(journal, before)
