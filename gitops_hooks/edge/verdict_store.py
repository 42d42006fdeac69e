"""Verdicts that are kept, in files of the judge's own: a folder that may be removed at any time.

A file is named by what the check was given and holds, for each set of things that it looked at then, what it found.
Its first line is a checksum of the rest: what is torn or strange is as good as not there, and is written anew.
"""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gitops_hooks.edge.findings import parse_finding, plain_finding
from gitops_hooks.edge.looks import Answer
from gitops_hooks.edge.tool_wire import SIDES, Look
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.server import Limits
from gitops_hooks.model.verdict import Finding

FORMAT = 1
_NAME = "verdicts"
_MOST_BYTES = 1024 * 1024
_MOST_OF_A_KEY = 8
_FOLDERS = 64
_HALF_WRITTEN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Kept:
    """What a check found, and what stood wherever it had looked."""

    looks: tuple[tuple[Look, Answer], ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class VerdictStore:
    """At most so many files and bytes below a folder; the least recently used go first. No fault here is told."""

    folder: Path
    most: int
    size: int

    def read(self, key: str) -> tuple[Kept, ...]:
        """What is kept under a key, the newest first; nothing for a file that is not whole."""
        try:
            return _parse(_read(self._place(key)), key)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return ()

    def use(self, key: str) -> None:
        """Remember that it was of use."""
        with contextlib.suppress(OSError):
            os.utime(self._place(key))

    def keep(self, key: str, kept: Kept) -> None:
        """Keep this beside what was found for other things looked at; on a full disk nothing is kept."""
        others = [each for each in self.read(key) if each.looks != kept.looks]
        text = _text(key, (kept, *others[: _MOST_OF_A_KEY - 1]))
        most = min(_MOST_BYTES, self.size // _FOLDERS)
        if len(text) > most:
            text = _text(key, (kept,))
        if len(text) <= most:
            with contextlib.suppress(OSError):
                self._write(self._place(key), text)

    def _place(self, key: str) -> Path:
        return self.folder / f"{int(key[:2], 16) % _FOLDERS:02x}" / key

    def _write(self, place: Path, text: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        # Its share is kept at each write, so that many pushes between two maintenances fill no disk.
        _trim([place.parent], -(-self.most // _FOLDERS) - 1, self.size // _FOLDERS - len(text))
        making = place.with_name(f".{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
                file.write(text)
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            making.rename(place)
        except OSError:
            making.unlink(missing_ok=True)
            raise

    def trim(self) -> None:
        """Remove what is too much, and what killed writers left."""
        _trim(_folders(self.folder), self.most, self.size)

    def usage(self) -> tuple[int, int]:
        """How many files there are, and their bytes."""
        sizes = [size for folder in _folders(self.folder) for _, size, _ in _files(folder)]
        return len(sizes), sum(sizes)


def forget_verdicts(state: Path) -> None:
    """Remove what is kept of one repository: messages of checks may quote what has to go."""
    shutil.rmtree(state / _NAME, ignore_errors=True)


def store_of(state: Path, limits: Limits) -> VerdictStore:
    """Where the verdicts of one repository are kept; `state` is what it has in the home."""
    return VerdictStore(state / _NAME, limits.verdicts, limits.verdict_size)


def _folders(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _files(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """When each was used last, its size and place."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                yield found.st_mtime, found.st_size, Path(entry.path)


def _trim(folders: Iterable[Path], most: int, size: int) -> None:
    """Remove the least recently used until so many files and bytes are left."""
    now = time.time()
    found = sorted((each for folder in folders for each in _files(folder)), reverse=True)
    room, left = most, size
    for used, length, place in found:
        half = place.name.startswith(".")
        if half and now - used < _HALF_WRITTEN_SECONDS:
            continue
        room, left = room - 1, left - length
        if half or room < 0 or left < 0:
            with contextlib.suppress(OSError):
                place.unlink()


def _read(place: Path) -> bytes:
    """Errors: OSError; ValueError for what no judge of ours has written."""
    handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_size > _MOST_BYTES:
            raise ValueError(place.name)
        return file.read(_MOST_BYTES)


def _text(key: str, kept: Sequence[Kept]) -> bytes:
    plain = [
        [
            [[look.side, look.path, answer] for look, answer in each.looks],
            [plain_finding(finding) for finding in each.findings],
        ]
        for each in kept
    ]
    body = json.dumps({"format": FORMAT, "key": key, "kept": plain}, separators=(",", ":")).encode()
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _parse(text: bytes, key: str) -> tuple[Kept, ...]:
    """Errors: ValueError, TypeError, KeyError, RecursionError."""
    checksum, _, body = text.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != checksum:
        raise ValueError(key)
    said = json.loads(body)
    if (said["format"], said["key"]) != (FORMAT, key):
        raise ValueError(key)
    return tuple(
        Kept(
            tuple((_look(side, path), answer) for side, path, answer in looks),
            tuple(parse_finding(finding) for finding in findings),
        )
        for looks, findings in said["kept"]
    )


def _look(side: object, path: object) -> Look:
    if side not in SIDES or not isinstance(path, str):
        raise ValueError(side)
    return Look(str(side), path)
