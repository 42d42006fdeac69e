"""What the engine may be asked, and that it answers as OPA does; all else is refused."""

import pytest

from gitops_hooks.plugins.rego_ask import Asked, NoAnswer
from gitops_hooks.plugins.rego_engine import open_question
from gitops_hooks.plugins.rego_modules import read_module
from gitops_hooks.plugins.rego_names import TRUSTED
from gitops_hooks.plugins.rego_preflight import preflight
from gitops_hooks.plugins.rego_tokens import BadRego

HEAD = "package main\nimport rego.v1\n"
ASKED = [Asked("main", "deny")]
INPUT = {
    "a": ["s"],
    "b": ["s", "t"],
    "l": [1, 2, 3, 4],
    "o": {"x": 1, "y": None, "z": False},
    "docs": [{"name": "p", "c": [{"n": 1, "ok": True}, {"n": 2}]}, {"name": "q", "c": []}],
    "n": 5,
    "s": 'q"uo\\te',
}


def faults(body: str, path: str = "policy/a.rego") -> list[str]:
    try:
        module = read_module(path, (HEAD + body).encode())
    except BadRego as error:
        return [f"{error.line}: {error.message}"]
    return [f"{fault.line}: {fault.message}" for fault in preflight([module])]


def ask(body: str, value=INPUT) -> list[str]:
    assert faults(body) == []
    module = read_module("policy/a.rego", (HEAD + body).encode())
    (found,) = open_question([module], {"lib": {"list": ["s"]}}, ASKED)([value])
    if isinstance(found, NoAnswer):
        raise found
    return sorted(found[0])


# Conditions that OPA finds true of INPUT, and at least one for every trusted function.
TRUE = [
    "some x in input.l; x == 3",
    "some i, x in input.l; i == 2; x == 3",
    "some k, v in input.o; k == `x`; v == 1",
    "x := input.l[_]\n x == 3",
    "x := input.docs[_].c[_].n\n x == 2",
    "some d in input.docs; some c in d.c; c.n == 2; not c.ok",
    "some i, _ in input.l; is_number(input.l[i])",
    "some i, x in input.a; some j, y in input.b; input.a[i] == input.b[j]; x == y",
    "a := input.a; some x in input.b; not x in a",
    '"s" in input.a',
    'a := input.a; not "q" in a',
    "every x in input.l { is_number(x) }",
    "not input.missing",
    "not input.o.z",
    "not input.missing.deeper == true",
    "input.o.y == null",
    "input.o.z == false",
    'x := [y | some y in input.b; y != "s"]; count(x) == 1',
    "x := {y | some y in input.b}; x == {`s`, `t`}",
    "x := {k: v | some k, v in input.o; v == 1}; x == {`x`: 1}",
    'k := "a"; input[k][0] == "s"',
    "input.b[count(input.a)] == `t`",
    "is_number(input.n); input.n > 4; input.n >= 5; input.n < 6; input.n <= 5",
    "x := count(input.l); x > 3",
    "input.n + 1 > 5; input.n * 2 == 10; 7 % 4 == 3; 7 / 2 == 3.5; 3 - 5 == -2",
    "{`s`, `u`} - {x | some x in input.b} == {`u`}",
    "{1} | {2} == {1, 2}; {1, 2} & {2} == {2}",
    '[_, tag] := split("web:latest", ":"); tag == "latest"',
    "walk(input, [path, value]); value == 2; count(path) == 5",
    "data.lib.list[0] == `s`",
    "is_allowed(`s`)",
    "size_of(input.l) == `large`",
    "is_string(input.a[0]); input.a[0] > `a`",
    "count([1, 2]) == 2; sum([1, 2]) == 3; product([2, 3]) == 6; max([1, 3]) == 3; min([1, 3]) == 1",
    "sort([2, 1]) == [1, 2]",
    "abs(-2) == 2; round(2.5) == 3; ceil(2.1) == 3; floor(2.9) == 2; numbers.range(1, 3) == [1, 2, 3]",
    'contains("abc", "b"); startswith("abc", "a"); endswith("abc", "c"); indexof("abc", "c") == 2',
    'indexof("a", "z") == -1',
    'lower("AB") == "ab"; upper("ab") == "AB"; replace("aba", "a", "c") == "cbc"; split("a/b", "/") == ["a", "b"]',
    'sprintf("%s-%d-%v", ["a", 3, true]) == "a-3-true"; concat("/", ["a", "b"]) == "a/b"',
    'substring("abcd", 1, 2) == "bc"; substring("abcd", 2, -1) == "cd"',
    'trim("xax", "x") == "a"; trim_left("xax", "x") == "ax"; trim_right("xax", "x") == "xa"; trim_space(" a ") == "a"',
    'trim_prefix("abc", "a") == "bc"; trim_suffix("abc", "c") == "ab"; trim_prefix("abc", "z") == "abc"',
    'regex.match(`^\\d+\\.\\d$`, "12.3"); not regex.match(`^\\d$`, "a"); regex.replace("aXb", "X", "-") == "a-b"',
    'regex.match("b", "abc"); regex.match(`^v[0-9]+$`, "v12")',
    'object.get({"a": 1}, "b", 2) == 2; object.get({"a": {"b": 1}}, ["a", "b"], 2) == 1',
    'object.keys({"a": 1}) == {"a"}',
    'object.union({"a": 1}, {"b": 2}) == {"a": 1, "b": 2}; object.remove({"a": 1, "b": 2}, ["a"]) == {"b": 2}',
    "array.concat([1], [2]) == [1, 2]; array.slice([1, 2, 3], 1, 2) == [2]; array.reverse([1, 2]) == [2, 1]",
    "intersection({{1, 2}, {2}}) == {2}; union({{1}, {2}}) == {1, 2}",
    'is_string("a"); is_number(1); is_boolean(true); is_array([]); is_object({}); is_set({1}); is_null(null)',
    'not is_string(1); not is_number("1"); type_name("a") == "string"; type_name(1) == "number"; to_number("3") == 3',
    'semver.compare("1.2.3", "1.10.0") == -1; semver.is_valid("1.2.3"); not semver.is_valid("1.2")',
    'json.unmarshal("[1]") == [1]; base64.encode("a") == "YQ=="; base64.decode("YQ==") == "a"',
    'input.o.x != 2; "é" == "é"; 1 == 1.0; {"a": 1, "b": 2} == {"b": 2, "a": 1}',
]
MORE = """
default open := false
open if input.nothing
allowed contains x if some x in input.a
is_allowed(x) if x in allowed
size_of(list) := "large" if count(list) > 3
else := "small"
"""


@pytest.mark.parametrize("condition", TRUE)
def test_what_opa_finds_true_is_found_true(condition):
    assert ask(f'{MORE}deny contains "yes" if {{\n {condition}\n}}') == ["yes"]


def test_every_trusted_function_is_held_against_opa():
    assert {name for name in TRUSTED if not any(f"{name}(" in condition for condition in TRUE)} == set()


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ('deny contains msg if { some x in input.b; msg := sprintf("%s!", [x]) }', ["s!", "t!"]),
        ("deny contains input.s if input.s", ['q"uo\\te']),
        ('deny contains {"msg": input.s, "more": 1} if true', ['q"uo\\te']),
        ('deny contains "a" if input.a\ndeny contains "b" if input.b\ndeny contains "c" if input.c', ["a", "b"]),
        ('deny contains "x" if not open\ndefault open := false\nopen if input.missing', ["x"]),
        ('deny contains f(2) if true\nf(x) := "a" if x == 1\nelse := "b" if x == 2', ["b"]),
        ("deny contains msg if {\n some d in input.docs\n count(d.c) == 0\n msg := d.name\n}", ["q"]),
    ],
)
def test_messages_come_back_as_they_are(body, messages):
    assert ask(body) == messages


HINT = "; bring it in with some … in, every … in, or :="
INDEX = "'[_]' inside an expression never fires; write x := …[_] on a line of its own, or some x in …"
SOME = "'some' without 'in' never fires as an index; write some i, x in …"
MISSING = "'{0}' may be missing, and 'not' then never holds in OPA; set it on a line above: x := {0}"
RAW = "a text with a backslash is compared wrongly; write it as `raw text`"
QUOTE = "a text with a quote or a backslash is compared wrongly; only regex.match takes a backslash"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("is_string(input.a[_])", INDEX),
        ("input.a[_] == input.b[_]", INDEX),
        ("not is_allowed(input.a[_])", MISSING.format("input.a[_]")),
        ("not startswith(input.s, `a`)", MISSING.format("input.s")),
        ("x := input.s; not x in data.lib.list", MISSING.format("data.lib.list")),
        ("not input.n != 1", MISSING.format("input.n")),
        ("not input.o[input.s]", MISSING.format("input.o[input.s]")),
        ("not [input.n] == [1]", MISSING.format("input.n")),
        ("l := input.l; not size_of(l) == `large`", MISSING.format("size_of(l)")),
        ("l := input.s; not contains(lower(l), size_of(l))", MISSING.format("size_of(l)")),
        ("not split(`a`, `b`)[3] == `a`", MISSING.format("[")),
        ("x := input.a[_] == 1", INDEX),
        ("some i; is_string(input.a[i])", SOME),
        ("input.a[i] == 1", f"there is no 'i' here{HINT}"),
        ("zz == 1", f"there is no 'zz' here{HINT}"),
        ("x == 3; x := input.n", "'x' is asked before it is set; set it on a line above"),
        ("x = input.n", "'=' may mean two things; write := to set and == to compare"),
        ("input.n > 4", "'input.n' may be of another kind here; say is_number(input.n) first"),
        ("some x in input.l; x > 3", "'x' may be of another kind here; say is_number(x) first"),
        ('is_number(input.n); input.n > "4"', '\'"4"\' may be of another kind here; say is_number("4") first'),
        ("every d in input.docs { some c in d.c; c.n == 2 }", "'every' with names of its own inside never fires; "),
        ('input.s == "q\\"uo"', RAW),
        ('input.s == `q"uo`', QUOTE),
        ("input.s == `a\\b`", QUOTE),
        ("input.n == 1 with input as {}", "'with' belongs into tests (*_test.rego)"),
        ("foo(1)", "there is no function foo that is answered right here"),
        (
            "net.cidr_contains(`10.0.0.0/8`, input.s)",
            "there is no function net.cidr_contains that is answered right here",
        ),
        (
            "time.parse_rfc3339_ns(input.s) == 1",
            "there is no function time.parse_rfc3339_ns that is answered right here",
        ),
        ('http.send({"url": "http://x"})', "http.send reaches outside; a verdict comes from what was pushed alone"),
        ("net.lookup_ip_addr(`x`)", "net.lookup_ip_addr reaches outside; a verdict comes from what was pushed alone"),
        ("opa.runtime()", "opa.runtime reads the server's environment"),
        ("time.now_ns() == 1", "time.now_ns answers differently tomorrow, and a verdict may not"),
    ],
)
def test_what_would_be_answered_wrongly_is_refused_by_its_line(condition, said):
    found = faults(f'{MORE}deny contains "x" if {{\n {condition}\n}}')[-1]
    assert found.startswith(f"11: {said}")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("deny[msg] {\n msg := `x`\n}", "3: the head of deny is none that is taken; write deny contains … if, "),
        ("deny contains if {", "3: '{' is never closed"),
        ("deny contains `x` if }", "3: '}' closes nothing"),
        ("deny contains $`x` if true", "3: '$' cannot be read here"),
        ('deny contains "x if true', "3: '\"' cannot be read here"),
        ("import input.x.y as `z`", "3: '`z`' is no name"),
        ("import http.x", "3: 'http.x' cannot be imported; only data, input and rego.v1"),
        ("a.b := 1", "3: the head of a is none that is taken"),
        ("a := 1; b := 2", "3: one rule a line; ';' belongs into bodies"),
        ("a if { true } b if { true }", "3: each rule begins on a line of its own"),
        ("{1}", "2: 'rego.v1{1}' is no path of names; write it as a.b.c"),
    ],
)
def test_what_is_no_rego_or_none_that_is_taken_is_refused(body, said):
    assert [fault[: len(said)] for fault in faults(body)] in ([said], ["1: 'mainimportrego.v1"[: len(said)]])


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ('deny contains "x" if to_number("x") == 1', {}),
        ('deny contains "x" if 1 / 0 == 1', {}),
        ("deny contains 3 if true", {}),
        ('deny contains {"message": "x"} if true', {}),
        ('f(x) := 1 if x == 1\nf(x) := 2 if x == 1\ndeny contains "x" if f(1) == 1', {}),
        ('deny contains "x" if input.a == 1', {"a": "b\0"}),
        ('deny contains "x" if input.a == 1', {"a": 2**63}),
        ('deny contains "x" if input.a == 1', {"a": "\ud800"}),
    ],
)
def test_every_error_and_every_answer_that_is_no_message_is_no_answer(body, value):
    with pytest.raises(NoAnswer):
        ask(body, value)
