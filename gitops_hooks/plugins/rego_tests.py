"""Tests of policies, made ready for an engine that cannot do `with`: it breaks down over rules with `some`.

A test's input is taken out of it, evaluated, and set from outside; so each test has one input, or none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gitops_hooks.plugins.rego_modules import Module, Rule
from gitops_hooks.plugins.rego_tokens import BadRego, Token, pairs_of

_PREFIX = "gitops_hooks_given_"


@dataclass(frozen=True, slots=True)
class Test:
    """One test, and the name of the rule that is its input; "" for none."""

    path: str
    line: int
    namespace: str
    name: str
    given: str


def untie(module: Module) -> tuple[Module, tuple[Test, ...]]:
    """The module without `with`, its inputs as rules of their own, and its tests. Errors: BadRego."""
    text, added, tests = module.text, "", []
    for number, rule in enumerate(module.rules):
        spans = list(_spans(rule))
        given = {"".join(token.text for token in rule.tokens[first + 3 : last]) for first, last in spans}
        if len(given) > 1:
            raise BadRego(rule.line, f"{rule.name} has two inputs; make a test of each")
        if given and len(spans) != _statements(rule):
            raise BadRego(rule.line, f"{rule.name}: write with input as … behind every line, or behind none")
        for first, last in spans:
            start, end = rule.tokens[first].start, rule.tokens[last - 1].end
            blank = "".join(char if char == "\n" else " " for char in text[start:end])
            text = text[:start] + blank + text[end:]
        name = ""
        if given:
            first, last = spans[0]
            name = f"{_PREFIX}{number}"
            added += f"\n{name} := {module.text[rule.tokens[first + 3].start : rule.tokens[last - 1].end]}\n"
        if rule.name.startswith("test_"):
            tests.append(Test(module.path, rule.line, module.package, rule.name, name))
    return replace(module, text=text + added), tuple(tests)


def _spans(rule: Rule) -> Iterator[tuple[int, int]]:
    """From each `with` to behind its value. Errors: BadRego for any but `with input as` a value or a name."""
    tokens, pairs = rule.tokens, pairs_of(rule.tokens)
    for at, token in enumerate(tokens):
        if token.kind != "ident" or token.text != "with":
            continue
        if [each.text for each in tokens[at + 1 : at + 3]] != ["input", "as"] or at + 3 >= len(tokens):
            raise BadRego(token.line, "only 'with input as …' is taken in tests")
        end = _end_of_value(tokens, at + 3, pairs)
        if end < len(tokens) and not tokens[end].first and tokens[end].text not in (";", "}"):
            raise BadRego(token.line, "the input of a test is a value, or the name of a rule")
        yield at, end


def _end_of_value(tokens: Sequence[Token], at: int, pairs: Mapping[int, int]) -> int:
    if tokens[at].text in ("{", "["):
        return pairs[at] + 1
    at += 1
    while at + 1 < len(tokens) and tokens[at].text == ".":
        at += 2
    return at


def _statements(rule: Rule) -> int:
    """How many there are in the body; a line that begins with `with` goes on."""
    tokens = rule.tokens
    body = next(
        (at for at, token in enumerate(tokens) if token.text == "if" and token.kind == "ident"), len(tokens) - 1
    )
    if body + 1 >= len(tokens) or tokens[body + 1].text != "{":
        return 1
    count, depth = 0, 0
    for at in range(body + 1, len(tokens)):
        token, before = tokens[at], tokens[at - 1]
        begins = before.text == ";" or at == body + 2 or (token.first and token.text not in ("with", "}"))
        count += depth == 1 and begins and token.text != "}"
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
    return count
