"""What a killed push leaves goes away before the next one, and nothing else does."""

import os
import subprocess
import threading
from pathlib import Path

import pytest

from gitops_hooks.edge.home import Home
from gitops_hooks.edge.locks import try_lock
from gitops_hooks.edge.pushes import mark_cut_off, mend, open_push, use_lock
from gitops_hooks.edge.sweep import sweep
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.server import RepositoryEntry

LEFTOVERS = (
    "HEAD.lock",
    "config.lock",
    "objects/incoming-AbCd12/pack/pack-1.pack",
    "objects/pack/pack-2.keep",
    "objects/pack/tmp_pack_x1",
    "objects/tmp_objdir-incoming-Ab/ab/cd",
    "packed-refs.lock",
    "refs/changes/1/head.lock",
    "refs/heads/main.lock",
)
GOOD = ("objects/pack/pack-3.keep", "objects/info/packs", "refs/heads/main", "description")


@pytest.fixture
def repository(tmp_path: Path) -> RepositoryEntry:
    path = tmp_path / "site.git"
    subprocess.run(["git", "init", "-q", "--bare", str(path)], check=True, timeout=20)
    return RepositoryEntry("site", path, "0123456789")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def leave(path: Path, *names: str) -> None:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text("receive-pack 12 on host" if name == "objects/pack/pack-2.keep" else "kept by hand")


def everything(path: Path) -> set[str]:
    return {str(each.relative_to(path)) for each in path.rglob("*")}


def test_leftovers_go_and_the_rest_stays(repository):
    leave(repository.path, *GOOD)
    before = everything(repository.path)
    leave(repository.path, *LEFTOVERS)
    removed = sweep(repository.path)
    assert set(removed) == {
        *(name for name in LEFTOVERS if "incoming" not in name),
        "objects/incoming-AbCd12",
        "objects/tmp_objdir-incoming-Ab",
    }
    assert everything(repository.path) - before <= {"refs/changes", "refs/changes/1"}
    assert before <= everything(repository.path)
    assert sweep(repository.path) == ()


def test_a_symlink_is_not_followed(repository, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    leave(tmp_path / "elsewhere", "kept.lock")
    (repository.path / "objects" / "incoming-link").symlink_to(tmp_path / "elsewhere")
    (repository.path / "refs" / "heads" / "link").symlink_to(tmp_path / "elsewhere")
    sweep(repository.path)
    assert (tmp_path / "elsewhere" / "kept.lock").exists()


def test_a_repository_that_is_gone_is_no_fault(tmp_path):
    assert sweep(tmp_path / "absent") == ()


def test_a_push_that_ends_well_leaves_nothing(home, repository):
    with open_push(home, repository, "a1") as live:
        assert live.folder.is_dir()
        assert sorted(path.name for path in live.folder.iterdir()) == ["alive"]
    assert list((home.state(repository.id) / "pushes").iterdir()) == []


def dead_push(home: Home, repository: RepositoryEntry) -> None:
    """A push whose processes are gone, as after SIGKILL."""
    child = os.fork()
    if child == 0:
        with open_push(home, repository, "dead"):
            os._exit(0)
    os.waitpid(child, 0)
    assert (home.state(repository.id) / "pushes" / "dead").is_dir()


def test_a_dead_push_is_swept_by_the_next_one(home, repository):
    dead_push(home, repository)
    leave(repository.path, "refs/heads/main.lock")
    with open_push(home, repository, "next") as live:
        assert not (repository.path / "refs/heads/main.lock").exists()
        assert [path.name for path in live.folder.parent.iterdir()] == ["next"]


def test_nothing_is_swept_while_another_push_lives(home, repository):
    with open_push(home, repository, "living"):
        dead_push(home, repository)
        leave(repository.path, "refs/heads/main.lock")
        assert mend(home, repository) == ()
        with open_push(home, repository, "second"):
            assert (repository.path / "refs/heads/main.lock").exists()
    assert mend(home, repository) == ("refs/heads/main.lock",)


def test_one_who_only_looks_at_the_repository_is_waited_for(home, repository):
    dead_push(home, repository)
    leave(repository.path, "refs/heads/main.lock")
    looking = use_lock(home.state(repository.id))
    threading.Timer(0.2, os.close, [looking]).start()
    with open_push(home, repository, "next"):
        assert not (repository.path / "refs/heads/main.lock").exists()


def test_without_a_dead_push_nothing_is_looked_for(home, repository):
    leave(repository.path, "refs/heads/main.lock")
    with open_push(home, repository, "good"):
        assert (repository.path / "refs/heads/main.lock").exists()


def test_a_push_that_was_cut_off_is_swept_at_its_own_end(home, repository):
    with open_push(home, repository, "cut") as live:
        live.unclean.touch()
        leave(repository.path, "refs/heads/main.lock")
    assert not (repository.path / "refs/heads/main.lock").exists()
    assert list((home.state(repository.id) / "pushes").iterdir()) == []


def test_a_process_that_inherited_the_marker_keeps_it_alive(home, repository):
    with open_push(home, repository, "first") as live:
        child = subprocess.Popen(["sleep", "60"], pass_fds=live.descriptors)
        live.unclean.touch()
        leave(repository.path, "HEAD.lock")
    try:
        assert (repository.path / "HEAD.lock").exists()
        assert live.folder.exists()
    finally:
        child.kill()
        child.wait(10)
    assert mend(home, repository) == ("HEAD.lock",)
    assert not live.folder.exists()


def test_a_push_waits_for_maintenance_and_not_for_ever(home, repository):
    state = home.state(repository.id)
    hold = try_lock(state / "use.lock")
    try:
        with pytest.raises(EdgeError) as caught:
            use_lock(state, 0.3)
    finally:
        os.close(hold)
    assert str(caught.value) == "this repository: is being cleaned up; try again in a minute"
    os.close(use_lock(state, 0.3))


def test_a_marker_that_was_cut_off_in_the_making_goes_with_the_next_sweep(home, repository):
    dead_push(home, repository)
    half = home.state(repository.id) / "pushes" / ".half"
    half.mkdir()
    mend(home, repository)
    assert not half.exists()


def test_who_was_ended_after_the_forced_command_had_gone_is_swept_behind(home, repository):
    with open_push(home, repository, "a-push") as live:
        mark = live.unclean
    assert not mark.parent.exists()
    leave(repository.path, "refs/heads/main.lock")
    mark_cut_off(mark)
    assert mend(home, repository) == ("refs/heads/main.lock",)
    assert not mark.parent.exists()


def test_a_push_that_was_marked_while_it_lives_is_left_alone(home, repository):
    with open_push(home, repository, "a-push") as live:
        mark_cut_off(live.unclean)
        leave(repository.path, "refs/heads/main.lock")
        assert mend(home, repository) == ()
    assert not (repository.path / "refs/heads/main.lock").exists()
