"""Bookings that are opened in this browser: the list, the hold or the ticket, the ticket as a file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus

from starlette.responses import Response

from busware.server import protocol
from busware.server.documents import ticket_pdf
from busware.server.mail import calendar_entry
from busware.server.mail.booking_text import BookingText
from busware.server.pages import holds, kinds
from busware.server.pages.visits import Page, Table, Visit, address
from busware.server.protocol import (
    OPEN,
    Booking,
    BookingList,
    BookingMessage,
    BookingMessages,
    Quote,
    References,
    Refusal,
    Ticket,
)

_CALENDAR = "text/calendar"
_PAYABLE = [("held", state) for state in ("created", "pending", "failed")]  # of a booking, of its payment
EVENTS = "/bookings/{reference}/events"  # the event stream of a booking


# The list --------------------------------------------------------------------------------------


def show_bookings(visit: Visit) -> Response:
    """The bookings of this browser and of the account, and a form that opens another one."""
    listed: BookingList | None = None
    if visit.caller.account is not None:
        listed = visit.request(protocol.Bookings, after=visit.value("after"))
    own = listed.bookings if listed else []
    known = {booking.reference for booking in own}
    here = [booking for booking in _of_browser(visit) if booking.reference not in known]
    return visit.render(
        "bookings.html", own=own, here=here, next=listed.next if listed else None, kind_of=kinds.kind_of
    )


def _of_browser(visit: Visit) -> Iterator[Booking]:
    """The bookings that were opened in this browser, and can still be opened."""
    for reference, phone in visit.cookies.bookings().items():
        try:
            yield visit.request(protocol.GetBooking, reference=reference, phone=phone or "")
        except Refusal as refusal:
            if refusal.reason != "unknown_booking":
                return  # such as too many attempts
            visit.cookies.remove_booking(reference)


def open_booking(visit: Visit) -> Response:
    """Open a booking by its reference and phone number, and keep both in this browser."""
    phone = visit.value("phone")
    booking: Booking = visit.request(protocol.GetBooking, reference=visit.value("reference"), phone=phone)
    visit.cookies.add_booking(booking.reference, phone)
    return visit.see(f"/bookings/{booking.reference}")


def forget(visit: Visit) -> Response:
    """Forget the bookings that were opened in this browser. They are not cancelled."""
    visit.cookies.set("bookings", None)
    return visit.see("/bookings", {"done": "forgotten"})


def show_find(visit: Visit) -> Response:
    """The form that finds a booking without its reference."""
    return visit.render("find.html", found=None)


def find(visit: Visit) -> Response:
    """Find bookings by phone number, date and place, and open them."""
    phone = visit.value("phone")
    found: References = visit.request(
        protocol.Find, phone=phone, date=visit.value("date"), place=visit.value("place")
    )
    if not found.references:
        raise Refusal("unknown_booking", "No booking has this phone number, date and place.", field="phone")
    for reference in reversed(found.references):
        visit.cookies.add_booking(reference, phone)
    return visit.see("/bookings" if len(found.references) > 1 else f"/bookings/{found.references[0]}")


# One booking -----------------------------------------------------------------------------------


def show_booking(visit: Visit) -> Response:
    """A hold, a ticket or a place on the waitlist; if it cannot be opened, the form that opens it."""
    try:
        booking = booking_of(visit)
    except Refusal as refusal:
        if refusal.reason != "unknown_booking":
            raise
        return visit.render(
            "open.html", HTTPStatus.NOT_FOUND, reference=visit.path["reference"], refusal=refusal
        )
    text = BookingText(booking, visit.language)
    return visit.render(
        "booking.html",
        booking=booking,
        kind=kinds.kind_of(booking.kind),
        text=text,
        tickets=open_tickets(booking),
        parts=_parts(booking),
        code=holds.image_of(text.code) if booking.status == "booked" else "",
        quote=_quote(visit, booking),
        now=visit.now,
        messages=_messages(visit),
        again=_trip_address(booking),
    )


@dataclass(frozen=True)
class _Parts:
    """The parts of what a booking costs, as amounts of the protocol."""

    valid: str
    kept: str


def _parts(booking: Booking) -> _Parts | None:
    """What a booking with some cancelled tickets costs; None if all its tickets are in the same state."""
    valid = open_tickets(booking)
    ended = [ticket for ticket in booking.tickets if ticket not in valid]
    return _Parts(_cost(valid), _cost(ended)) if booking.status == "booked" and ended else None


def _cost(tickets: Iterable[Ticket]) -> str:
    """The fares of tickets less their refunds."""
    return str(sum(Decimal(ticket.fare) - Decimal(ticket.refund) for ticket in tickets))


def _trip_address(booking: Booking) -> str:
    """The page with the seats of the trip of a booking; empty for a kind without a destination."""
    if not kinds.kind_of(booking.kind).destination:
        return ""
    search = {
        "kind": booking.kind,
        "origin": booking.origin,
        "destination": booking.destination,
        "date": booking.boarding_date.isoformat(),
        "seats": len(booking.tickets),
    }
    return address(f"/trips/{booking.bus_id}", search)


def _quote(visit: Visit, booking: Booking) -> Quote | None:
    """The terms of a cancellation, if the booking has no tiers. An open offer has other terms."""
    if booking.status not in ("held", "booked") or booking.refund_tiers is not None or booking.offers:
        return None
    try:
        quote: Quote = visit.request(protocol.CancelQuote, **visit.opened(booking.reference))
    except Refusal:  # the trip has departed meanwhile
        return None
    return quote


def show_payment(visit: Visit) -> Response:
    """How to pay the hold; the booking if its payment is not started, or is not possible any more."""
    if not visit.refusal or visit.refusal.reason == "payment_required":
        booking = booking_of(visit)
        if not booking.payment or (booking.status, booking.payment.state) not in _PAYABLE:
            return visit.see(f"/bookings/{booking.reference}")
        try:
            return holds.render_payment(visit, booking)
        except Refusal as refusal:
            visit.refusal = refusal
    return show_booking(visit)


def booking_of(visit: Visit) -> Booking:
    """The booking in the path. Raises Refusal."""
    booking: Booking = visit.request(protocol.GetBooking, **visit.opened(visit.path["reference"]))
    return booking


def read_event(visit: Visit) -> bytes:
    """An event of an opened booking: its phone number is in a cookie, and in no address.

    It is the booking with its messages in one more field, so that a new message is an event too.
    """
    opened = visit.opened(visit.path["reference"])
    messages = visit.perform(protocol.GetMessages, **opened)
    booking = visit.perform(protocol.GetBooking, **opened)
    return booking.rstrip()[:-1] + b', "messages": ' + messages + b"}"


def _messages(visit: Visit) -> list[BookingMessage]:
    """The messages about the booking in the path. Raises Refusal."""
    listed: BookingMessages = visit.request(protocol.GetMessages, **visit.opened(visit.path["reference"]))
    return listed.messages


def show_messages(visit: Visit) -> Response:
    """The messages about a booking, and a form that sends another one."""
    booking = booking_of(visit)
    return visit.render(
        "messages.html", booking=booking, kind=kinds.kind_of(booking.kind), messages=_messages(visit)
    )


def say(visit: Visit) -> Response:
    """Send the operators a message about a booking."""
    booking = booking_of(visit)
    visit.say(booking.reference, visit.value("text"))
    return visit.see(f"/bookings/{booking.reference}/messages")


def open_tickets(booking: Booking) -> list[Ticket]:
    """The tickets that can still change."""
    return [ticket for ticket in booking.tickets if ticket.status in OPEN]


def send_pdf(visit: Visit) -> Response:
    """The ticket as PDF."""
    booking = booking_of(visit)
    content = ticket_pdf.encode(BookingText(booking, visit.language).page(visit.now))
    return visit.send_file(content, ticket_pdf.MIME_TYPE, f"ticket-{booking.reference}.pdf")


def send_calendar_entry(visit: Visit) -> Response:
    """The journey as an entry for a calendar."""
    booking = booking_of(visit)
    content, _ = calendar_entry.entry(BookingText(booking, visit.language), visit.now)
    return visit.send_file(content, _CALENDAR, f"{booking.reference}.ics")


PAGES: Table = {
    "/bookings": Page(show_bookings, open_booking),
    "/bookings/find": Page(show_find, find),
    "/bookings/forget": Page(show_bookings, forget),
    "/bookings/{reference}": Page(show_booking),
    "/bookings/{reference}/confirm": Page(show_payment, holds.confirm),
    "/bookings/{reference}/release": Page(show_booking, holds.release),
    "/bookings/{reference}/pay": Page(show_payment, holds.pay),
    "/bookings/{reference}/messages": Page(show_messages, say),
    "/bookings/{reference}/ticket.pdf": Page(send_pdf),
    "/bookings/{reference}/calendar.ics": Page(send_calendar_entry),
}
