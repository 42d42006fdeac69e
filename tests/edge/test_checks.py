"""How checks are run: each alone, each confined, and each answer believed only in its exact shape."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from gitops_hooks.edge.checks import missing_verdict, run_checks
from gitops_hooks.edge.repository import open_repository
from gitops_hooks.edge.workbench import Asked, Grounds
from gitops_hooks.hookspec import Check
from gitops_hooks.model.command import Awaited, Command
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.server import Limits
from gitops_hooks.model.verdict import CheckOutcome, Finding, Severity, Verdict
from gitops_hooks.testing import MemoryTree, a_change

TREE = "c" * 40
FILES = MemoryTree({"site.yml": b"[]\n", "docs/a.md": b"words\n", "bad\udcff.txt": b""})
NOTHING = MemoryTree({})
NOWHERE = Path("/nonexistent")
LIMITS = Limits(check_seconds=5.0, check_memory=128 * 1024 * 1024)


def grounds(tree=FILES, target=NOTHING, readable=(), scratch=NOWHERE) -> Grounds:
    return Grounds(TREE, tree, target, tree, readable, scratch)


def judge(*checks: Check, tree=FILES, change=None, limits=LIMITS, readable=()):
    asked = [Asked(check, {option.name: option.default for option in check.options}) for check in checks]
    return run_checks(asked, change or a_change(FILES), grounds(tree, readable=readable), limits)


def check_that(run, name="naming", paths=("**",)) -> Check:
    return Check(name, "for a test", run, paths)


def error(detail: str, name="naming") -> Verdict:
    return Verdict(name, TREE, CheckOutcome.ERROR, detail=detail)


def test_findings_come_back_as_they_were_given():
    found = (
        Finding("site.yml", 3, "wrong; do it right"),
        Finding("bad\udcff.txt", 0, "odd name \x1b[31m", Severity.WARNING),
    )
    assert judge(check_that(lambda change, tree, bench: found)) == (
        Verdict("naming", TREE, CheckOutcome.FINDINGS, found),
    )


def test_a_check_that_finds_nothing_is_ok():
    assert judge(check_that(lambda change, tree, bench: ())) == (Verdict("naming", TREE, CheckOutcome.OK),)


def test_each_check_fails_alone_and_in_order():
    def fail(change, tree, bench):
        raise KeyError("/srv/secret/path")

    good = check_that(lambda change, tree, bench: [], "good")
    assert judge(check_that(fail), good) == (error("raised KeyError"), Verdict("good", TREE, CheckOutcome.OK))


def test_a_check_says_itself_why_it_cannot_judge():
    def unable(change, tree, bench):
        yield Finding("site.yml", 3, "wrong")
        raise EdgeError("rule replicas", "is no expression")

    assert judge(check_that(unable)) == (error("rule replicas: is no expression"),)


def test_a_check_is_not_asked_when_no_changed_path_concerns_it():
    asked = check_that(lambda change, tree, bench: 1 / 0, paths=("**/*.tf",))
    change = a_change(FILES, ["site.yml"])
    assert judge(asked, change=change) == (Verdict("naming", TREE, CheckOutcome.OK),)


def test_a_path_that_is_not_utf8_concerns_every_check():
    asked = check_that(lambda change, tree, bench: 1 / 0, paths=("**/*.tf",))
    assert judge(asked, change=a_change(FILES, ["bad\udcff.txt"])) == (error("raised ZeroDivisionError"),)


def test_a_check_that_hangs_is_ended_and_says_for_how_long():
    def hang(change, tree, bench):
        while True:
            yield from ()

    began = time.monotonic()
    assert judge(check_that(hang), limits=Limits(check_seconds=0.5)) == (error("took longer than 0.5 s"),)
    assert time.monotonic() - began < 3


def test_a_check_that_finds_without_end_is_ended_too():
    def babble(change, tree, bench):
        while True:
            yield Finding("a", 1, "x" * 100)

    assert judge(check_that(babble), limits=Limits(check_seconds=0.5)) == (error("took longer than 0.5 s"),)


def leave(change, tree, bench):
    os._exit(0)


def eat(change, tree, bench):
    return [Finding("a", 1, bytes(10**10).decode())]


@pytest.mark.parametrize(
    ("run", "detail"),
    [
        (leave, "ended without an answer"),
        (eat, "raised MemoryError"),
        (lambda change, tree, bench: None, "raised TypeError"),
        (lambda change, tree, bench: ["wrong"], "gave str instead of a Finding"),
        (lambda change, tree, bench: [Finding("a", 1, "b")] * 200 + [7], "gave int instead of a Finding"),
        (lambda change, tree, bench: [Finding("a", "one", "b")], "raised ValueError"),
        (lambda change, tree, bench: [Finding("a", 1, "b", "error!")], "raised ValueError"),
        (lambda change, tree, bench: [Finding("a", -1, "b")], "answered something that is not a list of findings"),
        (lambda change, tree, bench: [Finding("a", 2**40, "b")], "answered something that is not a list of findings"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_check_without_a_proper_answer_is_an_error(run, detail):
    assert judge(check_that(run)) == (error(detail),)


def test_printing_is_no_answer():
    def run(change, tree, bench):
        os.write(1, b"[]")
        return ()

    assert judge(check_that(run)) == (error("wrote to standard output"),)


def test_more_than_two_hundred_findings_are_counted_and_none_is_lost_in_silence():
    verdict = judge(check_that(lambda change, tree, bench: (Finding("a", n, "b") for n in range(1, 251))))[0]
    assert len(verdict.findings) == 201
    assert verdict.findings[199:] == (Finding("a", 200, "b"), Finding("a", 0, "… and 50 more findings"))


def test_exactly_two_hundred_findings_are_all_shown():
    verdict = judge(check_that(lambda change, tree, bench: (Finding("a", n, "b") for n in range(1, 201))))[0]
    assert verdict.findings[-1] == Finding("a", 200, "b")


def test_a_long_message_is_cut_visibly():
    verdict = judge(check_that(lambda change, tree, bench: [Finding("a", 1, "x" * 600)]))[0]
    assert verdict.findings == (Finding("a", 1, "x" * 499 + "…"),)


def test_a_missing_check_refuses():
    verdict = missing_verdict("lint", TREE)
    assert verdict == error("no enabled plugin offers this check; see [plugins] in server.toml", "lint")
    assert verdict.refuses


def test_a_check_gets_the_policys_options_and_the_branch_as_it_stands():
    def run(change, tree, bench):
        return [Finding("a", 0, f"{bench.options['most']} {bench.target.read('old').decode()}")]

    target = MemoryTree({"old": b"words"})
    verdict = run_checks([Asked(check_that(run), {"most": 3})], a_change(FILES), grounds(target=target), LIMITS)
    assert verdict[0].findings == (Finding("a", 0, "3 words"),)


def test_a_check_whose_options_do_not_fit_is_not_run_and_says_where():
    asked = Asked(check_that(lambda change, tree, bench: 1 / 0), {}, ("policy.yaml:3: a", "policy.yaml:4: b"))
    assert run_checks([asked], a_change(FILES), grounds(), LIMITS) == (error("policy.yaml:3: a; policy.yaml:4: b"),)


@pytest.fixture
def repository(tmp_path) -> Path:
    """Its folder belongs to one user alone, as on a real server."""
    path = tmp_path / "site.git"
    path.mkdir(mode=0o700)
    subprocess.run(["git", "init", "-q", "--bare", "--shared=0600", path], check=True, timeout=30)
    return path


def git(repository: Path, *words: str, given: bytes = b"") -> str:
    ran = subprocess.run(["git", "-C", repository, *words], input=given, capture_output=True, check=True, timeout=30)
    return ran.stdout.decode().strip()


def tree_of(repository: Path, content: bytes) -> str:
    blob = git(repository, "hash-object", "-w", "--stdin", given=content)
    return git(repository, "mktree", given=f"100644 blob {blob}\tsite.yml\n".encode())


def blob_in(repository: Path, tree: str) -> str:
    return git(repository, "rev-parse", f"{tree}:site.yml")


def read_site(change, tree, bench):
    return [Finding("site.yml", tree.size("site.yml"), tree.read("site.yml").decode())]


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
def test_a_confined_check_reads_a_real_repository_that_is_already_open(repository, packed):
    oid = tree_of(repository, b"content\n")
    if packed:
        pack = git(
            repository, "pack-objects", "objects/pack/pack", given=f"{oid}\n{blob_in(repository, oid)}\n".encode()
        )
        assert pack
        git(repository, "prune-packed")
    opened = open_repository(repository, LIMITS)
    tree = opened.tree(oid)
    assert tree.read("site.yml") == b"content\n"
    verdict = judge(check_that(read_site), tree=tree, readable=opened.object_folders)[0]
    assert verdict.findings == (Finding("site.yml", 8, "content\n"),)


def test_a_confined_check_reads_objects_that_are_still_in_quarantine(repository, monkeypatch):
    quarantine = repository / "objects" / "tmp_objdir-incoming-x"
    quarantine.mkdir()
    monkeypatch.setenv("GIT_DIR", str(repository))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(quarantine))
    monkeypatch.setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", str(repository / "objects"))
    monkeypatch.setenv("GIT_QUARANTINE_PATH", str(quarantine))
    oid = tree_of(repository, b"pushed\n")
    tree = (opened := open_repository(repository, LIMITS, environ=os.environ)).tree(oid)
    assert tree.entry("site.yml")
    verdict = judge(check_that(read_site), tree=tree, readable=opened.object_folders)[0]
    assert (verdict.detail, verdict.findings) == ("", (Finding("site.yml", 7, "pushed\n"),))
    assert not (repository / "objects" / oid[:2]).exists()


def test_a_confined_check_sees_nothing_of_the_repository_but_its_objects(repository):
    opened = open_repository(repository, LIMITS)

    def look(change, tree, bench):
        for path in ("config", "HEAD", "refs", "hooks"):
            if (repository / path).exists():
                yield Finding(path, 0, "can be seen")

    assert judge(check_that(look), tree=FILES, readable=opened.object_folders)[0].outcome is CheckOutcome.OK


def test_a_check_that_gives_commands_is_pending_and_has_to_declare_it():
    command = Command("test", ("make", "test"), 60)
    check = Check("ci", "for a test", lambda change, tree, bench: [command], kept=False, commands=True)
    assert judge(check) == (Verdict("ci", TREE, CheckOutcome.PENDING, awaited=(Awaited(command),)),)
    undeclared = check_that(lambda change, tree, bench: [command])
    assert judge(undeclared) == (error("gives commands, and does not declare that it may"),)
