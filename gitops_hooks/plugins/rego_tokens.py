"""Rego → tokens with their places: enough to see what a policy asks for before any engine does."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+|#[^\n]*)"
    r"|(?P<string>\"(?:[^\"\\\n]|\\.)*\")"
    r"|(?P<raw>`[^`]*`)"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<ident>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>:=|==|!=|<=|>=|[-+*/%&|<>=.,:;()\[\]{}])"
)
_CLOSES = {")": "(", "]": "[", "}": "{"}
KEYWORDS = frozenset(
    ("package", "import", "default", "if", "else", "contains", "in", "some", "every", "not", "with", "as")
)
CONSTANTS = frozenset(("true", "false", "null", "input", "data"))


class BadRego(Exception):
    """Rego that cannot be taken: the line, and what to do."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(line, message)
        self.line = line
        self.message = message


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is string, raw, number, ident or sign; `first` says that it is the first of its line; `start` and `end`
    are places in the text.
    """

    kind: str
    text: str
    line: int
    start: int
    end: int
    first: bool

    def is_name(self) -> bool:
        return self.kind == "ident" and self.text not in KEYWORDS and self.text not in CONSTANTS


def read_tokens(text: str) -> tuple[Token, ...]:
    """Errors: BadRego for characters that are none of Rego's, and brackets that do not close."""
    found: list[Token] = []
    at, line, fresh = 0, 1, True
    opened: list[Token] = []
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise BadRego(line, f"'{text[at]}' cannot be read here")
        kind, part = str(match.lastgroup), match.group()
        if kind == "space":
            fresh = fresh or "\n" in part
        else:
            token = Token(kind, part, line, at, match.end(), fresh)
            _balance(token, opened)
            found.append(token)
            fresh = False
        line += part.count("\n")
        at = match.end()
    if opened:
        raise BadRego(opened[-1].line, f"'{opened[-1].text}' is never closed")
    return tuple(found)


def _balance(token: Token, opened: list[Token]) -> None:
    if token.kind != "sign":
        return
    if token.text in "([{":
        opened.append(token)
    elif token.text in _CLOSES and (not opened or opened.pop().text != _CLOSES[token.text]):
        raise BadRego(token.line, f"'{token.text}' closes nothing")


def pairs_of(tokens: tuple[Token, ...]) -> dict[int, int]:
    """Each bracket's index → its partner's, both ways."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for at, token in enumerate(tokens):
        if token.kind == "sign" and token.text in "([{":
            opened.append(at)
        elif token.kind == "sign" and token.text in _CLOSES:
            found[at] = opened.pop()
            found[found[at]] = at
    return found
