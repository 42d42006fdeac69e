"""Refs are moved by git, one transaction after the other: what is refused, killed or silent moves nothing."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from gitops_hooks.edge import ref_program
from gitops_hooks.edge.refs import LostRace, RefMove, RefWriter, clean_environment
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.push import NO_OID

BRANCH = "refs/heads/main"


class Place:
    """A repository with three commits, and a git that notes each of its starts."""

    def __init__(self, folder: Path) -> None:
        self.path, self.starts = folder / "site.git", folder / "starts"
        self.run("init", "-q", "--bare", str(self.path))
        tree = self.ask("mktree")
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        self.commits = [self.ask(*who, "commit-tree", "-m", str(number), tree) for number in range(3)]
        self.program = folder / "git"
        self.lay('exec git "$@"')
        self.refs = RefWriter(self.path, str(self.program))

    def lay(self, does: str) -> None:
        self.program.write_text(f"#!/bin/sh\necho $$ >>{self.starts}\n{does}\n")
        self.program.chmod(0o755)

    def run(self, *words: str) -> str:
        ran = subprocess.run(
            ["git", *words], env=clean_environment(), stdin=subprocess.DEVNULL, capture_output=True, check=True
        )
        return ran.stdout.decode().strip()

    def ask(self, *words: str) -> str:
        return self.run("--git-dir", str(self.path), *words)

    def tip(self, ref: str = BRANCH) -> str:
        return self.ask("for-each-ref", "--format=%(objectname)", ref)

    def started(self) -> list[int]:
        return [int(line) for line in self.starts.read_text().split()] if self.starts.exists() else []


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_moves_of_one_block_are_one_gits_and_each_stands_when_it_is_answered(place: Place) -> None:
    first, second, third = place.commits
    with place.refs.kept_open():
        assert place.refs.move([RefMove(BRANCH, NO_OID, first)]) is None
        assert place.tip() == first
        assert place.refs.move([RefMove("refs/x/2", NO_OID, second)], [(BRANCH, first)]) is None
        assert place.refs.move([RefMove(BRANCH, first, second)]) is None
        assert place.tip() == second
        assert place.refs.move([RefMove(BRANCH, second, third), RefMove("refs/x/1", NO_OID, first)]) is None
        assert (place.tip(), place.tip("refs/x/1")) == (third, first)
    assert len(place.started()) == 1
    assert place.refs.move([RefMove(BRANCH, third, NO_OID)]) is None
    assert place.tip() == ""
    assert len(place.started()) == 2
    for pid in place.started():
        assert not Path(f"/proc/{pid}").exists()


def test_a_lost_race_moves_nothing_and_the_next_move_has_a_git_of_its_own(place: Place) -> None:
    first, second, third = place.commits
    with place.refs.kept_open():
        assert place.refs.move([RefMove(BRANCH, NO_OID, first)]) is None
        lost = place.refs.move([RefMove("refs/x/1", NO_OID, first), RefMove(BRANCH, third, second)])
        assert isinstance(lost, LostRace)
        assert "but expected" in lost.words
        assert (place.tip(), place.tip("refs/x/1")) == (first, "")
        assert place.refs.move([RefMove(BRANCH, first, second)]) is None
        assert place.tip() == second
    assert list(place.path.glob("refs/**/*.lock")) == []


def test_what_others_moved_meanwhile_is_seen(place: Place) -> None:
    first, second, third = place.commits
    with place.refs.kept_open():
        assert place.refs.move([RefMove(BRANCH, NO_OID, first)]) is None
        place.ask("update-ref", BRANCH, second)
        place.ask("pack-refs", "--all")
        assert isinstance(place.refs.move([RefMove(BRANCH, first, third)]), LostRace)
    with place.refs.kept_open():
        assert place.refs.move([RefMove("refs/x/1", NO_OID, first)]) is None
        place.ask("update-ref", "refs/y/1", first)
        place.ask("pack-refs", "--all")
        assert isinstance(place.refs.move([RefMove("refs/y/1", NO_OID, third)]), LostRace)
        assert place.tip("refs/y/1") == first


def test_a_git_that_was_killed_between_two_moves_is_no_answer(place: Place) -> None:
    first, second, _ = place.commits
    with place.refs.kept_open():
        assert place.refs.move([RefMove(BRANCH, NO_OID, first)]) is None
        os.kill(place.started()[0], signal.SIGKILL)
        with pytest.raises(EdgeError, match=f"moving {BRANCH}"):
            place.refs.move([RefMove(BRANCH, first, second)])
        assert place.tip() == first
        assert place.refs.move([RefMove(BRANCH, first, second)]) is None


@pytest.mark.parametrize("said", ["", "start: ok", "start: ok\nprepare: ok", "commit: ok", "start: ok\ncommit: ok"])
def test_half_an_answer_is_none(place: Place, said: str) -> None:
    place.lay(f"printf '{said}\\n'; exit 0")
    with pytest.raises(EdgeError, match=f"moving {BRANCH}"):
        place.refs.move([RefMove(BRANCH, NO_OID, place.commits[0])])


@pytest.mark.parametrize("count", [1, 10_000])
def test_a_git_that_never_answers_is_ended(place: Place, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(ref_program, "_PATIENCE", 0.3)
    monkeypatch.setattr(ref_program, "_LAST_PATIENCE", 0.3)
    place.lay("exec sleep 600")
    with pytest.raises(EdgeError, match=r"took longer than 0\.3 s"):
        # Of ten thousand, more than a pipe holds.
        place.refs.move([RefMove(f"{BRANCH}{number}", NO_OID, place.commits[0]) for number in range(count)])
    (pid,) = place.started()
    assert not Path(f"/proc/{pid}").exists()


def test_ten_thousand_moves_are_one_transaction(place: Place) -> None:
    moves = [RefMove(f"refs/many/{number}", NO_OID, place.commits[0]) for number in range(10_000)]
    assert place.refs.move(moves) is None
    assert len(place.ask("for-each-ref", "refs/many/").splitlines()) == 10_000
