"""What the one YAML guard reads, and what it refuses before it can do harm."""

import datetime
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_hooks.core.yaml_text import Marked, YamlFault, YamlLimits, parse_yaml


def only(text: bytes) -> Marked:
    documents, faults = parse_yaml(text)
    assert faults == ()
    assert len(documents) == 1
    return documents[0]


def faults_of(text: bytes, limits: YamlLimits = YamlLimits()) -> list[tuple[int, str]]:
    return [(fault.line, fault.message) for fault in parse_yaml(text, limits)[1]]


def test_nodes_carry_their_lines_their_tags_and_their_own_words():
    document = only(b"a: 1\nb:\n  - 'yes'\n  - yes\n  - 0644\nc: !vault |\n  $ANSIBLE_VAULT\n")
    assert document.keys() == ("a", "b", "c")
    items = document.get("b").items
    assert [(item.line, item.tag, item.text, item.plain) for item in items] == [
        (3, "str", "yes", False),
        (4, "bool", "yes", True),
        (5, "int", "0644", True),
    ]
    assert (document.get("c").tag, document.get("c").line) == ("!vault", 6)
    assert document.get("nothing") is None


def test_several_documents_are_several_nodes():
    documents, faults = parse_yaml(b"---\na: 1\n---\n- 2\n")
    assert ([document.tag for document in documents], faults) == (["map", "seq"], ())


@pytest.mark.parametrize("text", [b"", b"# nothing but a remark\n", b"\xef\xbb\xbf"])
def test_an_empty_text_has_no_document_and_no_fault(text):
    assert parse_yaml(text) == ((), ())


def test_a_byte_order_mark_is_no_part_of_the_first_key():
    assert only(b"\xef\xbb\xbfname: web\n").keys() == ("name",)


def test_an_alias_is_the_node_that_it_stands_for():
    document = only(b"a: &x {k: 1}\nb: *x\n")
    assert document.get("b") is document.get("a")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a: 1\na: 2\n", (2, "duplicate key 'a', first on line 1")),
        (b"a: {b: 1,\n b: 2}\n", (2, "duplicate key 'b', first on line 1")),
        (b"a: 1\nb: \xe9\n", (2, "not UTF-8; save the file as UTF-8")),
        ("a: 1\n".encode("utf-16"), (1, "not UTF-8; save the file as UTF-8")),
        ("a: 1\n".encode("utf-16-le"), (1, "character #x0000 is not allowed in YAML")),
        ("ä: 1\nb: \x1b[31m\n".encode(), (2, "character #x001b is not allowed in YAML")),
        (b"a: b: c\n", (1, "mapping values are not allowed in this context")),
        (b"a:\n\tb: 1\n", (2, "found character that cannot start any token, while scanning for the next token")),
        (b'a: "b\n', (2, "found unexpected end of stream, while scanning a quoted scalar")),
        (b"a: *x\n", (1, "alias *x stands for nothing before it")),
        (b"a: &a [*a]\n", (1, "alias *a stands for nothing before it")),
        (b"a: !x!y z\n", (1, "found undefined tag handle, while parsing a node")),
        (
            b"a: 1\nb: !!python/object/apply:os.system [id]\n",
            (2, "tag !!python/object/apply:os.system makes programs run; write plain values"),
        ),
        (b"!!python/name:os.system x\n", (1, "tag !!python/name:os.system makes programs run; write plain values")),
    ],
    ids=lambda value: value[1][:40] if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_told_with_its_line(text, expected):
    assert faults_of(text) == [expected]


def test_every_duplicate_key_is_told_at_once():
    assert [line for line, _ in faults_of(b"a: 1\na: 2\nb:\n  c: 1\n  c: 2\na: 3\n")] == [5, 2, 6]


def test_keys_of_two_types_are_two_keys():
    assert faults_of(b"1: a\n'1': b\n") == []


def merge_bomb() -> bytes:
    lines = ["a0: &a0 {k: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)]
    return "\n".join(lines).encode()


def laughs() -> bytes:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[" * 25_000, "nested deeper than 64 levels"),
        (b"{a: " * 25_000, "nested deeper than 64 levels"),
        (b"- " * 25_000, "nested deeper than 64 levels"),
        (b"? " * 25_000, "nested deeper than 64 levels"),
        (b"[" * 64 + b"]" * 64 + b"\n---\n" + b"[" * 65, "nested deeper than 64 levels"),
        (merge_bomb(), "aliases expand to more than 1000000 nodes"),
        (laughs(), "aliases expand to more than 1000000 nodes"),
        (b"[" + b"1," * 200_001 + b"]", "more than 200000 nodes"),
        (b"#" * (4 * 1024 * 1024 + 1), "larger than 4194304 bytes"),
    ],
    ids=["brackets", "braces", "dashes", "marks", "second", "merge", "laughs", "nodes", "size"],
)
def test_bombs_are_refused_before_they_cost_anything(text, message):
    began = time.process_time()
    assert [fault for _, fault in faults_of(text)] == [message]
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "value", [b"2026-13-45", b"2026-02-30", b"9" * 5000, b"0x" + b"f" * 5000, b"1e999999", b"-.inf"]
)
def test_values_that_python_could_not_make_are_read_as_text(value):
    assert only(b"a: " + value + b"\n").get("a").text == value.decode()


def test_merge_keys_stay_as_they_are_written():
    document = only(b"base: &base {a: 1}\nb:\n  <<: *base\n  c: 2\n")
    assert document.get("b").keys() == ("<<", "c")
    assert document.get("b").pairs[0][0].tag == "merge"


def test_a_spent_budget_is_told_from_a_fault_of_the_text():
    assert [fault.budget for fault in parse_yaml(b"[" * 100)[1]] == [True]
    assert [fault.budget for text in (b"a: *x", b"a: b: c", b"a: 1\na: 2") for fault in parse_yaml(text)[1]] == [
        False
    ] * 3


def test_smaller_limits_are_kept():
    assert faults_of(b"[[[1]]]", YamlLimits(depth=2)) == [(1, "nested deeper than 2 levels")]
    assert faults_of(b"[1, 2, 3]", YamlLimits(nodes=2)) == [(1, "more than 2 nodes")]
    assert faults_of(b"a: 1\n", YamlLimits(size=4)) == [(0, "larger than 4 bytes")]


@given(st.binary(max_size=200))
def test_any_bytes_give_nodes_or_faults_and_never_raise(text):
    documents, faults = parse_yaml(text)
    assert all(isinstance(document, Marked) for document in documents)
    assert all(isinstance(fault, YamlFault) and fault.message for fault in faults)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@#,? \n\t<0.1x_", max_size=120))
def test_any_yaml_like_text_gives_nodes_or_faults_and_never_raises(text):
    parse_yaml(text.encode())


@given(st.dates())
def test_dates_are_timestamps_and_text(day: datetime.date):
    node = only(f"a: {day.isoformat()}".encode()).get("a")
    assert (node.tag, node.text) == ("timestamp", day.isoformat())
