"""What the check `yaml` finds, and what it leaves alone."""

import pytest

from gitops_hooks.plugin import Finding
from gitops_hooks.plugins.yaml_check import gitops_checks
from gitops_hooks.testing import EXECUTABLE, SYMLINK, MemoryTree, a_bench, a_change, run_check

(CHECK,) = gitops_checks()


def findings(text: bytes, path: str = "site.yml") -> list[tuple[int, str]]:
    return [(finding.line, finding.message) for finding in run_check(CHECK, {path: text})]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a: b: c\n", [(1, "mapping values are not allowed in this context")]),
        (b"- a\n- b\nc: d\n", [(3, "did not find expected '-' indicator, while parsing a block collection")]),
        (b"a: 1\nb: 2\na: 3\n", [(3, "duplicate key 'a', first on line 1")]),
        (b"a:\n\tb: 1\n", [(2, "indented with a tab; YAML is indented with spaces")]),
        (b"a:\n  b: 1\n \tc: 2\n", [(3, "indented with a tab; YAML is indented with spaces")]),
        (b"a: `b`\n", [(1, "found character that cannot start any token, while scanning for the next token")]),
        (b"a: 2026-13-45\n", [(1, "'2026-13-45' looks like a date and is none; quote it")]),
        (b"a: " + b"9" * 5000, [(1, "a number of 5000 digits; quote it")]),
        (b"a: \xff\n", [(1, "not UTF-8; save the file as UTF-8")]),
        (b"a: !!python/object:os.x {}\n", [(1, "tag !!python/object:os.x makes programs run; write plain values")]),
        (
            b"b: 2026-02-30 10:00:00\na: 1\na: 2\n",
            [
                (1, "'2026-02-30 10:00:00' looks like a date and is none; quote it"),
                (3, "duplicate key 'a', first on line 2"),
            ],
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_its_line(text, expected):
    assert findings(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"# remark\n",
        b"---\n- hosts: all\n  tasks: []\n",
        b"when: 2026-02-28\nat: 2026-02-28T10:00:00Z\nalso: 2026-02-28 10:00:00.5 +02:00\n",
        b"a: '2026-13-45'\n",
        b"a: |\n  text\n  \ttab in text\n",
        b"a: b\t# a tab before a remark\n",
        b"Bucket: !Ref Name\nKey: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n",
        b"a: &x {k: 1}\nb: *x\nc:\n  <<: *x\n",
        b"$ANSIBLE_VAULT;1.1;AES256\n\t6162: : :\n",
        b"\xef\xbb\xbfa: 1\n",
    ],
)
def test_good_yaml_is_left_alone(text):
    assert findings(text) == []


def test_templates_of_yaml_are_not_yaml_yet():
    text = b"{% for x in y %}\n{{ x }}: {{ y[x] }}\n{% endfor %}\n"
    assert findings(text, "roles/web/templates/conf.yml") == findings(text, "files/cloud-init.yml") == []
    assert findings(b"a: b: c\n", "roles/web/templates/conf.yml") != []
    assert findings(text, "roles/web/tasks/main.yml") != []


def test_only_changed_files_are_looked_at():
    files = {"old.yml": b"a: b: c\n", "new.yaml": b"a: 1\n"}
    assert run_check(CHECK, files, changed=["new.yaml"]) == ()


def test_deleted_files_links_and_other_names_are_not_looked_at():
    tree = MemoryTree({"link.yml": b"a: b: c", "notes.txt": b"a: b: c"}, {"link.yml": SYMLINK})
    assert list(CHECK.run(a_change(tree, deleted=["gone.yml"]), tree, a_bench(CHECK))) == []


def test_an_executable_file_is_looked_at():
    assert len(run_check(CHECK, {"run.yml": b"a: b: c"}, modes={"run.yml": EXECUTABLE})) == 1


def test_a_file_that_cannot_be_read_is_a_finding():
    tree = MemoryTree({"a.yml": b"a: 1\n"}, most=3)
    assert list(CHECK.run(a_change(tree), tree, a_bench(CHECK))) == [
        Finding("a.yml", 0, "is 5 bytes; at most 3 are read")
    ]
