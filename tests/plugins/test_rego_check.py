"""What the check `rego` finds with policies of the target branch, and what policies that change have to prove."""

import time
from pathlib import Path

import pytest

from gitops_hooks.edge.checks import run_checks
from gitops_hooks.edge.workbench import Asked, Grounds
from gitops_hooks.model.server import Limits
from gitops_hooks.model.verdict import CheckOutcome
from gitops_hooks.plugin import EdgeError
from gitops_hooks.plugins.rego_check import gitops_checks
from gitops_hooks.testing import SYMLINK, MemoryTree, a_change, run_check

(CHECK,) = gitops_checks()
POLICY = b"""package main

import rego.v1
import data.allowed

deny contains msg if {
  input.kind == "Deployment"
  some c in input.spec.containers
  image := c.image
  images := allowed.images
  not image in images
  msg := sprintf("%s runs %s, which is not allowed", [c.name, c.image])
}

violation_root contains {"msg": "runs as root"} if input.spec.root == true

warn contains "has no owner" if not input.owner
"""
TESTS = b"""package main

import rego.v1

test_image if {
  count(deny) == 1 with input as {"kind": "Deployment", "spec": {"containers": [{"name": "a", "image": "b"}]}}
}

test_root if {
  count(violation_root) == 1 with input as {"spec": {"root": true}}
}
"""
DATA = b"allowed: {images: [web]}\n"
TREE = {"policy/main.rego": POLICY, "policy/main_test.rego": TESTS, "policy/data.yaml": DATA}


def findings(files, changed=None, target=TREE, **options) -> list[str]:
    # Whether or not this machine has an opa of its own.
    options = {"engine": "regorus", **options}
    found = run_check(CHECK, files, changed=changed, target=target, options=options)
    return [f"{finding.path}:{finding.line}: {finding.message} {finding.severity.value}" for finding in found]


def told(policy: bytes, tests: bytes = TESTS) -> list[str]:
    found = findings({"policy/main.rego": policy, "policy/main_test.rego": tests, "policy/data.yaml": DATA}, target={})
    return [line.removesuffix(" error") for line in found]


def broken(target, files=None, **options) -> str:
    with pytest.raises(EdgeError) as caught:
        findings(files or {"a.yaml": b"a: 1\n"}, target=target, **options)
    return str(caught.value)


def test_every_document_is_asked_every_rule():
    text = b"""owner: me
---
kind: Deployment
spec: {root: yes, containers: [{name: c1, image: web}, {name: 'c"2', image: db}]}
"""
    assert findings({"apps/a.yaml": text}) == [
        'apps/a.yaml:3: c"2 runs db, which is not allowed (main.deny) error',
        "apps/a.yaml:3: runs as root (main.violation_root) error",
        "apps/a.yaml:3: has no owner (main.warn) warning",
    ]


@pytest.mark.parametrize(
    ("path", "text", "condition"),
    [
        ("a.json", b'{"a": {"b": [1]}}', "input.a.b[0] == 1"),
        ("a.toml", b"[a]\nb = 2026-01-02\n", "input.a.b == `2026-01-02`"),
        (
            "a.ini",
            b"top = 1\n[a]\nb = yes\nc: 2.5\nd = true\n",
            "input.DEFAULT.top == 1; input.a.c == 2.5; input.a.d == true",
        ),
        (
            "Dockerfile",
            b"# syntax\nFROM a:b AS x\nRUN apt \\\n  # why\n  get\n",
            'input[0].Cmd == "from"; input[0].Value[0] == "a:b"',
        ),
        ("x/Dockerfile.web", b'FROM a\nCMD ["b", "c"]\n', 'input[1].JSON == true; input[1].Value == ["b", "c"]'),
        (
            "Dockerfile",
            b"FROM a\nRUN <<EOF\nUSER root\nEOF\nUSER web\n",
            'count(input) == 3; input[2].Value == ["web"]',
        ),
        ("Dockerfile", b"FROM --platform=x a\nFROM b\n", 'input[0].Flags == ["--platform=x"]; input[1].Stage == 1'),
    ],
)
def test_each_format_is_read_in_conftests_shape(path, text, condition):
    policy = f'package main\nimport rego.v1\ndeny contains "yes" if {{ {condition} }}\n'.encode()
    target = {"policy/main.rego": policy}
    assert findings({path: text}, target=target) == [f"{path}:1: yes (main.deny) error"]


def test_policies_come_from_the_target_branch_and_never_from_the_change():
    silent = {**TREE, "policy/main.rego": b"package main\nimport rego.v1\ndeny contains `x` if false\n"}
    files = {**silent, "a.yaml": b"spec: {root: true}\nowner: x\n"}
    assert "a.yaml:1: runs as root (main.violation_root) error" in findings(files, changed=list(files))


def test_namespaces_are_chosen_by_the_policy():
    target = {
        "policy/a.rego": b'package main\nimport rego.v1\ndeny contains "main" if true\n',
        "policy/b.rego": b'package team.web\nimport rego.v1\ndeny contains "web" if true\n',
    }
    one = findings({"a.yaml": b"a: 1\n"}, target=target)
    assert one == ["a.yaml:1: main (main.deny) error"]
    both = findings({"a.yaml": b"a: 1\n"}, target=target, namespaces=("main", "team.web"))
    assert both == [*one, "a.yaml:1: web (team.web.deny) error"]
    why = "namespace mian: has no rule deny, violation or warn on the target branch"
    assert broken(target, namespaces=("mian",)) == why


def test_functions_of_other_packages_can_be_called():
    target = {
        "policy/lib.rego": b"package lib.names\nimport rego.v1\nis_short(x) if count(x) < 3\n",
        "policy/a.rego": b"package main\nimport rego.v1\nimport data.lib.names\n"
        b'deny contains "short" if names.is_short(input.name)\n',
    }
    assert findings({"a.yaml": b"name: ab\n"}, target=target) == ["a.yaml:1: short (main.deny) error"]
    assert findings({"a.yaml": b"name: abc\n"}, target=target) == []


def test_combined_input_is_every_file_that_the_globs_name():
    policy = b"""package main
import rego.v1
names contains doc.contents.name if {
  some doc in input
  doc.contents.kind == "Service"
}
deny contains msg if {
  some doc in input
  doc.contents.kind == "Route"
  to := doc.contents.to
  not to in names
  msg := sprintf("%s leads to no service", [doc.path])
}
"""
    files = {"a.yaml": b"kind: Route\nto: web\n", "b.yaml": b"kind: Service\nname: web\n"}
    target = {**files, "policy/main.rego": policy}
    assert findings(files, changed=["a.yaml"], target=target, combine=True) == []
    gone = run_check(CHECK, {"a.yaml": files["a.yaml"]}, target=target, options={"combine": True, "engine": "regorus"})
    assert [finding.message for finding in gone] == ["a.yaml leads to no service (main.deny)"]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ({}, "policy/: there is no policy on main; land one first, or take rego out of the checks"),
        ({"policy/a.rego": b"package main\ndeny[msg] { msg := 1 }\n"}, "policy/a.rego:2: the head of deny is none"),
        (
            {"policy/a.rego": b"package main\ndeny contains `x` if foo(1)\n"},
            "policy/a.rego:2: there is no function foo",
        ),
        (
            {"policy/a.rego": b"package main\ndeny if input.a\n"},
            "policy/a.rego:2: deny is a set of messages; write deny",
        ),
        (
            {"policy/a.rego": b"package main\nexception contains [1] if 1 == 1\n"},
            "policy/a.rego:2: conftest's exceptions",
        ),
        ({"policy/a.rego": b"package main\n\xff"}, "policy/a.rego:2: not UTF-8; save the file as UTF-8"),
        ({**TREE, "policy/data.yaml": b"- a\n"}, "policy/data.yaml:1: a data file holds a mapping"),
        (
            {**TREE, "policy/more.json": b'{"allowed": 1}'},
            "policy/more.json:1: 'allowed' is said by another data file too",
        ),
        ({**TREE, "policy/data.yaml": b"a: [\n"}, "policy/data.yaml:2: did not find expected node content"),
    ],
)
def test_policies_in_force_that_cannot_be_asked_are_an_error(target, said):
    assert broken(target).startswith(said)


def test_a_push_can_mend_policies_that_are_broken():
    bad = {**TREE, "policy/main.rego": b"package main\ndeny[msg] { msg := 1 }\n"}
    assert findings(TREE, changed=["policy/main.rego"], target=bad) == []


def test_policies_whose_tests_pass_and_prove_each_rule_may_land():
    assert told(POLICY) == []


def test_a_test_that_fails_is_told():
    assert told(POLICY.replace(b"not image", b"image")) == ["policy/main_test.rego:5: test_image fails"]


def test_a_test_that_cannot_be_answered_fails_alone():
    more = TESTS + b'\ntest_broken if { to_number("x") == 1 }\n'
    assert told(POLICY, more) == ["policy/main_test.rego:13: test_broken fails"]


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (
            "test_a if {\n count(deny) == 0 with input as {}\n count(warn) == 1 with input as []\n}",
            "test_a has two inputs",
        ),
        (
            "test_a if {\n count(deny) == 0\n count(warn) == 1 with input as {}\n}",
            "test_a: write with input as … behind",
        ),
        ("test_a if count(deny) == 0 with data.allowed as {}", "only 'with input as …' is taken in tests"),
        ("test_a if count(deny) == 0 with input as {} with data.x as 1", "the input of a test is a value, or the name"),
    ],
)
def test_tests_that_the_engine_cannot_be_given_are_refused(test, said):
    (found,) = told(POLICY, f"package main\nimport rego.v1\n{test}\n".encode())
    assert found.startswith(f"policy/main_test.rego:3: {said}")


def test_the_input_of_a_test_may_be_a_rule_and_its_line_may_go_on():
    tests = b"""package main
import rego.v1
pod := {"kind": "Deployment", "spec": {"root": true, "containers": [{"name": "a", "image": "b"}]}}
test_both if {
  count(deny) == 1 with input as pod
  count(violation_root) == 1
    with input as pod
}
"""
    assert told(POLICY, tests) == []


def test_a_rule_that_never_fires_in_any_test_is_told():
    more = POLICY + b'\ndeny contains "never" if input.kind == "Servcie"\n'
    assert told(more) == ["policy/main.rego:19: no test fails without this deny; write one in which it fires"]
    assert told(POLICY, b"package main\n") == [
        "policy/main.rego:6: no test fails without this deny; write one in which it fires",
        "policy/main.rego:15: no test fails without this violation_root; write one in which it fires",
    ]


def test_all_faults_of_changed_policies_are_told_at_once():
    text = b"package main\ndeny contains `a` if foo(1)\ndeny contains `b` if input.a[_] == http.send({})\n"
    assert [line.split(":")[1] for line in told(text)] == ["2", "3", "3", "10"]


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("a.yaml", b"a: b: c\n", "a.yaml:1: mapping values are not allowed in this context; what is not read "),
        ("a.json", b"[" * 30000, "a.json:0: not JSON: nested too deeply; what is not read cannot be judged"),
        ("a.toml", b"a = \n", "a.toml:0: not TOML: Invalid value"),
        ("a.toml", b"\xff\xfe", "a.toml:1: not UTF-8; save the file as UTF-8"),
        ("a.ini", b"[a\n", "a.ini:0: not INI: line 1 is neither [section] nor key = value"),
        ("a.ini", b"a=1\na=2\n", "a.ini:0: not INI: line 2: 'a' stands twice in [DEFAULT]"),
        ("a.tf", b"a = 1\na = 2\n", "a.tf:2: 'a' stands twice; what is not read cannot be judged"),
        ("Dockerfile", b"RUN <<EOF\n", "Dockerfile:0: not DOCKERFILE: <<EOF has no end"),
        ("a.json", b'{"a": "x\\u0000y"}', "a.json:1: the policies cannot be answered for this: holds a NUL"),
    ],
)
def test_a_file_that_cannot_be_asked_is_told(path, text, said):
    (found,) = findings({path: text})
    assert found.startswith(said)


def test_formats_that_are_not_read_and_links_are_told():
    assert findings({"main.go": b"a {}\n"}, paths=("**/*.go",)) == [
        "main.go:0: is of no format that policies are asked about; narrow the paths of rego error"
    ]
    found = run_check(CHECK, {"a.yaml": b"b"}, modes={"a.yaml": SYMLINK}, target=TREE, options={"engine": "regorus"})
    assert [finding.message for finding in found] == [
        "a symbolic link, and what it leads to may change without it; put the file itself here"
    ]


def test_terraform_is_asked_in_the_shape_of_conftest():
    policy = b"""package main
import rego.v1
deny contains msg if {
  some name, bodies in input.resource.aws_s3_bucket
  some body in bodies
  body.acl == "public-read"
  msg := sprintf("bucket %s is public", [name])
}
"""
    text = b'resource "aws_s3_bucket" "logs" {\n  acl = "public-read"\n}\nresource "aws_s3_bucket" "own" {}\n'
    assert findings({"main.tf": text}, target={"policy/a.rego": policy}) == [
        "main.tf:1: bucket logs is public (main.deny) error"
    ]


def confined(files, target=TREE, seconds=20.0):
    tree = MemoryTree(files)
    asked = [Asked(CHECK, {option.name: option.default for option in CHECK.options} | {"engine": "regorus"})]
    grounds = Grounds("c" * 40, tree, MemoryTree(target), tree, (), Path("/nowhere"))
    return run_checks(asked, a_change(tree), grounds, Limits(check_seconds=seconds))[0]


def test_it_runs_confined_as_on_a_server():
    verdict = confined({"a.yaml": b"owner: x\nspec: {root: true}\n"})
    assert [finding.message for finding in verdict.findings] == ["runs as root (main.violation_root)"]
    assert confined(TREE).outcome is CheckOutcome.OK
    assert confined({"a.yaml": b"a: 1\n"}, {}).outcome is CheckOutcome.ERROR


def test_endless_policies_are_ended():
    rule = "deny contains `x` if {\n some x in numbers.range(1, 1000000000)\n x == -1\n}\n"
    began = time.monotonic()
    verdict = confined({"a.yaml": b"a: 1\n"}, {"policy/a.rego": f"package main\nimport rego.v1\n{rule}".encode()}, 2.0)
    assert verdict.outcome is CheckOutcome.ERROR
    assert time.monotonic() - began < 10


def test_a_function_that_calls_itself_is_an_error():
    rule = "f(x) := f(x)\ndeny contains `x` if f(1) == 1\n"
    verdict = confined({"a.yaml": b"a: 1\n"}, {"policy/a.rego": f"package main\nimport rego.v1\n{rule}".encode()})
    assert verdict.outcome is CheckOutcome.ERROR


def test_a_million_elements_are_decided_in_the_stated_time():
    began = time.monotonic()
    verdict = confined({"a.json": b"[" + b"1," * 999_999 + b"1]"}, seconds=5.0)
    assert verdict.outcome is not CheckOutcome.OK
    assert time.monotonic() - began < 10
