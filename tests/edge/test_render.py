"""A rendering is a stranger's: whatever it does, what comes back is bounded, in time, and has the exact shape."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from gitops_hooks.edge.render import MOST, render
from gitops_hooks.edge.workbench import Grounds
from gitops_hooks.hookspec import Preview, Rendering, Workbench
from gitops_hooks.model.rendered import Rendered, Unrendered
from gitops_hooks.model.server import Limits
from gitops_hooks.testing import MemoryTree
from tests.plugins.previewed import preview_of

PREVIEW = preview_of({"a": "1"}, {"a": "2"})


def found(run: Callable[[Preview, Workbench], object], folder: Path, seconds: float = 0.5) -> tuple[object, ...]:
    tree = MemoryTree({})
    grounds = Grounds("", tree, tree, tree, (), folder)
    return render(Rendering(run), PREVIEW, grounds, replace(Limits(), check_seconds=2), seconds)  # type: ignore[arg-type]


def test_what_it_tells_comes_back(tmp_path: Path) -> None:
    told = [Rendered("port", ("web1",), "80 → 81"), Unrendered("the rest", ("web2",))]
    assert found(lambda preview, bench: told, tmp_path) == tuple(told)


def test_what_it_found_in_time_is_kept(tmp_path: Path) -> None:
    def slow(preview: Preview, bench: Workbench) -> Iterator[Rendered]:
        yield Rendered("one")
        while True:
            with suppress(Exception):  # it does what it can to go on
                time.sleep(0.01)

    late = Unrendered("it took longer than 0.5 s, and the rest was not looked at")
    assert found(slow, tmp_path) == (Rendered("one"), late)


def test_what_does_not_hear_the_alarm_is_ended(tmp_path: Path) -> None:
    def deaf(preview: Preview, bench: Workbench) -> Iterator[Rendered]:
        while True:
            with suppress(BaseException):
                time.sleep(0.01)
        yield Rendered("never")

    assert found(deaf, tmp_path) == (Unrendered("what is rendered: it took longer than 1 s"),)


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (lambda preview, bench: 1 / 0, "raised ZeroDivisionError"),
        (lambda preview, bench: [1], "raised AttributeError"),
        (lambda preview, bench: os.write(1, b"x"), "wrote to standard output"),
    ],
)
def test_what_fails_says_so(run: Callable[[Preview, Workbench], object], why: str, tmp_path: Path) -> None:
    assert found(run, tmp_path) == (Unrendered(f"what is rendered: it {why}"),)


def test_it_is_bounded(tmp_path: Path) -> None:
    many = found(lambda preview, bench: (Rendered("x" * 9_999, (), "y" * 99_999) for _ in range(9_999)), tmp_path, 5)
    assert len(many) == MOST + 1
    assert many[-1] == Unrendered(f"only the first {MOST} of what differs were looked at")
    first = many[0]
    assert isinstance(first, Rendered) and len(first.what) == 400 and len(first.text) < 8_100
