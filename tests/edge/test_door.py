"""What doors leave behind when they are killed, and what others are just making."""

import socket
from pathlib import Path

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
