"""A moment ⇄ `2026-11-26T09:00:00Z`: whole seconds of UTC, in one spelling.

Not by strptime, which compiles a pattern when it is first asked: a judge is a fork that asks once.
"""

from datetime import UTC, datetime


def write_time(at: datetime) -> str:
    """Errors: ValueError, OverflowError for a moment that UTC cannot hold."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_time(text: str) -> datetime:
    """Errors: ValueError for anything that write_time does not write."""
    at = datetime.fromisoformat(text) if text.endswith("Z") else None
    if at is None or write_time(at) != text:
        raise ValueError("a time is not one like 2026-11-26T09:00:00Z")
    return at
