"""A moment has one spelling, and reading one compiles nothing."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_hooks.core.events import read_event, write_event
from gitops_hooks.core.utc_time import read_time, write_time
from gitops_hooks.model.event import Event
from tests.core.records import oid, proposed, stamp


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)))  # bounds are given without a zone
def test_what_is_written_is_read_again(at: datetime) -> None:
    whole = at.replace(microsecond=0, tzinfo=UTC)
    assert read_time(write_time(whole)) == whole


@pytest.mark.parametrize(
    "text",
    [
        *("", "Z", "soon", "2026-11-26", "2026-11-26T09:00:00", "2026-11-26T09:00Z", "2026-11-26T09:00:00+00:00"),
        *("2026-11-26 09:00:00Z", "2026-11-26T09:00:00.5Z", "2026-11-26T9:00:00Z", "20261126T090000Z"),
        *("2026-W48-4T09:00:00Z", "2026-11-26T09:00:00z", "2026-11-26T25:00:00Z", "0001-01-01T00:00:00+23:59Z"),
        "٢٠٢٦-11-26T09:00:00Z",
    ],
)
def test_nothing_else_is_a_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|isoformat|hour|Invalid"):
        read_time(text)


def test_reading_an_event_compiles_no_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge is a fork: what it compiles, the next one compiles again."""
    written = write_event(Event(stamp(1), proposed(), oid("1")))
    re.purge()
    monkeypatch.setattr(re._compiler, "compile", lambda pattern, *_: pytest.fail(f"compiled {pattern!r}"))  # type: ignore[attr-defined]
    assert read_event(written, oid("1")).body == proposed()
