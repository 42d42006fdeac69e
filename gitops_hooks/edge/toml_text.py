"""A TOML file of ours → tables that are read strictly: every fault of the file is collected, with its line."""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import field
from pathlib import Path

from gitops_hooks.model.errors import Fault, PolicyError
from gitops_hooks.model.lazy_dataclass import dataclass

SOME = re.compile(r"[^\x00-\x1f\x7f]+")
MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
REPOSITORY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{7,63}")

_LARGEST = 4 * 1024 * 1024
_HEADER = re.compile(r"\s*(\[{1,2})\s*([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)\s*\]{1,2}\s*(?:#.*)?")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
_SYNTAX_LINE = re.compile(r" \(at line (\d+), column \d+\)$")


@dataclass(slots=True)
class Faults:
    """What was found wrong in one file so far."""

    source: str
    found: list[Fault] = field(default_factory=list)

    def add(self, line: int, message: str) -> None:
        self.found.append(Fault(line, message))

    def check(self) -> None:
        """Errors: PolicyError with every fault, in the order of the lines."""
        if self.found:
            raise PolicyError(self.source, tuple(sorted(self.found, key=lambda fault: fault.line)))


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its values as TOML gave them, where they stand, and where its faults go."""

    name: str
    line: int
    values: Mapping[str, object]
    lines: Mapping[str, int]
    faults: Faults

    def line_of(self, key: str) -> int:
        return self.lines.get(key, self.line)

    def fault(self, key: str, message: str) -> None:
        self.faults.add(self.line_of(key), message)

    def allow(self, known: Collection[str], later: Collection[str] = ()) -> None:
        """Refuse every other key; those in `later` by saying that this release does not enforce them."""
        for key in self.values:
            if key in later:
                self.fault(key, f"'{key}' is not enforced by this release")
            elif key not in known:
                place = f" in [{self.name}]" if self.name else ""
                self.fault(key, f"unknown key '{key}'{place}; known: {', '.join(sorted(known))}")

    def folders(self, key: str, held: Path, what: str) -> tuple[Path, ...]:
        """Whole paths, none of which holds `held`, which is told as `what`."""
        found = tuple(Path(name) for name in self.texts(key, SOME))
        for folder in found:
            if not folder.is_absolute() or held.is_relative_to(folder):
                self.fault(key, f"'{key}' may hold whole paths only, and not what {what} is in: {folder}")
        return found

    def text(self, key: str, pattern: re.Pattern[str] | None = None, default: str | None = None) -> str:
        """A string that matches the pattern whole; without a default the key is required."""
        found = self.values.get(key)
        if found is None and default is not None:
            return default
        if found is None:
            self.fault(key, f"'{key}' is missing{f' in [{self.name}]' if self.name else ''}")
        elif not isinstance(found, str):
            self.fault(key, f"'{key}' must be a string, not {_kind(found)}")
        elif (pattern is not None and not pattern.fullmatch(found)) or "\x00" in found:
            self.fault(key, f"'{key}' has a value that cannot be used: {found!a}")
        else:
            return found
        return ""

    def texts(self, key: str, pattern: re.Pattern[str] | None = None, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of strings, each matching the pattern whole and none twice."""
        found = self.values.get(key)
        if found is None:
            return default
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            self.fault(key, f"'{key}' must be a list of strings")
            return ()
        for item in found:
            if (pattern is not None and not pattern.fullmatch(item)) or found.count(item) > 1:
                self.fault(key, f"'{key}' has an item that cannot be used or stands twice: {item!a}")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Document:
    """A whole file: its top-level values, its tables and its lists of tables.

    `places` are, by header (`floor.branch`) and its count from 0, that header's line and the lines of its keys.
    """

    top: Table
    tables: Mapping[str, Table]
    lists: Mapping[str, tuple[Table, ...]]
    places: Mapping[tuple[str, int], tuple[int, Mapping[str, int]]]


def open_toml(path: Path, tables: Collection[str], lists: Collection[str], source: str = "") -> Document:
    """Read a file in which only these `[table]`s and `[[list]]`s may stand. Errors: PolicyError."""
    source = source or path.name
    return parse_toml(read_toml(path, source), tables, lists, Faults(source))


def parse_toml(text: str, tables: Collection[str], lists: Collection[str], faults: Faults) -> Document:
    """Errors: PolicyError where the text is no TOML; faults of single values are collected in `faults`."""
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise PolicyError(faults.source, (_syntax_fault(str(error)),)) from None
    places = _places(text)
    top = {key: value for key, value in values.items() if key not in tables and key not in lists}
    return Document(
        Table("", 0, top, _headers(places), faults),
        {name: _table(name, 0, values[name], places, faults) for name in tables if name in values},
        {name: _list(name, values.get(name, []), places, faults) for name in lists},
        places,
    )


_Places = dict[tuple[str, int], tuple[int, dict[str, int]]]


def read_toml(path: Path, source: str) -> str:
    """The text of a file of bounded size. Errors: PolicyError, which names it by `source`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PolicyError(source, (Fault(0, f"cannot be read: {error.strerror}"),)) from None
    if len(content) > _LARGEST:
        raise PolicyError(source, (Fault(0, f"is larger than {_LARGEST} bytes"),))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PolicyError(source, (Fault(line, "is not UTF-8"),)) from None


def _syntax_fault(message: str) -> Fault:
    at = _SYNTAX_LINE.search(message)
    return Fault(int(at[1]), message[: at.start()]) if at else Fault(0, message.split("\n")[0])


def _places(text: str) -> _Places:
    """Where tables and keys stand, read line by line because tomllib keeps no places; good for messages only."""
    places: _Places = {("", 0): (0, {})}
    counts: dict[str, int] = {}
    here = places["", 0][1]
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.fullmatch(line):
            index = counts.get(header[2], 0)
            counts[header[2]] = index + 1
            here = places.setdefault((header[2], index), (number, {}))[1]
        elif key := _KEY.match(line):
            here.setdefault(key[1], number)
    return places


def _headers(places: _Places) -> dict[str, int]:
    """The line of every top-level name: of its first header, or of `name = …`."""
    return {name: line for (name, index), (line, _) in places.items() if index == 0 and name} | places["", 0][1]


def _table(name: str, index: int, values: object, places: _Places, faults: Faults) -> Table:
    line, lines = places.get((name, index), (0, {}))
    if index == 0:
        lines = _headers_below(name, places) | lines
    if isinstance(values, dict):
        return Table(name, line, values, lines, faults)
    faults.add(_headers(places).get(name, 0), f"'{name}' must be a table")
    return Table(name, line, {}, lines, faults)


def _headers_below(name: str, places: _Places) -> dict[str, int]:
    """The first header of each table that stands in another (`[floor.groups]`), by its last name."""
    dotted = f"{name}."
    return {
        full.removeprefix(dotted): at
        for (full, count), (at, _) in places.items()
        if full.startswith(dotted) and not count
    }


def _list(name: str, values: object, places: _Places, faults: Faults) -> tuple[Table, ...]:
    if isinstance(values, list) and all(isinstance(each, dict) for each in values):
        return tuple(_table(name, index, each, places, faults) for index, each in enumerate(values))
    faults.add(_headers(places).get(name, 0), f"'{name}' must be written as [[{name}]]")
    return ()


def _kind(value: object) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), "a date")
