"""Pushes are counted while others begin and end: a look disturbs none of them, and none disturbs a look."""

import os
import shutil
import threading
from pathlib import Path

from gitops_hooks.edge.living_pushes import too_many
from gitops_hooks.edge.locks import is_held, try_lock
from gitops_hooks.model.request import Refusal

PUSHES = 300


def begin(pushes: Path, name: str) -> tuple[Path, int]:
    """As a push begins: its folder has its name once its lock is taken."""
    making, folder = pushes / f".{name}", pushes / name
    (making / "hooks").mkdir(parents=True)
    alive = try_lock(making / "alive")
    assert alive is not None
    return making.rename(folder), alive


def test_as_many_as_live_are_counted(tmp_path: Path) -> None:
    assert too_many(tmp_path, 1) is None
    pushes = tmp_path / "pushes"
    kept = [begin(pushes, name) for name in ("a", "b")]
    being_made = try_lock(pushes / ".c" / "alive")
    (pushes / "dead").mkdir()
    (pushes / "dead" / "alive").touch()
    assert too_many(tmp_path, 3) is None
    words = "2 pushes are in this repository at this moment"
    assert too_many(tmp_path, 2) == Refusal("limits", words, "Try again in a minute.")
    assert [is_held(folder / "alive") for folder, _ in kept] == [True] * 2
    assert being_made is not None
    for descriptor in (being_made, *(alive for _, alive in kept)):
        os.close(descriptor)
    assert too_many(tmp_path, 1) is None


def test_those_that_end_meanwhile_are_left_in_peace(tmp_path: Path) -> None:
    pushes, wrong = tmp_path / "pushes", list[str]()
    pushes.mkdir()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            try:
                too_many(tmp_path, 100)
            except OSError as error:
                wrong.append(str(error))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for number in range(PUSHES):
            folder, alive = begin(pushes, f"{number}")
            shutil.rmtree(folder)
            os.close(alive)
    finally:
        over.set()
        looking.join()
    assert wrong == []
    assert list(pushes.iterdir()) == []
