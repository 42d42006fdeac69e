"""TOML text → values by the standard library, its faults with their lines, and the line of each key and value."""

import datetime
import math
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gitops_hooks.plugin import Marked
from gitops_hooks.plugins.json_text import Fault

SIZE = 1024 * 1024
DOTS = 64  # parts of one dotted key: tomllib's time grows with their square

_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_LONG_NUMBER = re.compile(r"(?<![\w.])[+-]?[0-9][0-9_]{4300,}")  # DIGITS of json_text
_LONG_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]{0,200}+"|'[^'\n]{0,200}+')[ \t]*+\.[ \t]*+){64}""")
_KEY = re.compile(r"""[ \t]*+("(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'|[A-Za-z0-9_-]++)[ \t]*+(\.?)""")
_SKIP = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_SCALAR = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+"{3,5}|\'\'\'(?:[^\']|\'(?!\'\'))*+\'{3,5}'
    r'|"(?:[^"\\\n]|\\.)*+"|\'[^\'\n]*+\'|[^,\]}#\n]++',
    re.DOTALL,
)


def parse_toml(text: str) -> tuple[Any, tuple[Fault, ...]]:
    """The table of one TOML text, dates as texts, or None and what is wrong first."""
    if len(text) > SIZE:
        return None, (Fault(0, f"larger than {SIZE} characters; so much TOML is not read"),)
    if found := _LONG_KEY.search(text):
        return None, (Fault(_line(text, found.start()), f"a key of more than {DOTS} parts"),)
    try:
        return _plain(tomllib.loads(text)), ()
    except tomllib.TOMLDecodeError as error:
        return None, (_worded(str(error), text),)
    except RecursionError:
        return None, (Fault(0, "nested too deep; TOML of so many levels is not read"),)
    except ValueError:
        found = _LONG_NUMBER.search(text)
        words = "a number of too many digits; write it as a text"
        return None, (Fault(_line(text, found.start()) if found else 0, words),)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _worded(message: str, text: str) -> Fault:
    """The parser's words without its place, which becomes the line."""
    found = _PLACE.search(message)
    words = (message[: found.start()] if found else message).strip()[:300]
    line = int(found.group(1)) if found and found.group(1) else _line(text.rstrip(), len(text))
    return Fault(line, words[:1].lower() + words[1:])


def _plain(value: object) -> object:
    """The same as JSON could say it: dates, times and what is no number become texts."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


@dataclass(slots=True, eq=False)
class _Place:
    """A table, array or value that is being found, with its line."""

    line: int
    table: dict[str, tuple[int, "_Place"]] = field(default_factory=dict)
    array: list["_Place"] = field(default_factory=list)

    def marked(self) -> Marked:
        if self.array:
            return Marked(self.line, "seq", items=tuple(item.marked() for item in self.array))
        pairs = ((Marked(line, "str", name), place.marked()) for name, (line, place) in self.table.items())
        return Marked(self.line, "map", pairs=tuple(pairs))


def mark_toml(text: str) -> Marked:
    """Where each key and value of a text stands that `parse_toml` has read; the values themselves are not made."""
    return _Finder(text).find().marked()


class _Finder:
    """One walk over a sound text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = self.counted = 0
        self.line = 1

    def find(self) -> _Place:
        root = here = _Place(1)
        while self._skip() < len(self.text):
            if self.text.startswith("[", self.at):
                here = self._header(root)
            else:
                self._pair(here)
        return root

    def _skip(self) -> int:
        found = _SKIP.match(self.text, self.at)
        self.at = found.end() if found else self.at
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.at

    def _names(self) -> Iterator[str]:
        while found := _KEY.match(self.text, self.at):
            self.at = found.end()
            yield _name(found.group(1))
            if not found.group(2):
                return

    def _header(self, root: _Place) -> _Place:
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        *path, last = self._names()
        self.at += 2 if array else 1
        here = self._down(root, path)
        _, place = here.table.setdefault(last, (self.line, _Place(self.line)))
        if array:
            place.array.append(_Place(self.line))
        return place.array[-1] if place.array else place

    def _down(self, here: _Place, path: list[str]) -> _Place:
        for name in path:
            _, here = here.table.setdefault(name, (self.line, _Place(self.line)))
            here = here.array[-1] if here.array else here
        return here

    def _pair(self, here: _Place) -> None:
        *path, last = self._names()
        line = self.line
        self.at += 1
        self._down(here, path).table[last] = (line, self._value())

    def _value(self) -> _Place:
        self._skip()
        place = _Place(self.line)
        if self.text.startswith(("[", "{"), self.at):
            end = "]" if self.text.startswith("[", self.at) else "}"
            self.at += 1
            while not self.text.startswith(end, self._skip()):
                if end == "]":
                    place.array.append(self._value())
                else:
                    self._pair(place)
                self._skip()
                self.at += self.text.startswith(",", self.at)
            self.at += 1
        elif found := _SCALAR.match(self.text, self.at):
            self.at = found.end()
        return place


def _name(written: str) -> str:
    """A key without its quotes; escapes of TOML are those of the parser."""
    if written.startswith('"'):
        return str(next(iter(tomllib.loads(f"{written}=0"))))
    return written.strip("'") if written.startswith("'") else written
