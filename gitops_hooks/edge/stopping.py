"""The global stop: one file in the home. That it is there is the whole message; what stands in it is for people."""

import json
import os
from datetime import UTC, datetime

from gitops_hooks.edge.home import Home
from gitops_hooks.edge.store import replace_file
from gitops_hooks.model.lazy_dataclass import dataclass

_MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing begins, and what runs is ended; `reason` and `since` are empty where the file says nothing readable."""

    reason: str = ""
    since: str = ""

    @property
    def words(self) -> str:
        """What to tell, never empty."""
        since = f" since {self.since}" if self.since else ""
        return f"by the administrator{since}" + (f": {self.reason}" if self.reason else "")


def read_stop(home: Home) -> Stop | None:
    """None only where there is certainly no such file: whatever else is the matter with it, it is obeyed."""
    try:
        found = json.loads(_read(home))
        return Stop(_line(found["reason"]), _line(found["since"]))
    except FileNotFoundError:
        # A link that leads nowhere is there as well.
        return Stop() if home.stop_file.is_symlink() else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Stop()


def _read(home: Home) -> bytes:
    # Whatever lies there is opened without waiting for it.
    descriptor = os.open(home.stop_file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)


def _line(found: object) -> str:
    return " ".join(str(found).split())


def lay_stop(home: Home, reason: str) -> Stop:
    """Stop everything. Errors: OSError where the file cannot be written."""
    stop = Stop(_line(reason), f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
    replace_file(home.stop_file, json.dumps({"reason": stop.reason, "since": stop.since}).encode() + b"\n")
    return stop


def take_stop_away(home: Home) -> bool:
    """Let deployments begin again; False where nothing was stopped. Errors: OSError."""
    try:
        home.stop_file.unlink()
    except FileNotFoundError:
        return False
    return True
