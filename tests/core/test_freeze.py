"""When a freeze holds, and when it opens: in wall time, whatever the clocks of a place do."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_hooks.core.freeze import frozen_by, opening, parse_window
from gitops_hooks.model.bounds import Window


def window(text: str) -> Window:
    found = parse_window(text, "policy.yaml:7")
    assert isinstance(found, Window), found
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


WEEKEND = "Fri 16:00 - Mon 09:00 Europe/Berlin"
HOLIDAYS = "2026-12-20 .. 2027-01-02 Europe/Berlin"
# In 2026 Berlin's clocks went forward on 29 March at 02:00 and back on 25 October at 03:00.
TWICE = "Sun 01:00 - Sun 02:30 Europe/Berlin"
FROM_TWICE = "Sun 02:30 - Sun 05:00 Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "moment", "ends"),
    [
        (WEEKEND, "2026-11-27 14:59", None),
        (WEEKEND, "2026-11-27 15:00", "2026-11-30 08:00"),
        (WEEKEND, "2026-11-30 07:59", "2026-11-30 08:00"),
        (WEEKEND, "2026-11-30 08:00", None),
        (WEEKEND, "2026-07-03 13:59", None),
        (WEEKEND, "2026-07-03 14:00", "2026-07-06 07:00"),
        # The weekend in which the clocks change is an hour shorter, and an hour longer.
        (WEEKEND, "2026-03-27 15:00", "2026-03-30 07:00"),
        (WEEKEND, "2026-10-23 14:00", "2026-10-26 08:00"),
        ("Mon 00:00 - Mon 00:01", "2026-11-23 00:00:59", "2026-11-23 00:01"),
        ("Mon 00:00 - Mon 00:01", "2026-11-23 00:01", None),
        ("Mon 09:00 - Mon 08:00", "2026-11-23 08:30", None),
        ("Mon 09:00 - Mon 08:00", "2026-11-23 07:59", "2026-11-23 08:00"),
        ("Sun 23:00-Mon 01:00 Pacific/Kiritimati", "2026-11-22 10:30", "2026-11-22 11:00"),
        (TWICE, "2026-10-25 00:45", "2026-10-25 01:30"),
        (TWICE, "2026-10-25 01:15", "2026-10-25 01:30"),
        (TWICE, "2026-10-25 01:30", None),
        (FROM_TWICE, "2026-10-25 00:30", "2026-10-25 04:00"),
        (TWICE, "2026-03-29 01:29", "2026-03-29 01:30"),
        (FROM_TWICE, "2026-03-29 00:30", "2026-03-29 03:00"),
        (HOLIDAYS, "2026-12-19 22:59", None),
        (HOLIDAYS, "2026-12-19 23:00", "2027-01-02 23:00"),
        (HOLIDAYS, "2027-01-02 23:00", None),
        ("2026-12-20 18:00 .. 2026-12-20 19:00", "2026-12-20 18:30", "2026-12-20 19:00"),
        ("2026-12-20 18:00 .. 2026-12-20", "2026-12-20 23:59", "2026-12-21 00:00"),
    ],
)
def test_a_freeze_holds_from_its_first_moment_to_before_its_last(text, moment, ends):
    assert frozen_by(window(text), at(moment)) == (at(ends) if ends else None)


@pytest.mark.parametrize(
    ("texts", "moment", "opens"),
    [
        ((WEEKEND,), "2026-11-28 12:00", "Mon 2026-11-30 09:00 CET"),
        (("Fri 00:00 - Sat 00:00", "Sat 00:00 - Sun 12:00 Asia/Tokyo"), "2026-11-27 12:00", "Sun 2026-11-29 12:00 JST"),
        ((WEEKEND, HOLIDAYS), "2026-12-18 20:00", "Mon 2027-01-04 09:00 CET"),
        (("Mon 00:00 - Thu 00:00", "Wed 00:00 - Tue 00:00"), "2026-11-27 12:00", ""),
        ((WEEKEND,), "2026-11-26 12:00", "Thu 2026-11-26 12:00 UTC"),
    ],
)
def test_freezes_that_follow_each_other_open_at_the_end_of_the_last(texts, moment, opens):
    assert opening([window(text) for text in texts], at(moment)) == opens


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


@settings(max_examples=300, deadline=None)
@given(MOMENTS, st.sampled_from([WEEKEND, TWICE, FROM_TWICE, "Thu 03:00 - Tue 02:15 America/New_York"]))
def test_every_freeze_ends_within_eight_days_and_its_end_is_outside(moment, text):
    ends = frozen_by(window(text), moment)
    if ends:
        assert moment < ends <= moment + timedelta(days=8)
        assert frozen_by(window(text), ends) is None
