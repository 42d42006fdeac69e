"""One Rego file → its package, imports and rules, each rule with its tokens and its place in the text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitops_hooks.plugins.rego_tokens import BadRego, Token, read_tokens

_GOES_ON = frozenset(("if", "contains", "in", "as", "else", "not", "some", "every", "default"))
_INFIX = frozenset((":=", "==", "!=", "<=", ">=", "<", ">", "=", "+", "-", "*", "/", "%", "&", "|", ",", ".", ":"))


@dataclass(frozen=True, slots=True)
class Rule:
    """`kind` is set (`contains`), function, value or default; `start` and `end` are its place in the text."""

    name: str
    kind: str
    tokens: tuple[Token, ...]

    @property
    def line(self) -> int:
        return self.tokens[0].line

    @property
    def start(self) -> int:
        return self.tokens[0].start

    @property
    def end(self) -> int:
        return self.tokens[-1].end


@dataclass(frozen=True, slots=True)
class Module:
    """A file's path and text, its package (`main`), what names it imports (`x` → `data.lib.x`), and its rules."""

    path: str
    text: str
    package: str
    imports: dict[str, str]
    rules: tuple[Rule, ...]

    @property
    def tests(self) -> bool:
        return self.path.endswith("_test.rego")


def read_module(path: str, text: bytes) -> Module:
    """Errors: BadRego."""
    try:
        characters = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRego(text.count(b"\n", 0, error.start) + 1, "not UTF-8; save the file as UTF-8") from None
    if "\0" in characters:
        raise BadRego(1, "holds a NUL")
    statements = list(_statements(read_tokens(characters)))
    if not statements or statements[0][0].text != "package":
        raise BadRego(1, "begins without a package; write package main")
    imports = dict(_import(each) for each in statements if each[0].text == "import")
    rules = tuple(_rule(each) for each in statements[1:] if each[0].text != "import")
    return Module(path, characters, _path(statements[0][1:]), imports, rules)


def _statements(tokens: Sequence[Token]) -> Iterator[tuple[Token, ...]]:
    """A statement begins with a word at the beginning of a line outside of all brackets."""
    depth, begun = 0, 0
    for at, token in enumerate(tokens):
        begins = (
            depth == 0 and token.first and token.kind == "ident" and token.text not in ("else", "if", "contains", "in")
        )
        if begins and at > begun and not _goes_on(tokens[at - 1]):
            yield tuple(tokens[begun:at])
            begun = at
        if token.kind == "sign" and token.text in "([{":
            depth += 1
        elif token.kind == "sign" and token.text in ")]}":
            depth -= 1
            after = tokens[at + 1] if at + 1 < len(tokens) else None
            if (
                depth == 0
                and token.text == "}"
                and after
                and not after.first
                and after.text not in ("else", ".", "[", ",")
            ):
                _refuse_run_on(after)
        elif depth == 0 and token.text == ";":
            raise BadRego(token.line, "one rule a line; ';' belongs into bodies")
    if tokens:
        yield tuple(tokens[begun:])


def _refuse_run_on(after: Token) -> None:
    if after.kind == "ident" and after.text not in ("if", "with", "in"):
        raise BadRego(after.line, "each rule begins on a line of its own")


def _goes_on(token: Token) -> bool:
    return token.text in _GOES_ON if token.kind == "ident" else token.kind == "sign" and token.text in _INFIX


def _path(tokens: Sequence[Token]) -> str:
    """Errors: BadRego for anything but `a.b.c`."""
    path = "".join(token.text for token in tokens)
    good = all(token.kind == ("sign" if at % 2 else "ident") for at, token in enumerate(tokens))
    if not tokens or not good or len(tokens) % 2 == 0 or any(token.text != "." for token in tokens[1::2]):
        raise BadRego(tokens[0].line if tokens else 1, f"'{path[:60]}' is no path of names; write it as a.b.c")
    return path


def _import(tokens: Sequence[Token]) -> tuple[str, str]:
    words = tokens[1:]
    alias = ""
    if len(words) > 2 and words[-2].text == "as":
        if not words[-1].is_name():
            raise BadRego(words[-1].line, f"'{words[-1].text[:60]}' is no name")
        alias, words = words[-1].text, words[:-2]
    path = _path(words)
    if path.partition(".")[0] not in ("rego", "future", "data", "input"):
        raise BadRego(tokens[0].line, f"'{path[:60]}' cannot be imported; only data, input and rego.v1")
    return alias or path.rpartition(".")[2], path


def _rule(tokens: tuple[Token, ...]) -> Rule:
    """Errors: BadRego for a head that is none of the four kinds."""
    if tokens[0].text == "default" and len(tokens) > 1:
        return Rule(tokens[1].text, "default", tokens)
    name, after = tokens[0], tokens[1].text if len(tokens) > 1 else ""
    if not name.is_name():
        raise BadRego(name.line, f"'{name.text[:60]}' begins no rule")
    kinds = {"contains": "set", "(": "function", ":=": "value", "if": "value"}
    if after not in kinds:
        heads = f"{name.text} contains … if, {name.text} := … if, or {name.text}(…) := … if"
        raise BadRego(name.line, f"the head of {name.text[:60]} is none that is taken; write {heads}")
    return Rule(name.text, kinds[after], tokens)
