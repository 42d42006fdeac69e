"""Policies by regorus, behind the preflight.

The answer is asked for in a form that no text can disturb: messages in base64, beside their number.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from gitops_hooks.plugin import EdgeError
from gitops_hooks.plugins.plain_documents import Plain
from gitops_hooks.plugins.rego_ask import PACKAGE, Ask, Asked, Engine, Messages, NoAnswer, refuse_strange
from gitops_hooks.plugins.rego_modules import Module
from gitops_hooks.plugins.rego_preflight import preflight
from gitops_hooks.plugins.rego_tests import Test, untie


def open_question(modules: Sequence[Module], given: Plain, asked: Sequence[Asked]) -> Ask:
    """Errors: NoAnswer."""
    lines = [f"r{number} := {_messages(each)}" for number, each in enumerate(asked)]
    listed = ", ".join(f"r{number}" for number in range(len(asked)))
    engine = _Engine(modules, given, [*lines, f"answer := [{listed}]"])

    def answer(value: Plain) -> Messages | NoAnswer:
        try:
            found = engine.answer(value)
            if not isinstance(found, list) or len(found) != len(asked):
                return NoAnswer("a rule has no answer")
            return [_decoded(each) for each in found]
        except NoAnswer as error:
            return error

    return lambda values: [answer(value) for value in values]


def _messages(each: Asked) -> str:
    rule = f"data.{each.namespace}.{each.rule}"
    texts = f"[base64.encode(m) | some m in {rule}; is_string(m)]"
    objects = f"[base64.encode(m.msg) | some m in {rule}; is_object(m); is_string(m.msg)]"
    return f'{{"texts": {texts}, "objects": {objects}, "count": count({rule})}}'


def _decoded(found: object) -> list[str]:
    """Errors: NoAnswer where not every answer of the rule is a text, or an object with a text as its msg."""
    match found:
        case {"texts": list() as texts, "objects": list() as objects, "count": int() as count}:
            if len(texts) + len(objects) != count:
                raise NoAnswer("a rule answers neither a text nor an object with the text msg")
            try:
                return [base64.b64decode(each, validate=True).decode("utf-8", "replace") for each in (*texts, *objects)]
            except (binascii.Error, TypeError, ValueError):
                pass
    raise NoAnswer("a rule has no answer")


def failing_tests(modules: Sequence[Module], given: Plain, tests: Sequence[Test]) -> list[Test]:
    """Those that are not true. Errors: NoAnswer where one of them has no answer at all."""
    inputs = [f"data.{each.namespace}.{each.given}" if each.given else "{}" for each in tests]
    values = _Engine(modules, given, [f"answer := [{', '.join(inputs)}]"]).answer({})
    lines = [
        f"passed contains {number} if data.{each.namespace}.{each.name} == true" for number, each in enumerate(tests)
    ]
    engine = _Engine(modules, given, [*lines, "answer := [n | some n in passed]"])
    if not isinstance(values, list) or len(values) != len(tests):
        raise NoAnswer("an input has no value")
    failing = []
    for number, (each, value) in enumerate(zip(tests, values, strict=True)):
        found = engine.answer(value)
        if not isinstance(found, list):
            raise NoAnswer("the tests have no answer")
        if number not in found:
            failing.append(each)
    return failing


class _Engine:
    """Modules, data and one question; an input is a value, and the answer too."""

    def __init__(self, modules: Sequence[Module], given: Plain, question: Sequence[str]) -> None:
        engine = _load_engine()
        try:
            self._engine = engine()
            for module in modules:
                self._engine.add_policy(module.path, module.text)
            self._engine.add_policy("asked", "\n".join([f"package {PACKAGE}", "import rego.v1", *question, ""]))
            self._engine.add_data_json(json.dumps(refuse_strange(given)))
        except (RuntimeError, ValueError) as error:
            raise NoAnswer(_words(error)) from None

    def answer(self, value: Plain) -> object:
        """Errors: NoAnswer."""
        try:
            self._engine.set_input_json(json.dumps(refuse_strange(value)))
            return json.loads(self._engine.eval_rule_as_json(f"data.{PACKAGE}.answer"))
        except (RuntimeError, ValueError, RecursionError) as error:
            raise NoAnswer(_words(error)) from None


def _load_engine() -> Any:  # noqa: ANN401  # the library ships no types
    """Loaded where a policy is asked and nowhere else: 17 ms. Errors: EdgeError where this server has none."""
    try:
        from regorus import Engine
    except ImportError:
        cure = "the administrator puts opa into one of its tool_folders, or runs: pip install 'gitops-hooks[rego]'"
        raise EdgeError("engine", f"this server has none for OPA policies; {cure}") from None
    return Engine


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


REGORUS = Engine(preflight, untie, open_question, failing_tests)
