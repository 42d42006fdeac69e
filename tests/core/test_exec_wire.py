"""What a program that judges is asked, and what is believed of its answer."""

import json

import pytest

from gitops_hooks.core.exec_wire import parse_answer, write_question
from gitops_hooks.model.change import Change, ChangedFile
from gitops_hooks.model.verdict import Finding, Severity

NO_OID = "0" * 40
CHANGE = Change(
    12,
    "refs/heads/main",
    "a" * 40,
    "b" * 40,
    (
        ChangedFile("new\udcff", 0, NO_OID, 0o100755, "c" * 40),
        ChangedFile("gone", 0o100644, "d" * 40, 0, NO_OID),
    ),
)


def test_the_question_is_one_document_with_a_version():
    about = (CHANGE.number, CHANGE.target, CHANGE.base, CHANGE.head)
    options = {"prefix": "acme-", "ignore": ("a",)}
    asked = write_question("naming", CHANGE.files, about, options, (["new\udcff"], [".naming"]))
    assert asked.endswith(b"\n")
    assert json.loads(asked) == {
        "version": 1,
        "check": "naming",
        "change": {
            "number": 12,
            "target": "refs/heads/main",
            "base": "a" * 40,
            "head": "b" * 40,
            "files": [
                {
                    "path": "new\udcff",
                    "old_mode": "000000",
                    "old_oid": NO_OID,
                    "mode": "100755",
                    "oid": "c" * 40,
                    "deleted": False,
                },
                {
                    "path": "gone",
                    "old_mode": "100644",
                    "old_oid": "d" * 40,
                    "mode": "000000",
                    "oid": NO_OID,
                    "deleted": True,
                },
            ],
        },
        "options": {"prefix": "acme-", "ignore": ["a"]},
        "tree": {"folder": "/tree", "paths": ["new\udcff"]},
        "target": {"folder": "/given", "paths": [".naming"]},
    }


def test_a_program_whose_verdicts_are_kept_is_not_told_which_change_it_is():
    asked = json.loads(write_question("naming", CHANGE.files, None, {}, ([], [])))
    assert list(asked["change"]) == ["files"]


def answer(*findings: object, **more: object) -> bytes:
    return json.dumps({"version": 1, "findings": list(findings), **more}).encode()


def test_findings_are_errors_unless_they_say_otherwise():
    one = {"path": "a", "line": 3, "message": "wrong"}
    assert parse_answer(answer()) == ()
    assert parse_answer(b"\n" + answer(one, {**one, "line": 0, "severity": "warning"})) == (
        Finding("a", 3, "wrong"),
        Finding("a", 0, "wrong", Severity.WARNING),
    )


def test_a_program_may_say_why_it_cannot_judge():
    assert parse_answer(b'{"version": 1, "error": "no schema for v9"}') == "no schema for v9"


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (b"", 'answered nothing; where all is well it answers {"version": 1, "findings": []}'),
        (b" \n", 'answered nothing; where all is well it answers {"version": 1, "findings": []}'),
        (b"ok\n", "answered something that is not one JSON document"),
        (answer() * 2, "answered something that is not one JSON document"),
        (b"[" * 100_000, "answered something that is not one JSON document"),
        (b"\xff", "answered something that is not one JSON document"),
        (b'{"version": 1, "findings": [{}], "findings": []}', "answered something that is not one JSON document"),
        (b"[]", "answered something that is not a JSON object"),
        (b'{"findings": []}', "answered a document of version None; this release reads 1"),
        (b'{"version": 2, "findings": []}', "answered a document of version 2; this release reads 1"),
        (b'{"version": true, "findings": []}', "answered a document of version True; this release reads 1"),
        (b'{"version": 1}', "answered neither findings alone nor an error alone"),
        (answer(error="x"), "answered neither findings alone nor an error alone"),
        (answer(more=1), "answered neither findings alone nor an error alone"),
        (b'{"version": 1, "error": ""}', "answered neither findings alone nor an error alone"),
    ],
)
def test_anything_else_is_no_verdict(output, words):
    assert parse_answer(output) == words


@pytest.mark.parametrize(
    "wrong",
    [
        "text",
        {"path": "a", "line": 1},
        {"path": "a", "line": True, "message": "b"},
        {"path": "a", "line": -1, "message": "b"},
        {"path": "a", "line": 1.0, "message": "b"},
        {"path": "a", "line": 2**31, "message": "b"},
        {"path": "a", "line": 1, "message": " "},
        {"path": "a", "line": 1, "message": "b", "severity": "info"},
        {"path": "a", "line": 1, "message": "b", "severity": []},
        {"path": "a", "line": 1, "message": "b", "column": 1},
    ],
)
def test_one_wrong_finding_spoils_the_verdict(wrong):
    good = {"path": "a", "line": 3, "message": "wrong"}
    words = "its finding 2 has not exactly path, line, message, and where it likes severity"
    assert parse_answer(answer(good, wrong)) == words
