"""The dialogue of `exchange`: another date, destination, trip or class, under the same reference."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from busware.server.conversation import answers
from busware.server.conversation.bookings import open_booking
from busware.server.conversation.dates import EXAMPLES
from busware.server.conversation.dialogue import Ask, Call, Context, InvalidInput, Show, Steps, Tell, require
from busware.server.conversation.extras import ask_class
from busware.server.conversation.trips import (
    BookingDraft,
    Sale,
    ask_place,
    choose_trip,
    sale_of,
)
from busware.server.conversation.words import (
    day_of,
    exchange_amount,
    exchange_lines,
    exchanged_line,
    listed,
    moment,
    money,
    plural,
    service_of,
    venue_of,
    words_of,
)
from busware.server.protocol import Booking, Exchange, ExchangeQuote, Pay, Place, Refusal, Search, Trip

# After these refusals, the booking cannot be exchanged for any other trip either.
_BOOKING_REASONS = (
    "unknown_booking", "not_exchangeable", "checked_in", "not_held", "already_cancelled", "hold_expired",
    "not_an_agent",
)  # fmt: skip

_JOURNEY = ("bus_id", "travel_date", "from_stop", "to_stop")


def exchange(context: Context, typed: str) -> Steps[None]:
    """The command `exchange [REFERENCE [PHONE]]`: another trip for all booked tickets of a booking."""
    booking, phone = yield from open_booking(context, typed)
    yield Show(booking)
    if not any(ticket.status in ("booked", "displaced") for ticket in booking.tickets):
        yield Tell(f"Booking {booking.reference} has no booked ticket that can be exchanged.")
        return
    sale = yield from sale_of(context, words_of(booking.kind))
    yield Tell(f"You can exchange only for a trip of {booking.operator}.")
    opens = {"reference": booking.reference, "phone": phone}
    while True:
        try:
            wanted = yield from _ask_for_another(sale, booking)
            yield from _quote_and_exchange(booking, opens | wanted)
            return
        except (InvalidInput, Refusal) as error:
            if isinstance(error, Refusal) and error.reason in _BOOKING_REASONS:
                raise
            yield Tell(str(error), problem=True)


def _ask_for_another(sale: Sale, booking: Booking) -> Steps[dict[str, Any]]:
    """The fields of a request that say what the traveller wants instead. Raises InvalidInput, Refusal."""
    now = booking.boarding_date
    parse_day = answers.date_on_sale(sale.context.today(), sale.first, sale.last)
    ask_day = Ask(
        f"New date (Enter: {day_of(now, year=False)}, as now):",
        answers.with_default(parse_day, now), "date",
        f"The date on which you board, up to {day_of(sale.last)}. Such as {EXAMPLES}.",
        echo=lambda typed, day: "" if typed == day.isoformat() else f"{day_of(day)}.",
    )  # fmt: skip
    day = yield ask_day
    if sale.words.at_venue:
        trip = yield from _another_at_venue(sale, booking, day)
    else:
        origin = _place_named(sale, booking.origin)
        reached = yield from sale.reached_from(origin)
        prompt = f"New destination (Enter: {booking.destination}, as now):"
        ask_destination = sale.ask_destination(prompt, origin, reached, booking.destination)
        if sale.context.extended:
            offered = yield from sale.run_by(booking.operator, day, origin, reached)
            shown = ask_place(prompt, "destination", offered)
            ask_destination = replace(ask_destination, hint=shown.hint, choices=shown.choices)
        draft = BookingDraft(day, origin, (yield ask_destination), exchanged=booking)
        trip = yield from choose_trip(sale, draft, ask_day)
    classes, seat_class = trip.classes or [], ""
    if any(one.name for one in classes[1:]):
        seat_class = yield ask_class(classes, "as now")
    if not seat_class and all(getattr(trip, part) == getattr(booking, part) for part in _JOURNEY):
        other = f"Choose another date, place or {sale.words.service}."
        raise InvalidInput(f"The booking has this journey already. {other}")
    journey = {part: getattr(trip, part) for part in _JOURNEY}
    return {**journey, "seat_class": seat_class or None}


def _own_seats(booking: Booking) -> list[int]:
    exchanged = [ticket for ticket in booking.tickets if ticket.status in ("booked", "displaced")]
    seats = [ticket.seat_no for ticket in exchanged if ticket.seat_no is not None]
    return seats if len(seats) == len(exchanged) else []


def _another_at_venue(sale: Sale, booking: Booking, day: date) -> Steps[Trip]:
    """A performance on a date, or a stay from then on for the nights of the booking.

    Raises InvalidInput or Refusal.
    """
    venue = _place_named(sale, venue_of(booking))
    nights = (booking.arrives_at.date() - booking.departs_at.date()).days
    stays = booking.origin == booking.destination
    search = Search(
        origin=venue.code, destination=venue.code, date=day, kind=booking.kind,
        until=day + timedelta(days=nights) if stays else None,
    )  # fmt: skip
    found = yield from require(search)
    trips: dict[int, Trip] = {trip.bus_id: trip for trip in found.trips if trip.operator == booking.operator}
    if not trips:
        raise InvalidInput(f"No {sale.words.service} of {booking.operator} is on sale for {day_of(day)}.")
    if len(trips) == 1:
        return next(iter(trips.values()))
    options = {
        n: f"{moment(trip.departs_at)}, {service_of(trip)}, {money(trip.fare, trip.currency)}"
        for n, trip in trips.items()
    }
    for number, about in options.items():
        yield Tell(f"  {number}  {about}")
    noun, hint = sale.words.service, "The number at the start of a line."
    default = booking.bus_id if booking.bus_id in trips else next(iter(trips))
    ask = answers.ask_number(f"{noun.capitalize()} (Enter: {default}):", options, noun, "bus_id", hint)
    parse = answers.with_default(ask.parse, default)
    return trips[(yield replace(ask, parse=parse, enter=f"{options[default]}."))]


def _place_named(sale: Sale, name: str) -> Place:
    """The place of a booking. Raises InvalidInput if no service on sale calls at it."""
    place = answers.PlaceNames(sale.places).named(name)
    if place is None:
        raise InvalidInput(f"No {sale.words.service} on sale calls at {name}.")
    return place


def _quote_and_exchange(booking: Booking, wanted: dict[str, Any]) -> Steps[None]:
    """Show the quote, ask, and exchange; asks again if the amounts have changed. Raises Refusal."""
    while True:
        terms = yield from require(ExchangeQuote(**wanted))
        yield Tell("\n".join(exchange_lines(terms)))
        own = _own_seats(booking)
        if own and own != [ticket.seat_no for ticket in terms.tickets]:
            seats = f"{plural(words_of(booking.kind).seat, own)} {listed(own, 'and')}"
            yield Tell(f"The new seats replace {seats}. To choose others afterwards, type change.")
        hint = (
            f"no: the booking stays as it is. The amounts are valid until {moment(terms.valid_until)}. "
            "To choose other seats afterwards, type change."
        )
        if not (yield answers.ask_yes_no(f"Exchange, and {exchange_amount(terms)}?", hint)):
            yield Tell("Nothing was exchanged.")
            return
        if terms.payment:
            yield Show((yield from require(Pay(**wanted))))
            yield Tell("The booking is exchanged when the payment has arrived, if it costs the same then.")
            return
        exchanged: Booking | Refusal = yield Call(Exchange(**wanted, due=terms.due, refund=terms.refund))
        if isinstance(exchanged, Booking):
            yield Show(exchanged)
            yield Tell(exchanged_line(exchanged.exchange or terms))
            return
        if exchanged.reason != "other_amount":
            raise exchanged
        yield Tell("The amounts have changed.", problem=True)
