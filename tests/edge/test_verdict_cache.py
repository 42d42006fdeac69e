"""What was found before is found again exactly where a check was given, and looked at, the same."""

import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import pygit2
import pytest

from gitops_hooks.edge import living
from gitops_hooks.edge.checks import run_checks
from gitops_hooks.edge.folders import Folders
from gitops_hooks.edge.tool_wire import TREE, Look, encode_look, encode_run
from gitops_hooks.edge.tool_wire import Run as ToolRun
from gitops_hooks.edge.tree import GitTree, changed_files
from gitops_hooks.edge.verdict_cache import Memory, open_memory
from gitops_hooks.edge.verdict_store import Kept, VerdictStore
from gitops_hooks.edge.workbench import Asked, Grounds
from gitops_hooks.model.change import Change
from gitops_hooks.model.push import NO_OID
from gitops_hooks.model.server import ExecCheck, Limits, PluginLists, ServerFile
from gitops_hooks.model.verdict import CheckOutcome, Finding, Severity, Verdict
from gitops_hooks.plugin import Check, EdgeError, Tool
from tests.waiting import wait_until

FILE, PROGRAM = 0o100644, 0o100755
BEFORE = {"site.yml": b"a: 1\n", "roles/web/a.yml": b"[]\n", "lint.cfg": b"strict\n", "docs/a.md": b"words\n"}
AFTER = {**BEFORE, "site.yml": b"a: 2\n"}
Run = Callable[..., object]


@dataclass(frozen=True)
class Scene:
    """All that a check could be told of."""

    after: Mapping[str, bytes] = field(default_factory=lambda: AFTER)
    before: Mapping[str, bytes] = field(default_factory=lambda: BEFORE)
    modes: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=lambda: {"most": 3})
    limits: Limits = field(default_factory=lambda: Limits(check_seconds=6.0, check_memory=256 * 1024**2))
    code: str = "code"
    number: int = 1
    target: str = "refs/heads/main"
    base: str = "a" * 40
    head: str = "b" * 40
    paths: tuple[str, ...] = ("**/*.yml",)
    tools: tuple[Tool, ...] = ()
    folders: tuple[Path, ...] = ()


class Court:
    """Asks one check about scene after scene; what it answers tells whether it was run."""

    def __init__(self, folder: Path) -> None:
        self.git2 = pygit2.init_repository(str(folder / "site.git"), bare=True)
        self.store = VerdictStore(folder / "verdicts", 1000, 10**8)
        self.scratch = folder / "tools"

    def tree(self, files: Mapping[str, bytes], modes: Mapping[str, int]) -> str:
        index = pygit2.Index()
        for path, content in files.items():
            index.add(pygit2.IndexEntry(path, self.git2.create_blob(content), modes.get(path, FILE)))
        return str(index.write_tree(self.git2))

    def ask(self, scene: Scene, run: Run, **more: object) -> Verdict:
        old, new = self.tree(scene.before, {}), self.tree(scene.after, scene.modes)
        tree, target = (GitTree(self.git2, oid, scene.limits.blob_size) for oid in (new, old))
        readable = (Path(self.git2.path) / "objects",)
        grounds = Grounds(new, tree, target, tree, readable, self.scratch, scene.folders)
        files = changed_files(Folders(self.git2), old, new, 1000)
        change = Change(scene.number, scene.target, scene.base, scene.head, files)
        check = Check("naming", "", run, scene.paths, tools=scene.tools, **more)  # type: ignore[arg-type]
        memory = Memory(self.store, scene.code)
        (verdict,) = run_checks([Asked(check, scene.options)], change, grounds, scene.limits, memory)
        assert verdict.tree == new
        return verdict

    def mark(self, scene: Scene, run: Run, **more: object) -> str:
        """A word that no two runs have in common."""
        verdict = self.ask(scene, run, **more)
        assert verdict.detail == ""
        return verdict.findings[-1].message


@pytest.fixture
def court(tmp_path: Path) -> Court:
    return Court(tmp_path)


def looking(look: Run = lambda change, tree, bench: None) -> Run:
    def run(change, tree, bench):
        look(change, tree, bench)
        return [Finding("site.yml", 0, secrets.token_hex(), Severity.WARNING)]

    return run


def missing(tree, path: str) -> None:
    with suppress(EdgeError):
        tree.read(path)


def put(**files: bytes | None) -> Callable[[Scene], Scene]:
    """These files in the tree that would land; `_` stands for a slash, `__` for a dot."""

    def change(scene: Scene) -> Scene:
        named = {name.replace("__", ".").replace("_", "/"): content for name, content in files.items()}
        return replace(scene, after={path: text for path, text in {**scene.after, **named}.items() if text is not None})

    return change


def aim(**files: bytes) -> Callable[[Scene], Scene]:
    """These on the target and, as they came from there, in the tree that would land."""

    def change(scene: Scene) -> Scene:
        named = {name.replace("__", ".").replace("_", "/"): content for name, content in files.items()}
        return replace(scene, before={**scene.before, **named}, after={**scene.after, **named})

    return change


def other(**values: object) -> Callable[[Scene], Scene]:
    return lambda scene: replace(scene, **values)  # type: ignore[arg-type]


NOTHING = looking()
UNCHANGED = [
    ("the same again", NOTHING, other()),
    ("another number, head and base, on another branch", NOTHING, other(number=7, head="c" * 40, base="d" * 40)),
    ("another branch", NOTHING, other(target="refs/heads/release")),
    ("a changed file that does not concern it", NOTHING, put(docs_a__md=b"other\n")),
    ("a new file that does not concern it", NOTHING, put(new__txt=b"")),
    ("a rebase onto files that it did not look at", NOTHING, aim(docs_a__md=b"x", roles_web_a__yml=b"[1]\n")),
    ("looks at the change's own files", looking(lambda c, t, b: t.read("site.yml")), put(docs_a__md=b"x")),
    ("what it read elsewhere is the same", looking(lambda c, t, b: t.read("lint.cfg")), put(docs_a__md=b"x")),
    ("what is missing is missing still", looking(lambda c, t, b: missing(t, "no/such")), put(docs_a__md=b"x")),
    ("a folder that it listed is the same", looking(lambda c, t, b: list(t.list("roles"))), put(docs_a__md=b"x")),
    ("the target's file is the same", looking(lambda c, t, b: b.target.read("lint.cfg")), aim(docs_a__md=b"x")),
]
CHANGED = [
    ("other bytes", NOTHING, put(site__yml=b"a: 3\n")),
    ("another mode", NOTHING, other(modes={"site.yml": PROGRAM})),
    ("one more file", NOTHING, put(b__yml=b"")),
    ("a file that was deleted", NOTHING, put(roles_web_a__yml=None)),
    ("other bytes before", NOTHING, lambda scene: replace(scene, before={**scene.before, "site.yml": b"a: 0\n"})),
    ("another option", NOTHING, other(options={"most": 4})),
    ("other code", NOTHING, other(code="other")),
    ("another limit on a read", NOTHING, other(limits=Limits(blob_size=3, check_seconds=6.0))),
    ("its memory", NOTHING, other(limits=Limits(check_seconds=6.0, check_memory=512 * 1024**2))),
    ("what it read elsewhere", looking(lambda c, t, b: t.read("lint.cfg")), put(lint__cfg=b"lax\n")),
    ("whose size it asked for", looking(lambda c, t, b: t.size("lint.cfg")), put(lint__cfg=b"lax\n")),
    ("what it only looked up", looking(lambda c, t, b: t.entry("lint.cfg")), put(lint__cfg=None)),
    ("what was missing appears", looking(lambda c, t, b: t.entry(".yamllint")), put(__yamllint=b"")),
    ("what was missing in no folder appears", looking(lambda c, t, b: missing(t, "no/such")), put(no_such=b"")),
    ("an entry of a folder that it listed", looking(lambda c, t, b: list(t.list("roles"))), put(roles_b=b"")),
    ("an entry of the tree that it listed", looking(lambda c, t, b: list(t.list())), put(new=b"")),
    ("a folder that was not there", looking(lambda c, t, b: list(t.list("no"))), put(no_such=b"")),
    ("a list that it began and did not read", looking(lambda c, t, b: t.list("roles")), put(roles_b=b"")),
    ("the target's file", looking(lambda c, t, b: b.target.read("lint.cfg")), aim(lint__cfg=b"lax\n")),
    ("a file of the target that was missing", looking(lambda c, t, b: b.target.entry("lint")), aim(lint=b"lax\n")),
    ("the target's own side of a changed file", looking(lambda c, t, b: b.target.list()), aim(new=b"")),
    ("the number that it asked for", looking(lambda c, t, b: c.number), other(number=2)),
    ("the branch that it asked for", looking(lambda c, t, b: c.target), other(target="refs/heads/x")),
    ("the base that it asked for", looking(lambda c, t, b: c.base), other(base="c" * 40)),
    ("the head that it asked for", looking(lambda c, t, b: replace(c)), other(head="c" * 40)),
]


@pytest.mark.parametrize(("run", "change"), [row[1:] for row in UNCHANGED], ids=[row[0] for row in UNCHANGED])
def test_a_check_that_was_given_and_looked_at_the_same_is_not_run_again(court, run, change):
    first = court.mark(Scene(), run)
    assert court.mark(change(Scene()), run) == first


@pytest.mark.parametrize(("run", "change"), [row[1:] for row in CHANGED], ids=[row[0] for row in CHANGED])
def test_a_check_is_run_again_where_one_of_these_is_another(court, run, change):
    first = court.mark(Scene(), run)
    again = court.mark(change(Scene()), run)
    assert again != first
    assert (court.mark(Scene(), run), court.mark(change(Scene()), run)) == (first, again)


SH = (Tool("sh"),)
TOOL_READS_SITE = looking(lambda c, t, b: b.run(["sh", "-c", "cat *"], files=["site.yml", "no"]))
TOOL_READS_ROLES = looking(lambda c, t, b: b.run(["sh", "-c", "ls"], files=["roles"]))
TOOL_READS_ALL = looking(lambda c, t, b: b.run(["sh", "-c", "ls"], files=["."]))


@pytest.mark.parametrize(
    ("run", "change", "again"),
    [
        (TOOL_READS_SITE, put(docs_a__md=b"x"), False),
        (TOOL_READS_SITE, put(no=b"x"), True),
        (TOOL_READS_ROLES, put(docs_a__md=b"x"), False),
        (TOOL_READS_ROLES, put(roles_db_a=b""), True),
        (TOOL_READS_ALL, put(docs_a__md=b"x"), True),
        (TOOL_READS_SITE, other(limits=Limits(check_seconds=6.0, check_memory=256 * 1024**2, tool_room=10**7)), True),
    ],
)
def test_what_a_tool_is_given_counts_as_looked_at(court, run, change, again):
    scene = Scene(tools=SH)
    first = court.mark(scene, run)
    assert (court.mark(change(scene), run) != first) is again


def install(folder: Path, says: str) -> None:
    (folder / "new").write_text(f"#!/bin/sh\n{says}\n")
    (folder / "new").chmod(0o755)
    (folder / "new").rename(folder / "acme")


@pytest.fixture
def acme(tmp_path: Path) -> Scene:
    folder = tmp_path / "acme"
    folder.mkdir()
    return Scene(tools=(Tool("acme"), Tool("sh")), folders=(folder,))


ASKS = looking(lambda c, t, b: b.tool("acme"))
RUNS = looking(lambda c, t, b: b.run(["sh", "-c", "acme || true"]))


@pytest.mark.parametrize("run", [ASKS, RUNS])
def test_a_tool_of_another_version_is_looked_at_anew(court, acme, run):
    absent = court.mark(acme, run)
    install(acme.folders[0], "echo acme 1")
    first = court.mark(acme, run)
    assert (court.mark(acme, run), first != absent) == (first, True)
    install(acme.folders[0], "echo acme 2")
    second = court.mark(acme, run)
    assert second not in (absent, first)
    (acme.folders[0] / "acme").unlink()
    assert court.mark(acme, run) == absent or run is RUNS


def test_a_tool_that_was_not_asked_for_counts_for_nothing(court, acme):
    first = court.mark(acme, NOTHING)
    install(acme.folders[0], "exit 0")
    assert court.mark(acme, NOTHING) == first


def test_a_tool_is_asked_for_its_version_beside_its_work(court, acme):
    install(acme.folders[0], "sleep 31.0046; echo acme 1")
    limits = replace(acme.limits, check_seconds=60.0)
    scene, run = replace(acme, tools=(Tool("acme"),), limits=limits), looking(lambda c, t, b: b.run(["acme"]))

    def asleep() -> list[living.Living]:
        return [one for one in living.list_living() if one.argv == ("sleep", "31.0046")]

    def wake() -> None:
        # Both at once, or it never comes true.
        wait_until(lambda: len(asleep()) == 2)
        living.end(asleep(), gentle_seconds=0)

    waking = threading.Thread(target=wake)
    waking.start()
    first = court.mark(scene, run)
    waking.join()
    assert court.mark(scene, run) == first


def test_whoever_asks_for_a_version_keeps_no_check_alive(court, acme):
    install(acme.folders[0], '[ "$1" = --version ] || exit 0; exec sleep 300')
    # Time enough for the tool to have ended before that of the check is over.
    scene = replace(acme, tools=(Tool("acme"),), limits=Limits(check_seconds=3.0))

    def hang(change, tree, bench):
        bench.run(["acme"])
        time.sleep(60)

    began = time.monotonic()
    assert court.ask(scene, hang).detail == "took longer than 3 s"
    assert time.monotonic() - began < 9


def test_of_a_tool_that_is_only_beside_another_the_version_is_not_asked(court, acme):
    install(acme.folders[0], "exit 0")
    beside = looking(lambda c, t, b: b.run(["sh", "-c", "true"]))
    assert court.mark(acme, beside) == court.mark(acme, beside)


def test_with_a_tool_that_tells_no_version_nothing_is_kept(court, acme):
    install(acme.folders[0], "exit 0")
    assert court.mark(acme, ASKS) != court.mark(acme, ASKS)


def test_a_check_that_says_so_is_never_kept(court):
    assert court.mark(Scene(), NOTHING, kept=False) != court.mark(Scene(), NOTHING, kept=False)


def test_what_was_ok_is_ok_and_what_was_found_is_found_in_its_order(court):
    findings = (Finding("site.yml", 3, "b"), Finding("bad\udcff", 0, "a", Severity.WARNING))
    for run, outcome in ((lambda c, t, b: (), CheckOutcome.OK), (lambda c, t, b: findings, CheckOutcome.FINDINGS)):
        scene = Scene(code=outcome.value)
        first = court.ask(scene, run)
        assert (first.outcome, court.ask(scene, lambda c, t, b: 1 / 0)) == (outcome, first)


@pytest.mark.parametrize(
    "fail",
    [
        lambda change, tree, bench: 1 / 0,
        lambda change, tree, bench: os._exit(0),
        lambda change, tree, bench: time.sleep(9),
        lambda change, tree, bench: ["wrong"],
        lambda change, tree, bench: [Finding("a", -1, "b")],
        lambda change, tree, bench: os.write(1, b"[]"),
    ],
)
def test_errors_and_what_took_too_long_are_not_kept(court, fail):
    scene = Scene(limits=Limits(check_seconds=1.0))
    assert court.ask(scene, fail).outcome is CheckOutcome.ERROR
    assert court.ask(scene, lambda c, t, b: ()).outcome is CheckOutcome.OK


def test_a_tool_that_a_limit_ended_leaves_nothing_behind(court):
    scene = Scene(tools=SH)
    late = court.ask(scene, looking(lambda c, t, b: b.run(["sh", "-c", "sleep 9"], seconds=0.3)))
    assert late.detail == "sh: took longer than 0.3 s"
    assert court.ask(scene, lambda c, t, b: ()).outcome is CheckOutcome.OK


# A parser that was taken over by what it read.


def taken_over(lie: Callable[[int], object]) -> Run:
    """It reads honestly until the bytes that take it over, and then says what they want."""

    def run(change, tree, bench):
        if tree.read("lint.cfg") == b"evil":
            lie(bench.end)
            return ()
        return [Finding("site.yml", 0, "refused")]

    return run


@pytest.mark.parametrize(
    "lie",
    [
        lambda end: None,
        lambda end: os.write(end, encode_look(Look(TREE, "docs/a.md")) * 3),
        lambda end: os.close(end),
        lambda end: os.write(end, encode_look(Look(TREE, "x" * 5000))),
    ],
)
def test_a_lie_is_kept_only_together_with_the_bytes_that_made_it(court, lie):
    """Where they are gone the check is run, whatever was said of where it had looked."""
    evil, good = put(lint__cfg=b"evil")(Scene()), put(lint__cfg=b"good")(Scene())
    assert court.ask(evil, taken_over(lie)).outcome is CheckOutcome.OK
    for scene in (good, Scene()):
        assert [found.message for found in court.ask(scene, taken_over(lie)).findings] == ["refused"]


@pytest.mark.parametrize(
    "said",
    [
        b'{"look": ["tree", "a", "oid"]}\n',
        b'{"look": ["elsewhere", "a"]}\n',
        b'{"look": ["tree", 1]}\n',
        b'{"look": ["tree", "a"], "stands": null}\n',
    ],
)
def test_nobody_but_the_judge_says_what_stands_where_it_looked(court, said):
    def run(change, tree, bench):
        os.write(bench.end, said)
        time.sleep(0.2)
        return ()

    assert court.ask(Scene(), run).detail == "asked for something that is no request"
    assert court.ask(Scene(), lambda c, t, b: [Finding("a", 0, "run")]).findings


@pytest.mark.parametrize(
    "place", [Look("change", "files"), Look("change", "__class__"), Look(TREE, "\ud800"), Look("tool", "x")]
)
def test_where_there_is_no_such_place_nothing_is_kept(court, place):
    run = looking(lambda c, t, b: os.write(b.end, encode_look(place)))
    assert court.mark(Scene(), run) != court.mark(Scene(), run)


def test_each_of_thousands_of_looks_counts_even_the_last_before_the_answer(court):
    def look(change, tree, bench):
        for number in range(9_000):
            tree.entry(f"no/such/place/at/all/{number}")
        tree.entry("last")

    first = court.mark(Scene(), looking(look))
    assert court.mark(put(docs_a__md=b"x")(Scene()), looking(look)) == first
    assert court.mark(put(last=b"")(Scene()), looking(look)) != first


def test_looks_that_wait_to_be_heard_while_the_check_ends_count_too(court):
    """The judge's side is busy with a tool that nobody waits for, and the check has long gone when it listens again."""

    # All as long as parts of what is read at once, so that a part ends where a message does.
    size = 8192
    padding = -len(encode_run(ToolRun(("sh", "-c", "sleep 1", "")))) % size
    slow = encode_run(ToolRun(("sh", "-c", "sleep 1", "x" * padding)))
    room = size - len(encode_look(Look(TREE, "")))

    def look(change, tree, bench):
        os.write(bench.end, slow)
        for number in range(18):
            tree.entry(f"{number:0{room}}")
        tree.entry("last")

    scene = Scene(tools=SH)
    first = court.mark(scene, looking(look))
    assert court.mark(put(docs_a__md=b"x")(scene), looking(look)) == first
    assert court.mark(put(last=b"")(scene), looking(look)) != first


def test_with_more_looks_than_are_kept_nothing_is(court):
    run = looking(lambda c, t, b: [t.entry(str(number)) for number in range(10_001)])
    assert court.mark(Scene(), run) != court.mark(Scene(), run)


# Files for themselves.

MANY = {f"roles/r{number}/a.yml": b"[]\n" for number in range(50)}


def mark_each(change, tree, bench):
    for file in change.files:
        yield Finding(file.path, 0, secrets.token_hex(), Severity.WARNING)


def many_files(court: Court) -> Scene:
    """Fifty of them, for a check that has been seen to run a tool."""
    court.ask(Scene(tools=SH), TOOL_READS_SITE)
    return Scene(after={**BEFORE, **MANY}, tools=SH)


def test_of_fifty_files_that_are_judged_for_themselves_few_are_judged_again_for_one(court):
    scene = many_files(court)
    first = court.ask(scene, mark_each, each=True)
    assert [found.path for found in first.findings] == sorted(MANY)
    again = court.ask(put(roles_r7_a__yml=b"[7]\n")(scene), mark_each, each=True)
    other = {new.path for old, new in zip(first.findings, again.findings, strict=True) if old != new}
    assert "roles/r7/a.yml" in other
    assert len(other) <= 20
    assert [found.path for found in again.findings] == sorted(MANY)


def test_a_check_that_only_may_run_tools_is_not_divided_for_a_few(court):
    scene = Scene(after={**BEFORE, **dict(list(MANY.items())[:40])}, tools=SH)
    first = court.ask(scene, mark_each, each=True)
    again = court.ask(put(roles_r7_a__yml=b"[7]\n")(scene), mark_each, each=True)
    assert not {each.message for each in first.findings} & {each.message for each in again.findings}


def test_files_that_are_cheap_to_judge_are_divided_once_there_are_many_of_them(court):
    many = {f"roles/r{number}/a.yml": b"[]\n" for number in range(200)}
    scene = Scene(after={**BEFORE, **many})
    first = court.ask(scene, mark_each, each=True)
    again = court.ask(put(roles_r7_a__yml=b"[7]\n")(scene), mark_each, each=True)
    other = [new.path for old, new in zip(first.findings, again.findings, strict=True) if old != new]
    assert 15 <= len(other) <= 60


@pytest.mark.parametrize(("parts", "most"), [(1, 1), (2, 2), (3, 2), (4, 4), (16, 8)])
def test_a_check_that_reads_fast_says_into_how_few_parts_many_files_go(court, parts, most):
    many = {f"roles/r{number}/a.yml": b"[]\n" for number in range(200)}

    def name_part(change, tree, bench):
        word = secrets.token_hex()
        return (Finding(file.path, 0, word) for file in change.files)

    found = court.ask(Scene(after={**BEFORE, **many}), name_part, each=True, parts=parts).findings
    assert [each.path for each in found] == sorted(many)
    assert len({each.message for each in found}) == most


def test_what_every_part_says_is_told_once(court):
    scene = many_files(court)
    found = court.ask(scene, lambda c, t, b: [Finding("lint.cfg", 0, "no rules")], each=True).findings
    assert found == (Finding("lint.cfg", 0, "no rules"),)


def test_a_part_that_fails_makes_an_error_of_the_whole_and_the_others_are_kept(court):
    def fail(change, tree, bench):
        if any(file.path == "roles/r7/a.yml" for file in change.files):
            raise KeyError
        yield from mark_each(change, tree, bench)

    scene = many_files(court)
    assert court.ask(scene, fail, each=True).detail == "raised KeyError"
    kept = court.ask(scene, lambda c, t, b: [Finding("a", 0, "run")], each=True).findings
    assert 1 <= [found.message for found in kept].count("run") < 12


def test_what_all_parts_find_is_bounded_together_and_none_is_lost_in_silence(court):
    def find(change, tree, bench):
        return (Finding(file.path, line, "a") for file in change.files for line in range(1, 101))

    found = court.ask(many_files(court), find, each=True).findings
    assert len(found) == 201
    assert found[:100] == tuple(Finding("roles/r0/a.yml", line, "a") for line in range(1, 101))
    assert found[200].message == "… and 4800 more findings"


# The files.


def kept_file(court: Court) -> Path:
    (path,) = (path for path in court.store.folder.rglob("*") if path.is_file())
    return path


def spoil_checksum(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"warning"', b'"xarning"'))


def other_key(path: Path) -> None:
    """The whole content of another file, as a careless restore may leave it."""
    said = json.loads(path.read_bytes().split(b"\n", 1)[1])
    said["key"] = "0" * 64
    body = json.dumps(said).encode()
    path.write_bytes(sha256(body).hexdigest().encode() + b"\n" + body)


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "x").write_bytes(b"")


def as_link(path: Path) -> None:
    moved = path.with_name("moved")
    path.rename(moved)
    path.symlink_to(moved)


def as_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\0" * 500),
        lambda path: path.write_bytes(path.read_bytes() + b" " * 300_000),
        spoil_checksum,
        other_key,
        as_folder,
        as_link,
        as_pipe,
    ],
)
def test_a_file_that_is_torn_or_strange_is_passed_over_and_written_anew(court, spoil):
    first = court.mark(Scene(), NOTHING)
    spoil(kept_file(court))
    again = court.mark(Scene(), NOTHING)
    assert again != first
    assert court.mark(Scene(), NOTHING) == again


def test_the_folder_is_the_servers_own_and_may_be_removed_at_any_time(court):
    first = court.mark(Scene(), NOTHING)
    file = kept_file(court)
    assert [path.stat().st_mode & 0o777 for path in (court.store.folder, file.parent, file)] == [0o700, 0o700, 0o600]
    shutil.rmtree(court.store.folder)
    again = court.mark(Scene(), NOTHING)
    assert again != first
    assert court.mark(Scene(), NOTHING) == again


def test_how_a_program_is_asked_belongs_to_the_code(tmp_path):
    def code(*programs: ExecCheck) -> str:
        memory = open_memory(tmp_path, ServerFile(plugins=PluginLists((), (), programs)))
        assert memory is not None
        return memory.code

    one = ExecCheck("acme", "names", ("acme-lint",))
    assert code(one) == code(one)
    others = (replace(one, command=("acme-lint", "-s")), replace(one, tree=("a",)), replace(one, target=("a",)))
    assert len({code(), code(one), *map(code, others)}) == 5


def test_a_check_sees_nothing_of_them(court):
    court.mark(Scene(), NOTHING)
    folder = court.store.folder
    verdict = court.ask(Scene(code="x"), lambda c, t, b: [Finding("a", 0, str(folder.exists()))])
    assert verdict.findings[0].message == "False"


def test_where_nothing_can_be_written_checks_are_run_as_ever(court):
    court.store.folder.write_bytes(b"a file is in the way")
    assert court.mark(Scene(), NOTHING) != court.mark(Scene(), NOTHING)


def test_a_killed_writer_leaves_nothing_that_counts_and_maintenance_removes_it(court):
    court.mark(Scene(), NOTHING)
    half = kept_file(court).parent / ".1234"
    half.write_bytes(b"half")
    court.store.trim()
    assert half.exists()
    os.utime(half, (1, 1))
    court.store.trim()
    assert (half.exists(), court.store.usage()[0]) == (False, 1)


def test_of_too_many_files_those_that_were_used_last_are_left(court):
    codes = [f"code{number}" for number in range(6)]
    marks = {code: court.mark(Scene(code=code), NOTHING) for code in codes}
    for path in court.store.folder.rglob("*"):
        os.utime(path, (1, 1))
    used = codes[2:4]
    for code in used:
        assert court.mark(Scene(code=code), NOTHING) == marks[code]
    replace(court.store, most=2).trim()
    assert court.store.usage()[0] == 2
    assert [court.mark(Scene(code=code), NOTHING) == marks[code] for code in codes] == [code in used for code in codes]


def test_its_bytes_are_bounded_too(court):
    for number in range(4):
        court.mark(Scene(code=str(number)), NOTHING)
    files, size = court.store.usage()
    replace(court.store, size=size // 2).trim()
    assert (files, court.store.usage()[0]) == (4, 2)


def test_without_room_for_a_single_one_nothing_stays(court):
    court.mark(Scene(), NOTHING)
    replace(court.store, most=0).trim()
    assert court.store.usage() == (0, 0)


def test_many_writers_between_two_maintenances_stay_within_their_share(court):
    store = replace(court.store, most=128)
    for number in range(5):
        store.keep(f"0b{number:062}", Kept((), ()))
    assert store.usage()[0] == 2
    small = replace(court.store, size=64 * 500)
    for number in range(5):
        small.keep(f"0b{number:062}", Kept((), (Finding("a", 0, "x" * 100),)))
    assert small.usage()[1] <= 500


def test_a_verdict_that_is_found_binds_to_the_tree_that_is_asked_about(court):
    first = court.ask(Scene(), NOTHING)
    again = court.ask(put(docs_a__md=b"x")(Scene()), NOTHING)
    assert again.findings == first.findings
    assert again.tree != first.tree != NO_OID
