"""Texts about fares: the parts of a ticket's fare, and the fares of the classes of seats."""

from collections.abc import Iterator

from busware.server.conversation.words import money
from busware.server.protocol import Booking, FarePart, SeatClass, Seats, Ticket, Trip


def part_lines(booking: Booking) -> Iterator[str]:
    """A line for each ticket whose fare has parts: Ticket 1: 260.00 + premium 52.00 - child 156.00."""
    for ticket in booking.tickets:
        if ticket.fare_parts:
            parts = " ".join(_part(part, booking.currency) for part in ticket.fare_parts)
            yield f"Ticket {ticket.ticket_no}: {parts}{_with_infant(ticket)}"


def _part(part: FarePart, currency: str | None) -> str:
    if part.name is None:
        return money(part.amount, currency)
    sign, amount = ("-", part.amount[1:]) if part.amount.startswith("-") else ("+", part.amount)
    return f"{sign} {part.name} {money(amount, currency)}"


def _with_infant(ticket: Ticket) -> str:
    return f", with {ticket.infant}" if ticket.infant else ""


def lowest_fare(trip: Trip) -> str:
    """The fare of a trip: 260.00, or from 260.00 if it has classes with other fares."""
    fares = {one.fare for one in trip.classes or []}
    return ("from " if fares - {trip.fare} else "") + money(trip.fare, trip.currency)


def seat_fares(seat_map: Seats) -> list[str]:
    """The fare of each seat, or a text for each class: premium 312.00 each, free: 1, 2."""
    if not seat_map.classes:
        return [f"{money(seat_map.fare, seat_map.currency)} each"]
    return [
        f"{one.name or 'others'} {money(one.fare, seat_map.currency)} each, free: {_free(seat_map, one)}"
        for one in seat_map.classes
    ]


def _free(seat_map: Seats, one: SeatClass) -> str:
    free = (seat for seat in seat_map.seats if seat.seat_class == one.name and seat.state == "free")
    return ", ".join(str(seat.seat_no) for seat in free) or "none"
