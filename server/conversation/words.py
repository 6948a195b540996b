"""Words on a screen: what a kind of service is called, and how dates and amounts are written.

A kind is data: another one is another `Words`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import get_args

from busware.server.protocol import Booking, BusType, Ticket, Trip, TripList

EXAMPLES = "2026-12-05, tomorrow, sat or 5 dec"


@dataclass(frozen=True)
class Words:
    """What one kind of service is called.

    types: those a traveller may choose among. needs_phone: whether a guest must leave a phone number.
    """

    kind: str
    service: str
    seat: str
    source: str
    destination: str
    types: tuple[BusType, ...] = ()
    needs_phone: bool = True
    passenger: str = "passenger"
    phone_example: str = "Such as 98450 12345 or +44 20 7946 0958."


BUS = Words(
    kind="bus", service="bus", seat="seat", source="Source", destination="Destination",
    types=get_args(get_args(BusType)[0]),
)  # fmt: skip
FLIGHT = Words(
    kind="flight", service="flight", seat="seat", source="From (a country or an airport)",
    destination="To (a country or an airport)", needs_phone=False,
)  # fmt: skip
SHOW = Words(
    kind="show", service="show", seat="seat", source="Theatre", destination="Curtain", needs_phone=False
)
HOTEL = Words(
    kind="hotel", service="hotel", seat="room", source="Hotel", destination="Hotel", needs_phone=False,
    passenger="guest",
)  # fmt: skip

_WORDS = {words.kind: words for words in (BUS, FLIGHT, SHOW, HOTEL)}
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ3789"  # of references: digits of base 28
_MOST_TICKETS = 100  # of one booking


def words_of(kind: str) -> Words:
    """The words of a kind of service; those of one that came after this client are plain."""
    return _WORDS.get(kind) or Words(kind, kind, "seat", "Source", "Destination", needs_phone=False)


def ticket_number(booking: Booking, ticket: Ticket) -> int:
    """A number that no other ticket of the venue has: the reference as a number, and the ticket's in it."""
    number = 0
    for letter in booking.reference:
        number = number * len(_ALPHABET) + _ALPHABET.index(letter)
    return number * (_MOST_TICKETS + 1) + ticket.ticket_no


def day_of(day: date) -> str:
    """Sat 5 Dec 2026."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def clock(at: datetime) -> str:
    """22:05."""
    return f"{at:%H:%M}"


def moment(at: datetime) -> str:
    """Sat 5 Dec 2026 22:05."""
    return f"{day_of(at)} {clock(at)}"


def arrival(arrives: datetime, departs: datetime) -> str:
    """05:10, or 05:10 +1 on the day after the departure's, each by its own clock."""
    days = (arrives.date() - departs.date()).days
    return clock(arrives) + (f" {days:+d}" if days else "")


def duration(departs: datetime, arrives: datetime) -> str:
    """3h05."""
    minutes = int((arrives - departs).total_seconds()) // 60
    return f"{minutes // 60}h{minutes % 60:02d}"


def money(amount: str) -> str:
    """1,234.50."""
    return f"{float(amount):,.2f}"


def named(bus_type: str | None, ac: bool | None, service: str = "") -> str:
    """AC SLEEPER bus, as far as any of it is known."""
    cooling = {True: "AC", False: "NON_AC", None: ""}[ac]
    return " ".join(filter(None, (cooling, bus_type, service)))


def comfort(trip: Trip) -> str:
    """AC semi-sleeper, or non-AC seater, as far as any of it is known."""
    cooling = {True: "AC", False: "non-AC", None: ""}[trip.ac]
    return f"{cooling} {(trip.bus_type or '').lower().replace('_', '-')}".strip()


def service_of(trip: Trip | Booking) -> str:
    """KSRTC Airavat Club Class; only one of the two, where it holds the other."""
    if trip.name in trip.operator:
        return trip.operator
    return trip.name if trip.operator in trip.name else f"{trip.operator} {trip.name}"


def about(booking: Booking) -> str:
    """7B8ZGUF (flight 701, seat 3) from New York JFK to Delhi Airport on 2026-12-15 at 10:00."""
    seats = [str(t.seat_no) for t in booking.tickets if t.seat_no and t.status in ("held", "booked")]
    seated = f", {words_of(booking.kind).seat}{'s' * (len(seats) > 1)} {', '.join(seats)}" if seats else ""
    return (
        f"{booking.reference} ({booking.kind} {booking.bus_id}{seated}) from {booking.origin} to "
        f"{booking.destination} on {booking.departs_at.date()} at {clock(booking.departs_at)}."
    )


def changed(booking: Booking) -> str:
    """A line about a booking that has changed by itself, or by somebody else's doing."""
    ended = [str(t.ticket_no) for t in booking.tickets if t.status != booking.status]
    fare = sum(float(t.fare) for t in booking.tickets if t.status == "booked")
    parts = (
        f"Booking {about(booking)} Status: {booking.status.capitalize()}",
        f"fare {money(str(fare))}" if fare else "",
        f"without ticket{'s' * (len(ended) > 1)} {', '.join(ended)}" if ended else "",
        f"{money(booking.refund)} is given back" if float(booking.refund) else "",
    )
    why = f". {does_not_run(booking)}" if booking.why else ""
    if booking.status == "expired":
        why = ". The time to confirm is over: what was held may go to others now."
    return ", ".join(filter(None, parts)) + why


def does_not_run(booking: Booking) -> str:
    """What a booking says where its operator cancelled the trip: The bus does not run. Landslide."""
    return f"The {words_of(booking.kind).service} does not run. {booking.why}"


def journey(found: TripList) -> str:
    """The journey that trips have in common: Bengaluru to Mysuru, Sat 5 Dec 2026."""
    first, differ = found.trips[0], differing_ends(found)
    origin = "" if "origin" in differ else first.origin
    destination = "" if "destination" in differ else f"to {first.destination}"
    return ", ".join(filter(None, (f"{origin} {destination}".strip(), day_of(first.departs_at.date()))))


def differing_ends(found: TripList) -> list[str]:
    """Which ends differ between trips, so that each has to tell: origin, destination."""
    return [end for end in ("origin", "destination") if len({getattr(trip, end) for trip in found.trips}) > 1]
