"""What stands behind `not`: where a part of it is missing, OPA answers nothing at all, and the engine answers yes.

OPA takes what a function or an operator is given out of the negation first. A reference alone, or two that are
compared by `==`, it leaves there, and so does the engine.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitops_hooks.plugins.rego_modules import Rule
from gitops_hooks.plugins.rego_names import TRUSTED
from gitops_hooks.plugins.rego_tokens import CONSTANTS, KEYWORDS, Token

_OPENS, _CLOSES = frozenset("([{"), frozenset(")]}")
_GOES_ON = frozenset(("==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "&", "|", ",", "in"))
_ENDS = frozenset((";", "with"))


@dataclass(frozen=True, slots=True)
class Negations:
    """One rule with its brackets, and the names that always have a value where they stand."""

    rule: Rule
    pairs: Mapping[int, int]
    sure: frozenset[str]

    def faults(self) -> Iterator[tuple[int, str]]:
        for at, token in enumerate(self.rule.tokens):
            if token.kind == "ident" and token.text == "not":
                first, last = at + 1, self._end(at + 1)
                if sets := _sets(self.rule.tokens[first:last]):
                    yield token.line, f"'not' takes a condition, and '{sets}' is none"
                elif not self._stays(first, last):
                    yield from self._unsure(first, last)

    def _end(self, at: int) -> int:
        tokens, start = self.rule.tokens, at
        while at < len(tokens):
            token = tokens[at]
            ends = token.text in _ENDS or token.text in _CLOSES or (token.first and at > start and self._begins(at))
            if ends and token.kind != "string":
                return at
            at = self.pairs[at] + 1 if token.text in _OPENS else at + 1
        return at

    def _begins(self, at: int) -> bool:
        tokens = self.rule.tokens
        return tokens[at].text not in _GOES_ON and tokens[at - 1].text not in _GOES_ON

    def _stays(self, first: int, last: int) -> bool:
        """A reference, or two sides of `==` of which each is one or a literal."""
        at = self._sign(first, last)
        sides = [(first, at), (at + 1, last)] if at else [(first, last)]
        return all(self._is_plain(*side) for side in sides)

    def _sign(self, at: int, last: int) -> int:
        """Where the only `==` stands outside of brackets; 0 where there is none, or another sign."""
        tokens, found = self.rule.tokens, []
        while at < last:
            if tokens[at].text in _GOES_ON:
                found.append(at)
            at = self.pairs[at] + 1 if tokens[at].text in _OPENS else at + 1
        return found[0] if len(found) == 1 and tokens[found[0]].text == "==" else 0

    def _is_plain(self, at: int, last: int) -> bool:
        tokens = self.rule.tokens
        if last - at == 1:
            return tokens[at].kind != "sign"
        if at >= last or tokens[at].kind != "ident" or tokens[at].text in KEYWORDS:
            return False
        at += 1
        while at + 1 < last:
            if tokens[at].text == "." and tokens[at + 1].kind == "ident":
                at += 2
            elif tokens[at].text == "[" and self.pairs[at] == at + 2 and self._is_index(tokens[at + 1]):
                at += 3
            else:
                return False
        return at == last

    def _is_index(self, token: Token) -> bool:
        return token.kind in ("string", "raw", "number") or token.text in self.sure

    def _unsure(self, first: int, last: int) -> Iterator[tuple[int, str]]:
        tokens, at = self.rule.tokens, first
        while at < last:
            token = tokens[at]
            if token.text in "[{" and token.kind == "sign" and self._is_comprehension(at):
                at = self.pairs[at] + 1
                continue
            end = self._reference_end(at, last) if token.kind == "ident" and token.text not in KEYWORDS else at + 1
            called = end < last and tokens[end].text == "(" and tokens[end].start == tokens[end - 1].end
            alone = called and at == first and self.pairs[end] + 1 == last
            name = "".join(each.text for each in tokens[at:end])
            indexed = token.text == "[" and at > first and tokens[at - 1].text == ")"
            missing = token.kind == "ident" and name not in KEYWORDS and not self._is_sure(name, called, alone)
            if indexed or missing:
                yield token.line, _words(self._shown(at, end, called))
            at = end

    def _is_sure(self, name: str, called: bool, alone: bool) -> bool:
        return alone or name in TRUSTED if called else name in self.sure or name in CONSTANTS

    def _reference_end(self, at: int, last: int) -> int:
        tokens = self.rule.tokens
        at += 1
        while at < last and tokens[at].text in (".", "[") and tokens[at].start == tokens[at - 1].end:
            at = min(at + 2 if tokens[at].text == "." else self.pairs[at] + 1, last)
        return at

    def _is_comprehension(self, at: int) -> bool:
        place = at + 1
        while place < self.pairs[at]:
            if self.rule.tokens[place].text == "|":
                return True
            place = self.pairs[place] + 1 if self.rule.tokens[place].text in _OPENS else place + 1
        return False

    def _shown(self, at: int, end: int, called: bool) -> str:
        last = self.pairs[end] + 1 if called else end
        return "".join(token.text for token in self.rule.tokens[at:last])[:60]


def _sets(tokens: Sequence[Token]) -> str:
    """What sets a name where a condition should begin, if it does."""
    first = tokens[0].text if tokens else "nothing"
    if first in ("some", "every", "not", "nothing"):
        return first
    depth = 0
    for token in tokens:
        depth += (token.text in _OPENS) - (token.text in _CLOSES)
        if token.text == ":=" and depth == 0:
            return ":="
    return ""


def _words(what: str) -> str:
    return f"'{what}' may be missing, and 'not' then never holds in OPA; set it on a line above: x := {what}"


def sure_names(rules: Sequence[Rule], bound: Iterator[str] | Sequence[str]) -> frozenset[str]:
    """Names that a rule sets itself, sets of messages, and rules with a default."""
    return frozenset(bound) | {rule.name for rule in rules if rule.kind in ("set", "default")}
