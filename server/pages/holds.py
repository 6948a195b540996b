"""From the seats to the ticket: passengers, the hold with its fare, payment, confirmation.

The names are asked for before the seats are held, because a hold has its passengers. If another traveller is
faster, the names stay in the form, with the nearest seats that are free.
"""

from base64 import b64encode
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from busware.server import protocol
from busware.server.documents.ticket_pdf import code_image
from busware.server.pages import journeys, kinds, seat_map
from busware.server.pages.journeys import Search
from busware.server.pages.visits import Page, Table, Visit, address
from busware.server.protocol import Booking, Payment, Refusal, Seat, Seats

_CODE_PIXELS = 6  # of a module of a QR code


# Passengers ------------------------------------------------------------------------------------


def show_passengers(visit: Visit) -> Response:
    """The form for the passengers of the chosen seats."""
    search, trip = journeys.found_trip(visit)
    seats = journeys.seat_map_of(visit, trip)
    chosen, count = _chosen(visit, search)
    lost: list[int] = []
    if visit.refusal and visit.refusal.reason in seat_map.LOST:
        lost = [number for number in visit.refusal.data.get("seats", []) if number in chosen]
        kept = [number for number in chosen if number not in lost]
        chosen = sorted([*kept, *seat_map.nearest(seats, lost, kept)])
    picked = [seat for seat in seats.seats if seat.seat_no in chosen]
    if len(picked) < count:  # the server chooses the seats of the whole party, or it waits
        picked = []
    query = search.query | {"seats": count}
    return visit.render(
        "passengers.html",
        search=search,
        kind=search.kind,
        trip=trip,
        seats=seats,
        picked=picked,
        count=count,
        lost=lost,
        waitlist=not picked and trip.seats_free < count,
        fare=_fare(seats, picked, count),
        concessions=[one for one in seats.concessions or [] if one.seat],
        takes_infants=any(not one.seat for one in seats.concessions or []),
        asks_gender=any(seat.reserved_for == "women" for seat in seats.seats),
        asks_accessible=any(seat.reserved_for == "accessible" for seat in seats.seats),
        classes=[one for one in seats.classes or [] if one.name] if not picked else [],
        action=address(visit.here, query),
        back=address(f"/trips/{trip.bus_id}", query | {"seat": [seat.seat_no for seat in picked]}),
    )


def hold(visit: Visit) -> Response:
    """Hold the seats for the passengers; if not so many are free, put them on the waitlist."""
    search, trip = journeys.found_trip(visit)
    chosen, count = _chosen(visit, search)
    if chosen and len(chosen) < count:
        raise Refusal("bad_request", f"Choose {count} seats: there are {count} passengers.", field="count")
    phone, email, sms = visit.value("phone"), visit.value("email"), visit.value("sms") == "on"
    waits = visit.value("waitlist") == "on"
    booking: Booking = visit.request(
        protocol.Book if waits else protocol.Hold,
        bus_id=trip.bus_id,
        travel_date=trip.travel_date,
        from_stop=trip.from_stop,
        to_stop=trip.to_stop,
        seats=chosen,
        count=0 if chosen else count,
        phone=phone,
        passengers=[_passenger(visit, n) for n in range(count)],
        seat_class=visit.value("seat_class"),
        promo_code=visit.value("promo_code"),
        email=email,
        sms=sms,
        language=visit.language.code if email or sms else "",
        waitlist=waits,
        key=visit.key(),
    )
    visit.cookies.add_booking(booking.reference, phone)
    return visit.see(f"/bookings/{booking.reference}")


def _chosen(visit: Visit, search: Search) -> tuple[list[int], int]:
    """The chosen seats, and the number of passengers.

    On the map, a traveller may choose another number of seats than was searched for. The form for the
    passengers has one part for each.
    """
    chosen = visit.whole_numbers("seat")
    if visit.is_sent:
        return chosen, max(len(chosen), search.seats)
    return chosen, len(chosen) or search.seats


def _passenger(visit: Visit, n: int) -> dict[str, Any]:
    """The passenger that was typed for the seat with this position."""
    texts = {name: visit.value(f"{name}-{n}") for name in ("name", "concession", "infant", "gender")}
    given: dict[str, Any] = {name: text for name, text in texts.items() if text}
    return given | ({"accessible": True} if visit.value(f"accessible-{n}") == "on" else {})


def _fare(seats: Seats, picked: Sequence[Seat], count: int) -> str:
    """The fare of the seats without concessions; the lowest one of seats that are not chosen yet."""
    fares = [Decimal(seat.fare or seats.fare) for seat in picked] or [Decimal(seats.fare)] * count
    return str(sum(fares))


# The hold --------------------------------------------------------------------------------------


def confirm(visit: Visit) -> Response:
    """Turn the hold into a booking."""
    reference = visit.path["reference"]
    visit.request(protocol.Confirm, **visit.opened(reference), fare=visit.value("fare"), key=visit.key())
    return visit.see(f"/bookings/{reference}")


def release(visit: Visit) -> Response:
    """Release the hold, and return to the search."""
    reference = visit.path["reference"]
    booking: Booking = visit.request(protocol.Release, **visit.opened(reference), key=visit.key())
    return visit.see(f"/bookings/{booking.reference}")


def pay(visit: Visit) -> Response:
    """Start the payment of the hold, and send the browser to the page that says how to pay it."""
    reference = visit.path["reference"]
    visit.request(protocol.Pay, **visit.opened(reference), key=visit.key())
    return visit.see(f"/bookings/{reference}/pay")


def render_payment(visit: Visit, booking: Booking, **exchange: Any) -> Response:
    """How to pay a hold whose payment was started, or an exchange: the request returns that payment.

    exchange: the fields of the request that name it. Raises Refusal.
    """
    payment: Payment = visit.request(protocol.Pay, **visit.opened(booking.reference), **exchange)
    how = payment.pay
    code = image_of(how.upi) if how and how.upi else ""
    return visit.render(
        "payment.html",
        booking=booking,
        kind=kinds.kind_of(booking.kind),
        seats=[ticket.seat_no for ticket in booking.tickets if ticket.seat_no is not None],
        payment=payment,
        how=how,
        code=code,
    )


def image_of(text: str) -> str:
    """The QR code of a text, as the address of an image."""
    return f"data:image/png;base64,{b64encode(code_image(text, _CODE_PIXELS)).decode()}"


PAGES: Table = {
    "/trips/{bus_id}/passengers": Page(show_passengers, hold),
}
