"""How much memory a program and all that it started hold; the kernel's own limits are for each of them alone."""

import contextlib
import os
import resource
from collections.abc import Iterator
from pathlib import Path

_PAGE = resource.getpagesize()


def memory_of(pid: int, most: int) -> int:
    """Bytes that are resident; what several share is counted once where that decides about `most`."""
    family = list(_family(pid))
    resident = sum(map(_resident, family))
    return resident if resident <= most else sum(map(_proportional, family))


def _family(pid: int) -> Iterator[int]:
    waiting, seen = [pid], {pid}
    while waiting:
        yield (parent := waiting.pop())
        for child in _children(parent):
            if child not in seen:
                seen.add(child)
                waiting.append(child)


def _children(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        for task in os.scandir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                yield from map(int, Path(task.path, "children").read_bytes().split())


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE
    return 0


def _proportional(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_bytes().split(b"\n"):
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    return _resident(pid)
