"""The server's disk is full, at each page that a push is short of: nothing is lost, and room is all that is needed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.answers import Result
from tests.faults.acts import Act
from tests.faults.conftest import cramped
from tests.faults.failpoints import no_reconciler
from tests.faults.scene import MAIN, Scene
from tests.faults.small_disk import SmallDisk
from tests.push.desk import HOST
from tests.world import ROOT, Template

_MOST_PAGES = 40
_NOTHING_FREE, _KEPT_FREE = "free_size = 1\n", "free_size = 1048576\n"
_FULL = "the server's disk is full"
_GITS_OWN = "No space left on device"
_APPEND = """\
import sys
from gitops_hooks.edge.journal import write_journal
for number in range(8):
    write_journal(sys.argv[1], "trial", {"number": number, "words": "x" * 900})
"""


@pytest.fixture(scope="module")
def opened(faulty_template: Template) -> Iterator[tuple[Scene, SmallDisk]]:
    # Not one byte is kept free here: a push is let in, and meets the end of the disk wherever that is.
    with cramped(faulty_template, free_size=1) as opened:
        yield opened


@pytest.fixture
def server(opened: tuple[Scene, SmallDisk]) -> Iterator[tuple[Scene, SmallDisk]]:
    """One server for the file; each story begins with room."""
    yield opened
    scene, disk = opened
    disk.make_room()
    settings = scene.world.seen(scene.world.home.server_file)
    settings.write_text(settings.read_text().replace(_KEPT_FREE, _NOTHING_FREE))


def said(done: Result) -> str:
    """Everything that the pusher read; the server wraps what it says."""
    return " ".join(" ".join(done.remote_lines).split()) + done.err


def short_of_each_page(scene: Scene, disk: SmallDisk, make: Callable[[], Act]) -> list[Act]:
    """Push with room for one page, for two, and so on until it is enough; each is pushed again once there is room."""
    acts: list[Act] = []
    for pages in range(1, _MOST_PAGES):
        acts.append(act := make())
        disk.fill(leave=pages)
        short = scene.push(act.who, act.refspec)
        disk.make_room()
        _judge_words(scene, short)
        scene.push(act.who, act.refspec)
        scene.check(settled=False)
        if _FULL not in said(short) and _GITS_OWN not in said(short):
            short.must()
            return acts
    raise AssertionError("it never had enough room")


def _judge_words(scene: Scene, short: Result) -> None:
    """What happened and what to do, and nothing of how the server is made or where it lies."""
    words = said(short)
    assert short.code == 0 or _FULL in words or _GITS_OWN in words, short
    assert not [sign for sign in ("Traceback", "our bug", str(scene.world.folder)) if sign in words], short


@pytest.mark.timeout(400)
def test_a_proposal_short_of_any_page_is_one_change_once_there_is_room(server):
    scene, disk = server

    def proposal() -> Act:
        topic, head = scene.fresh()
        return Act("alice", f"{head}:refs/for/main/{topic}", head)

    with no_reconciler(scene.world):
        acts = short_of_each_page(scene, disk, proposal)
    scene.settle()
    scene.check(settled=True)
    assert [len(scene.changes_at(act.head)) for act in acts] == [1] * len(acts)


@pytest.mark.timeout(400)
def test_a_landing_short_of_any_page_is_one_landing_once_there_is_room(server):
    scene, disk = server
    base = scene.desk.tip(MAIN)  # all of them begin here: the first is a fast-forward, the others are merged

    def approval() -> Act:
        topic, head = scene.fresh(onto=base)
        scene.push("alice", f"{head}:refs/for/main/{topic}").must()
        return Act("bob", f"{head}:refs/approve/{scene.desk.newest()}", head)

    with no_reconciler(scene.world):
        acts = short_of_each_page(scene, disk, approval)
        for act in acts:
            # Where the approval was recorded and not more, whoever gave it was told this line.
            scene.push("bob", act.refspec.replace("approve", "land"))
    scene.settle()
    scene.check(settled=True)
    landed = scene.desk.ask("rev-list", scene.desk.tip(MAIN)).split()
    assert [act.head for act in acts if act.head not in landed] == []


def test_a_push_is_refused_early_while_the_rest_of_the_server_answers(server):
    """What is kept free is for the record of what has begun; reading needs none of it."""
    scene, disk = server
    settings = scene.world.seen(scene.world.home.server_file)
    settings.write_text(settings.read_text().replace(_NOTHING_FREE, _KEPT_FREE))
    with no_reconciler(scene.world):
        number, _, head = scene.proposed()
        disk.fill(leave=200)
        refused = scene.push("bob", f"{head}:refs/approve/{number}")
        assert refused.err.startswith(
            f"gitops: {_FULL}\nNothing was pushed. Ask the administrator to make room, then push again.\n"
        )
        fetched = scene.desk.git("bob", "ls-remote", HOST, "refs/changes/*").must()
        assert f"refs/changes/{number}/head" in fetched.out
        assert scene.world.ssh("bob", "change list").must().out.split()[0] == f"{number}"
        disk.make_room()
        scene.push("bob", f"{head}:refs/approve/{number}").must()
    scene.settle()
    scene.check(settled=True)


def test_a_push_that_is_larger_than_the_rest_of_the_disk_leaves_nothing_of_itself(server):
    scene, disk = server
    large = scene.desk.commit("alice", {"large.yml": f"large: {os.urandom(400_000).hex()}\n"})
    with no_reconciler(scene.world):
        disk.fill(leave=50)
        refused = scene.push("alice", f"{large}:refs/for/main/large")
        assert _GITS_OWN in refused.err and str(scene.world.folder) not in refused.err
        assert scene.leftovers() == []
        disk.make_room()
        scene.push("alice", f"{large}:refs/for/main/large").must()
        scene.check(settled=True)


def test_an_index_that_cannot_be_written_is_built_once_it_can(server):
    scene, disk = server
    with no_reconciler(scene.world):
        number, _, head = scene.proposed()
        next(scene.world.seen(scene.world.home.path).glob("state/*/index.sqlite")).unlink()
        disk.fill()
        listed = scene.world.ssh("bob", "change list")
        assert listed.err == f"gitops: {_FULL}: ask the administrator to make room, then do this again\n"
        disk.make_room()
        assert scene.world.ssh("bob", "change list").must().out.split()[0] == f"{number}"
        scene.push("bob", f"{head}:refs/approve/{number}").must()
        scene.check(settled=True)


def test_the_journal_holds_whole_lines_though_some_met_a_full_disk(server):
    scene, disk = server
    journal = scene.world.seen(scene.world.home.journal)

    append = [sys.executable, "-c", _APPEND, str(scene.world.home.path)]
    subprocess.run(scene.world.on_server(append), check=True, cwd=ROOT)
    disk.fill()
    subprocess.run(scene.world.on_server(append), check=True, cwd=ROOT)
    disk.make_room()
    subprocess.run(scene.world.on_server(append), check=True, cwd=ROOT)
    numbers = [json.loads(line)["number"] for line in journal.read_text().splitlines() if '"trial"' in line]
    assert 16 <= len(numbers) < 24 and numbers[:8] == numbers[-8:] == list(range(8))


def test_a_user_who_could_not_be_added_is_added_once_there_is_room(server):
    scene, disk = server
    key = scene.world.lay_key("erin")
    before = scene.world.seen(scene.world.home.users_file).read_text()
    disk.fill()
    refused = scene.world.admin("user", "add", "erin", str(key), "--email", "erin@example.org")
    assert refused.code == 2
    assert refused.err == f"gitops: {_FULL}: ask the administrator to make room, then do this again\n"
    assert scene.world.seen(scene.world.home.users_file).read_text() == before
    disk.make_room()
    scene.world.admin("user", "add", "erin", str(key), "--email", "erin@example.org").must()
