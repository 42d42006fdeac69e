"""When a window is open, and when the next one opens: in wall time, whatever the clocks of a place do."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_hooks.core.freeze import parse_window
from gitops_hooks.core.windows import clock_words, next_opening, parse_windows
from gitops_hooks.model.bounds import Window


def windows(*texts: str) -> list[Window]:
    found = [parse_windows(text, "policy.yaml:7") for text in texts]
    assert not any(isinstance(one, str) for one in found), found
    return [window for one in found for window in one]


def freezes(*texts: str) -> list[Window]:
    found = [parse_window(text, "policy.yaml:8") for text in texts]
    assert all(isinstance(one, Window) for one in found), found
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


OFFICE = "Mon-Thu 09:00-16:00 Europe/Berlin"
NIGHT = "Fri-Sun 22:00-04:00 Europe/Berlin"
# In 2026 Berlin's clocks went forward on 29 March at 02:00 and back on 25 October at 03:00.
TWICE = "Sun 02:15-05:00 Europe/Berlin"
UNTIL_TWICE = "Sun 01:00-02:45 Europe/Berlin"
ONLY_TWICE = "Sun 02:15-02:45 Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "moment", "opens"),
    [
        (OFFICE, "2026-11-26 07:59", "2026-11-26 08:00"),
        (OFFICE, "2026-11-26 08:00", "2026-11-26 08:00"),
        (OFFICE, "2026-11-26 14:59", "2026-11-26 14:59"),
        (OFFICE, "2026-11-26 15:00", "2026-11-30 08:00"),
        (OFFICE, "2026-07-02 07:00", "2026-07-02 07:00"),
        (OFFICE, "2026-03-26 15:00", "2026-03-30 07:00"),
        (OFFICE, "2026-10-22 14:00", "2026-10-26 08:00"),
        # Across midnight, and across the end of the week.
        (NIGHT, "2026-11-27 20:59", "2026-11-27 21:00"),
        (NIGHT, "2026-11-28 02:59", "2026-11-28 02:59"),
        (NIGHT, "2026-11-28 03:00", "2026-11-28 21:00"),
        (NIGHT, "2026-11-30 02:59", "2026-11-30 02:59"),
        (NIGHT, "2026-11-30 03:00", "2026-12-04 21:00"),
        ("Sat-Mon 10:00-11:00", "2026-11-29 12:00", "2026-11-30 10:00"),
        ("Sat 08:00 - Sun 20:00", "2026-11-29 19:59", "2026-11-29 19:59"),
        ("2026-12-24 .. 2026-12-24", "2026-12-23 10:00", "2026-12-24 00:00"),
        ("2026-12-24 .. 2026-12-24", "2026-12-25 10:00", None),
        # What an hour that comes twice, or is left out, leaves in doubt is closed.
        (TWICE, "2026-10-25 00:20", "2026-10-25 01:15"),
        (TWICE, "2026-03-29 00:50", "2026-03-29 01:15"),
        (UNTIL_TWICE, "2026-10-25 00:44", "2026-10-25 00:44"),
        (UNTIL_TWICE, "2026-10-25 00:46", "2026-11-01 00:00"),
        (UNTIL_TWICE, "2026-03-29 00:46", "2026-04-04 23:00"),
        (ONLY_TWICE, "2026-10-25 00:20", "2026-11-01 01:15"),
        (ONLY_TWICE, "2026-03-22 02:00", "2026-04-05 00:15"),
    ],
)
def test_the_next_moment_at_which_a_window_is_open(text, moment, opens):
    assert next_opening(windows(text), (), at(moment)) == (at(opens) if opens else None)


@pytest.mark.parametrize(
    ("allowed", "frozen", "moment", "opens"),
    [
        ((), (), "2026-11-28 12:00", "2026-11-28 12:00"),
        ((), ("2026-11-28 .. 2026-11-29",), "2026-11-28 12:00", "2026-11-30 00:00"),
        ((OFFICE,), ("2026-11-30 .. 2026-11-30",), "2026-11-28 12:00", "2026-12-01 08:00"),
        ((OFFICE, "Sat 10:00-11:00"), (), "2026-11-27 12:00", "2026-11-28 10:00"),
        ((OFFICE,), ("Mon 08:00 - Mon 10:30 Europe/Berlin",), "2026-11-28 12:00", "2026-11-30 09:30"),
        (("Mon 09:00-10:00",), ("Mon 00:00 - Tue 00:00",), "2026-11-28 12:00", None),
        ((), ("Mon 00:00 - Thu 00:00", "Wed 00:00 - Tue 00:00"), "2026-11-28 12:00", None),
    ],
)
def test_a_freeze_closes_what_a_window_opens(allowed, frozen, moment, opens):
    found = next_opening(windows(*allowed), freezes(*frozen), at(moment))
    assert found == (at(opens) if opens else None)


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


@settings(max_examples=200, deadline=None)
@given(MOMENTS, st.sampled_from([OFFICE, NIGHT, TWICE, UNTIL_TWICE, ONLY_TWICE]))
def test_every_window_of_a_week_opens_within_two_and_the_moment_of_opening_is_open(moment, text):
    opens = next_opening(windows(text), (), moment)
    assert moment <= opens < moment + timedelta(days=15)
    assert next_opening(windows(text), (), opens) == opens


def test_the_clock_is_told_with_its_zone_and_far_away_with_its_date():
    now = at("2026-11-27 12:00")
    assert clock_words(at("2026-11-30 08:00"), "Europe/Berlin", now) == "Mon 09:00 Europe/Berlin"
    assert clock_words(at("2026-12-24 00:00"), "UTC", now) == "Thu 2026-12-24 00:00 UTC"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Mon-Thu", "is not of the form 'Mon-Thu 09:00-16:00 Europe/Berlin' or 'Sat 08:00 - Sun 20:00'"),
        ("Mon-Thu 09:00-24:00", "is not of the form 'Mon-Thu 09:00-16:00 Europe/Berlin' or 'Sat 08:00 - Sun 20:00'"),
        ("Mon 09:00-09:00", "begins and ends at the same moment"),
        ("Mon 09:00-10:00 Europe/Atlantis", "names the time zone Europe/Atlantis, which this server does not know"),
        ("Sat 08:00 - Sat 08:00", "begins and ends at the same moment"),
    ],
)
def test_what_is_no_window_is_told(text, fault):
    assert parse_windows(text, "policy.yaml:7") == fault
