"""Dates that people type, in the server's time zone."""

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from busware.server.conversation.dates import parse_date


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
