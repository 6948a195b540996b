"""Parsing of dates as people type them.

A date without a year is in the past if it was within the last month. Otherwise it is today or the next such
date. A weekday is the next one after today. Today's weekday is refused, because it may mean today or a week
later, and so is "next sat" on another day. A weekday may stand before a date. In numbers, the day comes
before the month.
"""

import datetime
import re
from datetime import date, timedelta

from busware.server.conversation.dialogue import InvalidInput
from busware.server.conversation.words import quoted

EXAMPLES = "2026-12-05, tomorrow, sat or 5 dec"

_MONTHS = ("january", "february", "march", "april", "may", "june",
           "july", "august", "september", "october", "november", "december")  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MIN_LETTERS = 3  # of an abbreviated month or weekday
_RECENT = timedelta(days=31)
_MAX_LENGTH = 40  # characters of a date
_MAX_WORDS = 6  # of a date
_DAYS_FROM_TODAY = {"tonight": 0, "yesterday": -1, "day after tomorrow": 2, "the day after tomorrow": 2}

_IN_DAYS = re.compile(r"(?:\+|in )(\d{1,4})(?: days?)?", re.ASCII)
_DAY = r"(?P<day>\d{1,2})"
_MONTH_NAME = r"(?P<month>[a-z]{3,})"
_GAP = r"[\s,./-]*"
_ORDINAL_DAY = _DAY + r"(?:st|nd|rd|th)?"
_OPTIONAL_YEAR = r"(?:[\s,./-]+(?P<year>\d{4}|\d{2}))?"
_CALENDAR_FORMATS = [
    re.compile(pattern, re.ASCII)
    for pattern in (
        r"(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/]" + _DAY,
        _DAY + r"[-/.](?P<month>\d{1,2})(?:[-/.](?P<year>\d{4}|\d{2})|\.)?",
        _ORDINAL_DAY + _GAP + _MONTH_NAME + _OPTIONAL_YEAR,
        _MONTH_NAME + _GAP + _ORDINAL_DAY + _OPTIONAL_YEAR,
    )
]


def parse_date(text: str, today: date) -> date:
    """The date that a text means today. Raises InvalidInput."""
    day = find_date(text, today)
    if day is None:
        raise InvalidInput(f"{quoted(text)} is not a date such as {EXAMPLES}.")
    return day


def find_date(text: str, today: date) -> date | None:
    """The date that a text means today; None if the text does not have the form of a date.

    Raises InvalidInput if it has the form, and there is no such date.
    """
    text = " ".join(text.split())
    if len(text) > _MAX_LENGTH:
        return None
    typed = text.lower().removeprefix("on ")
    if typed in _DAYS_FROM_TODAY:
        return today + timedelta(days=_DAYS_FROM_TODAY[typed])
    if position := _position(typed, ("today", "tomorrow")):
        return today + timedelta(days=position - 1)
    if day := _find_weekday(typed, text, today):
        return day
    if in_days := _IN_DAYS.fullmatch(typed):
        return today + timedelta(days=int(in_days[1]))
    first, _, rest = typed.partition(" ")
    weekday = _position(first.rstrip(",."), _WEEKDAYS)
    day = _find_calendar_date(rest if weekday else typed, text, today)
    if weekday and day and day.isoweekday() != weekday:
        raise InvalidInput(f'"{text}": {day.day} {day:%b %Y} is a {day:%A}.')
    return day


def leading_date(text: str, today: date) -> tuple[str, str]:
    """The longest beginning of a text that has the form of a date, and the rest; either may be empty.

    The beginning may mean no date, such as 30 feb.
    """
    words = text.split()
    for end in range(min(len(words), _MAX_WORDS), 0, -1):
        beginning = " ".join(words[:end])
        try:
            found = find_date(beginning, today) is not None
        except InvalidInput:  # there is no such date
            found = True
        if found:
            return beginning, " ".join(words[end:])
    return "", " ".join(words)


def _find_weekday(typed: str, text: str, today: date) -> date | None:
    """The date that a weekday means, such as "sat", "this sat" or "next sat". text: for messages."""
    which, _, name = typed.rpartition(" ")
    weekday = _position(name, _WEEKDAYS)
    if not weekday or which not in ("", "this", "coming", "next"):
        return None
    coming = today + timedelta(days=(weekday - today.isoweekday()) % 7)
    later = coming + timedelta(days=7)
    if coming == today and which == "next":
        return later
    if coming == today:
        raise InvalidInput(f"Today is a {today:%A}. Type today, or {later.day} {later:%b} for the next one.")
    if which == "next":
        days = f"{coming.day} {coming:%b} or {later.day} {later:%b}"
        raise InvalidInput(f'"{text}" may be {days}. Type one of these dates.')
    return coming


def _find_calendar_date(typed: str, text: str, today: date) -> date | None:
    """The date that names a day and a month. text: for messages."""
    for pattern in _CALENDAR_FORMATS:
        if found := pattern.fullmatch(typed):
            month = found["month"]
            number = int(month) if month.isdigit() else _position(month, _MONTHS)
            return _calendar_date(text, found, number, today) if number or month.isdigit() else None
    return None


def _position(word: str, names: tuple[str, ...]) -> int:
    """The position, from 1, of the name that a word abbreviates; 0 if there is none."""
    if len(word) < _MIN_LETTERS:
        return 0
    return next((n for n, name in enumerate(names, 1) if name.startswith(word)), 0)


def _calendar_date(text: str, found: re.Match[str], month: int, today: date) -> date:
    """The date of a day, a month and an optional year."""
    day = int(found["day"])
    if not 1 <= month <= len(_MONTHS):
        raise InvalidInput(
            f'"{text}" has no valid month. The day comes first, as in 25/12, or the year, as in 2026-12-25.'
        )
    year = int(found["year"] or today.year)
    if year < 100:
        year += 2000
    elif not found["year"]:
        recent = today - _RECENT
        year = recent.year + ((month, day) < (recent.month, recent.day))
    try:
        return datetime.date(year, month, day)
    except ValueError:
        raise InvalidInput(f'"{text}": {_MONTHS[month - 1].capitalize()} {year} has no day {day}.') from None
