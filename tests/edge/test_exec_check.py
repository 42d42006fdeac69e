"""A program that judges runs in the box of tools; whatever it does wrong, it has not passed."""

import json
import time
from pathlib import Path

import pytest

from gitops_hooks.edge.checks import run_checks
from gitops_hooks.edge.exec_check import exec_check
from gitops_hooks.edge.workbench import Asked, Grounds
from gitops_hooks.model.options import Option, OptionKind
from gitops_hooks.model.server import ExecCheck, Limits
from gitops_hooks.model.verdict import CheckOutcome, Finding, Verdict
from gitops_hooks.testing import MemoryTree, a_change

TREE = "c" * 40
FILES = MemoryTree({"roles/web/a.yml": b"words\n", "vars/all.yml": b"all\n", "docs/a.md": b""})
TARGET = MemoryTree({".naming": b"excepted\n"})
PREFIX = Option("prefix", OptionKind.TEXT, "acme-", "")
FINE = 'echo \'{"version": 1, "findings": []}\''


def judge(tmp_path: Path, script: str, seconds: float = 5.0, **more: object) -> Verdict:
    """The verdict of a shell script as a check of roles."""
    program = tmp_path / "tools" / "bin" / "judge"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    tmp_path.chmod(0o755)
    check = exec_check(ExecCheck("naming", "", ("judge", "a word"), ("roles/**",), **more))
    grounds = Grounds(TREE, FILES, TARGET, FILES, (), tmp_path / "scratch", (tmp_path / "tools",))
    options = {option.name: option.default for option in check.options}
    change = a_change(FILES, ["roles/web/a.yml", "docs/a.md"])
    (verdict,) = run_checks([Asked(check, options)], change, grounds, Limits(check_seconds=seconds))
    return verdict


def found(message: str, path: str = "a") -> str:
    return json.dumps({"version": 1, "findings": [{"path": path, "line": 1, "message": message}]})


def test_it_is_asked_in_json_and_what_it_finds_is_told(tmp_path):
    script = 'cat >/tmp/asked; printf \'{"version": 1, "findings": [{"path": "asked", "line": 1, "message": \'\n'
    script += 'python3 -c \'import json; print(json.dumps(open("/tmp/asked").read()))\'; echo "}]}"'
    verdict = judge(tmp_path, script, options=(PREFIX,), tree=("vars", "gone"), target=(".naming", ".gone"))
    assert verdict.outcome is CheckOutcome.FINDINGS, verdict
    assert '"check": "naming"' in verdict.findings[0].message


def test_it_sees_what_changed_and_what_the_administrator_named(tmp_path):
    script = "m=$(echo $1; find /tree /given -type f | sort | xargs echo)\n"
    script += (
        'echo "{\\"version\\": 1, \\"findings\\": [{\\"path\\": \\"a\\", \\"line\\": 1, \\"message\\": \\"$m\\"}]}"'
    )
    verdict = judge(tmp_path, script.replace("echo $1;", ""), tree=("vars", "gone"), target=(".naming", ".gone"))
    words = "/given/.naming /tree/roles/web/a.yml /tree/vars/all.yml"
    assert verdict == Verdict("naming", TREE, CheckOutcome.FINDINGS, (Finding("a", 1, words),))


def test_where_all_is_well_it_says_so(tmp_path):
    assert judge(tmp_path, FINE) == Verdict("naming", TREE, CheckOutcome.OK)


@pytest.mark.parametrize(
    ("script", "detail"),
    [
        ("true", 'judge: answered nothing; where all is well it answers {"version": 1, "findings": []}'),
        (f"{FINE}; echo why >&2; exit 3", "judge: ended with 3: why"),
        (f"{FINE}; kill -9 $$", "judge: ended with 137"),
        ("echo fine", "judge: answered something that is not one JSON document"),
        ('echo \'{"version": 1, "error": "no schema for v9"}\'', "judge: no schema for v9"),
        ("printf '\\033[2J' >&2; exit 1", "judge: ended with 1: \\x1b[2J"),
        ("yes", "judge: said more than 8388608 bytes"),
    ],
)
def test_without_a_verdict_in_its_shape_it_is_an_error(tmp_path, script, detail):
    assert judge(tmp_path, script) == Verdict("naming", TREE, CheckOutcome.ERROR, detail=detail)


def test_one_that_hangs_is_ended_in_time(tmp_path):
    start = time.monotonic()
    verdict = judge(tmp_path, f"{FINE}; sleep 60", seconds=1.0)
    assert verdict.outcome is CheckOutcome.ERROR
    assert verdict.detail.startswith("judge: took longer than ")
    assert time.monotonic() - start < 10


def test_it_reaches_neither_the_network_nor_the_server(tmp_path):
    script = f"cat {tmp_path}/secret 2>/dev/null; touch {tmp_path}/x 2>/dev/null && echo wrote; {FINE}"
    (tmp_path / "secret").write_text("secret")
    assert judge(tmp_path, script) == Verdict("naming", TREE, CheckOutcome.OK)
    assert not (tmp_path / "x").exists()


def test_one_that_is_not_there_is_an_error_with_its_name(tmp_path):
    check = exec_check(ExecCheck("naming", "", ("nosuchprogram",)))
    grounds = Grounds(TREE, FILES, TARGET, FILES, (), tmp_path / "scratch")
    (verdict,) = run_checks([Asked(check)], a_change(FILES), grounds, Limits())
    assert verdict.detail == "nosuchprogram: is not installed on this server, or not in one of its tool_folders"
    assert verdict.outcome is CheckOutcome.ERROR
