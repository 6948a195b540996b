"""The dialogue of `show`: how many seats, the seat map as 0 and 1, which seats, a ticket for each.

Programs rely on its lines (server/PROTOCOL.md). If more seats are wanted than are free, the server
ends a plain-text connection. If a chosen seat is taken, nothing is booked and the seat map is shown again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

from busware.server.conversation import answers, seating
from busware.server.conversation.dates import EXAMPLES
from busware.server.conversation.dialogue import (
    CHOOSE,
    Ask,
    Choice,
    Context,
    InvalidInput,
    Show,
    Steps,
    Tell,
    answered,
    require,
)
from busware.server.conversation.extras import NO_EXTRAS, ask_extras
from busware.server.conversation.reservation import (
    book_directly,
    fare_of_direct_booking,
    reference_advice,
)
from busware.server.conversation.seating import Wanted
from busware.server.conversation.trips import (
    BookingDraft,
    Sale,
    choose_from_list,
    choose_venue,
    read_seat_map,
    sale_of,
)
from busware.server.conversation.words import (
    SHOW,
    clock,
    day_of,
    listed,
    moment,
    money,
    numbered,
    quoted,
    ticket_number,
)
from busware.server.protocol import Booking, Place, Refusal, Search, Seats, Trip, TripList, fold_name

_BOOKS_AT_ONCE = (
    "A number above those that are free ends the connection. The seats are booked at once. The command "
    f"show {CHOOSE} lists the other performances, and shows the fare before it books."
)
_DAYS_AHEAD = 8  # searched for the next performance


def show(context: Context, typed: str) -> Steps[None]:
    """The command `show [choose] [HH:MM] [DATE]`: book seats for a performance.

    `choose` lists the performances, and shows the fare before it books, as an extended dialogue does. In an
    extended dialogue, any answer to the question for the performance may follow the command.
    """
    first, _, rest = typed.partition(" ")
    if first.lower() == CHOOSE:
        context, typed = replace(context, extended=True), rest
    time, day, typed_performance = None, None, typed
    try:
        time, day = _parse_time_and_date(typed, context.today())
        typed_performance = ""
    except InvalidInput:
        if not context.extended:
            raise
    sale = yield from sale_of(context, SHOW)
    venue = yield from choose_venue(sale)
    if time is None and day is not None and (time_or_date := answers.time_of_day(typed)):
        time, day = yield from _time_or_date(sale, venue, time_or_date, day)
    trip = yield from _performance(sale, venue, time, day, typed_performance)
    booked = False
    while not booked:
        fare = money(trip.fare, trip.currency)
        about = f"{trip.name}, {moment(trip.departs_at)}, {trip.seats_free} free, {fare} each"
        parse, brackets = seating.count("seat"), about
        if context.extended:
            yield Tell(f"{about}.")
            parse = answers.with_default(_count_up_to(trip.seats_free), 1)
            brackets = "Enter: 1"
        count = yield Ask(
            f"How many seats? ({brackets})", parse, "count",
            "The number of people. The next question is which seats."
            + ("" if context.extended else f" {_BOOKS_AT_ONCE}"),
            enter="1 seat.", again=str if context.extended else None,
        )  # fmt: skip
        booked = yield from _book_seats(context, venue, trip, count)


def _parse_time_and_date(typed: str, today: date) -> tuple[str | None, date | None]:
    """The time and the date typed after the command, in any order."""
    first, _, after = typed.partition(" ")
    before, _, last = typed.rpartition(" ")
    day, time = after, answers.time_or_date(first, today)
    if time is None:
        day, time = before, answers.time_or_date(last, today)
    if time is None:
        day = typed
    try:
        return time, answers.any_date(today)(day) if day else None
    except InvalidInput:
        raise InvalidInput(
            f"{quoted(day)} is not a time such as 18:30, or a date such as 2026-12-05."
        ) from None


def _time_or_date(sale: Sale, venue: Place, time: str, day: date) -> Steps[tuple[str | None, date | None]]:
    """What 5.12 means: a time at which a performance begins, or a date. Raises InvalidInput if both."""
    try:
        yield from _performances(sale, venue, time, None)
    except InvalidInput:
        return None, day
    if sale.first <= day <= sale.last:
        raise InvalidInput(f"Type {time} for the time, or {day.day} {day:%b} for the date.")
    return time, None


def _performance(sale: Sale, venue: Place, time: str | None, day: date | None, typed: str) -> Steps[Trip]:
    """The next performance at this time, on this date. None: at any time, on any date.

    If no time is given, an extended dialogue shows the performances of the date, and asks. typed: the answer,
    if it followed the command.
    """
    trips = yield from _performances(sale, venue, time, day)

    while sale.context.extended and time is None:
        shown = [trip for simultaneous in trips.values() for trip in simultaneous]
        yield Show(TripList(trips=shown))
        default = clock(next((trip for trip in shown if trip.seats_free), shown[0]).departs_at)
        by_number = {"": default, **{str(n): begins for n, begins in enumerate(trips, 1)}}
        ask = Ask(
            f"Performance (its number, time or title; Enter: {default}), or another date:",
            partial(_parse_performance, by_number, shown, sale.context.today()), "performance",
            "Its number in the list or in the table, the time at which it begins, or its title. "
            f"Or a date such as {EXAMPLES}.",
            tuple(
                Choice(begins, "; ".join(map(_describe, simultaneous)))
                for begins, simultaneous in trips.items()
            ),
            numbered=True, enter=f"The performance at {default}.",
        )  # fmt: skip
        answer: Trip | tuple[str | None, date | None] = yield from answered(ask, typed)
        if isinstance(answer, Trip):
            return answer
        typed = ""
        time, other_day = answer
        try:
            day = other_day or shown[0].departs_at.date()
            trips = yield from _performances(sale, venue, time, day)
        except (InvalidInput, Refusal) as error:
            yield Tell(str(error), problem=True)
            time = None
    simultaneous = {trip.bus_id: trip for trip in trips[time or next(iter(trips))]}
    if len(simultaneous) == 1:
        return next(iter(simultaneous.values()))
    options = {bus_id: _describe(trip) for bus_id, trip in simultaneous.items()}
    return simultaneous[(yield from choose_from_list("Performance id:", options, "performance", "bus_id"))]


def _describe(trip: Trip) -> str:
    return f"{trip.name}, {money(trip.fare, trip.currency)}, {trip.seats_free} free"


def _parse_performance(
    by_number: Mapping[str, str], shown: Sequence[Trip], today: date, typed: str
) -> Trip | tuple[str | None, date | None]:
    """The performance shown with this number or title, or the time and the date typed.

    by_number: the times by their number in the list.
    """
    if (time := answers.time_of_day(typed)) in by_number.values():
        return time, None
    try:
        return _parse_time_and_date(by_number.get(typed, typed), today)
    except InvalidInput:
        number, title = answers.without_noun(typed, SHOW.service), fold_name(typed)
        meant = [t for t in shown if str(t.bus_id) == number or _has_word(t.name, title)]
        if not meant or not title:
            if typed.isdigit():
                numbers = listed(dict.fromkeys(trip.bus_id for trip in shown), "or")
                problem = f"There is no performance {typed}. Type {numbers}, or a time such as 18:30."
                raise InvalidInput(problem) from None
            if any(character.isdigit() for character in typed):
                raise
            raise InvalidInput(f"No performance in the list is called {quoted(typed)}.") from None
        if len(meant) > 1:
            named = listed((f"{trip.bus_id} {trip.name} {clock(trip.departs_at)}" for trip in meant), "or")
            raise InvalidInput(f"{quoted(typed)} may be {named}. Type the number.") from None
        return meant[0]


def _has_word(name: str, typed: str) -> bool:
    """Whether a part of a name that begins at a word begins with a folded text: clay of The Clay Cart."""
    words = name.split()
    return any(fold_name(" ".join(words[n:])).startswith(typed) for n in range(len(words)))


def _performances(
    sale: Sale, venue: Place, time: str | None, day: date | None
) -> Steps[dict[str, list[Trip]]]:
    """The performances of a date, by time. No date: the next date with a performance at the time."""
    next_days = [sale.first + timedelta(days=n) for n in range(_DAYS_AHEAD)]
    other_times: set[str] = set()
    for candidate in [day] if day else [d for d in next_days if d <= sale.last]:
        found = yield from require(
            Search(origin=venue.code, destination=venue.code, date=candidate, kind=SHOW.kind)
        )
        trips: dict[str, list[Trip]] = {}
        for trip in found.trips:
            trips.setdefault(clock(trip.departs_at), []).append(trip)
        if time in trips or (trips and time is None):
            return trips
        other_times |= set(trips)
    on = f" on {day_of(day)}" if day else ""
    if other_times:
        times = listed(sorted(other_times), "and")
        raise InvalidInput(f"No performance begins at {time}{on}. Others: {times}.")
    raise InvalidInput(f"No performance is on sale{on}.")


def _book_seats(context: Context, venue: Place, trip: Trip, count: int) -> Steps[bool]:
    """Show the seat map, ask for seats and book them, until it succeeds or too few seats are free.

    Returns False if the traveller can ask for fewer seats.
    """
    while True:
        seat_map = yield from read_seat_map(trip)
        free = len(seat_map.free)
        if count > free:
            yield Tell(_too_few(free, count), problem=True, last=not context.extended)
            return not free
        yield Show(
            seat_map, brief="" if context.extended else f"{_draw_bits(seat_map)}\n0 is free, 1 is not."
        )
        which = f"Seat numbers, {count} of them" if count > 1 else "Seat number"
        parse, any_seats = seating.exact_seats(count, seat_map, "seat"), ""
        if context.extended:
            parse, any_seats = answers.with_default(parse, ()), f" (Enter: the server chooses {count})"
        seats = yield Ask(
            f"{which}, from 1 to {len(seat_map.seats)}{any_seats}:", parse, "seats",
            "Seats are numbered row by row from the stage, and from the left in each row. "
            f"Or type best {count}: the server chooses.",
        )  # fmt: skip
        draft = BookingDraft(trip.departs_at.date(), venue, venue)
        if context.extended:
            draft.extras = yield from ask_extras(seat_map, Wanted(count, seats), NO_EXTRAS)
        outcome = yield from book_directly(context, SHOW, draft, trip, Wanted(count, seats))
        if isinstance(outcome, Booking):
            tickets = [f"Ticket {ticket_number(outcome, ticket)} reserved" for ticket in outcome.tickets]
            chosen = [] if seats else [f"{numbered('seat', _seats_of(outcome))} yours."]
            brief = "\n".join([*tickets, f"Reference {outcome.reference}.", *chosen])
            yield Show(outcome, brief="" if context.extended else brief)
            yield from fare_of_direct_booking(context, outcome)
            yield Tell(reference_advice(outcome, None))
            return True
        if outcome is None:  # the traveller declined
            continue
        if draft.extras.without_refused(outcome) is not None:
            yield Tell(outcome.message, problem=True)
            continue
        if outcome.reason != "seat_taken":
            raise outcome
        taken = numbered("seat", outcome.data.get("seats") or list(seats))
        yield Tell(f"Warning: {taken} taken. Nothing is booked.", problem=True)


def _count_up_to(free: int) -> Callable[[str], int]:
    """A parser of a number of seats, at most those that are free. If none is free, any number."""
    parse_count = seating.count("seat")

    def parse(typed: str) -> int:
        count = parse_count(typed)
        if 0 < free < count:
            raise InvalidInput(_too_few(free, count))
        return count

    return parse


def _too_few(free: int, count: int) -> str:
    return f"Only {free} {'seat is' if free == 1 else 'seats are'} free: {count} cannot be booked."


def _seats_of(booking: Booking) -> list[int]:
    return [ticket.seat_no for ticket in booking.tickets if ticket.seat_no is not None]


def _draw_bits(seat_map: Seats) -> str:
    """The seat map row by row: 0 is a free seat, 1 a seat that is held or taken."""
    rows: dict[tuple[str, int], list[str]] = {}
    for seat in seat_map.seats:
        rows.setdefault((seat.deck, seat.row), []).append("0" if seat.state == "free" else "1")
    return "\n".join(" ".join(row) for row in rows.values())
