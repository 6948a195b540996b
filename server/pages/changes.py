"""Changes of a booking: cancel, another seat, get off early, transfer, contact, offers.

Each change is a page: GET shows what it costs or gives back, POST does it.
"""

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
    Quote,
    Refusal,
    Seats,
    Ticket,
)


def render(visit: Visit, template: str, booking: Booking, **values: Any) -> Response:
    """The page of a change of a booking."""
    kind = kinds.kind_of(booking.kind)
    return visit.render(template, booking=booking, kind=kind, **values)


def done(visit: Visit, what: str) -> Response:
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
    return render(visit, "cancel.html", booking, chosen=chosen, tickets=open_tickets(booking), quote=quote)


def cancel(visit: Visit) -> Response:
    """Cancel the chosen tickets."""
    chosen = visit.whole_numbers("ticket")
    visit.request(protocol.Cancel, **visit.opened(visit.path["reference"]), tickets=chosen, key=visit.key())
    return done(visit, "cancelled")


# Another seat ----------------------------------------------------------------------------------


def show_seats(visit: Visit) -> Response:
    """The free seats to which a ticket can move. In place of a lost seat, the nearest one is chosen."""
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
    is_lost = visit.refusal is not None and visit.refusal.reason in seat_map.LOST
    nearest = seat_map.nearest(seats, visit.whole_numbers("seat"), own) if is_lost else []
    choice = Choice(nearest, own, only_one=True)
    shown = seat_map.view(seats, kinds.kind_of(booking.kind), visit.language, choice)
    return render(visit, "change_seat.html", booking, seat_map=shown, tickets=movable, nearest=nearest)


def change_seat(visit: Visit) -> Response:
    """Move a ticket to another seat."""
    if not visit.value("seat"):
        raise Refusal("bad_request", "Choose one of the free seats.", field="seat")
    visit.request(
        protocol.ChangeSeat,
        **visit.opened(visit.path["reference"]),
        ticket_no=visit.value("ticket"),
        seat_no=visit.value("seat"),
        key=visit.key(),
    )
    return done(visit, "seat")


# Get off early ---------------------------------------------------------------------------------


def show_alight(visit: Visit) -> Response:
    """The stops at which the tickets may end early, and what that refunds."""
    booking = booking_of(visit)
    stops: AlightingStops = visit.request(protocol.AlightQuote, **visit.opened(booking.reference))
    return render(visit, "alight.html", booking, stops=stops, tickets=open_tickets(booking))


def alight(visit: Visit) -> Response:
    """End the tickets at an earlier stop."""
    at = visit.whole_number("at", 0)
    if not at:
        raise Refusal("bad_request", "Choose a stop.", field="at")
    visit.request(protocol.Alight, **visit.opened(visit.path["reference"]), at=at, key=visit.key())
    return done(visit, "alighted")


# Names and contact -----------------------------------------------------------------------------


def show_transfer(visit: Visit) -> Response:
    """The names of the passengers, each of which can be changed."""
    booking = booking_of(visit)
    return render(visit, "transfer.html", booking, tickets=open_tickets(booking))


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
    return done(visit, "transferred")


def _concession(ticket: Ticket | None) -> str:
    """The concession of a ticket, which its new passenger must have too."""
    parts = (ticket.fare_parts or []) if ticket else []
    return next((part.name or "" for part in parts if part.part == "concession"), "")


def show_contact(visit: Visit) -> Response:
    """Where the messages of the booking go."""
    return render(visit, "contact.html", booking_of(visit))


def set_contact(visit: Visit) -> Response:
    """Set where the messages of the booking go."""
    email, sms = visit.value("email"), visit.value("sms") == "on"
    contact = booking_of(visit).contact
    if contact and contact.email and not email and visit.value("no_mail") != "on":
        raise Refusal("address_missing", "Type the e-mail address again, or choose to get no e-mails.")
    visit.request(
        protocol.SetContact,
        **visit.opened(visit.path["reference"]),
        email=email,
        sms=sms,
        language=visit.language.code if email or sms else "",
        key=visit.key(),
    )
    return done(visit, "contact")


# Offers ----------------------------------------------------------------------------------------


def show_offer(visit: Visit) -> Response:
    """What the operator has changed, and what is offered; the booking if it has no open offer."""
    booking = booking_of(visit)
    if not booking.offers:
        return show_booking(visit)
    return render(visit, "offer.html", booking, offer=booking.offers[0])


def answer_offer(visit: Visit) -> Response:
    """Accept or decline the offer."""
    accepts = visit.value("answer") == "accept"
    visit.request(
        protocol.Accept if accepts else protocol.Decline,
        **visit.opened(visit.path["reference"]),
        offer_no=visit.whole_number("offer_no", 0),
        key=visit.key(),
    )
    return done(visit, "accepted" if accepts else "declined")


PAGES: Table = {
    "/bookings/{reference}/cancel": Page(show_cancel, cancel),
    "/bookings/{reference}/seat": Page(show_seats, change_seat),
    "/bookings/{reference}/alight": Page(show_alight, alight),
    "/bookings/{reference}/transfer": Page(show_transfer, transfer),
    "/bookings/{reference}/contact": Page(show_contact, set_contact),
    "/bookings/{reference}/offer": Page(show_offer, answer_offer),
}
