"""What the check `schema` finds: documents by the schemas of the target branch, and schemas as schemas."""

import json

import pytest

from gitops_hooks.plugin import parse_yaml
from gitops_hooks.plugins.documents import plain
from gitops_hooks.plugins.schema_check import gitops_checks
from gitops_hooks.testing import run_check

(CHECK,) = gitops_checks()
SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "kind": {"enum": ["web", "db"]},
        "ports": {"type": "array", "items": {"type": "integer", "maximum": 65535}},
        "when": {"type": "string"},
        "deep": {"type": "object", "properties": {"a": {"type": "object", "required": ["b"]}}},
        "way": {
            "anyOf": [
                {"type": "string"},
                {"type": "object", "required": ["to"], "properties": {"to": {"type": "string"}}},
            ]
        },
    },
}


BOMB = b"a: &a [x]\n" + b"".join(b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in range(98, 118))


def findings(path: str, text: str | bytes, schema: object = SCHEMA, **more: dict) -> list[tuple[str, int, str]]:
    """What is told of one changed file that `s/app.json` of the target judges, with these files beside it there."""
    target = {"s/app.json": schema if isinstance(schema, bytes) else json.dumps(schema).encode()}
    target |= {name: json.dumps(value).encode() for name, value in more.get("beside", {}).items()}
    files = {path: text.encode() if isinstance(text, str) else text} | more.get("changed", {})
    options = {"schemas": {"s/app.json": ("apps/**",)}} | more.get("options", {})
    found = run_check(CHECK, files, target=target, options=options)
    return [(finding.path, finding.line, finding.message) for finding in found]


@pytest.mark.parametrize(
    ("path", "text", "line", "words"),
    [
        ("apps/a.yaml", "kind: web\n", 1, "'name' is missing"),
        ("apps/a.yaml", "name: a\n\nport: 1\n", 3, "'port' is not known here"),
        ("apps/a.yaml", "name: a\nports:\n  - 1\n  - x\n", 4, "ports.1: must be a whole number"),
        ("apps/a.yaml", "name: a\nports: 1\n", 2, "ports: must be a list"),
        ("apps/a.yaml", "name: a\nkind: app\n", 2, "kind: must be one of web, db"),
        ("apps/a.yaml", "name: A1\n", 1, "name: must match ^[a-z]+$"),
        ("apps/a.yaml", "name: a\ndeep:\n  a:\n    c: 1\n", 4, "deep.a: 'b' is missing"),
        ("apps/a.yaml", "name: a\nway:\n  to: 5\n", 3, "way.to: must be a text"),
        (
            "apps/a.yaml",
            "name: a\nway: 5\n",
            2,
            "way: fits none of the forms that are allowed here (must be a text; or must be a mapping)",
        ),
        ("apps/a.yaml", "name: a\n---\n# second\nname: 5\n", 4, "name: must be a text"),
        ("apps/a.yaml", "name: a\nx: &x {kind: app}\n<<: *x\n", 2, "'x' is not known here"),
        ("apps/a.yaml", "- name\n", 1, "must be a mapping"),
        ("apps/a.json", '{\n "name": "a",\n "ports": [\n  1,\n  "x"]}', 5, "ports.1: must be a whole number"),
        ("apps/a.json", '{"name": "a",\n "port": 1}', 2, "'port' is not known here"),
        ("apps/a.toml", 'name = "a"\n\nports = [\n  1,\n  "x",\n]\n', 5, "ports.1: must be a whole number"),
        ("apps/a.toml", 'name = "a"\n[deep.a]\nc = 1\n', 2, "deep.a: 'b' is missing"),
    ],
)
def test_an_error_is_told_on_the_line_of_its_node(path, text, line, words):
    assert (path, line, f"{words} (s/app.json)") in findings(path, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("apps/a.yaml", "name: a\nkind: web\nports: [80, 0x50]\nwhen: 2026-11-25\nway: {to: x}\n"),
        ("apps/a.yaml", "# nothing\n"),
        ("apps/a.yaml", "---\n---\nname: a\n"),
        ("apps/a.yaml", "x-name: &n {name: a}\n".replace("x-name: &n {name: a}\n", "<<: {name: a}\nkind: db\n")),
        ("apps/a.json", '{"name": "a"}'),
        ("apps/a.toml", 'name = "a"\nwhen = 2026-11-25\n'),
        ("apps/a.yaml", "name: a\nwhen: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n"),
        ("apps/x/templates/a.yaml", "name: {{ name }}\n"),
        ("other/a.yaml", "port: 1\n"),
        ("apps/v.yaml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n"),
    ],
)
def test_a_document_that_holds_is_left_alone(path, text):
    assert findings(path, text) == []


def test_a_value_is_never_quoted():
    said = " ".join(
        words for _, _, words in findings("apps/a.yaml", "name: hunter2Hunter\nkind: s3cret\nports: [pw9]\n")
    )
    assert said and not any(value in said for value in ("hunter2", "s3cret", "pw9"))


def test_a_schema_counts_as_the_target_branch_has_it():
    loose = {"s/app.json": b"{}"}
    assert (
        findings("apps/a.yaml", "port: 1\n", changed=loose)
        == [
            ("apps/a.yaml", 1, "'port' is not known here (s/app.json)"),
            ("apps/a.yaml", 1, "'name' is missing (s/app.json)"),
        ]
        or len(findings("apps/a.yaml", "port: 1\n", changed=loose)) == 2
    )


def test_a_schema_that_is_not_there_yet_judges_nothing():
    assert findings("apps/a.yaml", "name: a\n", options={"schemas": {"s/new.json": ("apps/**",)}}) == [
        ("apps/a.yaml", 0, "cannot be judged by s/new.json on the target branch: there is no such file in this tree")
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (b'{\n "type": 5}', 2, "is no JSON Schema: type: fits none of the forms that are allowed here"),
        (b'{"properties":\n []}', 2, 'is no JSON Schema: properties: must be a mapping'),
        (b'{"pattern":\n "("}', 2, "is no JSON Schema"),
        (b"[]", 0, "is no JSON Schema: a schema is one mapping"),
        (b"{", 1, "ends before the object of line 1 is closed"),
        (b'{"$ref": "#/nope"}', 1, "is no JSON Schema: Pointer '/nope' does not exist"),
        (b'{"$ref": "https://acme.example/x.json"}', 1, "a $ref reaches files of the repository only"),
        (b'{"$ref": "file:///etc/passwd"}', 1, "a $ref reaches files of the repository only"),
        (b'{"$ref": "../../etc/passwd"}', 1, "etc/passwd: there is no such file in this tree"),
        (b'{"$ref": "gone.json"}', 1, "s/gone.json: there is no such file in this tree"),
        (b'{"a": 1, "a": 2}', 1, "duplicate key 'a', first on line 1"),
        (b"[" * 25_000, 1, "nested deeper than 128 levels"),
        (b"\xff", 1, "not UTF-8; save the file as UTF-8"),
    ],
)  # fmt: skip
def test_a_changed_schema_is_judged_as_a_schema(text, line, words):
    ((path, at, said),) = findings("s/app.json", text)
    assert (path, at) == ("s/app.json", line)
    assert words in said


def test_a_sound_schema_and_one_in_yaml_land():
    assert findings("s/app.json", json.dumps(SCHEMA)) == []
    assert run_check(CHECK, {"s/a.yaml": b"type: object\n"}, options={"schemas": {"s/a.yaml": ("a/**",)}}) == ()


def test_a_schema_that_is_bound_is_not_deleted():
    from gitops_hooks.testing import MemoryTree, a_bench, a_change

    tree = MemoryTree({})
    bench = a_bench(CHECK, {"schemas": {"s/app.json": ("apps/**",)}})
    (finding,) = CHECK.run(a_change(tree, deleted=["s/app.json"]), tree, bench)
    assert finding.message == "the policy binds files to this schema; take it out of the policy first"


def test_a_reference_reaches_other_files_of_the_repository():
    defs = {"port": {"type": "integer"}}
    for schema in (
        {"properties": {"p": {"$ref": "defs/d.json#/port"}}},
        {"properties": {"p": {"$ref": "/s/defs/d.json#/port"}}},
        {"$id": "https://acme.example/x/app.json", "properties": {"p": {"$ref": "defs/d.json#/port"}}},
    ):
        assert findings("apps/a.yaml", "p: x\n", schema, beside={"s/defs/d.json": defs}) == [
            ("apps/a.yaml", 1, "p: must be a whole number (s/app.json)")
        ]


def test_a_reference_is_followed_on_the_target_branch_only():
    schema = {"properties": {"p": {"$ref": "d.json"}}}
    found = findings(
        "apps/a.yaml", "p: x\n", schema, beside={"s/d.json": {"type": "integer"}}, changed={"s/d.json": b"{}"}
    )
    assert found == [("apps/a.yaml", 1, "p: must be a whole number (s/app.json)")]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("apps/a.yaml", b"[" * 25_000),
        ("apps/a.yaml", BOMB),
        ("apps/a.json", b"[" * 25_000),
        ("apps/a.json", b"[NaN]"),
        ("apps/a.json", b'{"name": "\\ud800"}'),
        ("apps/a.json", b"9" * 5000),
        ("apps/a.toml", b"a = " + b"[" * 25_000),
        ("apps/a.toml", b"a = [" + b"[" * 200 + b"]" * 200 + b"]"),
        ("apps/a.yaml", "a: 1".encode("utf-16")),
        ("apps/a.yaml", b"\xff"),
        ("apps/a.yaml", b"name: .nan\n"),
        ("apps/a.yaml", b"ports: [" + b"9" * 4000 + b"]\nname: a\n"),
        ("apps/a.yaml", b"a: 1\na: 2\n"),
        ("apps/a.txt", b"name: a\n"),
    ],
    ids=range(14),
)  # fmt: skip
def test_what_cannot_be_read_is_refused(path, text):
    assert findings(path, text) != []


def test_a_pattern_that_goes_astray_ends():
    assert findings("apps/a.yaml", "n: " + "a" * 60_000 + "!\n", {"properties": {"n": {"pattern": "^(a+)+$"}}}) == [
        ("apps/a.yaml", 1, "n: must match ^(a+)+$ (s/app.json)")
    ]


def test_values_of_yaml_are_what_programs_make_of_them():
    text = b"a: yes\nc: 017\nd: 22:22\ne: 1_000\nf: 1.5\ng: ~\nh: 'yes'\ni: 2026-11-25\non: .inf\n"
    (node,), faults = parse_yaml(text)
    assert faults == ()
    assert plain(node) == {
        "a": True,  "c": 15, "d": "22:22", "e": 1000, "f": 1.5, "g": None, "h": "yes", "i": "2026-11-25",
        "on": ".inf",
    }  # fmt: skip
