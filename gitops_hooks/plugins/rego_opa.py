"""Policies by the server's own `opa`, in its box: the reference itself, so all of Rego is taken that stays inside.

One run answers for all documents; where one of them has no answer, halves are asked until it stands alone.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitops_hooks.plugin import Workbench
from gitops_hooks.plugins.plain_documents import Plain
from gitops_hooks.plugins.rego_ask import PACKAGE, Ask, Asked, Engine, Fault, Messages, NoAnswer, refuse_strange
from gitops_hooks.plugins.rego_modules import Module
from gitops_hooks.plugins.rego_names import FORBIDDEN
from gitops_hooks.plugins.rego_opa_run import run_opa
from gitops_hooks.plugins.rego_tests import Test
from gitops_hooks.plugins.rego_tokens import Token

_EACH = "answers := {sprintf(`%d`, [n]): found | some n, given in input; found := answer with input as given}"


def opa_engine(bench: Workbench) -> Engine:
    """All of it may raise EdgeError where the program does not answer as opa does."""

    def find_faults(modules: Sequence[Module]) -> list[Fault]:
        outside = [fault for module in modules for fault in _outside(module)]
        if outside or not modules:
            return outside
        wrong = run_opa(bench, modules, {}, (), None, "true").wrong
        return [Fault(each.path or modules[0].path, each.line, f"opa: {each.message}") for each in wrong]

    def open_question(modules: Sequence[Module], given: Plain, asked: Sequence[Asked]) -> Ask:
        # Whole sets, unlike the other engine: opa knows their types, and refuses `m.msg` where none is an object.
        listed = ", ".join(f"data.{each.namespace}.{each.rule}" for each in asked)
        question = (f"answer := [{listed}]", _EACH)
        return _Question(bench, tuple(modules), refuse_strange(given), question, len(asked)).ask

    def find_failing(modules: Sequence[Module], given: Plain, tests: Sequence[Test]) -> list[Test]:
        lines = [f"passed contains {n} if data.{each.namespace}.{each.name} == true" for n, each in enumerate(tests)]
        question = (*lines, "answer := [n | some n in passed]")
        said = run_opa(bench, modules, refuse_strange(given), question, None, f"data.{PACKAGE}.answer")
        if not isinstance(said.value, list):
            raise NoAnswer(said.wrong[0].message if said.wrong else "the tests have no answer")
        return [each for number, each in enumerate(tests) if number not in said.value]

    return Engine(find_faults, _as_it_stands, open_question, find_failing)


@dataclass(frozen=True, slots=True)
class _Question:
    """Policies, and the rules of them that are asked."""

    bench: Workbench
    modules: tuple[Module, ...]
    given: Plain
    question: tuple[str, ...]
    rules: int

    def ask(self, values: Sequence[Plain]) -> list[Messages | NoAnswer]:
        strange = [_strange(value) for value in values]
        taken = [value for value, why in zip(values, strange, strict=True) if why is None]
        answers = iter(self._answers(taken))
        return [next(answers) if why is None else why for why in strange]

    def _answers(self, values: list[Plain]) -> list[Messages | NoAnswer]:
        if not values:
            return []
        said = run_opa(self.bench, self.modules, self.given, self.question, values, f"data.{PACKAGE}.answers")
        if said.wrong and len(values) == 1:
            return [NoAnswer(said.wrong[0].message)]
        if said.wrong:
            half = len(values) // 2
            return [*self._answers(values[:half]), *self._answers(values[half:])]
        found = said.value if isinstance(said.value, dict) else {}
        return [_decoded(found.get(str(number)), self.rules) for number in range(len(values))]


def _as_it_stands(module: Module) -> tuple[Module, tuple[Test, ...]]:
    """`with` is opa's own."""
    named = [rule for rule in module.rules if rule.name.startswith("test_") and rule.kind == "value"]
    return module, tuple(Test(module.path, rule.line, module.package, rule.name, "") for rule in named)


def _decoded(found: object, rules: int) -> Messages | NoAnswer:
    if not isinstance(found, list) or len(found) != rules:
        return NoAnswer("a rule has no answer")
    answers: Messages = []
    for each in found:
        words = [_message(one) for one in each] if isinstance(each, list) else [None]
        if None in words:
            return NoAnswer("a rule answers neither a text nor an object with the text msg")
        answers.append([word for word in words if word is not None])
    return answers


def _message(one: object) -> str | None:
    match one:
        case str() as text:
            return text
        case {"msg": str() as text}:
            return text
    return None


def _strange(value: Plain) -> NoAnswer | None:
    try:
        refuse_strange(value)
    except NoAnswer as why:
        return why
    return None


def _outside(module: Module) -> Iterator[Fault]:
    for rule in module.rules:
        for at, token in enumerate(rule.tokens):
            if token.kind == "ident" and not (at and rule.tokens[at - 1].text == "."):
                name = _reference(rule.tokens, at)
                for forbidden, why in FORBIDDEN.items():
                    if f"{name}.".startswith(f"{forbidden}."):
                        yield Fault(module.path, token.line, f"{forbidden} {why}")


def _reference(tokens: Sequence[Token], at: int) -> str:
    """`http.send` and `http["send"]` are one name to opa."""
    name = tokens[at].text
    while at + 2 < len(tokens):
        if tokens[at + 1].text == "." and tokens[at + 2].kind == "ident":
            name, at = f"{name}.{tokens[at + 2].text}", at + 2
        elif tokens[at + 1].text == "[" and tokens[at + 2].kind in ("string", "raw"):
            name, at = f"{name}.{_text(tokens[at + 2])}", at + 3
        else:
            break
    return name


def _text(token: Token) -> str:
    if token.kind == "raw":
        return token.text[1:-1]
    try:
        return str(json.loads(token.text))
    except ValueError:
        return token.text[1:-1]
