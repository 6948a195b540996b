"""Changes of a booking: cancel, another seat, exchange, get off early, transfer, contact, offers.

Each change is a page: GET shows what it costs or gives back, POST does it.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from starlette.responses import Response

from busware.server import protocol
from busware.server.pages import kinds, seat_map
from busware.server.pages.bookings import booking_of, open_tickets, show_booking
from busware.server.pages.seat_map import Choice
from busware.server.pages.visits import Page, Table, Visit
from busware.server.protocol import (
    AlightingStops,
    Booking,
    ExchangeTerms,
    Quote,
    Refusal,
    Seats,
    Ticket,
    TripList,
)


def _render(visit: Visit, template: str, booking: Booking, **values: Any) -> Response:
    kind = kinds.kind_of(booking.kind)
    return visit.render(template, booking=booking, kind=kind, **values)


def _done(visit: Visit, what: str) -> Response:
    """Return to the booking, which says what was done."""
    return visit.see(f"/bookings/{visit.path['reference']}", {"done": what})


def _tickets(visit: Visit, booking: Booking) -> list[int]:
    """The numbers of the chosen tickets of a booking; all open ones if none is chosen."""
    of_booking = [ticket.ticket_no for ticket in open_tickets(booking)]
    chosen = visit.whole_numbers("ticket")
    return [number for number in of_booking if number in chosen] or of_booking


# Cancel ----------------------------------------------------------------------------------------


def show_cancel(visit: Visit) -> Response:
    """What a cancellation of the chosen tickets refunds."""
    booking = booking_of(visit)
    chosen = _tickets(visit, booking)
    quote: Quote | None = None
    if chosen:
        quote = visit.request(protocol.CancelQuote, **visit.opened(booking.reference), tickets=chosen)
    return _render(visit, "cancel.html", booking, chosen=chosen, tickets=open_tickets(booking), quote=quote)


def cancel(visit: Visit) -> Response:
    """Cancel the chosen tickets."""
    chosen = visit.whole_numbers("ticket")
    visit.request(protocol.Cancel, **visit.opened(visit.path["reference"]), tickets=chosen, key=visit.key())
    return _done(visit, "cancelled")


# Another seat ----------------------------------------------------------------------------------


def show_seats(visit: Visit) -> Response:
    """The free seats to which a ticket can move."""
    booking = booking_of(visit)
    seats: Seats = visit.request(
        protocol.SeatMap,
        bus_id=booking.bus_id,
        travel_date=booking.travel_date,
        from_stop=booking.from_stop,
        to_stop=booking.to_stop,
    )
    movable = [ticket for ticket in open_tickets(booking) if ticket.seat_no is not None]
    own = [ticket.seat_no for ticket in movable if ticket.seat_no is not None]
    choice = Choice(own=own, only_one=True)
    shown = seat_map.view(seats, kinds.kind_of(booking.kind), visit.language, choice)
    return _render(visit, "change_seat.html", booking, seat_map=shown, tickets=movable)


def change_seat(visit: Visit) -> Response:
    """Move a ticket to another seat."""
    visit.request(
        protocol.ChangeSeat,
        **visit.opened(visit.path["reference"]),
        ticket_no=visit.value("ticket"),
        seat_no=visit.value("seat"),
        key=visit.key(),
    )
    return _done(visit, "seat")


# Exchange --------------------------------------------------------------------------------------


def show_exchange(visit: Visit) -> Response:
    """The trips for which the booking can be exchanged, or what the chosen one costs."""
    booking = booking_of(visit)
    day = visit.day("date") or booking.boarding_date
    bus_id = visit.whole_number("bus_id", 0)
    terms: ExchangeTerms | None = None
    trips: list[protocol.Trip] = []
    try:
        if bus_id:
            terms = visit.request(
                protocol.ExchangeQuote, **visit.opened(booking.reference), **_exchange(visit)
            )
        else:
            trips = _other_trips(visit, booking, day)
    except Refusal as refusal:
        visit.refusal = visit.refusal or refusal
    return _render(
        visit,
        "exchange.html",
        booking,
        day=day,
        terms=terms,
        trips=trips,
        days=[day + timedelta(days=n) for n in (-1, 1)],
    )


def _other_trips(visit: Visit, booking: Booking, day: date) -> list[protocol.Trip]:
    """The other trips of the operator on a date, between the places of the booking."""
    found: TripList = visit.request(
        protocol.Search, kind=booking.kind, origin=booking.origin, destination=booking.destination, date=day
    )
    this = (booking.bus_id, booking.travel_date)
    return [
        trip
        for trip in found.trips
        if trip.operator == booking.operator and (trip.bus_id, trip.travel_date) != this
    ]


def _exchange(visit: Visit) -> Mapping[str, Any]:
    return {"bus_id": visit.whole_number("bus_id", 0), "travel_date": visit.value("travel_date")}


def exchange(visit: Visit) -> Response:
    """Exchange the booking at the amounts that were shown."""
    visit.request(
        protocol.Exchange,
        **visit.opened(visit.path["reference"]),
        **_exchange(visit),
        due=visit.value("due"),
        refund=visit.value("refund"),
        key=visit.key(),
    )
    return _done(visit, "exchanged")


# Get off early ---------------------------------------------------------------------------------


def show_alight(visit: Visit) -> Response:
    """The stops at which the tickets may end early, and what that refunds."""
    booking = booking_of(visit)
    stops: AlightingStops = visit.request(protocol.AlightQuote, **visit.opened(booking.reference))
    return _render(visit, "alight.html", booking, stops=stops)


def alight(visit: Visit) -> Response:
    """End the tickets at an earlier stop."""
    at = visit.whole_number("at", 0)
    visit.request(protocol.Alight, **visit.opened(visit.path["reference"]), at=at, key=visit.key())
    return _done(visit, "alighted")


# Names and contact -----------------------------------------------------------------------------


def show_transfer(visit: Visit) -> Response:
    """The names of the passengers, each of which can be changed."""
    booking = booking_of(visit)
    return _render(visit, "transfer.html", booking, tickets=open_tickets(booking))


def transfer(visit: Visit) -> Response:
    """Transfer a ticket to another name."""
    number = visit.whole_number("ticket", 0)
    ticket = next((one for one in booking_of(visit).tickets if one.ticket_no == number), None)
    visit.request(
        protocol.Transfer,
        **visit.opened(visit.path["reference"]),
        ticket_no=number,
        name=visit.value("name"),
        gender=visit.value("gender") or (ticket.gender if ticket and ticket.gender else ""),
        concession=_concession(ticket),
        key=visit.key(),
    )
    return _done(visit, "transferred")


def _concession(ticket: Ticket | None) -> str:
    """The concession of a ticket, which its new passenger must have too."""
    parts = (ticket.fare_parts or []) if ticket else []
    return next((part.name or "" for part in parts if part.part == "concession"), "")


def show_contact(visit: Visit) -> Response:
    """Where the messages of the booking go."""
    return _render(visit, "contact.html", booking_of(visit))


def set_contact(visit: Visit) -> Response:
    """Set where the messages of the booking go."""
    email, sms = visit.value("email"), visit.value("sms") == "on"
    contact = booking_of(visit).contact
    if contact and contact.email and not email and visit.value("no_mail") != "on":
        raise Refusal("address_missing", "Type the e-mail address again, or choose to get no mails.")
    visit.request(
        protocol.SetContact,
        **visit.opened(visit.path["reference"]),
        email=email,
        sms=sms,
        language=visit.language.code if email or sms else "",
        key=visit.key(),
    )
    return _done(visit, "contact")


# Offers ----------------------------------------------------------------------------------------


def show_offer(visit: Visit) -> Response:
    """What the operator has changed, and what is offered; the booking if it has no open offer."""
    booking = booking_of(visit)
    if not booking.offers:
        return show_booking(visit)
    return _render(visit, "offer.html", booking, offer=booking.offers[0])


def answer_offer(visit: Visit) -> Response:
    """Accept or decline the offer."""
    accepts = visit.value("answer") == "accept"
    visit.request(
        protocol.Accept if accepts else protocol.Decline,
        **visit.opened(visit.path["reference"]),
        offer_no=visit.whole_number("offer_no", 0),
        key=visit.key(),
    )
    return _done(visit, "accepted" if accepts else "declined")


PAGES: Table = {
    "/bookings/{reference}/cancel": Page(show_cancel, cancel),
    "/bookings/{reference}/seat": Page(show_seats, change_seat),
    "/bookings/{reference}/exchange": Page(show_exchange, exchange),
    "/bookings/{reference}/alight": Page(show_alight, alight),
    "/bookings/{reference}/transfer": Page(show_transfer, transfer),
    "/bookings/{reference}/contact": Page(show_contact, set_contact),
    "/bookings/{reference}/offer": Page(show_offer, answer_offer),
}
