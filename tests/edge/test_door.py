"""What doors leave behind when they are killed, and what others are just making."""

import socket
from pathlib import Path

from gitops_hooks.edge.door import sweep


def test_a_door_that_was_killed_is_swept_and_one_that_is_being_made_or_stands_is_not(tmp_path: Path) -> None:
    names = {"killed": "socket", "making": "new", "standing": "socket"}
    ends = {}
    for name, end in names.items():
        folder = tmp_path / f"gitops-door-{name}"
        folder.mkdir()
        ends[name] = socket.socket(socket.AF_UNIX)
        ends[name].bind(str(folder / end))
    ends["standing"].listen()
    ends["killed"].close()

    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gitops-door-making", "gitops-door-standing"]
    for end in ends.values():
        end.close()
