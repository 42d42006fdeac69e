"""Every answer of the engine behind the preflight is the one that OPA gives."""

import json

import pytest

from gitops_hooks.plugins.rego_ask import Asked, NoAnswer
from gitops_hooks.plugins.rego_engine import failing_tests, open_question
from gitops_hooks.plugins.rego_modules import read_module
from gitops_hooks.plugins.rego_names import FORBIDDEN, TRUSTED
from gitops_hooks.plugins.rego_preflight import preflight
from gitops_hooks.plugins.rego_tests import untie
from gitops_hooks.plugins.rego_tokens import BadRego
from tests.plugins.opa_engine import answer_of
from tests.plugins.test_rego_faithful import HEAD, INPUT, MORE, TRUE

DATA = {"lib": {"list": ["s"], "limits": {"cpu": 2}}}
INPUTS = [
    INPUT,
    {},
    [],
    "text",
    False,
    {"a": [], "b": [], "l": [], "o": {}, "docs": [], "n": 0, "s": ""},
    {
        "a": {"k": "s"},
        "b": "s",
        "l": [[1], {"x": None}, True, 1.5, "é"],
        "o": [1],
        "docs": {"d": {"c": [{"n": 2}]}},
        "n": "5",
    },
]
# Where something is missing, or of another kind.
UNSURE = [
    "input.zz == 1",
    "input.zz",
    "input.zz.q == 1",
    "input.zz != 1",
    "input.zz == input.yy",
    '"a" == input.zz',
    'startswith(input.s, "q")',
    "is_string(input.zz)",
    "is_allowed(input.s)",
    "count(input.a) > 0",
    "input.s in {`s`, `t`}",
    '"s" in input.a',
    "input.a[3]",
    "input.a[0] == `s`",
    "input.o[input.s]",
    'k := "x"; input.o[k]',
    "nothing",
    "nothing == 1",
    "data.main.nothing",
    "is_number(data.lib.zz)",
    "data.lib.limits.cpu == 2",
    "[input.zz] == [1]",
    "x := {`a`: input.zz}",
    'contains(lower(input.s), "q")',
    "size_of(input.l) == `large`",
    "x := input.l; size_of(x) == `large`",
    "x := input.s; contains(lower(x), `q`)",
    "x := input.b; count(x) == 2",
    "x := input.n; x == 5",
    "x := input.o; x.x",
    "x := input.o; x.q == 1",
    "some d in input.docs; d.zz == 1",
    'some d in input.docs; startswith(d.name, "p")',
    "some d in input.docs; some c in d.c; c.ok",
    "every d in input.docs { is_object(d) }",
    "every x in input.l { x == 1 }",
    "every k, v in input.o { is_string(k); v == 1 }",
    "every x in input.zz { x == 1 }",
    'object.get(input, "n", 1) == 1',
    "count([x | some x in input.zz]) == 0",
    "x := {y | some y in input.b; y != `s`}; x == {`t`}",
    "x := {k: v | some k, v in input.o}; count(x) == 3",
    "input.s == `q`",
    "to_number(input.s) == 5",
    "round(input.n) == 5",
    "sum(input.l) == 10",
    "sort(input.b) == [`s`, `t`]",
    'concat("-", input.b) == "s-t"',
    'sprintf("%v", [input.o]) == "x"',
    'split(input.s, "u")[1] == "o"',
    "json.unmarshal(input.s)",
    "semver.compare(input.s, `1.0.0`) == 1",
    "regex.match(`(`, input.s)",
    "regex.match(input.s, `s`)",
    "array.slice(input.l, 1, 9) == [2, 3, 4]",
    "object.union(input.o, {`x`: 2}).x == 2",
    "walk(input, [path, value]); value == `s`",
    "numbers.range(1, input.n)[4] == 5",
    "base64.decode(input.s) == ``",
    "substring(input.s, -1, 2) == ``",
    "max(input.l) == 4",
    "input.docs[0].c[0].n + 1 == 2",
    "input.n / 0 == 1",
]
MISSING = "nothing := input.qq\n"


def ours(text: str, value) -> list[str] | None:
    """None where there is no answer, which refuses."""
    try:
        ask = open_question([read_module("policy/a.rego", text.encode())], DATA, [Asked("main", "deny")])
    except NoAnswer:
        return None
    (found,) = ask([value])
    return None if isinstance(found, NoAnswer) else sorted(found[0])


def is_taken(text: str) -> bool:
    try:
        return not preflight([read_module("policy/a.rego", text.encode())])
    except BadRego:
        return False


def policy_with(body: str) -> str:
    return f'{HEAD}{MORE}{MISSING}deny contains "yes" if {{\n {body}\n}}\n'


@pytest.mark.parametrize("value", INPUTS, ids=lambda value: json.dumps(value)[:12])
def test_what_is_taken_is_answered_as_opa_answers_it(value):
    wrong, answered = [], 0
    for condition in [*TRUE, *UNSURE]:
        *before, last = condition.split("; ") if "{" not in condition else [condition]
        for body in (condition, "; ".join([*before, f"not {last}"])):
            text = policy_with(body)
            if not is_taken(text):
                continue
            theirs = answer_of({"policy/a.rego": text}, "main.deny", value, DATA)
            mine = ours(text, value)
            answered += mine is not None
            if mine is not None and mine != theirs:
                wrong.append((body, mine, theirs))
    assert wrong == []
    assert answered > 100


POLICY = """package main

import rego.v1
import data.lib.limits

named contains doc.name if some doc in input.docs

default limit := 1
limit := limits.cpu if input.strict

large(list) if count(list) > 3

deny contains msg if {
  some doc in input.docs
  some at, part in doc.c
  n := part.n
  is_number(n)
  is_number(limit)
  n > limit
  msg := sprintf("%s: %d is %v", [doc.name, at, n])
}

deny contains "nobody" if not input.owner

deny contains {"msg": "too large", "more": [1]} if large(input.l)

violation contains {"msg": msg} if {
  every word in input.b { is_string(word) }
  msg := concat("+", sort([word | some word in input.b]))
}

warn contains msg if {
  extra := {word | some word in input.b} - {word | some word in input.a}
  some msg in extra
}

warn_named contains msg if {
  names := {"p", "z"}
  some name in named & names
  msg := upper(name)
}
"""
RULES = ["deny", "violation", "warn", "warn_named"]
DOCUMENTS = [
    *INPUTS,
    INPUT | {"strict": True, "owner": "me"},
    INPUT | {"docs": [{"name": 'q"\\é', "c": [{"n": 9}, {"n": "9"}, {}]}, {}, 1]},
    INPUT | {"b": ["b", "a", "b"], "a": []},
    INPUT | {"b": {"k": "v", "l": "w"}},
    INPUT | {"l": {"a": 1, "b": 2, "c": 3, "d": 4}},
    INPUT | {"b": ["x", 1]},
]


# `some … in` a text, and a message that is none: both refuse.
UNANSWERED = (6, 12)


@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
def test_every_rule_of_a_policy_has_the_messages_that_opa_has(number):
    assert is_taken(POLICY)
    asked = [Asked("main", rule) for rule in RULES]
    (mine,) = open_question([read_module("policy/a.rego", POLICY.encode())], DATA, asked)([DOCUMENTS[number]])
    theirs = [answer_of({"policy/a.rego": POLICY}, f"main.{rule}", DOCUMENTS[number], DATA) for rule in RULES]
    assert isinstance(mine, NoAnswer) == (number in UNANSWERED)
    if not isinstance(mine, NoAnswer):
        words = [sorted(each if isinstance(each, str) else each["msg"] for each in found) for found in theirs]
        assert [sorted(each) for each in mine] == words


TESTS = """package main

import rego.v1

pod := {"docs": [{"name": "p", "c": [{"n": 5}]}], "owner": "me"}

test_n if count(deny) == 1 with input as pod

test_none if count(deny) == 0 with input as {"owner": "me"}

test_wrong if count(deny) == 0 with input as pod

test_undefined if nothing.here with input as pod

nothing := input.missing

test_named if {
  named == {"p"} with input as pod
  not large([1]) with input as pod
}
"""


def test_tests_of_policies_fail_and_pass_as_for_opa():
    modules = {"policy/main.rego": POLICY, "policy/main_test.rego": TESTS}
    read = [read_module(path, text.encode()) for path, text in modules.items()]
    assert preflight(read) == []
    trial, tests = untie(read[1])
    failing = [test.name for test in failing_tests([read[0], trial], DATA, tests)]
    assert failing == [test.name for test in tests if answer_of(modules, f"main.{test.name}", {}, DATA) is not True]
    assert failing == ["test_wrong", "test_undefined"]


@pytest.mark.parametrize("name", [*sorted(FORBIDDEN), 'http["send"]', "time[`now_ns`]"])
def test_what_opa_would_do_outside_is_never_taken(name):
    assert not is_taken(policy_with(f"x := {name}({{}}); x"))


@pytest.mark.parametrize(
    "policy",
    [
        "deny[msg] {\n msg := `x`\n}",
        "deny contains `x` if no_such(1)",
        "deny contains `x` if x == 1",
        "deny contains `x` if not x := 1",
        "deny contains `x` if { some x in input.a",
        "deny contains `x` if import",
    ],
)
def test_what_opa_refuses_is_refused(policy):
    text = f"{HEAD}{policy}\n"
    assert not is_taken(text) or ours(text, {}) is None
    assert "error: " in answer_of({"policy/a.rego": text}, "main.deny", {})


def test_every_trusted_function_is_one_of_opas():
    for name in TRUSTED:
        said = answer_of({"a.rego": f"package main\nimport rego.v1\np if {name}()\n"}, "main.p", {})
        assert "undefined function" not in str(said), name
