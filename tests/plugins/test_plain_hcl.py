"""What policies are asked about in HCL: values in conftest's shape, and nothing that was half understood."""

import pytest

from gitops_hooks.plugins.cel_check import gitops_checks
from gitops_hooks.plugins.plain_documents import Unreadable, read_documents
from gitops_hooks.testing import run_check

(CEL,) = gitops_checks()


def value(text: bytes, path: str = "main.tf") -> object:
    (document,) = read_documents(path, text)
    return document.value


def test_blocks_are_mappings_by_type_and_labels_with_lists_of_bodies():
    text = b"""terraform {
  required_version = ">= 1.5"
}
resource "aws_s3_bucket" "a" {
  versioning {
    enabled = true
  }
}
resource "aws_s3_bucket" b {}
provider "aws" { region = "eu" }
provider "aws" { alias = "us" }
"""
    assert value(text) == {
        "terraform": [{"required_version": ">= 1.5"}],
        "resource": {"aws_s3_bucket": {"a": [{"versioning": [{"enabled": True}]}], "b": [{}]}},
        "provider": {"aws": [{"region": "eu"}, {"alias": "us"}]},
    }


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (b"1", 1),
        (b"-1.5", -1.5),
        (b"1.5e3", 1500.0),
        (b"!true", False),
        (b"null", None),
        (b"( # c\n 'x' )".replace(b"'", b'"'), "x"),
        (b'"a\\n\\u00e9\\"$${b}%%{c}"', 'a\né"${b}%{c}'),
        (b'" ${ var.b } "', " ${var.b} "),
        (b'"${"public"}-${"read"}${1}${true}"', "public-read1true"),
        (b'"${"public-read"}"', "public-read"),
        (b'"${[1]}"', [1]),
        (b'"%{ if a }b%{ endif }"', "%{ if a }b%{ endif }"),
        (b"var.a[0].*.id", "${var.a[0].*.id}"),
        (b"[1, /* c */ f(x), [],]", [1, "${f(x)}", []]),
        (b"[for x in y : x]", "${[for x in y : x]}"),
        (b"{a = 1, 'b' : 2\n (c) = 3, 4 = 5}".replace(b"'", b'"'), {"a": 1, "b": 2, "${c}": 3, "4": 5}),
        (b"<<EOT\n  a ${b}\\n\nEOT\n", "  a ${b}\\n\n"),
        (b"<<-EOT\n    a\n\n      $${b}\n    EOT\n", "a\n\n  ${b}\n"),
        (b"<<A\nA\n", ""),
    ],
)
def test_literals_are_values_and_expressions_their_text(text, meant):
    assert value(b"a = " + text + b"\n") == {"a": meant}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (b"a = 1\nb = }\n", 2, "this cannot be read as HCL"),
        (b"{a = 1}\n", 1, "this is an object, and HCL has arguments and blocks"),
        (b"a = 1\na = 2\n", 2, "'a' stands twice"),
        (b"a = 1\na {}\n", 2, "'a' stands twice"),
        (b'a {}\na "b" {}\n', 2, "block 'a' stands with more labels and with fewer"),
        (b'a "b" {}\n\na {}\n', 3, "block 'a' stands with more labels and with fewer"),
        (b'a = {\n b = 1\n "b" = 2\n}\n', 3, "duplicate key 'b'"),
        (b"a = 0x10\n", 1, "'0x10' is no number in HCL"),
        (b'a = "b\n"\n', 1, "a text in quotes ends on its line; use <<EOT for several"),
        (b'a = "\\ud800"\n', 1, "\\ud800 is no character"),
        (b"a = " + b"9" * 500 + b"\n", 1, f"'{'9' * 40}' is too large"),
        (b"a = " + b"[" * 25_000 + b"]" * 25_000 + b"\n", 0, "not HCL: nested too deeply"),
        (b"a {\n" * 100 + b"}\n" * 100, 0, "not HCL: nested deeper than 64 levels"),
    ],
    ids=range(13),
)
def test_what_cannot_be_read_is_refused_with_its_line(text, line, message):
    with pytest.raises(Unreadable) as caught:
        value(text)
    assert caught.value.line == line
    assert caught.value.message.startswith(message)


def test_no_folder_hides_terraform_as_a_template():
    assert value(b'a = "{{ b }}"\n', "modules/templates/main.tf") == {"a": "{{ b }}"}


def test_rules_in_cel_are_asked_about_terraform():
    rules = (
        {"name": "r", "expr": "!has(doc.resource.null_resource)", "message": "no null_resource", "paths": "**/*.tf"},
    )
    found = run_check(CEL, {"a.tf": b'resource "null_resource" "x" {}\n'}, options={"rules": rules})
    assert [(each.path, each.line, each.message) for each in found] == [("a.tf", 1, "no null_resource (rule r)")]
    (broken,) = run_check(CEL, {"a.tf": b"resource {\n"}, options={"rules": rules})
    assert broken.message.endswith("; what is not read cannot be judged")
