"""Comparisons by order: OPA puts every number before every text, the engine answers only for two of one kind."""

from collections.abc import Iterator, Mapping, Sequence

from gitops_hooks.plugins.rego_modules import Rule
from gitops_hooks.plugins.rego_names import NUMERIC
from gitops_hooks.plugins.rego_tokens import Token

_ORDER = frozenset(("<", "<=", ">", ">="))
_ENDS = frozenset((";", ",", ":=", "|", ":", "==", "!="))
_ARITHMETIC = frozenset(("+", "-", "*", "/", "%"))


def compared(rule: Rule, pairs: Mapping[int, int]) -> Iterator[tuple[int, str]]:
    """Each comparison whose sides are not known to be of one kind."""
    kinds = _known(rule, pairs)
    for at, token in enumerate(rule.tokens):
        if token.kind == "sign" and token.text in _ORDER:
            left = _side(rule.tokens, at, -1, pairs)
            right = _side(rule.tokens, at, 1, pairs)
            one, other = _kind(left, kinds), _kind(right, kinds)
            if not one or one != other:
                unknown = left if not one else right
                what = "".join(each.text for each in unknown)[:60]
                yield token.line, f"'{what}' may be of another kind here; say is_number({what}) first"


def _known(rule: Rule, pairs: Mapping[int, int]) -> dict[str, str]:
    """Text of an expression → number or text, where the rule asked for it or made it so."""
    found: dict[str, str] = {}
    tokens = rule.tokens
    for at, token in enumerate(tokens):
        if token.text in ("is_number", "is_string") and at + 1 in pairs and tokens[at - 1].text != "not":
            inside = "".join(each.text for each in tokens[at + 2 : pairs[at + 1]])
            found[inside] = token.text.removeprefix("is_")
        elif token.text == ":=" and at > 0 and tokens[at - 1].is_name():
            found.setdefault(tokens[at - 1].text, _kind(_side(tokens, at, 1, pairs), found))
    return found


def _side(tokens: Sequence[Token], at: int, step: int, pairs: Mapping[int, int]) -> Sequence[Token]:
    """The expression on one side of a sign, up to the statement's end."""
    place = at + step
    while 0 <= place < len(tokens):
        token = tokens[place]
        opens = token.text in ("(", "[", "{") if step < 0 else token.text in (")", "]", "}")
        if opens or (token.kind == "sign" and token.text in _ENDS) or token.text in ("not", "if", "with", "in", "else"):
            break
        if step > 0 and token.first and place > at + 1:
            break
        if token.text in ("(", "[", "{", ")", "]", "}"):
            place = pairs[place]
        if step < 0 and tokens[place].first:
            place -= 1
            break
        place += step
    return tokens[place + 1 : at] if step < 0 else tokens[at + 1 : place]


def _kind(side: Sequence[Token], known: Mapping[str, str]) -> str:
    """`number`, `string`, or "" where it cannot be told."""
    words = "".join(token.text for token in side)
    if words in known:
        return known[words]
    if len(side) == 1 and side[0].kind in ("number", "string", "raw"):
        return "number" if side[0].kind == "number" else "string"
    if words.partition("(")[0] in NUMERIC and words.endswith(")"):
        return "number"
    depth = 0
    for token in side:
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if token.kind == "sign" and token.text in _ARITHMETIC and depth == 0:
            return "number"
    return ""
