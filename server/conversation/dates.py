"""Dates as people type them.

One pure function: the text and today's date in, a date out. A date without a year is the next one
that comes, today included; a weekday is the next one after today; numbers are day first.
"""

import datetime
import re
from datetime import date, timedelta

EXAMPLES = "2026-12-05, today, tomorrow, sat, 5 dec, 5 dec 2026, 5/12 (day first) or +3 (in 3 days)"

_MONTHS = ("january", "february", "march", "april", "may", "june",
           "july", "august", "september", "october", "november", "december")  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORTEST = 3  # letters of a month or weekday that are enough

_ISO = re.compile(r"(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})", re.ASCII)
_AHEAD = re.compile(r"(?:\+|in )(\d{1,4})(?: days?)?", re.ASCII)
_SHORTENED = ("today", "tomorrow")  # which may be, like months and weekdays
_NAMED = {  # days from today
    "yesterday": -1,
    "day after tomorrow": 2,
    "the day after tomorrow": 2,
}
_NUMBERS = re.compile(r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})(?:[-/.](?P<year>\d{4}|\d{2})|\.)?", re.ASCII)
_GAP = r"[\s,./-]*"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_MONTH = r"(?P<month>[a-z]{3,})"
_YEAR = r"(?:[\s,./-]+(?P<year>\d{4}|\d{2}))?"
_DAY_MONTH = re.compile(_DAY + _GAP + _MONTH + _YEAR, re.ASCII)
_MONTH_DAY = re.compile(_MONTH + _GAP + _DAY + _YEAR, re.ASCII)


class DateError(ValueError):
    """The text is no date; the message says why, and what would be one."""


def parse_date(text: str, today: date) -> date:
    """The date that text means to somebody who types it today.

    Takes what EXAMPLES shows, in any case; raises DateError on anything else.
    """
    typed = " ".join(text.lower().split()).removeprefix("on ")
    if typed in _NAMED:
        return today + timedelta(days=_NAMED[typed])
    if (ahead_by := _index(typed, _SHORTENED)) is not None:
        return today + timedelta(days=ahead_by)
    if (weekday := _index(typed, _WEEKDAYS)) is not None:
        return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)
    if ahead := _AHEAD.fullmatch(typed):
        return today + timedelta(days=int(ahead[1]))
    for pattern in (_ISO, _NUMBERS, _DAY_MONTH, _MONTH_DAY):
        if found := pattern.fullmatch(typed):
            return _calendar_date(text, found, today)
    shown = f'"{text}"' if typed else "An empty line"
    raise DateError(f"{shown} is no date. Write one like {EXAMPLES}.")


def _index(word: str, names: tuple[str, ...]) -> int | None:
    """Which of the names a word abbreviates, from 0."""
    if len(word) < _SHORTEST:
        return None
    return next((i for i, name in enumerate(names) if name.startswith(word)), None)


def _calendar_date(text: str, found: re.Match[str], today: date) -> date:
    """The date of a day, a month and perhaps a year; without one, the next that comes."""
    day, month = int(found["day"]), _month(text, found["month"])
    if found["year"]:
        year = int(found["year"])
        return _checked(text, year if year > 99 else 2000 + year, month, day)
    this_year = (month, day) >= (today.month, today.day)
    return _checked(text, today.year if this_year else today.year + 1, month, day)


def _month(text: str, written: str) -> int:
    if written.isdigit():
        month = int(written)
        if not 1 <= month <= len(_MONTHS):
            order = "The day comes first, as in 25/12, or the year, as in 2026-12-25."
            raise DateError(f'"{text}": there is no month {month}. {order}')
        return month
    found = _index(written, _MONTHS)
    if found is None:
        raise DateError(f'"{text}": "{written}" is no month. Write a date like {EXAMPLES}.')
    return found + 1


def _checked(text: str, year: int, month: int, day: int) -> date:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        raise DateError(f'"{text}": {_MONTHS[month - 1].capitalize()} {year} has no day {day}.') from None
