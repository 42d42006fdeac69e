"""Windows: when deployments may begin, in the wall time of a place, by the grammar that freezes have.

Where the clocks go back and an hour comes twice, or leave one out, a window begins at the later and ends at the
earlier of the moments that its ends may mean: what is in doubt is closed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from gitops_hooks.core.freeze import (
    CLOCK,
    DAY,
    DAYS,
    ZONE,
    Span,
    frozen_by,
    minute_of,
    parse_window,
    readings,
    wall_spans,
    zone_fault,
    zone_of,
)
from gitops_hooks.model.bounds import Window

FORMS = "'Mon-Thu 09:00-16:00 Europe/Berlin' or 'Sat 08:00 - Sun 20:00'"

_DAILY = re.compile(f"{DAY}(?:-{DAY})? {CLOCK} ?- ?{CLOCK}{ZONE}")
_MOST_STEPS = 1000
_NEAR = timedelta(days=6)


def parse_windows(text: str, place: str) -> tuple[Window, ...] | str:
    """One window for each day that this text names, or what is wrong with it."""
    daily = _DAILY.fullmatch(text)
    if daily is None:
        found = parse_window(text, place)
        wrong = f"is not of the form {FORMS}" if isinstance(found, str) and "not of the form" in found else found
        return wrong if isinstance(wrong, str) else (wrong,)
    first, last, *clocks, zone = daily.groups()
    zone = zone or "UTC"
    if clocks[:2] == clocks[2:]:
        return "begins and ends at the same moment"
    if fault := zone_fault(zone):
        return fault
    return tuple(_on(day, clocks, Window(place, text, zone)) for day in _days(first, last or first))


def _days(first: str, last: str) -> Iterator[str]:
    """From one day to the other, over the weekend where that is between them."""
    at, end = DAYS.index(first), DAYS.index(last)
    return (DAYS[(at + step) % 7] for step in range((end - at) % 7 + 1))


def _on(day: str, clocks: Sequence[str], window: Window) -> Window:
    """That day's window; one that ends at an earlier hour ends on the next day."""
    begins, ends = minute_of(day, *clocks[:2]), minute_of(day, *clocks[2:])
    if ends < begins:
        ends = (ends + 24 * 60) % (7 * 24 * 60)
    return Window(window.place, window.text, window.zone, weekly=(begins, ends))


def next_opening(windows: Iterable[Window], freezes: Iterable[Window], at: datetime) -> datetime | None:
    """The first moment from `at` (aware) on that lies in a window, if there are any, and in no freeze.

    None where no such moment is in sight.
    """
    allowed, closed, moment = tuple(windows), tuple(freezes), at
    for _ in range(_MOST_STEPS):
        if ends := [end for freeze in closed if (end := frozen_by(freeze, moment))]:
            moment = max(ends)
            continue
        spans = [span for window in allowed for span in _spans(window, moment)]
        if not allowed or any(begins <= moment < ends for begins, ends in spans):
            return moment
        later = [begins for begins, _ in spans if begins > moment]
        if not later:
            return None
        moment = min(later)
    return None


def _spans(window: Window, at: datetime) -> Iterator[Span]:
    for first, last in wall_spans(window, at):
        begins, ends = max(readings(*first)), min(readings(*last))
        if begins < ends:
            yield begins, ends


def clock_words(moment: datetime, zone: str, now: datetime) -> str:
    """`Mon 09:00 Europe/Berlin`, with the date where that is not within the week."""
    form = "%a %H:%M" if moment - now < _NEAR else "%a %Y-%m-%d %H:%M"
    return f"{moment.astimezone(zone_of(zone)).strftime(form)} {zone}"
