"""Calendars of GTFS as weekdays, seasons, days off and extra days, for exactly the same dates."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

from busware.server.gtfs.feed import Calendar, Period

_DAY = timedelta(days=1)
_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def usual_period(dates: Iterable[date]) -> Period:
    """The period from the first to the last date, with the usual weekdays.

    A weekday is usual if more than half of its days in the period are dates.
    """
    dates = set(dates)
    first, last = min(dates), max(dates)
    every = Counter(day.isoweekday() for day in Period(first, last, frozenset(range(1, 8))).dates())
    usual = Counter(day.isoweekday() for day in dates)
    return Period(first, last, frozenset(n for n, count in usual.items() if 2 * count > every[n]))


@lru_cache(maxsize=1000)  # services next to each other have the same calendars
def document_of(calendars: tuple[Calendar, ...]) -> dict[str, Any]:
    """The fields of a service that runs on the dates of all these calendars, of which no two share a date.

    The periods of the calendars are cut at each other's first and last dates, so that they do not overlap.
    From them come the weekdays of the service, or its seasons. If the document is shorter that way, the
    service runs on the usual weekdays of all the dates instead. The other dates are days off and extra days.
    """
    dates = frozenset().union(*(calendar.dates for calendar in calendars))
    periods = _join([c.period or usual_period(c.dates) for c in calendars if c.dates])
    return min((_document(p, dates) for p in (periods, [usual_period(dates)])), key=_length)


def _document(periods: list[Period], dates: frozenset[date]) -> dict[str, Any]:
    first = min(periods[0].first, min(dates))
    last = max(periods[-1].last, max(dates))
    is_simple = [(p.first, p.last) for p in periods] == [(first, last)]
    seasons = [
        {
            "first_date": p.first.isoformat(),
            "last_date": p.last.isoformat(),
            "runs_on": format_weekdays(p.days),
        }
        for p in periods
        if p.days and not is_simple
    ]
    regular = set().union(*(period.dates() for period in periods))
    return {
        "first_date": first.isoformat(),
        "last_date": last.isoformat(),
        "runs_on": format_weekdays(periods[0].days) if is_simple else "never",
        "seasons": seasons,
        "days_off": sorted(day.isoformat() for day in regular - dates),
        "extra_days": sorted(day.isoformat() for day in dates - regular),
    }


def _length(document: dict[str, Any]) -> int:
    """How many values a person has to read."""
    return 3 * len(document["seasons"]) + len(document["days_off"]) + len(document["extra_days"])


def format_weekdays(days: Iterable[int]) -> str:
    """ISO weekdays as a document has them: daily, never, or Mon-Wed Sat. A range has three days or more."""
    runs: list[list[int]] = []
    for day in sorted(set(days)):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    if sum(map(len, runs)) in (0, 7):
        return "daily" if runs else "never"
    names = (
        f"{_NAMES[run[0] - 1]}-{_NAMES[run[-1] - 1]}"
        if len(run) > 2
        else " ".join(_NAMES[d - 1] for d in run)
        for run in runs
    )
    return " ".join(names)


def parse_weekdays(text: str) -> frozenset[int]:
    """The weekdays of a text that format_weekdays returns."""
    if text in ("daily", "never"):
        return frozenset(range(1, 8) if text == "daily" else ())
    days: set[int] = set()
    for part in text.split():
        first, _, last = part.partition("-")
        days.update(range(_NAMES.index(first) + 1, _NAMES.index(last or first) + 2))
    return frozenset(days)


def _join(periods: list[Period]) -> list[Period]:
    """Periods that do not overlap, each with the weekdays of all given periods that contain it."""
    starts = sorted({p.first for p in periods} | {p.last + _DAY for p in periods})
    joined: list[Period] = []
    for start, end in pairwise(starts):
        covering = [p for p in periods if p.first <= start <= p.last]
        if not covering:
            continue
        days = frozenset().union(*(p.days for p in covering))
        if joined and joined[-1].days == days and joined[-1].last + _DAY == start:
            joined[-1] = Period(joined[-1].first, end - _DAY, days)
        else:
            joined.append(Period(start, end - _DAY, days))
    return joined
