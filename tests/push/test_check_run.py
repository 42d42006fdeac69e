"""Stories of checks that are run in a clone before any push, and say what the server says afterwards."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gitops_hooks.edge.sandbox_cure import cure
from tests.push.desk import POLICY
from tests.world import ROOT, Template, World

RULES = POLICY.replace("checks: [yaml]", "checks: [yaml, naming, shell]") + "checks: {naming: {prefix: house-}}\n"
GUEST = "tests.push.guest"
BAD = {"roles/web/tasks/main.yml": "a: 1\na: 2\n", "a.sh": "if true\nthen echo (\nfi\n", ".naming": "web\n"}
TOLD = [
    "roles/web/tasks/main.yml:2: duplicate key 'a', first on line 1",
    "roles/web/tasks/main.yml: call it house-web",
    "a.sh:2: syntax error near unexpected token `newline'",
    "a.sh:2: `then echo ('",
]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    template = Template.build(RULES)
    server = template.folder / "home" / "server.toml"
    plugins = f'[plugins]\nchecks = ["gitops_hooks.plugins.yaml_check", "{GUEST}"]\n'
    server.write_text(server.read_text().replace("[plugins]\n", plugins, 1))
    world = World.copied_from(template)
    template.remove()
    yield world
    world.close()


@pytest.fixture
def clone(world: World) -> Path:
    """Alice's clone, as the server has main."""
    folder = world.person("alice") / "site"
    if folder.exists():
        world.git("alice", "reset", "-q", "--hard").must()
        world.git("alice", "clean", "-q", "-fdx").must()
    world.start_over("alice")
    return folder


def run(clone: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`gitops-hooks check run …`, as a developer types it on a machine that is no server."""
    return subprocess.run(
        [sys.executable, "-m", "gitops_hooks.entry.cli", "check", "run", *words],
        cwd=clone,
        env={**os.environ, "HOME": str(clone.parent), "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def put(clone: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text(text)


def test_what_is_not_even_committed_gets_the_findings_that_the_server_tells_afterwards(world: World, clone: Path):
    put(clone, BAD)
    before = world.git("alice", "status", "--porcelain").out, sorted((clone / ".git" / "objects").rglob("*"))
    done = run(clone, "--all", "--against", "main", "--plugin", GUEST)
    tip = world.server_git("rev-parse", "main").strip()
    lines = [
        f"gitops: the working tree against origin/main ({tip[:7]}): 3 changed paths",
        "  checks     yaml 1 finding · naming 1 finding · shell 2 findings",
        *(f"  {line}" for line in TOLD),
        "gitops: the server would refuse it",
    ]
    assert done.stdout.splitlines() == lines, done.stderr
    assert done.returncode == 1
    assert before == (world.git("alice", "status", "--porcelain").out, sorted((clone / ".git" / "objects").rglob("*")))
    assert list(Path(clone.parent).glob(".gitops-hooks")) == []

    world.git("alice", "add", "-A").must()
    world.git("alice", "commit", "-q", "-m", "Bad").must()
    pushed = world.git("alice", "push", "origin", "HEAD:refs/for/main")
    told = [line.strip() for line in pushed.remote_lines]
    assert told[told.index("checks") + 1 :][: len(TOLD)] == TOLD, pushed.remote


def test_what_lands_is_looked_at_and_not_what_lies_there(world: World, clone: Path):
    """Main has moved on: its merge with the working tree is what the server would have."""
    put(clone, {"roles/house-new/a.yml": "a: 1\n"})
    done = run(clone, "naming", "--json", "--plugin", GUEST)
    facts = json.loads(done.stdout)
    assert (done.returncode, facts["refuses"], facts["files"]) == (0, False, 1)
    assert facts["checks"] == [
        {"check": "naming", "outcome": "ok", "refuses": False, "waived": "", "detail": "", "findings": []}
    ]
    world.git("alice", "checkout", "-q", "--detach").must()
    world.git("alice", "add", "-A").must()
    world.git("alice", "commit", "-q", "-m", "Landed by somebody else").must()
    world.git("alice", "update-ref", "refs/remotes/origin/main", "HEAD").must()
    world.git("alice", "checkout", "-q", "main").must()
    put(clone, {"x.sh": "echo\n"})
    again = json.loads(run(clone, "shell", "--json", "--plugin", GUEST).stdout)
    assert again["files"] == 1
    tree = world.git("alice", "ls-tree", "-r", "--name-only", "origin/main").out.split()
    assert "roles/house-new/a.yml" in tree


def test_only_what_is_staged_or_committed_can_be_asked_for(clone: Path, world: World):
    put(clone, {"roles/web/a.yml": "a: 1\n"})
    assert run(clone, "naming", "--committed", "--plugin", GUEST).stdout.splitlines()[-1] == (
        "gitops: these checks let it pass"
    )
    assert run(clone, "naming", "--staged", "--plugin", GUEST).returncode == 0
    world.git("alice", "add", "-A").must()
    put(clone, {"roles/web/b.yml": "a: 1\n"})
    done = run(clone, "naming", "--staged", "--plugin", GUEST)
    assert done.stdout.splitlines()[1:] == [
        "  checks     naming 1 finding",
        "  roles/web/a.yml: call it house-web",
        "gitops: the server would refuse it",
    ]


def test_a_copy_of_the_servers_file_says_what_is_enabled(world: World, clone: Path):
    put(clone, {"roles/web/a.yml": "a: 1\n"})
    home = clone.parent / "copied"
    home.mkdir(exist_ok=True)
    (home / "server.toml").write_text(f'[plugins]\nchecks = ["{GUEST}"]\n')
    done = run(clone, "--all", GITOPS_HOOKS_HOME=str(home))
    assert done.stdout.splitlines()[1:] == [
        "  checks     naming 1 finding · shell ok · yaml ERROR",
        "  roles/web/a.yml: call it house-web",
        "  yaml: no enabled plugin offers this check; see [plugins] in server.toml",
        "gitops: the server would refuse it",
    ]


def test_a_program_that_judges_on_the_server_judges_here_too(clone: Path):
    put(clone, {"roles/web/a.yml": "a: 1\n"})
    tools, home = clone.parent / "tools", clone.parent / "judging"
    for folder in (tools, home):
        folder.mkdir(exist_ok=True)
    (tools / "judge").write_text('#!/bin/sh\necho \'{"version": 1, "error": "ran"}\'\n')
    (tools / "judge").chmod(0o755)
    table = '[[exec_check]]\nname = "judging"\ncommand = ["judge"]\n'
    (home / "server.toml").write_text(f'tool_folders = ["{tools}"]\n{table}')
    done = run(clone, "judging", GITOPS_HOOKS_HOME=str(home))
    assert done.stdout.splitlines()[1:3] == ["  checks     judging ERROR", "  judging: judge: ran"], done.stderr
    assert done.returncode == 1


def test_sarif_and_junit_hold_the_findings_with_their_places(clone: Path):
    put(clone, BAD)
    files = ("--sarif", str(clone.parent / "s.sarif"), "--junit", str(clone.parent / "j.xml"))
    assert run(clone, "--all", *files, "--plugin", GUEST).returncode == 1
    (found,) = json.loads((clone.parent / "s.sarif").read_text())["runs"]
    places = [result["locations"][0]["physicalLocation"] for result in found["results"]]
    assert places[0] == {
        "artifactLocation": {"uri": "roles/web/tasks/main.yml"},
        "region": {"startLine": 2},
    }
    assert [result["ruleId"] for result in found["results"]] == ["yaml", "naming", "shell", "shell"]
    assert found["invocations"][0]["executionSuccessful"] is True
    (suite,) = ElementTree.parse(clone.parent / "j.xml").getroot()
    assert dict(suite.attrib) == {"name": "gitops-hooks", "tests": "3", "failures": "3", "errors": "0"}
    assert suite[1][0].text == "roles/web/tasks/main.yml: call it house-web"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Error: name the checks, or say --all\n"),
        (("yaml", "--all"), "Error: name the checks, or say --all\n"),
        (("nosuch",), "Error: no enabled plugin offers the check 'nosuch'; there are yaml, "),
        (("yaml", "--against", "nosuch"), "gitops: nosuch: is no branch that this clone knows; git fetch origin\n"),
        (("yaml", "--plugin", "nosuch"), "gitops: nosuch: this plugin does not load: ModuleNotFoundError: "),
        (
            ("yaml", "--plugin", "gitops_hooks.plugins.journal"),
            "gitops: gitops_hooks.plugins.journal: gitops_decided, gitops_deployed: only a trusted "
            "provider may implement this\n",
        ),
    ],
)
def test_wrong_use_is_told_before_anything_runs(clone: Path, words: tuple[str, ...], message: str):
    done = run(clone, *words)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_folder_that_is_no_clone_and_a_shallow_one_are_refused_with_the_cure(clone: Path, tmp_path: Path):
    done = run(tmp_path, "yaml")
    assert (done.returncode, done.stderr) == (
        2,
        "gitops: this folder: lies in no working tree of git; go into your clone\n",
    )
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", f"file://{clone}", str(tmp_path / "shallow")],
        check=True,
        capture_output=True,
    )
    done = run(tmp_path / "shallow", "yaml")
    words = "is shallow, and what a push would bring cannot be told; git fetch --unshallow"
    assert (done.returncode, done.stderr) == (2, f"gitops: this clone: {words}\n")


# A kernel that gives no namespaces and no Landlock, to this program and to all that it starts.
WALLED_IN = """\
import ctypes, os, struct, sys
unshare = {"x86_64": 272, "aarch64": 97}[os.uname().machine]
steps = [(0x20, 0, 0, 0), (0x15, 2, 0, unshare), (0x15, 1, 0, 444), (0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x50001)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
assert libc.prctl(22, 2, program, 0, 0) == 0
os.execv(sys.executable, [sys.executable, "-m", "gitops_hooks.entry.cli", *sys.argv[1:]])
"""


def test_without_a_sandbox_nothing_runs_and_the_cure_is_told(clone: Path):
    done = subprocess.run(
        [sys.executable, "-c", WALLED_IN, "check", "run", "yaml"],
        cwd=clone,
        env={**os.environ, "HOME": str(clone.parent), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("gitops: checks: no sandbox here (")
    assert done.stderr.endswith(f"). {cure()}\n")


def test_what_cannot_be_merged_is_refused_as_on_the_server(world: World, clone: Path):
    put(clone, {"README.md": "Theirs\n"})
    world.git("alice", "commit", "-q", "-a", "-m", "Theirs").must()
    world.git("alice", "update-ref", "refs/remotes/origin/main", "HEAD").must()
    world.git("alice", "reset", "-q", "--hard", "HEAD~").must()
    put(clone, {"README.md": "Ours\n"})
    done = run(clone, "yaml")
    assert (done.returncode, done.stderr) == (
        1,
        "gitops: merge: conflicts with the branch in README.md\ngitops: Rebase, resolve, and propose again.\n",
    )


def test_it_works_in_a_linked_worktree_of_a_clone_that_borrows_its_objects_and_in_a_hook(clone: Path, tmp_path: Path):
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True, timeout=60)

    git("clone", "-q", "--shared", str(clone), "borrowing")
    git("-C", "borrowing", "worktree", "add", "-q", str(tmp_path / "linked"))
    linked = tmp_path / "linked"
    put(linked, {"deep/er/a.yml": "a: 1\na: 2\n"})
    told = ["  deep/er/a.yml:2: duplicate key 'a', first on line 1", "gitops: the server would refuse it"]
    assert run(linked / "deep", "yaml", "--against", "main").stdout.splitlines()[2:] == told

    command = f"{sys.executable} -m gitops_hooks.entry.cli check run yaml --against main --staged"
    hook = tmp_path / "borrowing" / ".git" / "hooks" / "pre-commit"
    hook.write_text(f"#!/bin/sh\nPYTHONPATH={ROOT} exec {command}\n")
    hook.chmod(0o755)
    git("-C", "linked", "add", "-A")
    done = subprocess.run(["git", "commit", "-m", "Bad"], cwd=linked, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.splitlines()[2:]) == (1, told)
