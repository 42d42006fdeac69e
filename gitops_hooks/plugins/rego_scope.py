"""Which names a rule sets, and from where on they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitops_hooks.plugins.rego_modules import Rule
from gitops_hooks.plugins.rego_tokens import BadRego, Token


@dataclass(frozen=True, slots=True)
class Bound:
    """A name holds from `since` on, and in the heads that stand before the bodies that set it."""

    since: int
    heads: tuple[tuple[int, int], ...]

    def holds(self, at: int) -> bool:
        return at >= self.since or any(first <= at < last for first, last in self.heads)


def bind(rule: Rule, pairs: Mapping[int, int]) -> dict[str, Bound]:
    """Errors: BadRego for names that are brought in by a way that is not taken."""
    tokens = rule.tokens
    heads = _heads(rule, pairs)
    found: dict[str, int] = {}
    if rule.kind == "function":
        for at in range(2, pairs[1]):
            _set(found, tokens, at, 0)
    for at in range(len(tokens)):
        _bind_at(rule, at, pairs, found)
    return {name: Bound(since, heads) for name, since in found.items()}


def _bind_at(rule: Rule, at: int, pairs: Mapping[int, int], found: dict[str, int]) -> None:
    tokens, token = rule.tokens, rule.tokens[at]
    if token.kind == "ident" and token.text in ("some", "every"):
        for name in range(at + 1, _in_of(tokens, at)):
            _set(found, tokens, name, at)
        if token.text == "every":
            _refuse_names_in_every(tokens, at, pairs)
    elif token.text == ":=" and at > 0:
        for name in _assigned(rule, at, pairs):
            _set(found, tokens, name, name)
    elif token.text == "walk" and token.kind == "ident":
        # walk(x, [path, value]) gives both their values.
        listed = [name for name in range(at + 2, pairs.get(at + 1, at)) if tokens[name].text == "["]
        for name in range(listed[-1], pairs[listed[-1]]) if listed else ():
            _set(found, tokens, name, at)


def _set(found: dict[str, int], tokens: Sequence[Token], at: int, since: int) -> None:
    if tokens[at].is_name() and tokens[at].text != "_":
        found[tokens[at].text] = min(since, found.get(tokens[at].text, since))


def _in_of(tokens: Sequence[Token], at: int) -> int:
    for place in range(at + 1, len(tokens)):
        if tokens[place].text == "in":
            return place
        if not (tokens[place].is_name() or tokens[place].text == ",") or tokens[place].first:
            break
    raise BadRego(tokens[at].line, f"'{tokens[at].text}' without 'in' never fires as an index; write some i, x in …")


def _assigned(rule: Rule, at: int, pairs: Mapping[int, int]) -> range:
    """The places of the names before `:=`; none where it is the head of a rule."""
    before = rule.tokens[at - 1]
    if at == 1 or (rule.kind == "function" and at - 1 == pairs[1]) or before.text in ("else", ")"):
        return range(0)
    if before.text == "]":
        return range(pairs[at - 1], at - 1)
    if before.is_name():
        return range(at - 1, at)
    if rule.kind == "default":
        return range(0)
    raise BadRego(before.line, "':=' sets a name, or a list of names")


def _heads(rule: Rule, pairs: Mapping[int, int]) -> tuple[tuple[int, int], ...]:
    """What stands before `if`, and in a comprehension before `|`."""
    tokens = rule.tokens
    found = []
    body = next((at for at, token in enumerate(tokens) if token.text == "if" and token.kind == "ident"), 0)
    found.append((0, body))
    for at, token in enumerate(tokens):
        if token.text in ("[", "{") and token.kind == "sign":
            bar = _bar(tokens, at, pairs)
            if bar:
                found.append((at, bar))
        elif token.text == "else":
            start = next((n for n in range(at, len(tokens)) if tokens[n].text == "if"), len(tokens))
            found.append((at, start))
    return tuple(found)


def _bar(tokens: Sequence[Token], at: int, pairs: Mapping[int, int]) -> int:
    """Where the `|` of a comprehension stands; 0 where it is none."""
    place = at + 1
    while place < pairs[at]:
        if tokens[place].text == "|":
            return place
        if tokens[place].first and place > at + 1 and tokens[place - 1].text not in (",", ":"):
            return 0
        place = pairs[place] + 1 if tokens[place].text in ("(", "[", "{") else place + 1
    return 0


def _refuse_names_in_every(tokens: Sequence[Token], at: int, pairs: Mapping[int, int]) -> None:
    """The engine does not answer an `every` whose body brings in names of its own."""
    body = next((n for n in range(at, len(tokens)) if tokens[n].text == "{" and tokens[n - 1].text != ","), None)
    if body is None:
        raise BadRego(tokens[at].line, "'every' needs a body")
    inner = {tokens[n].text for n in range(body + 1, pairs[body])} & {"some", "every", ":=", "|"}
    if inner:
        raise BadRego(
            tokens[at].line, "'every' with names of its own inside never fires; put the inside into a function"
        )
