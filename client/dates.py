"""Dates that people type, in the server's time zone."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from busware.server.conversation import InvalidInput
from busware.server.conversation.dates import find_date, parse_date

_MAX_DATE_WORDS = 4  # the day after tomorrow, sat 5 dec 2026


def now_in(time_zone: str | None) -> datetime:
    """The time in a time zone. None: the time zone of this machine."""
    return datetime.now(ZoneInfo(time_zone)) if time_zone else datetime.now().astimezone()


def today_in(time_zone: str | None) -> date:
    """Today's date in a time zone. None: the time zone of this machine."""
    return now_in(time_zone).date()


def parse_typed_date(typed: str, today: Callable[[], date]) -> date:
    """The date that was typed. Calls `today` only if the text depends on it. Raises InvalidInput."""
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return parse_date(typed, today())


def words_of_date(words: Sequence[str], today: date) -> int:
    """How many of the first words are a date; 1 if they are none, because an error is about one word.

    A number of one or two digits after a date is not its year, but the next argument.
    """
    forms = [_form_of_date(" ".join(words[:end]), today) for end in range(1, _MAX_DATE_WORDS + 1)]
    found = 1
    for end in range(2, min(_MAX_DATE_WORDS, len(words)) + 1):
        next_argument = forms[end - 2] and words[end - 1].isdecimal() and len(words[end - 1]) <= 2
        if forms[end - 1] and not next_argument:
            found = end
    return found


def _form_of_date(text: str, today: date) -> bool:
    """Whether a text has the form of a date; there may be no such date, such as 31 nov."""
    try:
        return find_date(text, today) is not None
    except InvalidInput:
        return True
