"""What the check `cel` finds with rules of the policy, and that nothing passes because it was not understood."""

import time
from pathlib import Path

import pytest

from gitops_hooks.edge.checks import run_checks
from gitops_hooks.edge.workbench import Asked, Grounds
from gitops_hooks.model.server import Limits
from gitops_hooks.model.verdict import CheckOutcome
from gitops_hooks.plugin import EdgeError, Finding, Severity
from gitops_hooks.plugins.cel_check import gitops_checks
from gitops_hooks.testing import SYMLINK, MemoryTree, a_change, run_check

(CHECK,) = gitops_checks()
NO_TREE = MemoryTree({})


def rule(expr: str, **other: str) -> dict[str, str]:
    return {"name": "r", "expr": expr, "message": "no", **other}


def findings(expr: str, text: bytes, path: str = "a.yaml", **other: str) -> list[tuple[int, str]]:
    found = run_check(CHECK, {path: text}, options={"rules": (rule(expr, **other),)})
    return [(finding.line, finding.message) for finding in found]


def broken(*rules: dict[str, str]) -> str:
    with pytest.raises(EdgeError) as caught:
        run_check(CHECK, {"a.yaml": b"a: 1\n"}, options={"rules": rules})
    return str(caught.value)


@pytest.mark.parametrize(
    "expr",
    [
        "doc.replicas >= 2",
        "doc.kind == 'Deployment' && doc.spec.containers.all(c, !c.image.endsWith(':latest'))",
        "!has(doc.missing) || doc.missing == 1",
        "path == 'a.yaml' && branch == 'main'",
        "doc.open == true && doc.share < 2",
        "doc.date.startsWith('2026-')",
        "doc.mode == 420 && doc.none == null",
        "doc.merged.a == 1 && doc.merged.b == 2",
        "cidr('10.0.0.0/8').containsIP(ip(doc.address))",
        "doc.net.containsCIDR('10.1.2.0/25') && !doc.net.overlaps('10.2.0.0/16')",
        "isIP(doc.address) && !isIP('10.0.0.300') && !isIP(doc.address + '/8')",
        "isCIDR(doc.net) && !isCIDR('10.0.0.0')",
        "masked('10.1.2.3/16') == '10.1.0.0/16' && prefixLength(doc.net) == 24 && family('::1') == 6",
        "ip('2001:DB8:0::1') == ip('2001:db8::1') && isLoopback('127.0.0.1')",
        "semver(doc.version).isLessThan('1.10.0') && semver('1.0.0-rc.1').isLessThan('1.0.0')",
        "compareTo('1.2.3+a', '1.2.3+b') == 0 && !isSemver('v1.2') && minor(doc.version) == 9",
        "isGreaterThan('1.0.0-alpha.beta', '1.0.0-alpha.1') && isGreaterThan('1.0.0-rc.11', '1.0.0-rc.2')",
    ],
)
def test_a_document_that_says_yes_passes(expr):
    text = (
        b"kind: Deployment\nreplicas: 3\nspec:\n  containers: [{image: 'web:1.2'}]\nopen: yes\nshare: 1.5\n"
        b"date: 2026-01-02\nmode: 0644\nnone:\naddress: 10.1.2.3\nnet: 10.1.2.0/24\nversion: 1.9.3\n"
        b"base: &base {a: 1, b: 1}\nmerged:\n  <<: *base\n  b: 2\n"
    )
    assert findings(expr, text) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.yaml", b"a: 1\n"),
        ("deep/er/a.yml", b"a: 1\n"),
        ("a.json", b'{"a": 1}'),
        ("a.json", b'\xef\xbb\xbf{"a": 1}'),
    ],
)
def test_yaml_and_json_are_read_wherever_they_lie(path, text):
    assert findings("doc.a == 1", text, path) == []
    assert findings("doc.a == 2", text, path) == [(1, "no (rule r)")]


@pytest.mark.parametrize(("path", "text"), [("a.toml", b"a = 1\nd = 2026-01-02\n"), ("a.ini", b"[s]\na = 1\n")])
def test_toml_and_ini_are_read_where_the_rule_names_them(path, text):
    expr = "doc.a == 2" if path == "a.toml" else "doc.s.a == 2"
    assert findings(expr, text, path) == []
    assert findings(expr, text, path, paths="**/*.toml **/*.ini") == [(1, "no (rule r)")]


def test_each_document_is_asked_and_told_by_its_line():
    text = b"---\na: 1\n---\n# remark\na: 2\n---\na: 3\n"
    assert findings("doc.a == 2", text) == [(2, "no (rule r)"), (7, "no (rule r)")]


def test_a_rule_that_warns_refuses_nothing():
    found = run_check(CHECK, {"a.yaml": b"a: 1\n"}, options={"rules": (rule("false", severity="warning"),)})
    assert found == (Finding("a.yaml", 1, "no (rule r)", Severity.WARNING),)


def test_every_rule_is_told_at_once():
    rules = (rule("doc.a == 2", name="two"), rule("doc.a == 3", name="three"), rule("doc.a == 1", name="one"))
    found = run_check(CHECK, {"a.yaml": b"a: 1\n"}, options={"rules": rules})
    assert [finding.message for finding in found] == ["no (rule two)", "no (rule three)"]


@pytest.mark.parametrize(
    ("expr", "said"),
    [
        ("doc.b == 1", "there is no 'b'; ask has(…) first"),
        ("doc.a.b.c", "types that do not go together, or a part of something that has none; see type(…)"),
        ("doc.s < 3", "types that do not go together, or a part of something that has none; see type(…)"),
        ("doc.l[7] == 1", "index out of bounds: 7"),
        ("1 / 0 == 1", "division by zero in CEL expression"),
        ("ip(doc.s) == '::1'", "'x' is no address"),
        ("cidr(doc.s).containsIP('::1')", "'x' is no prefix"),
        (
            "containsIP('10.0.0.0/8', '::ffff:10.0.0.1')",
            "'::ffff:10.0.0.1' has a zone or is an IPv4 address in disguise",
        ),
        ("semver('1.2') == '1.2'", "'1.2' is no semantic version"),
        ("isIP(doc.a) || containsIP(doc.a, '::1')", "'1' is no prefix"),
    ],
)
def test_a_rule_that_cannot_be_answered_is_a_finding(expr, said):
    assert findings(expr, b"a: 1\ns: x\nl: []\n") == [(1, f"rule r cannot be answered: {said}")]


def test_a_rule_that_answers_neither_true_nor_false_is_a_finding_even_where_it_only_warns():
    found = run_check(CHECK, {"a.yaml": b"a: 1\n"}, options={"rules": (rule("doc.a", severity="warning"),)})
    assert found == (Finding("a.yaml", 1, "answers neither true nor false: 1 (rule r)"),)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (rule("doc.a =="), "rule r: is not CEL at character 9: mismatched input '<EOF>'"),
        (rule("doc.a = 1"), "rule r: is not CEL at character 7: token recognition error at: '= '"),
        (rule("(" * 200 + "1" + ")" * 200), "rule r: is no CEL that can be read"),
        (rule("true || tpyo"), "rule r: there is no 'tpyo' here; there are: doc, path, branch"),
        (rule("true || siez(doc) == 1"), "rule r: there is no function 'siez' here"),
        (rule("true || doc.l.all(i, j)"), "rule r: there is no 'j' here; there are: doc, path, branch"),
        (rule("true", severity="fatal"), "rule r: severity 'fatal' is not one of error, warning"),
        (
            rule("true", paths="**/*.yaml **/*.go"),
            "rule r: no file of **/*.go can be read; rules read *.yml, *.yaml, *.json, *.toml, *.ini, *.tf, *.tofu, "
            "*.tfvars, *.hcl",
        ),
        (rule("true", paths=" "), "rule r: paths name nothing"),
        (rule("1 + " * 2000 + "1 == 1"), "rule r: longer than 4000 characters"),
    ],
)
def test_a_rule_that_is_none_makes_the_check_an_error_by_its_name(given, said):
    assert broken(rule("true", name="good"), given) == said


def test_a_policy_in_force_with_a_rule_that_is_none_can_be_mended():
    options = {"rules": (rule("tpyo"),)}
    text = "checks:\n  cel:\n    rules:\n      - {name: r, expr: 'EXPR', message: m}\n"
    mended = {".gitops/policy.yaml": text.replace("EXPR", "doc.a == 1").encode(), "README.md": b""}
    assert run_check(CHECK, mended, options=options) == ()
    worse = {".gitops/policy.yaml": text.replace("EXPR", "toyp").encode()}
    why = "rule r: there is no 'toyp' here; there are: doc, path, branch"
    assert run_check(CHECK, worse, options=options) == (Finding(".gitops/policy.yaml", 4, why),)


def test_two_rules_of_one_name_are_an_error():
    assert broken(rule("true"), rule("false")) == "rule r: there are two of this name; give each its own"


@pytest.mark.parametrize(
    ("path", "text", "line", "said"),
    [
        ("a.yaml", b"a: b: c\n", 1, "mapping values are not allowed in this context"),
        ("a.yaml", b"a: 1\na: 2\n", 2, "duplicate key 'a', first on line 1"),
        ("a.yaml", b"a: \xff\n", 1, "not UTF-8; save the file as UTF-8"),
        ("a.yaml", b"[" * 30000, 1, "nested deeper than 64 levels"),
        ("a.yaml", b"a: .nan\n", 1, "'.nan' is no number; quote it"),
        ("a.yaml", b"? [a]\n: 1\n", 1, "a key that is a list or a mapping; use text"),
        ("a.json", b'{"a": 1, "a": 2}', 0, "not JSON: duplicate key 'a'"),
        ("a.json", b"[" * 30000, 0, "not JSON: nested too deeply"),
        ("a.json", b"[" * 70 + b"]" * 70, 0, "not JSON: nested deeper than 64 levels"),
        ("a.json", b"\n\xff", 2, "not UTF-8; save the file as UTF-8"),
        ("a.json", '{"a": 1}'.encode("utf-16"), 1, "not UTF-8; save the file as UTF-8"),
        ("a.json", b"{\n,}", 2, "not JSON: Expecting property name enclosed in double quotes"),
        ("a.json", b"[NaN]", 0, "not JSON: NaN is no number in JSON"),
        ("a.json", b'{"a": 18446744073709551616}', 1, "holds a whole number beyond 64 bits; quote it"),
        ("a.json", b'{"a": "\\ud800"}', 1, "cannot be given to a rule: Failed to convert Python "),
    ],
)
def test_a_file_that_cannot_be_read_is_a_finding(path, text, line, said):
    ((found_line, found),) = findings("true", text, path)
    assert (found_line, found.startswith(said)) == (line, True), found
    assert found.endswith("; what is not read cannot be judged")


def test_a_link_is_refused_since_it_may_lead_elsewhere_tomorrow():
    found = run_check(CHECK, {"a.yaml": b"b.txt"}, modes={"a.yaml": SYMLINK}, options={"rules": (rule("true"),)})
    why = "a symbolic link, and what it leads to may change without it; put the file itself here (rule r)"
    assert found == (Finding("a.yaml", 0, why),)


def test_a_path_that_is_not_utf8_meets_every_rule():
    found = run_check(CHECK, {"b\udcff.yaml": b"a: 1\n"}, options={"rules": (rule("false", paths="apps/*.yaml"),)})
    assert [finding.message for finding in found] == ["no (rule r)"]


def test_what_is_deleted_not_changed_vaulted_a_template_or_of_another_kind_is_left_alone():
    files = {
        "old.yaml": b"a: 1\n",
        "vault.yaml": b"$ANSIBLE_VAULT;1.1;AES256\n6162\n",
        "roles/a/templates/a.yaml": b"a: {{ b }}\n",
        "a.md": b"a: 1\n",
    }
    changed = [path for path in files if path != "old.yaml"]
    assert run_check(CHECK, files, changed=changed, options={"rules": (rule("false", paths="**"),)}) == ()
    tree = MemoryTree(files)
    gone = a_change(tree, [], deleted=["b.yaml"])
    assert judge("false", tree, gone).outcome is CheckOutcome.OK


def judge(expr: str, tree: MemoryTree, change=None, limits=Limits()):
    asked = [Asked(CHECK, {"rules": (rule(expr),)})]
    grounds = Grounds("c" * 40, tree, NO_TREE, tree, (), Path("/nowhere"))
    return run_checks(asked, change or a_change(tree), grounds, limits)[0]


def test_it_runs_confined_as_on_a_server():
    tree = MemoryTree({"a.yaml": b"a: 10.0.0.1\n"})
    assert judge("isIP(doc.a)", tree).outcome is CheckOutcome.OK
    assert [finding.message for finding in judge("!isIP(doc.a)", tree).findings] == ["no (rule r)"]
    refused = judge("doc.a ==", tree)
    assert (refused.outcome, refused.detail) == (CheckOutcome.ERROR, "rule r: is not CEL at character 9: " + EOF)


EOF = "mismatched input '<EOF>'"


def test_a_million_elements_are_answered_in_time():
    tree = MemoryTree({"a.json": b"[" + b"1," * 999_999 + b"1]"})
    began = time.monotonic()
    assert judge("doc.all(i, i == 1)", tree).outcome is CheckOutcome.OK
    assert time.monotonic() - began < 20


def test_a_rule_without_end_is_ended():
    tree = MemoryTree({"a.json": b"[" + b"1," * 9_999 + b"1]"})
    endless = "doc.all(a, doc.all(b, doc.all(c, a == b && b == c)))"
    verdict = judge(endless, tree, limits=Limits(check_seconds=2.0))
    assert (verdict.outcome, verdict.detail) == (CheckOutcome.ERROR, "took longer than 2 s")
