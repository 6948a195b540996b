"""Dates as people type them to a service in what may be another time zone: it is today where that is."""

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from busware.server.conversation.dates import parse_date


def today_in(time_zone: str | None) -> date:
    """The date in a time zone, as `ping` tells it; on this machine where none was told."""
    return datetime.now(ZoneInfo(time_zone) if time_zone else None).date()


def day(typed: str, today: Callable[[], date]) -> date:
    """What a date means. today: asked only where it depends on it. Raises InvalidInput."""
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return parse_date(typed, today())
