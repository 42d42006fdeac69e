"""JSON text → values, or every fault with its line.

Good text goes through the standard library's parser alone. Only text with a fault, or of which somebody wants to know
the lines, is read a second time, by a reader that keeps no stack of calls and therefore has no depth to fall from.
"""

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

from gitops_hooks.plugin import Marked

DEPTH = 128
NODES = 400_000
DIGITS = 4300  # more than these, and Python's int() raises

_TOKEN = re.compile(
    r'[ \t\n\r]*+(?:(?P<mark>[{}\[\],:])|(?P<text>"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")'
    r"|(?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)(?![\w.+-])|(?P<word>true|false|null)\b)"
)
_SPACE = re.compile(r"[ \t\n\r]*+")
_NOT_JSON = re.compile(r"-?(?:NaN|Infinity)\b")
_STRANGER = re.compile(r"[\w.+-]{1,40}")
_BAD_TEXT = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
_COMMENT = re.compile(r'"(?:[^"\\\n]++|\\.)*+"?|//[^\n]*+|/\*(?:(?:[^*]++|\*(?!/))*+\*/|.*+)', re.DOTALL)
_COMMA = re.compile(r'"(?:[^"\\\n]++|\\.)*+"?|,(?=[ \t\n\r]*+[}\]])', re.DOTALL)
_VISIBLE = re.compile(r"[^\n]")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a document and its 1-based line (0: the whole file)."""

    line: int
    message: str


def parse_json(text: str) -> tuple[Any, tuple[Fault, ...]]:
    """The value of one JSON text, or None and all its faults."""
    try:
        return _load(text), ()
    except (ValueError, RecursionError):
        return None, mark_json(text)[1] or (Fault(0, "is not JSON"),)


def is_json(text: str) -> bool:
    """Whether it has no fault, at the price of the fast parser alone."""
    try:
        _load(text)
    except (ValueError, RecursionError):
        return False
    return True


def _load(text: str) -> object:
    """Errors: ValueError, RecursionError, which say too little to be told."""
    value = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse, parse_float=_finite)
    if _may_be_deep(text) and _is_deep(value):
        raise ValueError(DEPTH)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("duplicate key")
    return made


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _finite(text: str) -> float:
    if math.isinf(value := float(text)):
        raise ValueError(text)
    return value


def _may_be_deep(text: str) -> bool:
    """Whether there are brackets enough; a few files have, and only those are walked through."""
    return text.count("[") + text.count("{") > DEPTH


def _is_deep(value: object) -> bool:
    level, depth = [value] if isinstance(value, dict | list) else [], 0
    while level:
        depth += 1
        if depth > DEPTH:
            return True
        values = (node.values() if isinstance(node, dict) else node for node in level)
        level = [item for inside in values for item in inside if isinstance(item, dict | list)]
    return False


def without_comments(text: str) -> str:
    """The same lines with blanks for comments and for commas at the end of a list, as editors' own files have them."""
    bare = _COMMENT.sub(lambda found: _blank(found, "/"), text)
    return _COMMA.sub(lambda found: _blank(found, ","), bare)


def _blank(found: re.Match[str], first: str) -> str:
    return _VISIBLE.sub(" ", found.group()) if found.group().startswith(first) else found.group()


class _Stop(Exception):
    """The text cannot be read any further."""


@dataclass(slots=True)
class _Open:
    """An object or array whose end has not come yet; `key` waits for its value."""

    line: int
    pairs: list[tuple[Marked, Marked]] | None = None
    items: list[Marked] = field(default_factory=list)
    key: Marked | None = None
    seen: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Reader:
    """One reading: where it stands, what is open, and what it expects: `value`, `first` value, `key`, `start` key …"""

    text: str
    at: int = 0
    counted: int = 0
    line: int = 1
    expected: str = "value"
    last: str = ""
    nodes: int = 0
    open: list[_Open] = field(default_factory=list)
    root: Marked | None = None
    faults: list[Fault] = field(default_factory=list)

    def read(self) -> None:
        while True:
            piece = _TOKEN.match(self.text, self.at)
            start = piece.start(piece.lastgroup or 0) if piece else self._skip()
            self.line += self.text.count("\n", self.counted, start)
            self.counted = start
            if piece is None and start == len(self.text):
                return self._end()
            if piece is None:
                self._stop(self._stranger(start))
            self.at = piece.end()
            self._take(piece.lastgroup or "", piece.group(piece.lastgroup or 0))
            self.last = piece.group(piece.lastgroup or 0)

    def _skip(self) -> int:
        found = _SPACE.match(self.text, self.at)
        return found.end() if found else self.at

    def _end(self) -> None:
        if self.open:
            kind = "object" if self.open[-1].pairs is not None else "list"
            self._stop(f"ends before the {kind} of line {self.open[-1].line} is closed")
        if self.root is None:
            self._stop("is empty; write at least {} or []")

    def _stop(self, message: str) -> NoReturn:
        self.faults.append(Fault(self.line, message))
        raise _Stop

    def _take(self, kind: str, piece: str) -> None:
        if self.expected == "end":
            self._stop(f"more text behind the document: {piece[:40]}; one file holds one JSON value")
        elif piece == ":" and self.expected == ":":
            self.expected = "value"
        elif piece == "," and self.expected == ",":
            self.expected = "key" if self.open[-1].pairs is not None else "value"
        elif kind == "text" and self.expected in ("key", "start"):
            self._name(piece)
        elif self._closes(piece):
            self._close()
        elif self.expected in ("value", "first") and (kind != "mark" or piece in "{["):
            self._value(kind, piece)
        else:
            self._stop(self._unexpected(piece))

    def _closes(self, piece: str) -> bool:
        if piece not in ("}", "]") or not self.open:
            return False
        return self.expected in ((",", "start") if piece == "}" else (",", "first")) and (piece == "}") == (
            self.open[-1].pairs is not None
        )

    def _name(self, piece: str) -> None:
        here, name = self.open[-1], str(json.loads(piece))
        if (first := here.seen.get(name)) is not None:
            self.faults.append(Fault(self.line, f"duplicate key {name[:60]!r}, first on line {first}"))
        here.seen.setdefault(name, self.line)
        here.key = Marked(self.line, "str", name)
        self.expected = ":"

    def _value(self, kind: str, piece: str) -> None:
        self.nodes += 1
        if self.nodes > NODES:
            self._stop(f"more than {NODES} values")
        if kind == "mark":
            if len(self.open) >= DEPTH:
                self._stop(f"nested deeper than {DEPTH} levels")
            self.open.append(_Open(self.line, [] if piece == "{" else None))
            self.expected = "start" if piece == "{" else "first"
        else:
            self._put(self._scalar(kind, piece))

    def _scalar(self, kind: str, piece: str) -> Marked:
        if kind == "text":
            return Marked(self.line, "str", str(json.loads(piece)))
        if kind == "word":
            return Marked(self.line, "null" if piece == "null" else "bool", piece, plain=True)
        whole = piece.lstrip("-").isdigit()
        if whole and len(piece.lstrip("-")) > DIGITS:
            self.faults.append(Fault(self.line, f"a number of {len(piece)} digits; write it as a text"))
        if not whole and math.isinf(float(piece)):
            self.faults.append(Fault(self.line, f"{piece[:40]} is too large for a number; write it as a text"))
        return Marked(self.line, "int" if whole else "float", piece, plain=True)

    def _close(self) -> None:
        done = self.open.pop()
        if done.pairs is None:
            self._put(Marked(done.line, "seq", items=tuple(done.items)))
        else:
            self._put(Marked(done.line, "map", pairs=tuple(done.pairs)))

    def _put(self, node: Marked) -> None:
        self.expected = "," if self.open else "end"
        if not self.open:
            self.root = node
        elif (pairs := self.open[-1].pairs) is not None:
            pairs.append((self.open[-1].key or node, node))
        else:
            self.open[-1].items.append(node)

    def _unexpected(self, piece: str) -> str:
        if piece in ("}", "]") and self.last == ",":
            return f"a comma before '{piece}'; take it out"
        closing = "',' or '}'" if self.open and self.open[-1].pairs is not None else "',' or ']'"
        wanted = {"value": "a value", "first": "a value or ']'", "key": "a name", "start": "a name or '}'", ":": "':'"}
        return f"expected {wanted.get(self.expected) or closing}, found {piece[:40]}"

    def _stranger(self, start: int) -> str:
        """What is wrong with characters that begin nothing that JSON has."""
        if constant := _NOT_JSON.match(self.text, start):
            return f"JSON has no {constant.group()}; write null, or a text"
        if self.text.startswith(("//", "/*", "#"), start):
            return "JSON has no comments; take it out, or name the file in the option comments"
        if self.text[start] == "'":
            return "a text in single quotes; JSON has double ones"
        if self.text[start] == '"':
            return self._bad_text(start)
        found = _STRANGER.match(self.text, start)
        return (
            f"{found.group() if found else self.text[start]!r} is nothing that JSON has; texts stand in double quotes"
        )

    def _bad_text(self, start: int) -> str:
        good = _BAD_TEXT.match(self.text, start)
        end = good.end() if good else start
        match self.text[end : end + 1]:
            case "" | "\n":
                return "a text that does not end on its line"
            case "\\":
                return f"{self.text[end : end + 2]} is no escape in JSON; a backslash is written twice"
        return f"the character #x{ord(self.text[end]):02x} inside a text; write it as \\u{ord(self.text[end]):04x}"


def mark_json(text: str) -> tuple[Marked | None, tuple[Fault, ...]]:
    """The same as nodes with their lines, as far as it can be read, and all faults."""
    reader = _Reader(text)
    try:
        reader.read()
    except _Stop:
        return None, tuple(reader.faults)
    return reader.root, tuple(reader.faults)
