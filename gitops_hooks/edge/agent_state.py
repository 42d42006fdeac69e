"""What an agent keeps in its state folder: how far it has verified, how its hosts stand, how its last round ended.

Nothing of it is the trust root: where all of it is lost, everything is verified again from the adoption.
"""

import json
import os
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from gitops_hooks.edge.disk import FULL, says_full
from gitops_hooks.edge.store import replace_file
from gitops_hooks.model.agent_mark import Mark, Standing, Status
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass

_Found = TypeVar("_Found")
_FORMAT = 1
# What a round writes besides what it fetches. Below that none begins: a run whose end cannot be noted would be made
# again in each round.
ROOM = 256 * 1024


class FullError(EdgeError):
    """The disk of the state folder has no room."""


def need_room(folder: Path) -> None:
    """Errors: EdgeError where no round can be made for lack of room; OSError."""
    found = os.statvfs(folder)
    # Of what is kept for root, root may take.
    free = found.f_bfree if os.geteuid() == 0 else found.f_bavail
    if free * found.f_frsize < ROOM:
        raise _full(folder)


@contextmanager
def needing_state(folder: Path) -> Iterator[None]:
    """Errors: EdgeError about this folder, in place of whatever tells of a full disk."""
    try:
        yield
    except (EdgeError, OSError) as error:
        if says_full(error) or getattr(error, "where", "") == FULL:
            raise _full(folder) from None
        raise


def _full(folder: Path) -> "FullError":
    return FullError(str(folder), "its disk is full; all is left as it is, and goes on by itself once there is room")


@dataclass(frozen=True, slots=True)
class Notes:
    """The three files; each is replaced whole, so that a kill leaves the one before."""

    folder: Path

    def mark(self) -> Mark:
        """How far it has verified; nothing yet where the file is missing or broken."""
        return self._read("mark", Mark) or Mark()

    def write_mark(self, mark: Mark) -> None:
        self._write("mark", asdict(mark))

    def standing(self) -> dict[str, Standing]:
        """The hosts by name."""
        found = self._load("standing")
        rows = found.items() if isinstance(found, dict) else ()
        read = {str(host): _parse(Standing, row) for host, row in rows}
        return {host: one for host, one in read.items() if one is not None}

    def write_standing(self, standing: Mapping[str, Standing]) -> None:
        self._write("standing", {host: asdict(one) for host, one in standing.items()})

    def status(self) -> Status | None:
        """How the last round ended, None before the first."""
        return self._read("status", Status)

    def write_status(self, status: Status) -> None:
        self._write("status", asdict(status))

    def _write(self, name: str, found: object) -> None:
        text = json.dumps({"format": _FORMAT, name: found}, separators=(",", ":"))
        try:
            replace_file(self.folder / f"{name}.json", text.encode() + b"\n")
        except OSError as error:
            raise EdgeError(str(self.folder), f"cannot be written to: {error.strerror}") from None

    def _load(self, name: str) -> object:
        try:
            found = json.loads((self.folder / f"{name}.json").read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        return found.get(name) if isinstance(found, dict) and found.get("format") == _FORMAT else None

    def _read(self, name: str, kind: type[_Found]) -> _Found | None:
        return _parse(kind, self._load(name))


class _Strange(Exception):
    """Not what was written."""


def _parse(kind: type[_Found], found: object) -> _Found | None:
    try:
        value = _value(kind, found)
    except _Strange:
        return None
    assert isinstance(value, kind)  # noqa: S101  # for the type checker: _value answers one of the kind
    return value


def _value(kind: Any, found: object) -> object:  # noqa: ANN401  # a type, or one of typing's words for one
    if isinstance(kind, types.UnionType):
        return None if found is None else _value(get_args(kind)[0], found)
    if get_origin(kind) is tuple:
        return _row(get_args(kind), found)
    if is_dataclass(kind):
        return _record(kind, found)
    if kind is float and isinstance(found, int | float) and not isinstance(found, bool):
        return float(found)
    if type(found) is kind:
        return found
    raise _Strange


def _row(kinds: tuple[Any, ...], found: object) -> tuple[object, ...]:
    if not isinstance(found, list):
        raise _Strange
    if kinds[-1] is ...:
        return tuple(_value(kinds[0], item) for item in found)
    if len(kinds) != len(found):
        raise _Strange
    return tuple(_value(kind, item) for kind, item in zip(kinds, found, strict=True))


def _record(kind: Any, found: object) -> object:  # noqa: ANN401  # as above
    hints = get_type_hints(kind)
    if not isinstance(found, dict) or set(found) != {field.name for field in fields(kind)}:
        raise _Strange
    return kind(**{name: _value(hints[name], value) for name, value in found.items()})
