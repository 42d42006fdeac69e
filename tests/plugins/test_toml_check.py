"""What the check `toml` finds, and what it leaves alone."""

import time

import pytest

from gitops_hooks.plugin import Finding, Severity
from gitops_hooks.plugins.toml_check import gitops_checks
from gitops_hooks.plugins.toml_text import mark_toml, parse_toml
from gitops_hooks.testing import SYMLINK, MemoryTree, a_bench, a_change, run_check

(CHECK,) = gitops_checks()


def findings(text: bytes, path: str = "a.toml") -> list[tuple[int, str]]:
    return [(finding.line, finding.message) for finding in run_check(CHECK, {path: text})]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a = 1\n\na = 2\n", [(3, "cannot overwrite a value")]),
        (b"[a]\nb = 1\n[a]\n", [(3, "cannot declare ('a',) twice")]),
        (b"[x\n", [(1, "expected ']' at the end of a table declaration")]),
        (b"a = 1\nb = ", [(2, "invalid value")]),
        (b"a = 1 b = 2\n", [(1, "expected newline or end of document after a statement")]),
        (b"a = 'x\n", [(1, 'expected "\'"')]),
        (b"a = " + b"[" * 25_000, [(0, "nested too deep; TOML of so many levels is not read")]),
        (b"x = 1\na = " + b"9" * 5000, [(2, "a number of too many digits; write it as a text")]),
        (b"x = 1\n" + b"a." * 25_000 + b"a = 1", [(2, "a key of more than 64 parts")]),
        (b'"a"."b".' * 25_000 + b"a = 1", [(1, "a key of more than 64 parts")]),
        (b"# " + b"x" * 1_048_576, [(0, "larger than 1048576 characters; so much TOML is not read")]),
        ("a = 1".encode("utf-16"), [(1, "not UTF-8; save the file as UTF-8")]),
        (b"a = 1\nb = '\xff'", [(2, "not UTF-8; save the file as UTF-8")]),
    ],
)
def test_a_file_that_is_not_toml_is_told_with_its_line(text, expected):
    assert findings(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"# remark\n[a]\nb = [1, 2,]\nc = 2026-11-25T10:00:00Z\nd = nan\n[[e]]\n[[e]]\nf = {g = 1}\n",
        b"a.b.c = 1\r\n'q.r' = '''\r\nx'''\r\n",
        b"$ANSIBLE_VAULT;1.1;AES256\n6162\n",
    ],
)
def test_good_toml_is_left_alone(text):
    assert findings(text) == []


def test_a_byte_order_mark_is_told_and_does_not_refuse():
    (finding,) = run_check(CHECK, {"a.toml": b"\xef\xbb\xbfa = 1"})
    assert (finding.line, finding.severity) == (1, Severity.WARNING)


def test_templates_links_deleted_files_and_what_is_ignored_are_not_looked_at():
    files = {"link.toml": b"[", "vendor/a.toml": b"[", "roles/x/templates/a.toml": b"[{{ x }}"}
    tree = MemoryTree(files, {"link.toml": SYMLINK})
    bench = a_bench(CHECK, {"ignore": ("vendor/**",)})
    assert list(CHECK.run(a_change(tree, deleted=["gone.toml"]), tree, bench)) == []


def test_a_file_that_cannot_be_read_is_a_finding():
    tree = MemoryTree({"a.toml": b"a = 1"}, most=2)
    assert list(CHECK.run(a_change(tree), tree, a_bench(CHECK))) == [
        Finding("a.toml", 0, "is 5 bytes; at most 2 are read")
    ]


def test_dates_and_what_is_no_number_become_texts():
    assert parse_toml("a = 2026-11-25\nb = inf\nc = 07:32:00\n") == (
        {"a": "2026-11-25", "b": "inf", "c": "07:32:00"},
        (),
    )


def test_each_key_and_value_is_found_on_its_line():
    text = (
        'a = 1\n[x.y]\nb = ["q,", """\nz""",\n  {c = 1, "d.e" = 2}, # ]\n]\n[[z]]\n[[z]]\nk.l = \'#\'\n[z.m]\nn = 1\n'
    )
    root = mark_toml(text)
    listed = root.get("x").get("y").get("b").items
    assert [item.line for item in listed] == [3, 3, 5]
    assert listed[2].get("d.e").line == 5
    assert [item.line for item in root.get("z").items] == [7, 8]
    assert root.get("z").items[1].get("k").get("l").line == 9
    assert root.get("z").items[1].get("m").get("n").line == 11


@pytest.mark.parametrize(
    "text",
    [b"a = [" + b"1," * 400_000 + b"]", b"# " + b"x" * 1_000_000, b"a = '" + b"x" * 1_000_000, b"[[" * 500_000,
     b"\n".join(b"[a%d]" % n for n in range(90_000)), b"a" * 1_000_000, b'"' * 1_000_000, b"a = {b = " * 100_000],
    ids=range(8),
)  # fmt: skip
def test_no_text_takes_long(text):
    began = time.process_time()
    assert len(findings(text)) <= 1
    assert time.process_time() - began < 15
