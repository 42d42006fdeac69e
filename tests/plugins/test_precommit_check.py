"""What the check `pre-commit` makes of hooks: real ones, with environments that were prepared before."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_hooks.edge.workbench import Bench
from gitops_hooks.plugin import Finding, Severity
from gitops_hooks.plugins.precommit.check import check_hooks, gitops_checks
from gitops_hooks.plugins.precommit.told import told_findings
from gitops_hooks.testing import MemoryTree, a_change, run_check

(CHECK,) = gitops_checks()
FILE = ".pre-commit-config.yaml"
_NO_FOO = """\
#!/bin/sh
status=0
for file; do grep -n foo "$file" | sed "s|^\\([0-9]*\\):.*|$file:\\1: foo is not said here|"; done
for file; do ! grep -q foo "$file" || status=1; done
exit $status
"""
LOCAL = """\
- repo: local
  hooks:
  - {id: trim, name: trim, language: system, entry: sed -i "s/ *$//", types: [text], exclude: yaml}
"""


def prepare(folder: Path, *hooks: str) -> str:
    """As an administrator does: pre-commit in a folder of tools, with the environments of one repository of hooks.

    Answers the configuration that they are of.
    """
    (folder / "tools" / "bin").mkdir(parents=True)
    (folder / "tools" / "bin" / "pre-commit").symlink_to(Path(sys.prefix) / "bin" / "pre-commit")
    home = folder / "no-foo"
    home.mkdir()
    listed = "- {id: no-foo, name: no foo, language: script, entry: no-foo.sh, types: [text], exclude: yaml}\n"
    (home / ".pre-commit-hooks.yaml").write_text(listed)
    (home / "no-foo.sh").write_text(_NO_FOO)
    (home / "no-foo.sh").chmod(0o755)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "hooks"]):
        subprocess.run(["git", *words], cwd=home, check=True)
    rev = subprocess.run(["git", "rev-parse", "HEAD"], cwd=home, check=True, capture_output=True, text=True).stdout
    named = f"- repo: file://{home}\n  rev: {rev.strip()}\n  hooks: [{{id: no-foo}}]\n"
    (folder / "work").mkdir()
    configuration = f"repos:\n{named}{''.join(hooks)}"
    (folder / "work" / "hooks.yaml").write_text(configuration)
    environ = {**os.environ, "PRE_COMMIT_HOME": str(folder / "tools" / "hooks")}
    subprocess.run(["git", "init", "-q"], cwd=folder / "work", check=True)
    words = [folder / "tools" / "bin" / "pre-commit", "install-hooks", "-c", "hooks.yaml"]
    subprocess.run(words, cwd=folder / "work", env=environ, check=True, capture_output=True)
    subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
    return configuration


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    folder = tmp_path_factory.mktemp("hooks")
    configuration = prepare(folder, LOCAL)
    yield folder / "tools", configuration


def find(made: tuple[Path, str], files: dict[str, str], changed: list[str] | None = None, **more) -> list[Finding]:
    tools, configuration = made
    target = {FILE: configuration.encode()} if "target" not in more else more.pop("target")
    texts = {path: text.encode() for path, text in files.items()}
    return list(run_check(CHECK, texts, changed=changed, target=target, tool_folders=[tools], **more))


def test_files_that_every_hook_passes_pass(made):
    assert find(made, {"a.txt": "bar\n", "b/c.txt": "bar\n"}) == []


def test_what_a_hook_says_of_a_line_is_told_there_and_what_it_changes_at_its_first_line(made):
    assert find(made, {"a.txt": "x\ny  \nfoo\n", "b/c.txt": "bar\n"}) == [
        Finding("a.txt", 3, "no-foo: foo is not said here"),
        Finding("a.txt", 2, "trim would change this; run: pre-commit run --files a.txt"),
    ]


def test_a_file_with_the_name_of_an_option_is_refused_since_hooks_would_obey_it(made):
    assert find(made, {"--exit-zero": "x\n", "a.txt": "foo\n"}) == [
        Finding("--exit-zero", 0, "hooks would take this name for an option; give the file another"),
        Finding("a.txt", 1, "no-foo: foo is not said here"),
    ]


def test_only_what_changed_is_looked_at(made):
    assert find(made, {"a.txt": "foo\n", "b.txt": "bar\n"}, ["b.txt"]) == []


def test_a_configuration_that_comes_with_the_change_asks_and_excepts_nothing(made):
    files = {"a.txt": "foo\n", FILE: f"repos:\n{LOCAL}"}
    assert find(made, files) == [Finding("a.txt", 1, "no-foo: foo is not said here")]


def test_hooks_that_a_change_brings_must_be_prepared_before_it_lands(made):
    brought = "repos:\n- repo: https://hooks.example/x\n  rev: v1\n  hooks: [{id: x}]\n"
    assert find(made, {FILE: brought}) == [
        Finding(
            FILE,
            2,
            "the environment of https://hooks.example/x is not prepared on the server, so hooks of this file could not "
            "be asked about the next change; the administrator runs pre-commit install-hooks (see the page of this "
            "check, docs/checks/pre-commit.md)",
        )
    ]


def test_hooks_of_the_branch_that_nobody_prepared_refuse(made):
    target = {FILE: b"repos:\n- repo: https://hooks.example/x\n  rev: v1\n  hooks: [{id: x}]\n"}
    (told,) = find(made, {"a.txt": "x\n"}, target=target)
    assert told.severity is Severity.ERROR
    assert told.message.startswith(
        "the environment of https://hooks.example/x is not prepared on the server, so no hook"
    )


def test_a_configuration_that_is_none_refuses(made):
    (told,) = find(made, {"a.txt": "x\n"}, target={FILE: b"repos: ["})
    assert told.severity is Severity.ERROR and "InvalidConfigError" in told.message


def test_a_branch_without_a_configuration_is_said_to_ask_no_hook(made):
    words = "the branch has no such file yet, so no hook was asked about this change"
    assert find(made, {"a.txt": "foo\n"}, target={}) == [Finding(FILE, 0, words, Severity.WARNING)]


def test_without_the_program_nothing_passes():
    tree = MemoryTree({"a.txt": b"x\n"})
    bench = Bench({"home": "", "folders": ()}, tree)
    words = (
        "pre-commit is not installed on the server, so no hook was asked; see the page of this check, "
        "docs/checks/pre-commit.md"
    )
    assert list(check_hooks(a_change(tree), tree, bench)) == [Finding(FILE, 0, words)]


def test_a_hook_cannot_write_to_its_environment(made):
    tools, _ = made
    hook = f"{{id: w, name: w, language: system, entry: touch {tools}/hooks/was-here}}"
    bad = f"repos:\n- repo: local\n  hooks:\n  - {hook}\n"
    (told,) = find(made, {"a.txt": "x\n"}, target={FILE: bad.encode()})
    assert "Read-only file system" in told.message
    assert not (tools / "hooks" / "was-here").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", [Finding(FILE, 0, "pre-commit: it failed")]),
        ("a....Failed\n- hook id: a\n- exit code: 3\n", [Finding(FILE, 0, "a: ended with 3 and said nothing")]),
        ("a....Failed\n- hook id: a\n- exit code: 1\n\nx.py is odd\n", [Finding("x.py", 0, "a: x.py is odd")]),
        (
            "a....Failed\n- hook id: a\n- exit code: 1\n\n./x.py:3:1: E1 odd\nother.py:1: no\n"
            "b....Passed\nc....(no files to check)Skipped\n",
            [Finding("x.py", 3, "a: E1 odd")],
        ),
    ],
)
def test_whatever_it_prints_becomes_a_finding(text: str, told: list[Finding]):
    assert list(told_findings(text, ["x.py"], FILE)) == told
