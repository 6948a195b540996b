"""What a command is going to change, as a question before it is sent; and what it has changed.

Only commands that give up something that cannot be had back have a preview: a ticket that was sold, a part of
its journey, or a trip with its passengers.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from busware.retries import ConnectionLost
from busware.sdk import Client
from busware.server import protocol
from busware.server.conversation.words import cancelled_line, counted, ended_line, money, summary

Report = Callable[[Any], str]  # from the reply


class Preview(NamedTuple):
    """What to ask, with facts to show above it."""

    question: str
    facts: str = ""


def preview(request: protocol.Request, client: Client) -> Preview | None:
    """The preview of a request, or None. Raises Refusal, as the request would, and ConnectionLost."""
    match request:
        case protocol.Cancel():
            return _of_cancellation(request, client)
        case protocol.Alight():
            return _of_alighting(request, client)
        case protocol.CancelTrip():
            return _of_cancelled_trip(request, client)
    return None


def report(request: protocol.Request, client: Client) -> Report | None:
    """What makes a text of the reply: what the request has changed or found. None if the reply says it.

    Reads what the reply is compared with, so it is called directly before the request is sent. What another
    client has changed before is not reported as done. Raises as `preview` does.
    """
    match request:
        case protocol.Cancel():
            before = client.booking(request.reference, request.phone)
            return lambda after: cancelled_line(before, after)
        case protocol.Alight():
            before = client.booking(request.reference, request.phone)
            (stop,) = client.alight_quote(  # the reply does not name the stop
                request.reference, request.phone, tickets=request.tickets, at=request.at
            )
            return lambda after: ended_line(
                _chosen(after, request.tickets, ("booked",)), f"at {stop.place}", before, after
            )
        case protocol.Find():
            return lambda found: "\n".join(_found(found, request.phone, client))
    return None


def _found(found: protocol.References, phone: str, client: Client) -> Iterator[str]:
    """Each booking in one sentence; only its reference, if it cannot be read now."""
    for reference in found.references:
        try:
            yield summary(client.booking(reference, phone))
        except (protocol.Refusal, ConnectionLost):
            yield reference


def _of_cancellation(request: protocol.Cancel, client: Client) -> Preview:
    quote = client.cancel_quote(request.reference, request.phone, tickets=request.tickets)
    booking = client.booking(request.reference, request.phone)
    tickets = _chosen(booking, request.tickets, protocol.OPEN)
    count, refund = counted(len(tickets), "ticket"), money(quote.refund)
    paid = sum(float(ticket.fare) - float(ticket.refund) for ticket in tickets if ticket.status == "booked")
    if not paid:
        return Preview(f"Cancel {count}? You have not paid yet.")
    return Preview(f"Cancel {count}, and get {refund} of {money(paid)} back?")


def _of_alighting(request: protocol.Alight, client: Client) -> Preview:
    (stop,) = client.alight_quote(request.reference, request.phone, tickets=request.tickets, at=request.at)
    booking = client.booking(request.reference, request.phone)
    tickets = _chosen(booking, request.tickets, ("booked",))
    count = counted(len(tickets), "ticket")
    return Preview(
        f"End {count} at {stop.place} instead of {booking.destination}, and get {money(stop.refund)} back?"
    )


def _of_cancelled_trip(request: protocol.CancelTrip, client: Client) -> Preview | None:
    trip = client.manifest(request.bus_id, request.travel_date)
    if trip.state == "cancelled":  # the request is refused
        return None
    bookings = {rider.reference for stop in trip.stops for rider in stop.boards}
    tickets = f"{counted(trip.booked, 'ticket')} of {counted(len(bookings), 'booking')}"
    unpaid = trip.held + trip.pending
    facts = [f"{tickets} will be refunded in full."] if bookings else []
    facts += [f"{counted(unpaid, 'ticket')} held or waiting will end."] if unpaid else []
    return Preview(
        f"Cancel {trip.name} ({trip.bus_id}) of {trip.travel_date}?",
        " ".join(facts) or "The trip has no passengers.",
    )


def _chosen(
    booking: protocol.Booking, numbers: list[int] | None, statuses: tuple[protocol.Status, ...]
) -> list[protocol.Ticket]:
    """The tickets with these numbers, or those of the booking that have one of these statuses."""
    if numbers:
        return [ticket for ticket in booking.tickets if ticket.ticket_no in numbers]
    return [ticket for ticket in booking.tickets if ticket.status in statuses]
