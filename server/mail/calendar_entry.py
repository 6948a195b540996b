"""The calendar entry of a booking (iCalendar, RFC 5545). A later entry replaces the earlier one."""

from datetime import UTC, datetime, timedelta

from busware.server.mail.booking_text import BookingText
from busware.server.protocol import VERSION

_FIRST = datetime(2026, 1, 1, tzinfo=UTC)  # SEQUENCE: seconds since then, 31 bits


def entry(text: BookingText, at: datetime) -> tuple[bytes, str]:
    """The file of the entry, and its method: PUBLISH, or CANCEL for a booking without tickets.

    at: when the booking became as it is; an entry with a later time replaces one with an earlier time.
    """
    from icalendar import Calendar, Event  # takes a tenth of a second: a server starts faster without it

    booking = text.booking
    cancelled = booking.status in ("cancelled", "expired")
    method = "CANCEL" if cancelled else "PUBLISH"
    event = Event()
    event.add("uid", f"{booking.reference}@busware")
    event.add("dtstamp", at.astimezone(UTC))
    event.add("sequence", max(0, (at - _FIRST) // timedelta(seconds=1)))
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("dtstart", booking.departs_at.astimezone(UTC))
    event.add("dtend", booking.arrives_at.astimezone(UTC))
    event.add("summary", f"{text.service}: {text.journey}")
    event.add("location", booking.origin)
    event.add("description", "\n".join(f"{label}: {value}" for label, value in text.facts()))
    calendar = Calendar()
    calendar.add("prodid", f"-//Busware//{VERSION}//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(event)
    return calendar.to_ical(), method
