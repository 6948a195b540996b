"""The theatre: how many seats, the hall as a matrix of 0 and 1, which seats, a ticket for each.

More seats than are free are refused, and a plain connection ends. A seat that somebody has is a warning:
nothing is booked, and the matrix is shown again.
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta

from busware.server.conversation import answers, seating
from busware.server.conversation.dates import DateError, parse_date
from busware.server.conversation.departures import choose_venue, read_seat_map
from busware.server.conversation.dialogue import Ask, Call, Problem, Show, Steps, Tell
from busware.server.conversation.reservation import good_bye
from busware.server.conversation.words import EXAMPLES, SHOW, clock, moment, money, ticket_number
from busware.server.protocol import Book, Booking, Refusal, Search, Seats, Trip, TripList

_DAYS_AHEAD = 8  # searched for the next performance
_TIME = re.compile(r"(\d{1,2})[:.](\d{2})", re.ASCII)


def show(today: date, words: Sequence[str]) -> Steps[None]:
    """Book seats for a performance. words: its time and its date, either or both or neither."""
    time, day = _when(words, today)
    trip = yield from _performance(today, time, day)
    done = False
    while not done:
        count = yield Ask(
            f"How many seats? ({trip.name}, {moment(trip.departs_at)}, {trip.seats_free} free, "
            f"{money(trip.fare)} each)",
            seating.positive("seat"), "count",
            "How many of you come. Which seats they are is asked next.",
        )  # fmt: skip
        done = yield from _seats(trip, count)


def _when(words: Sequence[str], today: date) -> tuple[str | None, date | None]:
    """The time and the date that were typed behind the command."""
    time, rest = None, list(words)
    if rest and (found := _TIME.fullmatch(rest[0])):
        if int(found[1]) > 23 or int(found[2]) > 59:
            raise Problem(f"{answers.shown(rest[0])} is no time of day: write one such as 18:30.")
        time = f"{int(found[1]):02d}:{found[2]}"
        del rest[0]
    if not rest:
        return time, None
    try:
        return time, parse_date(" ".join(rest)[:40], today)
    except DateError:
        raise Problem(
            f"{answers.shown(' '.join(rest))} is neither a time such as 18:30 nor a date such as {EXAMPLES}."
        ) from None


def _performance(today: date, time: str | None, day: date | None) -> Steps[Trip]:
    """The next performance; the one at that time, on that date, where they are told."""
    venue = yield from choose_venue(SHOW)
    days = [day] if day else [today + timedelta(days=n) for n in range(_DAYS_AHEAD)]
    others: set[str] = set()
    for one in days:
        found = yield Call(Search(origin=venue.code, destination=venue.code, date=one, kind=SHOW.kind))
        if isinstance(found, Refusal):
            raise Problem(found.message)
        trips = found.trips if isinstance(found, TripList) else []
        begin = [clock(trip.departs_at) for trip in trips]
        if trips and time is None:
            yield from _tell_later(begin[1:], day)
            return trips[0]
        if time in begin:
            return trips[begin.index(time)]
        others |= set(begin)
    on = f" on {day}" if day else ""
    if others:
        raise Problem(
            f"No performance begins at {time}{on}; there are some at {answers.listed(sorted(others), 'and')}."
        )
    raise Problem(f"No performance is on sale{on}.")


def _tell_later(begin: list[str], day: date | None) -> Steps[None]:
    """What else there is that day. day: as it was typed."""
    if begin:
        command = f"show {begin[0]} {day or ''}".strip()
        told = f"Later that day: {answers.listed(begin, 'and')}. For those, back, and then such as: {command}"
        yield Tell(told, aside=True)


def _seats(trip: Trip, count: int) -> Steps[bool]:
    """The matrix, the choice, the tickets; once more where a seat was lost. False: fewer are free."""
    while True:
        seat_map = yield from read_seat_map(trip)
        if seat_map is None:
            return True
        free = len(seat_map.free)
        if count > free:
            are = "seat is" if free == 1 else "seats are"
            yield Tell(f"Only {free} {are} free: {count} cannot be booked.", problem=True, last=True)
            return not free
        yield Show(seat_map, brief=f"{matrix(seat_map)}\n0 is free, 1 is not.")
        total = money(str(count * float(trip.fare)))
        yield Tell(f"{total} in all. The seats that you name are booked at once.", aside=True)
        which = f"Seat numbers, {count} of them" if count > 1 else "Seat number"
        seats = yield Ask(
            f"{which}, from 1 to {len(seat_map.seats)}:",
            seating.exactly(count, [seat.seat_no for seat in seat_map.seats], "seat"), "seats",
            "Seats are numbered row by row, from the stage, each row from the left.",
        )  # fmt: skip
        booked = yield Call(
            Book(
                bus_id=trip.bus_id, travel_date=trip.travel_date, from_stop=trip.from_stop,
                to_stop=trip.to_stop, seats=list(seats),
            )
        )  # fmt: skip
        if isinstance(booked, Booking):
            yield Show(booked, brief=_confirmation_text(booked))
            yield Tell(good_bye(booked, None), aside=True)
            return True
        if booked.reason != "seat_taken":
            raise Problem(booked.message)
        taken = seating.are(booked.data.get("seats", seats), SHOW.seat)
        yield Tell(f"Warning: {taken} taken. Nothing is booked.", problem=True)


def matrix(seat_map: Seats) -> str:
    """The hall row by row: 0 is a free seat, 1 one that somebody has or holds."""
    rows: dict[tuple[str, int], list[str]] = {}
    for seat in seat_map.seats:
        rows.setdefault((seat.deck, seat.row), []).append("0" if seat.state == "free" else "1")
    return "\n".join(" ".join(row) for row in rows.values())


def _confirmation_text(booking: Booking) -> str:
    tickets = [f"Ticket {ticket_number(booking, ticket)} reserved" for ticket in booking.tickets]
    return "\n".join([*tickets, f"Reference {booking.reference}."])
