"""The check `rego` on a server that has opa: the same conventions, all of Rego, and nothing that reaches outside."""

from pathlib import Path

import pytest

from gitops_hooks.edge.checks import run_checks
from gitops_hooks.edge.workbench import Asked, Bench, Grounds
from gitops_hooks.model.server import Limits
from gitops_hooks.model.verdict import CheckOutcome
from gitops_hooks.plugin import EdgeError
from gitops_hooks.plugins.rego_ask import Asked as Rule
from gitops_hooks.plugins.rego_ask import NoAnswer
from gitops_hooks.plugins.rego_check import gitops_checks
from gitops_hooks.plugins.rego_choice import choose_engine
from gitops_hooks.plugins.rego_engine import REGORUS
from gitops_hooks.plugins.rego_modules import read_module
from gitops_hooks.plugins.rego_names import FORBIDDEN
from gitops_hooks.plugins.rego_opa import opa_engine
from gitops_hooks.testing import MemoryTree, a_bench, a_change, run_check
from tests.plugins import test_rego_against_opa as reference
from tests.plugins.opa_engine import answer_of
from tests.plugins.opa_program import make_program
from tests.plugins.test_rego_check import POLICY, TESTS, TREE

(CHECK,) = gitops_checks()
# What the other engine does not answer as OPA does, and is refused there.
FREE = b"""package main

import rego.v1

inside if net.cidr_contains("10.0.0.0/8", input.address)

deny contains msg if {
  some i
  input.names[i] == input.taken[_]
  msg := sprintf("%s is taken", [input.names[i]])
}

deny contains "outside" if not inside

warn contains "not ours" if not startswith(input.name, "acme-")

violation contains "over" if input.count > data.limits.count
"""
FREE_TESTS = b"""package main

import rego.v1

test_taken if {
  "b is taken" in deny with input as {"names": ["a", "b"], "taken": ["b"]}
  not "b is taken" in deny with input as {"names": ["a"], "taken": ["b"]}
}

test_outside if "outside" in deny with input.address as "192.0.2.1"

test_over if count(violation) == 1 with input.count as 3 with data.limits as {"count": 2}
"""
FREE_TREE = {"policy/a.rego": FREE, "policy/a_test.rego": FREE_TESTS, "policy/limits.yaml": b"limits: {count: 5}\n"}


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_program(tmp_path_factory.mktemp("tools"))


def findings(tools: Path, files, changed=None, target=FREE_TREE, **options) -> list[str]:
    found = run_check(CHECK, files, changed=changed, target=target, options=options, tool_folders=[tools])
    return [f"{finding.path}:{finding.line}: {finding.message} {finding.severity.value}" for finding in found]


def test_every_document_is_asked_every_rule(tools):
    text = b"""owner: me
---
kind: Deployment
spec: {root: yes, containers: [{name: c1, image: web}, {name: 'c"2', image: db}]}
"""
    assert findings(tools, {"apps/a.yaml": text, "b.json": b"[1"}, target=TREE) == [
        'apps/a.yaml:3: c"2 runs db, which is not allowed (main.deny) error',
        "apps/a.yaml:3: runs as root (main.violation_root) error",
        "apps/a.yaml:3: has no owner (main.warn) warning",
        "b.json:1: not JSON: Expecting ',' delimiter; what is not read cannot be judged error",
    ]


def test_rego_is_taken_that_the_other_engine_would_answer_otherwise(tools):
    text = b"{names: [a, b], taken: [b], address: 10.1.1.1, name: web, count: 6}\n"
    assert findings(tools, {"a.yaml": text}) == [
        "a.yaml:1: b is taken (main.deny) error",
        "a.yaml:1: not ours (main.warn) warning",
        "a.yaml:1: over (main.violation) error",
    ]
    with pytest.raises(EdgeError, match="cidr_contains that is answered right here"):
        findings(tools, {"a.yaml": text}, engine="regorus")


def test_policies_that_change_are_proven_by_their_tests(tools):
    assert findings(tools, FREE_TREE, target={}) == []
    assert findings(tools, {**FREE_TREE, "policy/a.rego": FREE.replace(b"> data", b"< data")}, target={}) == [
        "policy/a_test.rego:12: test_over fails error"
    ]
    more = FREE + b'\ndeny contains "never" if input.kind == "Servcie"\n'
    assert findings(tools, {**FREE_TREE, "policy/a.rego": more}, target={}) == [
        "policy/a.rego:19: no test fails without this deny; write one in which it fires error"
    ]
    assert findings(tools, {**TREE, "policy/main.rego": POLICY, "policy/main_test.rego": TESTS}, target={}) == []


def test_what_opa_refuses_is_told_by_its_line(tools):
    wrong = b"package main\nimport rego.v1\n\ndeny contains 1 if no_such(1)\ndeny contains 2 if x == 1\n"
    assert findings(tools, {"policy/a:b.rego": wrong}, target={}) == [
        "policy/a:b.rego:4: opa: undefined function no_such error"
    ]
    with pytest.raises(EdgeError) as caught:
        findings(tools, {"a.yaml": b"a: 1\n"}, target={"policy/a.rego": wrong})
    assert str(caught.value) == "policy/a.rego:4: opa: undefined function no_such"


@pytest.mark.parametrize("name", [*sorted(FORBIDDEN), 'http["send"]', 'http["s\\u0065nd"]', "opa[`runtime`]"])
def test_what_reaches_outside_is_refused_by_name(tools, name):
    plain = name.replace('["', ".").replace('"]', "").replace("[`", ".").replace("`]", "").replace("\\u0065", "e")
    policy = f"package main\nimport rego.v1\ndeny contains `x` if {{\n {name}({{}})\n}}\n".encode()
    assert findings(tools, {"policy/a.rego": policy}, target={}) == [
        f"policy/a.rego:4: {plain} {FORBIDDEN[plain]} error"
    ]


def test_a_document_without_an_answer_takes_no_other_with_it(tools):
    policy = b"package main\nimport rego.v1\ndeny contains `large` if to_number(input.n) > 3\n"
    files = {f"{name}.yaml": f"n: '{name}'\n".encode() for name in ("1", "4", "x", "5")}
    assert findings(tools, files, target={"policy/a.rego": policy}) == [
        "4.yaml:1: large (main.deny) error",
        "5.yaml:1: large (main.deny) error",
        "x.yaml:1: the policies cannot be answered for this: "
        'to_number: strconv.ParseFloat: parsing "x": invalid syntax error',
    ]
    strange = {"a.json": b'{"n": "x\\u0000"}', "b.json": b'{"n": 9}'}
    assert findings(tools, strange, target={"policy/a.rego": policy}) == [
        "a.json:1: the policies cannot be answered for this: holds a NUL, or text that is no Unicode error",
        "b.json:1: large (main.deny) error",
    ]


@pytest.mark.parametrize("message", ["1", "{`message`: `x`}", "[`x`]"])
def test_a_message_that_is_none_is_no_answer(tools, message):
    policy = f"package main\nimport rego.v1\ndeny contains {message} if true\n".encode()
    (told,) = findings(tools, {"a.yaml": b"a: 1\n"}, target={"policy/a.rego": policy})
    assert told.startswith("a.yaml:1: the policies cannot be answered for this: a rule answers neither a text nor")


def test_combined_input_is_every_file_that_the_globs_name(tools):
    policy = b"package main\nimport rego.v1\ndeny contains sprintf(`%d files`, [count(input)]) if count(input) > 1\n"
    files = {"a.yaml": b"a: 1\n", "b.yaml": b"b: 1\n", "policy/a.rego": policy}
    assert findings(tools, files, changed=["a.yaml"], target=files, combine=True) == [
        "a.yaml:0: 2 files (main.deny) error"
    ]


def test_what_asks_the_policies_cannot_be_answered_by_them(tools):
    said = "the name gitops_hooks_asked is taken; name it otherwise error"
    for engine in ("opa", "regorus"):
        forged = {"policy/a.rego": b"package gitops_hooks_asked\nimport rego.v1\nanswer := []\n"}
        assert findings(tools, forged, target={}, engine=engine) == [f"policy/a.rego:1: {said}"]
        forged = {"policy/a.yaml": b"gitops_hooks_asked: {answer: []}\n"}
        assert findings(tools, forged, target={}, engine=engine) == [f"policy/a.yaml:1: {said}"]


def test_an_engine_that_is_not_there_is_told():
    with pytest.raises(EdgeError) as caught:
        choose_engine(Bench({"engine": "opa"}, MemoryTree({})))
    assert str(caught.value) == "opa: is not on this server; the administrator puts it into one of its tool_folders"


def test_opa_answers_where_it_is_unless_the_policy_wants_another():
    there = {"opa": "/usr/bin/opa"}
    for wanted, tools, other in (("", {}, True), ("", there, False), ("opa", there, False), ("regorus", there, True)):
        assert (choose_engine(Bench({"engine": wanted}, MemoryTree({}), tools)) is REGORUS) == other


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo nonsense >&2; exit 1", "opa: ended with 1 and gave no answer: nonsense"),
        ("exit 0", "opa: ended with 0 and gave no answer: it says nothing"),
        ("echo '{\"result\": []}'; exit 3", 'opa: ended with 3 and gave no answer: {"result": []}'),
    ],
)
def test_a_program_that_does_not_answer_as_opa_does_is_an_error(tmp_path, script, said):
    make_program(tmp_path, f"#!/bin/sh\n{script}\n")
    with pytest.raises(EdgeError) as caught:
        findings(tmp_path, {"a.yaml": b"a: 1\n"})
    assert str(caught.value) == said


def test_a_program_that_says_nothing_of_what_was_asked_passes_nothing(tmp_path):
    make_program(tmp_path, "#!/bin/sh\necho '{}'\n")
    assert findings(tmp_path, {"a.yaml": b"a: 1\n"}) == [
        "a.yaml:1: the policies cannot be answered for this: a rule has no answer error"
    ]


def test_it_runs_confined_as_on_a_server(tools):
    tree = MemoryTree({"a.yaml": b"{address: 10.1.1.1, name: acme-a, count: 6}\n"})
    asked = [Asked(CHECK, {option.name: option.default for option in CHECK.options})]
    grounds = Grounds("c" * 40, tree, MemoryTree(FREE_TREE), tree, (), Path("/nowhere"), (tools,))
    verdict = run_checks(asked, a_change(tree), grounds, Limits())[0]
    assert [finding.message for finding in verdict.findings] == ["over (main.violation)"]
    endless = b"package main\nimport rego.v1\ndeny contains 1 if { some x in numbers.range(1, 1000000000); x == -1 }\n"
    grounds = Grounds("c" * 40, tree, MemoryTree({"policy/a.rego": endless}), tree, (), Path("/nowhere"), (tools,))
    verdict = run_checks(asked, a_change(tree), grounds, Limits(check_seconds=3.0))[0]
    assert verdict.outcome is CheckOutcome.ERROR


def test_all_documents_together_are_answered_as_each_alone(tools):
    module = read_module("policy/a.rego", reference.POLICY.encode())
    engine = opa_engine(a_bench(CHECK, tool_folders=[tools]))
    assert engine.faults([module]) == []
    rules = [Rule("main", rule) for rule in reference.RULES]
    answers = engine.open_question([module], reference.DATA, rules)(reference.DOCUMENTS)
    for answer, value in zip(answers, reference.DOCUMENTS, strict=True):
        alone = [
            answer_of({"a.rego": reference.POLICY}, f"main.{rule}", value, reference.DATA) for rule in reference.RULES
        ]
        if isinstance(answer, NoAnswer):
            assert "x" in alone[2] and 1 in alone[2]
            continue
        words = [sorted(each if isinstance(each, str) else each["msg"] for each in found) for found in alone]
        assert [sorted(each) for each in answer] == words
