"""What stands in a policy that the engine would answer wrongly, or never: each by its line.

The engine stays silent where OPA refuses or answers, and a silent `deny` lets everything through. So only what is
known to be answered faithfully passes; all else is refused with what to write instead.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitops_hooks.plugins.rego_ask import Fault
from gitops_hooks.plugins.rego_modules import Module, Rule
from gitops_hooks.plugins.rego_names import FORBIDDEN, TRUSTED
from gitops_hooks.plugins.rego_negation import Negations, sure_names
from gitops_hooks.plugins.rego_order import compared
from gitops_hooks.plugins.rego_scope import Bound, bind
from gitops_hooks.plugins.rego_tokens import CONSTANTS, KEYWORDS, BadRego, Token, pairs_of


def preflight(modules: Sequence[Module]) -> list[Fault]:
    """All faults of all modules."""
    defined: dict[str, set[str]] = {}
    functions: dict[str, set[str]] = {}
    for module in modules:
        defined.setdefault(module.package, set()).update(rule.name for rule in module.rules)
        functions.setdefault(module.package, set()).update(
            rule.name for rule in module.rules if rule.kind == "function"
        )
    found = []
    for module in modules:
        known = defined[module.package] | module.imports.keys()
        for rule in module.rules:
            try:
                faults = list(_rule_faults(rule, known, _Calls(module, functions), module.tests))
            except BadRego as error:
                faults = [(error.line, error.message)]
            found += [Fault(module.path, line, message) for line, message in faults]
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class _Calls:
    """Which functions a module may call."""

    module: Module
    functions: Mapping[str, set[str]]

    def fault(self, name: str) -> str:
        if name in FORBIDDEN:
            return f"{name} {FORBIDDEN[name]}"
        if name in TRUSTED or name in self.functions[self.module.package]:
            return ""
        first, _, rest = name.partition(".")
        path = f"{self.module.imports.get(first, first)}.{rest}" if rest else self.module.imports.get(first, "")
        package, _, function = path.removeprefix("data.").rpartition(".")
        if path.startswith("data.") and function in self.functions.get(package, ()):
            return ""
        return f"there is no function {name[:60]} that is answered right here"


def _rule_faults(rule: Rule, known: set[str], calls: _Calls, tests: bool) -> Iterator[tuple[int, str]]:
    """Errors: BadRego."""
    tokens, pairs = rule.tokens, pairs_of(rule.tokens)
    bound = bind(rule, pairs)
    for at, token in enumerate(tokens):
        if token.kind in ("string", "raw") and (fault := _text_fault(tokens, at)):
            yield token.line, fault
        elif token.text == "=" and token.kind == "sign":
            yield token.line, "'=' may mean two things; write := to set and == to compare"
        elif token.text == "with" and token.kind == "ident" and not tests:
            yield token.line, "'with' belongs into tests (*_test.rego)"
        elif token.text == "[" and _is_index(tokens, at) and (fault := _index_fault(tokens, at, pairs)):
            yield token.line, fault
        elif token.kind == "ident" and not (at and tokens[at - 1].text == "."):
            yield from _name_faults(tokens, at, bound, known, calls)
    yield from compared(rule, pairs)
    yield from Negations(rule, pairs, sure_names(calls.module.rules, list(bound))).faults()


def _text_fault(tokens: Sequence[Token], at: int) -> str:
    """Texts stay as they are written inside the engine, so an escaped one is equal to nothing."""
    text = tokens[at].text[1:-1]
    if tokens[at].kind == "string":
        return "a text with a backslash is compared wrongly; write it as `raw text`" if "\\" in text else ""
    pattern = at > 3 and tokens[at - 1].text == "(" and tokens[at - 4].text == "regex"
    if '"' in text or ("\\" in text and not pattern):
        return "a text with a quote or a backslash is compared wrongly; only regex.match takes a backslash"
    return ""


def _is_index(tokens: Sequence[Token], at: int) -> bool:
    before = tokens[at - 1] if at else None
    if before is None or before.end != tokens[at].start:
        return False
    return (before.kind in ("ident", "string", "raw") and before.text not in KEYWORDS) or before.text in ("]", ")", "}")


def _index_fault(tokens: Sequence[Token], at: int, pairs: Mapping[int, int]) -> str:
    """`[_]` is answered only where it alone is given a name; another index has to have one already."""
    if pairs[at] != at + 2 or tokens[at + 1].text != "_":
        return ""
    start = at
    while start > 0 and tokens[start].text == "[":
        start -= 1
        while tokens[start].text == "]":
            start = pairs[start] - 1
        while start > 1 and tokens[start - 1].text == ".":
            start -= 2
            while tokens[start].text == "]":
                start = pairs[start] - 1
    end = at
    while end < len(tokens) and (tokens[end].text in (".", "[") and not (tokens[end].first and end > at)):
        end = pairs[end] + 1 if tokens[end].text == "[" else end + 2
    alone = end >= len(tokens) or tokens[end].first or tokens[end].text in (";", "}", "]", ")")
    if start >= 2 and tokens[start - 1].text == ":=" and tokens[start - 2].is_name() and alone:
        return ""
    return "'[_]' inside an expression never fires; write x := …[_] on a line of its own, or some x in …"


def _name_faults(
    tokens: Sequence[Token], at: int, bound: Mapping[str, Bound], known: set[str], calls: _Calls
) -> Iterator[tuple[int, str]]:
    token = tokens[at]
    name, after = token.text, at + 1
    while after + 1 < len(tokens) and tokens[after].text == "." and not tokens[after].first:
        name, after = f"{name}.{tokens[after + 1].text}", after + 2
    called = after < len(tokens) and tokens[after].text == "(" and tokens[after].start == tokens[after - 1].end
    if called and token.text not in KEYWORDS:
        if at and (fault := calls.fault(name)):
            yield token.line, fault
    elif token.text in KEYWORDS or token.text in CONSTANTS or token.text == "_":
        return
    elif token.text in bound:
        if not bound[token.text].holds(at):
            yield token.line, f"'{token.text}' is asked before it is set; set it on a line above"
    elif token.text not in known:
        yield token.line, f"there is no '{token.text[:60]}' here; bring it in with some … in, every … in, or :="
