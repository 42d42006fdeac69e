"""What the check `json` finds, and what it leaves alone."""

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitops_hooks.plugin import Finding, Severity
from gitops_hooks.plugins.json_check import gitops_checks
from gitops_hooks.plugins.json_text import DEPTH, is_json, mark_json, parse_json, without_comments
from gitops_hooks.testing import SYMLINK, MemoryTree, a_bench, a_change, run_check

(CHECK,) = gitops_checks()


def findings(text: bytes, path: str = "app.json") -> list[tuple[int, str]]:
    return [(finding.line, finding.message) for finding in run_check(CHECK, {path: text})]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", [(1, "is empty; write at least {} or []")]),
        (b"\n[1,\n2,]", [(3, "a comma before ']'; take it out")]),
        (b'{"a": 1,\n}', [(2, "a comma before '}'; take it out")]),
        (b'{"a": 1\n"b": 2}', [(2, "expected ',' or '}', found \"b\"")]),
        (b'{"a":}', [(1, "expected a value, found }")]),
        (b'{"a" 1}', [(1, "expected ':', found 1")]),
        (b"[}", [(1, "expected a value or ']', found }")]),
        (b"{]", [(1, "expected a name or '}', found ]")]),
        (b"[1 2]", [(1, "expected ',' or ']', found 2")]),
        (b"{a: 1}", [(1, "'a' is nothing that JSON has; texts stand in double quotes")]),
        (b"{'a': 1}", [(1, "a text in single quotes; JSON has double ones")]),
        (b'{"a": [\nNaN]}', [(2, "JSON has no NaN; write null, or a text")]),
        (b"-Infinity", [(1, "JSON has no -Infinity; write null, or a text")]),
        (b"{}\n// x", [(2, "JSON has no comments; take it out, or name the file in the option comments")]),
        (b"{}\n\n{}", [(3, "more text behind the document: {; one file holds one JSON value")]),
        (b'{"a": [1,\n2\n', [(3, "ends before the list of line 1 is closed")]),
        (b'["a\nb"]', [(1, "a text that does not end on its line")]),
        (b'["\t"]', [(1, "the character #x09 inside a text; write it as \\u0009")]),
        (b'["\\x"]', [(1, "\\x is no escape in JSON; a backslash is written twice")]),
        (b"[01]", [(1, "'01' is nothing that JSON has; texts stand in double quotes")]),
        (b"[1e999]", [(1, "1e999 is too large for a number; write it as a text")]),
        (b"[\n" + b"9" * 5000 + b"]", [(2, "a number of 5000 digits; write it as a text")]),
        (b"[" * 25_000, [(1, "nested deeper than 128 levels")]),
        (b'{"a":' * 25_000, [(1, "nested deeper than 128 levels")]),
        (b"[" * 200 + b"]" * 200, [(1, "nested deeper than 128 levels")]),
        ('{"a": 1}'.encode("utf-16"), [(1, "not UTF-8; save the file as UTF-8")]),
        (b'{"a":\n "\xff"}', [(2, "not UTF-8; save the file as UTF-8")]),
        (
            b'{"a": 1,\n"b": {"a": 1},\n"\\u0061": 2,\n"a": 3}',
            [(3, "duplicate key 'a', first on line 1"), (4, "duplicate key 'a', first on line 1")],
        ),
    ],
)
def test_a_file_that_is_not_json_is_told_with_its_line(text, expected):
    assert findings(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        b"{}",
        b' [1, -0.5e+3, true, null, "\\u00e9\\n", {}]\n',
        b'\r\n{\r\n"a": 1\r\n}\r\n',
        b'"a text alone"',
        b"[" * 128 + b"]" * 128,
        b"$ANSIBLE_VAULT;1.1;AES256\n6162\n",
    ],
)
def test_good_json_is_left_alone(text):
    assert findings(text) == []


def test_a_byte_order_mark_is_told_and_does_not_refuse():
    assert run_check(CHECK, {"a.json": b"\xef\xbb\xbf{}"}) == (
        Finding(
            "a.json",
            1,
            "begins with a byte order mark, on which many programs stumble; save the file as UTF-8 without one",
            Severity.WARNING,
        ),
    )


COMMENTED = b'{ // one\n /* two\n */ "a": "http://x/*y*/", "b": [1, 2,], \n}\n'


def test_files_of_editors_may_hold_comments_and_trailing_commas():
    assert findings(COMMENTED, ".vscode/settings.json") == findings(COMMENTED, "tsconfig.base.json") == []
    assert findings(COMMENTED, "a.jsonc") == []
    assert findings(COMMENTED) != []
    assert run_check(CHECK, {"app.json": COMMENTED}, options={"comments": ("app.json",)}) == ()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
TEXTS = st.text('[]{}:,"\\/*n1 \n') | st.builds(json.dumps, VALUES, indent=st.sampled_from([None, 2]))


@given(TEXTS)
@example('["// no, /* no */", ",]", "\\\\", "\\"/*"]')
@example('{"a,}": "//", "/*": [1, 2]}')
def test_what_is_json_holds_nothing_of_what_editors_add(text: str) -> None:
    # So a file that parses is never read a second time, whatever its name.
    assert is_json(text) is (parse_json(text)[1] == ())
    if is_json(text):
        assert without_comments(text) == text


@pytest.mark.parametrize(("levels", "is_read"), [(DEPTH, True), (DEPTH + 1, False)])
@pytest.mark.parametrize(("head", "foot"), [("[", "]"), ('{"a":', "}")])
def test_it_is_read_down_to_its_depth_and_no_further(levels: int, is_read: bool, head: str, foot: str) -> None:
    assert (parse_json(f"{head * levels}1{foot * levels}")[1] == ()) is is_read


def test_a_fault_in_a_commented_file_keeps_its_line():
    assert findings(b'{ /* one\ntwo */\n"a" 1}', "a.jsonc") == [(3, "expected ':', found 1")]


def test_templates_of_json_are_not_json_yet():
    text = b'{"a": {{ value }} }'
    assert findings(text, "roles/web/templates/a.json") == findings(text, "files/a.json") == []
    assert findings(text) != []


def test_links_deleted_files_other_names_and_what_is_ignored_are_not_looked_at():
    tree = MemoryTree({"link.json": b"x", "notes.txt": b"x", "vendor/a.json": b"x"}, {"link.json": SYMLINK})
    bench = a_bench(CHECK, {"ignore": ("vendor/**",)})
    assert list(CHECK.run(a_change(tree, deleted=["gone.json"]), tree, bench)) == []


def test_a_file_that_cannot_be_read_is_a_finding():
    tree = MemoryTree({"a.json": b"[1]"}, most=2)
    assert list(CHECK.run(a_change(tree), tree, a_bench(CHECK))) == [
        Finding("a.json", 0, "is 3 bytes; at most 2 are read")
    ]


def test_both_readers_agree_and_the_second_one_knows_the_lines():
    text = '{"a": [1,\n {"b": null}],\n "c": -1.5e3}'
    node, faults = mark_json(text)
    assert faults == () and parse_json(text) == ({"a": [1, {"b": None}], "c": -1500.0}, ())
    assert node is not None and node.keys() == ("a", "c")
    assert [item.line for item in node.get("a").items] == [1, 2]
    assert node.get("c").line == 3


@pytest.mark.parametrize(
    "text",
    [b"[1," * 1_300_000, b"/*" * 2_000_000, b'"\\' * 2_000_000, b"9" * 4_000_000, b'"' * 4_000_000, b"{" * 4_000_000,
     b'{"a":1,"a":[' + b"{}," * 1_300_000 + b"{}]}", b'["' + b"a" * 4_000_000],
    ids=range(8),
)  # fmt: skip
@pytest.mark.parametrize("path", ["x.json", "x.jsonc"])
def test_no_text_takes_long(path, text):
    began = time.process_time()
    assert len(findings(text, path)) <= 2
    assert time.process_time() - began < 15
