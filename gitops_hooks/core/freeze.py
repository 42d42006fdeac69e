"""Freezes: from what moment to what moment nothing lands, in the wall time of a place.

Both ends are made into instants. Where the clocks go back and an hour comes twice, a freeze begins at the first and
ends at the second; where an hour is left out, it begins before and ends after the gap.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from gitops_hooks.model.bounds import Window

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

FORMS = "'Fri 16:00 - Mon 09:00 Europe/Berlin' or '2026-12-20 .. 2027-01-02'"

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY = "(" + "|".join(DAYS) + ")"
CLOCK = "([01][0-9]|2[0-3]):([0-5][0-9])"
ZONE = "(?: ([A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,32}){0,2}))?"
_WEEKLY = re.compile(f"{DAY} {CLOCK} ?- ?{DAY} {CLOCK}{ZONE}")
_DATE = "(20[0-9]{2}-[0-9]{2}-[0-9]{2})(?: ([0-9]{2}:[0-9]{2}))?"
_DATED = re.compile(f"{_DATE} ?\\.\\. ?{_DATE}{ZONE}")
_WEEK = 7 * 24 * 60
_MOST_STEPS = 1000

Span = tuple[datetime, datetime]
Wall = tuple[datetime, "ZoneInfo"]


def parse_window(text: str, place: str) -> Window | str:
    """The freeze that this text means, or what is wrong with it."""
    if weekly := _WEEKLY.fullmatch(text):
        first, last, zone = minute_of(*weekly.groups()[:3]), minute_of(*weekly.groups()[3:6]), weekly[7] or "UTC"
        window = Window(place, text, zone, weekly=(first, last))
        fault = "begins and ends at the same moment" if first == last else ""
    elif dated := _DATED.fullmatch(text):
        zone = dated[5] or "UTC"
        try:
            begins, ends = _moment(dated[1], dated[2], 0), _moment(dated[3], dated[4], 1)
        except (ValueError, OverflowError):
            return "names a day or an hour that is not in the calendar"
        window = Window(place, text, zone, dated=(begins, ends))
        fault = "ends before it begins" if ends <= begins else ""
    else:
        return f"is not of the form {FORMS}"
    return fault or zone_fault(zone) or window


def minute_of(day: str, hour: str, minute: str) -> int:
    """The minute of the week, from Monday 00:00."""
    return (DAYS.index(day) * 24 + int(hour)) * 60 + int(minute)


def _moment(date: str, clock: str | None, days: int) -> datetime:
    """A date without an hour is its beginning, or with `days` the beginning of one after: the last day counts in."""
    if clock:
        return datetime.fromisoformat(f"{date} {clock}")
    return datetime.fromisoformat(date) + timedelta(days=days)


def zone_fault(zone: str) -> str:
    """What is wrong with the name of a time zone, or an empty string."""
    try:
        zone_of(zone)
    except (ValueError, OSError, KeyError):
        return f"names the time zone {zone}, which this server does not know"
    return ""


@lru_cache(maxsize=64)
def zone_of(name: str) -> "ZoneInfo":
    """Errors: ValueError, OSError or KeyError where there is no such time zone."""
    # Most policies freeze nothing, and need not wait for this to load.
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def frozen_by(window: Window, at: datetime) -> datetime | None:
    """The moment when this freeze ends, if `at` (aware) lies in it."""
    spans = ((min(readings(*first)), max(readings(*last))) for first, last in wall_spans(window, at))
    return next((ends for begins, ends in spans if begins <= at < ends), None)


def opening(windows: Iterable[Window], at: datetime) -> str:
    """When none of these freezes holds any more, in the time zone of the last: `Mon 2026-11-30 09:00 CET`.

    An empty string where no end is in sight.
    """
    every, moment, zone = tuple(windows), at, "UTC"
    for _ in range(_MOST_STEPS):
        ends = [(end, window.zone) for window in every if (end := frozen_by(window, moment))]
        if not ends:
            return moment.astimezone(zone_of(zone)).strftime("%a %Y-%m-%d %H:%M %Z")
        moment, zone = max(ends)
    return ""


def wall_spans(window: Window, at: datetime) -> Iterable[tuple[Wall, Wall]]:
    """The spans of a window around a moment, both ends as a clock on the wall shows them."""
    zone = zone_of(window.zone)
    if window.dated:
        yield (window.dated[0], zone), (window.dated[1], zone)
    if window.weekly:
        first, last = window.weekly
        today = at.astimezone(zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0, fold=0)
        monday = today - timedelta(days=today.weekday())
        length = timedelta(minutes=(last - first) % _WEEK)
        # One that began last week may hold still; close to midnight the next one may have begun. And where the clocks
        # leave nothing of one, whoever waits for it needs the one after.
        for week in (-1, 0, 1, 2):
            begins = monday + timedelta(days=7 * week, minutes=first)
            yield (begins, zone), (begins + length, zone)


def readings(local: datetime, zone: "ZoneInfo") -> Span:
    """Both instants that a wall time may mean: two where an hour comes twice or is left out, else one and the same."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, second
