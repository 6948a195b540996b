"""The dialogue of `hotel`: the nights, the rooms, and then the same steps as a reservation.

A hotel is a trip whose legs are its nights. A stay is a segment of it, from the stop of the check-in date to
the stop of the check-out date.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta

from busware.server.conversation import answers
from busware.server.conversation.dates import leading_date
from busware.server.conversation.dialogue import Ask, Context, InvalidInput, Steps, Tell, answered, require
from busware.server.conversation.reservation import book
from busware.server.conversation.seating import with_figures
from busware.server.conversation.trips import BookingDraft, choose_from_list, choose_venue, sale_of
from busware.server.conversation.words import HOTEL, day_of, money, quoted, service_of
from busware.server.protocol import Refusal, Search

MAX_NIGHTS = 60
_NIGHTS = re.compile(r"(\d{1,3})(?:\s*nights?)?", re.ASCII)


def stay(context: Context, typed: str) -> Steps[None]:
    """The command `hotel [DATE [NIGHTS]]`: find rooms for some nights, choose, hold and confirm them."""
    today = context.today()
    typed_day, typed_nights = leading_date(typed, today)
    if not typed_day and not _NIGHTS.fullmatch(typed_nights):
        typed_day, typed_nights = typed_nights, ""
    sale = yield from sale_of(context, HOTEL)
    venue = yield from choose_venue(sale)
    ask_check_in = sale.ask_day("Check-in date", "The date of the first night")
    while True:
        check_in = yield from answered(ask_check_in, typed_day)
        parse, example = _check_out(check_in, today), "such as 2"
        if context.extended:
            parse, example = answers.with_default(parse, check_in + timedelta(days=1)), "Enter: 1"
        ask_check_out = Ask(
            f"Check-out date, or how many nights ({example}):",
            parse,
            "until",
            "The date on which you leave, or the number of nights.",
            enter=f"1 night, until {day_of(check_in + timedelta(days=1))}.",
            again=day_of if context.extended else None,
        )
        check_out = yield from answered(ask_check_out, typed_nights)
        typed_day = typed_nights = ""
        search = Search(
            origin=venue.code, destination=venue.code, date=check_in, until=check_out, kind=HOTEL.kind
        )
        try:
            found = yield from require(search)
            hotels = {trip.bus_id: trip for trip in found.trips}
            if not hotels:
                raise InvalidInput(f"No room is on sale from {day_of(check_in)} to {day_of(check_out)}.")
            hotel_id = next(iter(hotels))
            if len(hotels) > 1:
                options = {
                    n: f"{service_of(hotel)}, {money(hotel.fare, hotel.currency)}, {hotel.seats_free} free"
                    for n, hotel in hotels.items()
                }
                hotel_id = yield from choose_from_list("Hotel id:", options, HOTEL.service, "bus_id")
            hotel, nights = hotels[hotel_id], (check_out - check_in).days
            stay = f"{nights} night{'s' if nights > 1 else ''}, {day_of(check_in)} to {day_of(check_out)}"
            yield Tell(f"{stay}: {money(hotel.fare, hotel.currency)} for each room.")
            yield from book(context, HOTEL, BookingDraft(check_in, venue, venue), hotel)
            return
        except (Refusal, InvalidInput) as error:
            yield Tell(str(error), problem=True)


def _check_out(check_in: date, today: date) -> Callable[[str], date]:
    """A parser of the check-out: a date after the check-in, or a number of nights."""
    last = check_in + timedelta(days=MAX_NIGHTS)
    find_date = answers.finds_date_on_sale(today, date.min, date.max)

    def parse(typed: str) -> date:
        if found := _NIGHTS.fullmatch(with_figures(typed)):
            nights = int(found[1])
            if not 1 <= nights <= MAX_NIGHTS:
                limit = f"at most {MAX_NIGHTS} nights" if nights else "at least 1 night"
                raise InvalidInput(f"Stay {limit}.")
            return check_in + timedelta(days=nights)
        check_out = find_date(typed)
        if check_out is None:
            raise InvalidInput(f"{quoted(typed)} is not a date such as 5 dec, or a number of nights.")
        if not check_in < check_out <= last:
            raise InvalidInput(
                f"You leave after {day_of(check_in)}, and by {day_of(last)}: not {day_of(check_out)}."
            )
        return check_out

    return parse
