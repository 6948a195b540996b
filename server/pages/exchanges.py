"""The exchange of a booking: for another date, other stops, another trip, other seats.

The first page has the trips, the second one the amounts and the seats. The server chooses seats, and the
traveller may choose others. The seats that are shown with the amounts are those of the exchange.
"""

from datetime import date, timedelta
from typing import Any

from starlette.responses import Response

from busware.server import protocol
from busware.server.pages import kinds, seat_map
from busware.server.pages.bookings import booking_of, open_tickets
from busware.server.pages.changes import done, render
from busware.server.pages.holds import render_payment
from busware.server.pages.seat_map import Choice, SeatMapView
from busware.server.pages.visits import Page, Table, Visit
from busware.server.protocol import Booking, ExchangeTerms, Refusal, Seats, Trip, TripList


def show_exchange(visit: Visit) -> Response:
    """The trips for which the booking can be exchanged, or what the chosen one costs, with its seats."""
    booking = booking_of(visit)
    try:
        if visit.whole_number("bus_id", 0):
            terms = _terms(visit, booking)
            return render(
                visit,
                "exchange_terms.html",
                booking,
                terms=terms,
                lost=visit.refusal is not None and visit.refusal.reason in seat_map.LOST,
                seats=_own_seats(booking),
                seat_map=_seat_map(visit, booking, terms),
                search=_search(visit, booking),
            )
    except Refusal as refusal:
        visit.refusal = visit.refusal or refusal
    return _show_trips(visit, booking)


def exchange(visit: Visit) -> Response:
    """Exchange the booking at the amounts that were shown; or say how to pay for it, if it is paid before."""
    wanted = {**_journey(visit), "seats": visit.whole_numbers("seat")}
    if visit.value("payment"):
        return render_payment(visit, booking_of(visit), **wanted)
    visit.request(
        protocol.Exchange,
        **visit.opened(visit.path["reference"]),
        **wanted,
        due=visit.value("due"),
        refund=visit.value("refund"),
        key=visit.key(),
    )
    return done(visit, "exchanged")


# The trips -------------------------------------------------------------------------------------


def _show_trips(visit: Visit, booking: Booking) -> Response:
    search = _search(visit, booking)
    trips: list[Trip] = []
    try:
        trips = _other_trips(visit, booking, search)
    except Refusal as refusal:
        visit.refusal = visit.refusal or refusal
    party = len(open_tickets(booking))
    day = _day(visit, booking)
    return render(visit, "exchange.html", booking, search=search, day=day, trips=trips, party=party)


def _day(visit: Visit, booking: Booking) -> date:
    return visit.day("date") or booking.boarding_date


def _search(visit: Visit, booking: Booking) -> dict[str, str]:
    """What the trips are searched for: as typed, or as the booking has it."""
    kind, day = kinds.kind_of(booking.kind), _day(visit, booking)
    search = {"date": day.isoformat(), "origin": booking.origin, "destination": booking.destination}
    if kind.destination:
        search |= {name: visit.value(name, search[name]) for name in ("origin", "destination")}
    if kind.until:
        stay = booking.arrives_at.date() - booking.departs_at.date()
        search["until"] = (visit.day("until") or day + max(stay, timedelta(days=1))).isoformat()
    return search


def _other_trips(visit: Visit, booking: Booking, search: dict[str, str]) -> list[Trip]:
    """The trips of the operator that are found, without the journey that the booking has."""
    found: TripList = visit.request(protocol.Search, kind=booking.kind, **search)
    this = (booking.bus_id, booking.travel_date, booking.from_stop, booking.to_stop)
    return [
        trip
        for trip in found.trips
        if trip.operator == booking.operator
        and (trip.bus_id, trip.travel_date, trip.from_stop, trip.to_stop) != this
    ]


# The amounts and the seats ---------------------------------------------------------------------


def _journey(visit: Visit) -> dict[str, Any]:
    """The fields of a request that say for which journey the booking is exchanged."""
    numbers = {name: visit.whole_number(name, 0) for name in ("bus_id", "from_stop", "to_stop")}
    return numbers | {"travel_date": visit.value("travel_date")}


def _terms(visit: Visit, booking: Booking) -> ExchangeTerms:
    """What the exchange costs with the chosen seats; in place of lost ones, the nearest. Raises Refusal."""
    chosen = visit.whole_numbers("seat")
    try:
        return _quote(visit, booking, chosen)
    except Refusal as refusal:
        if not chosen or refusal.reason not in seat_map.LOST:
            raise
        visit.refusal = visit.refusal or refusal
        lost = [number for number in refusal.data.get("seats", []) if number in chosen]
    kept = [number for number in chosen if number not in lost]
    seats = _seats(visit, _quote(visit, booking, []))
    instead = [*kept, *seat_map.nearest(seats, lost, kept)]
    return _quote(visit, booking, instead if len(instead) == len(chosen) else [])


def _quote(visit: Visit, booking: Booking, seats: list[int]) -> ExchangeTerms:
    terms: ExchangeTerms = visit.request(
        protocol.ExchangeQuote, **visit.opened(booking.reference), **_journey(visit), seats=seats
    )
    return terms


def _seats(visit: Visit, terms: ExchangeTerms) -> Seats:
    """The seats of the journey of a quote."""
    journey = terms.journey
    seats: Seats = visit.request(
        protocol.SeatMap,
        bus_id=journey.bus_id,
        travel_date=journey.travel_date,
        from_stop=journey.from_stop,
        to_stop=journey.to_stop,
    )
    return seats


def _own_seats(booking: Booking) -> list[int]:
    """The seats of the booking."""
    return [ticket.seat_no for ticket in open_tickets(booking) if ticket.seat_no is not None]


def _seat_map(visit: Visit, booking: Booking, terms: ExchangeTerms) -> SeatMapView:
    """The seats among which the traveller can choose others. On the same trip, these are the own ones too."""
    same = (terms.journey.bus_id, terms.journey.travel_date) == (booking.bus_id, booking.travel_date)
    own = _own_seats(booking) if same else []
    chosen = [ticket.seat_no for ticket in terms.tickets]
    choice = Choice(chosen, own, count=len(chosen))
    return seat_map.view(_seats(visit, terms), kinds.kind_of(booking.kind), visit.language, choice)


PAGES: Table = {"/bookings/{reference}/exchange": Page(show_exchange, exchange)}
