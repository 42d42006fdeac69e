"""Locks that die with their holder, and how long who waits for one does."""

import os
import threading
import time
from pathlib import Path

import pytest

from gitops_hooks.edge.locks import hold, is_held, try_lock
from gitops_hooks.model.errors import EdgeError


def test_who_waits_longer_than_it_may_for_one_holder_is_refused(tmp_path: Path) -> None:
    refused = pytest.raises(EdgeError, match="another push has held it for 0 s; push again")
    with hold(tmp_path, "main", 1), refused, hold(tmp_path, "main", 0.2):
        pass


def test_who_waits_in_a_queue_counts_anew_with_each_that_is_before_it(tmp_path: Path) -> None:
    turns: list[int] = []
    taken, over = threading.Event(), threading.Event()

    def take_turns() -> None:
        """Hand it to oneself, faster than anybody who looks now and then."""
        for number in range(6):
            with hold(tmp_path, "main", 60):
                turns.append(number)
                taken.set()
                time.sleep(0.5)
        over.set()

    queue = threading.Thread(target=take_turns)
    queue.start()
    taken.wait()
    # Less than all of their turns together, and more than one.
    with hold(tmp_path, "main", 2.5):
        assert turns
    over.wait()
    queue.join()


def test_locks_of_other_names_and_folders_are_others(tmp_path: Path) -> None:
    with hold(tmp_path / "a", "main", 1), hold(tmp_path / "a", "free", 1), hold(tmp_path / "b", "main", 1):
        pass


def test_a_look_at_a_lock_makes_nothing_and_keeps_nothing(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "alive"
    assert is_held(path) is None
    assert list(tmp_path.iterdir()) == []
    descriptor = try_lock(path)
    assert descriptor is not None
    assert is_held(path) is True
    os.close(descriptor)
    assert is_held(path) is False
    assert is_held(path / "below") is None
    again = try_lock(path)
    assert again is not None
    os.close(again)
