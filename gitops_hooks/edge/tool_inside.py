"""What bubblewrap tells about a box while it runs: JSON objects, one a line."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path


def open_inside(told: bytes) -> int:
    """A descriptor (pidfd) of the first program in the box; -1 while it is not known, or when it is gone.

    The number alone could be somebody else's by now: only the namespace that was told with it makes sure.
    """
    for line in _objects(told):
        pid, namespace = line.get("child-pid"), line.get("pid-namespace")
        if isinstance(pid, int) and isinstance(namespace, int) and pid > 1:
            return _open(pid, f"pid:[{namespace}]")
    return -1


def _open(pid: int, namespace: str) -> int:
    try:
        found = os.pidfd_open(pid)
    except OSError:
        return -1
    with contextlib.suppress(OSError):
        if str(Path(f"/proc/{pid}/ns/pid").readlink()) == namespace:
            return found
    os.close(found)
    return -1


def exit_code(told: bytes) -> int | None:
    """How the tool ended; None where it never began."""
    codes = [line.get("exit-code") for line in _objects(told)]
    return next((code for code in codes if isinstance(code, int)), None)


def _objects(told: bytes) -> Iterator[dict[str, object]]:
    for line in told.split(b"\n"):
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                yield found
