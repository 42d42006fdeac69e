"""What doors leave behind when they are killed, and what others are just making."""

import contextlib
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from gitops_hooks.edge.door import sweep


def test_what_is_swept(tmp_path: Path) -> None:
    """One that was killed; and neither one that is being made nor one that stands."""
    names = {"killed": "socket", "making": "new", "stands": "socket"}
    ends = {}
    for name, end in names.items():
        folder = tmp_path / f"gitops-door-{name}"
        folder.mkdir()
        ends[name] = socket.socket(socket.AF_UNIX)
        ends[name].bind(str(folder / end))
    ends["stands"].listen()
    ends["killed"].close()

    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gitops-door-making", "gitops-door-stands"]
    for end in ends.values():
        end.close()


@pytest.mark.timeout(20)
def test_one_that_is_asked_more_than_it_answers_keeps_no_other_waiting(tmp_path: Path) -> None:
    folder = tmp_path / "gitops-door-busy"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as busy, ExitStack() as asking:
        busy.bind(str(folder / "socket"))
        busy.listen(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                one = asking.enter_context(socket.socket(socket.AF_UNIX))
                one.setblocking(False)
                one.connect(str(folder / "socket"))
        sweep(tmp_path)
        assert folder.exists()
