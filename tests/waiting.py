"""Waiting for what a server, a host or an agent does in its own time."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")

# More than a very busy machine takes for a run on several hosts; what comes sooner is seen sooner.
PATIENCE = 150.0


def wait_until(look: Callable[[], Found], seconds: float = PATIENCE, words: Callable[[], object] = str) -> Found:
    """What was looked for, once it is there; `words` says what is there instead.

    A look may cost as much as what it looks for: looks take half of the time at most.
    """
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if found := look():
            return found
        now = time.monotonic()
        assert now < deadline, words() or "never came true"
        time.sleep(min(1.0, max(0.02, now - began)))


def so_far(path: Path) -> str:
    """What a file of lines holds by now: nothing where nobody has begun it yet."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
