"""The dialogues about a booking: show it, cancel it, change a seat or a name, alight, find a lost one.

A booking is opened by its reference and phone number. They may follow the command; else the dialogue asks. It
offers the booking that was made or opened last. It does not ask for the phone number of a booking that was
made or opened over the same connection.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Sized
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from busware.server.conversation import answers, payments, seating
from busware.server.conversation.dates import EXAMPLES, leading_date
from busware.server.conversation.dialogue import (
    Ask,
    Call,
    Choice,
    Context,
    InvalidInput,
    Show,
    Steps,
    Tell,
    answered,
    require,
)
from busware.server.conversation.trips import ask_place, read_seat_map
from busware.server.conversation.words import (
    BUS,
    PHONE_EXAMPLES,
    SHOW,
    abridged,
    cancelled_line,
    counted,
    day_of,
    ended_line,
    listed,
    moment,
    money,
    name_line,
    numbered,
    offer_advice,
    plural,
    quoted,
    seat_line,
    summary,
    words_of,
)
from busware.server.protocol import (
    OPEN,
    Alight,
    AlightingStop,
    AlightQuote,
    Booking,
    Cancel,
    CancelQuote,
    ChangeSeat,
    Find,
    GetBooking,
    Place,
    Places,
    Refusal,
    Ticket,
    Transfer,
    fold_name,
)

T = TypeVar("T")

_MAX_ENDS_LISTED = 6  # stops or days in the message about another one
_MAX_WORDS = 6  # of a date or a phone number
_MAX_WORDS_OF_FIND = 30  # those after them belong to the place
_MAX_SHOWN = 10  # bookings; if `find` finds more, it shows the first ones
_NOT_FOUND = (
    "No open booking has that phone number, date and boarding place.\n"
    "A booking without a phone number cannot be found: only its reference opens it."
)


def status(context: Context, typed: str) -> Steps[None]:
    """The command `status [REFERENCE [PHONE]]`: show a booking."""
    booking, _ = yield from open_booking(context, typed)
    yield Show(booking)
    if advice := offer_advice(booking):
        yield Tell(advice)


def payment(context: Context, typed: str) -> Steps[None]:
    """The command `pay [REFERENCE [PHONE]]`: how to pay a hold; the ticket, if it is paid."""
    booking, phone = yield from open_booking(context, typed)
    yield from payments.pay_opened(booking, phone)


def cancellation(context: Context, typed: str) -> Steps[None]:
    """The command `cancel [REFERENCE [PHONE]]`: cancel tickets, after the traveller has seen the refund."""
    booking, phone = yield from open_booking(context, typed)
    yield Show(booking)
    open_tickets = [ticket for ticket in booking.tickets if ticket.status in OPEN]
    if not open_tickets:
        yield Tell(f"Booking {booking.reference} is already {booking.status}. There is nothing to cancel.")
        return
    chosen = yield from _choose_tickets(booking, open_tickets)
    request = _tickets_request(booking, phone, chosen, open_tickets)
    named = _named_tickets(booking, chosen, open_tickets)
    paid = any(ticket.status in ("booked", "displaced") for ticket in chosen)
    quote, confirmed = (yield from require(CancelQuote(**request))), None
    while quote.refund != confirmed:
        if confirmed is not None:
            yield Tell(f"The refund has changed: it was {money(confirmed, quote.currency)}.", problem=True)
        if paid:
            yield Show(quote)
        end = _refund_question(quote.refund, chosen, booking) if paid else "? You have not paid yet."
        hint = f"You can cancel until {moment(quote.valid_until)}."
        if not (yield answers.ask_yes_no(f"Cancel {named}{end}", hint)):
            yield Tell("Nothing was cancelled.")
            return
        confirmed, quote = quote.refund, (yield from require(CancelQuote(**request)))
    before = yield from require(GetBooking(reference=booking.reference, phone=phone))
    cancelled = yield from require(Cancel(**request))
    yield Show(cancelled)
    yield Tell(cancelled_line(before, cancelled))


def alighting(context: Context, typed: str) -> Steps[None]:
    """The command `alight [REFERENCE [PHONE]]`: end tickets at an earlier stop."""
    booking, phone = yield from open_booking(context, typed)
    yield Show(booking)
    booked = [ticket for ticket in booking.tickets if ticket.status == "booked"]
    if words_of(booking.kind) == SHOW:
        yield Tell("Tickets for a performance cannot end earlier.")
        return
    if not booked:
        yield Tell(f"Booking {booking.reference} has no booked ticket that can end earlier.")
        return
    chosen = yield from _choose_tickets(booking, booked)
    request = _tickets_request(booking, phone, chosen, booked)
    stops = (yield from require(AlightQuote(**request))).stops
    if not stops:
        first_end = min(chosen, key=lambda ticket: ticket.to_stop or booking.to_stop)
        end = first_end.destination or booking.destination
        yield Tell(f"There is no stop before {end} at which you can still get off.")
        return
    stay = all(stop.place == booking.origin for stop in stops)  # such as at a hotel
    noun, name = ("day", "date") if stay else ("stop", "name")
    ends = {_end_of_ticket(stop, stops, stay=stay): stop for stop in stops}
    places = [] if stay else (yield from require(Places(kind=booking.kind))).places
    for n, stop in enumerate(stops, 1):
        place = "" if stay else stop.place
        refund = f"refund {money(stop.refund, booking.currency)}" if float(stop.refund) else ""
        yield Tell(f"  {n}  {', '.join(filter(None, (place, moment(stop.arrives_at), refund)))}")
    end = yield Ask(
        f"{'When do you leave' if stay else 'Where do you get off'}? {_numbers_of(stops)}",
        _end_by_number_or_name(ends, noun, places, context.today(), _last_ends(booking, chosen)), "stop",
        f"The number of the {noun}, or its {name}.", answers.choices(*ends),
    )  # fmt: skip
    stop = ends[end]
    numbers = [ticket.ticket_no for ticket in chosen]
    where = f"{'on' if stay else 'at'} {end}"
    tickets = f"{plural('ticket', numbers)} {listed(numbers, 'and')}"
    question = f"End {tickets} {where}" if len(booked) > 1 else f"{'Leave' if stay else 'Get off'} {where}"
    hint = "yes: the rest of the journey is for sale again. no: nothing changes."
    if not (yield answers.ask_yes_no(question + _refund_question(stop.refund, chosen, booking), hint)):
        yield Tell("Nothing was changed.")
        return
    ended = yield from require(Alight(**request, at=stop.stop_no))
    yield Show(ended)
    yield Tell(ended_line(chosen, where, booking, ended, there="then" if stay else "there"))


def change(context: Context, typed: str) -> Steps[None]:
    """The command `change [REFERENCE [PHONE]]`: move a ticket to another seat."""
    booking, phone = yield from open_booking(context, typed)
    noun = words_of(booking.kind).seat
    yield Show(booking)
    seats = {t.ticket_no: t.seat_no for t in booking.tickets if t.status in OPEN and t.seat_no is not None}
    ends = {t.ticket_no: t.to_stop for t in booking.tickets}
    if not seats:
        yield Tell(f"Booking {booking.reference} has no {noun} that can be changed.")
        return
    ticket_no = yield from _choose_ticket(booking, [t for t in booking.tickets if t.ticket_no in seats])
    own = tuple(seats.values())
    changed: Booking | Refusal | None = None
    while not isinstance(changed, Booking):
        seat_map = yield from read_seat_map(booking, ends[ticket_no])
        yield Show(seat_map, own)
        if not seat_map.free:
            yield Tell(f"No other {noun} is free.")
            return
        wanted = yield Ask(
            f"Which {noun} instead of {noun} {seats[ticket_no]}?", seating.another_seat(seat_map, noun, own),
            "seat", f"The number of a free {noun}.", answers.choices(*seat_map.free),
        )  # fmt: skip
        changed = yield Call(
            ChangeSeat(reference=booking.reference, phone=phone, ticket_no=ticket_no, seat_no=wanted)
        )
        if isinstance(changed, Refusal):
            if changed.reason != "seat_taken":
                raise changed
            yield Tell(changed.message, problem=True)
    yield Show(changed)
    yield Tell(seat_line(changed, ticket_no))


def transfer(context: Context, typed: str) -> Steps[None]:
    """The command `transfer [REFERENCE [PHONE]]`: give a ticket to another name."""
    booking, phone = yield from open_booking(context, typed)
    yield Show(booking)
    seated = [t for t in booking.tickets if t.status in ("held", "booked", "pending")]
    if not seated:
        yield Tell(f"Booking {booking.reference} has no ticket that can get another name.")
        return
    ticket_no = yield from _choose_ticket(booking, seated)
    name = yield Ask(
        f"New name for ticket {ticket_no}:", answers.some_name, "name",
        f"The {words_of(booking.kind).passenger} who uses the ticket. The phone number does not change.",
    )  # fmt: skip
    request = Transfer(reference=booking.reference, phone=phone, ticket_no=ticket_no, name=name)
    while isinstance(changed := (yield Call(request)), Refusal):
        concessions = changed.data.get("concessions")
        if changed.reason == "reserved_seat" and request.gender is None:
            seats = numbered(words_of(booking.kind).seat, changed.data["seats"])
            question, entitled = f"{seats} for women. Is {name} a woman?", {"gender": "female"}
        elif changed.reason == "unknown_concession" and concessions and request.concession is None:
            (concession,) = concessions
            question = f"The fare has the concession {concession}. Does {name} have it too?"
            entitled = {"concession": concession}
        else:
            raise changed
        if not (yield answers.ask_yes_no(question, "no: the ticket keeps its name.", "entitled")):
            yield Tell("Nothing was changed.")
            return
        request = msgspec.structs.replace(request, **entitled)
    yield Show(changed)
    yield Tell(name_line(ticket_no, name))


def find(context: Context, typed: str) -> Steps[None]:
    """The command `find [DATE PLACE [PHONE]]`, in any order: the bookings with this phone number."""
    places = (yield from require(Places())).places
    typed_phone, typed_day, typed_place = _parts_of_find(typed, context.today())
    known_phone = context.last_phone
    again = str if context.extended else None
    ask_phone = Ask(
        f"Phone number of the booking{f' (Enter: {known_phone})' if known_phone else ''}:",
        answers.with_default(answers.phone, known_phone) if known_phone else answers.phone, "phone",
        "A booking without a phone number cannot be found: only its reference opens it.", again=again,
    )  # fmt: skip
    ask_day = Ask(
        f"Date of journey ({'such as ' if context.extended else ''}{EXAMPLES}):",
        answers.any_date(context.today()), "date", "The date on which the passengers board.",
        again=day_of if context.extended else None,
    )  # fmt: skip
    source = "From" if context.extended else BUS.source
    ask_source = replace(
        ask_place(f"{source} (where you board):", "origin", places), parse=_boarding_place(places),
        again=again,
    )  # fmt: skip
    questions = [(ask_phone, typed_phone), (ask_day, typed_day), (ask_source, typed_place)]
    if context.extended:  # in the order of the help
        questions = [*questions[1:], questions[0]]
    parts: dict[str, Any] = {}
    for question, part in sorted(questions, key=lambda pair: not pair[1]):  # explain first what was typed
        parts[question.field] = yield from answered(question, part)
    phone, day, place = parts["phone"], parts["date"], parts["origin"]
    while True:
        found = yield Call(Find(phone=phone, date=day, place=place))
        if isinstance(found, Refusal):
            if found.data.get("field") != "phone":
                raise found
            yield Tell(found.message, problem=True)
            phone = yield ask_phone
        elif found.references:
            break
        else:
            problem = _NOT_FOUND
            if not context.extended:
                raise InvalidInput(problem)
            yield Tell(problem, problem=True)
            place = yield replace(ask_source, again=None)  # no booking has this place
    lines: list[str] = []
    shown = found.references[:_MAX_SHOWN]
    for reference in reversed(shown):  # the first one is opened last, so that it is offered next
        booking = yield Call(GetBooking(reference=reference, phone=phone))
        lines.append(booking.message if isinstance(booking, Refusal) else _found_line(booking))
    for line in reversed(lines):
        yield Tell(line)
    yield Tell(f"To see the booking, type: status {found.references[0]} {phone}")


def _found_line(booking: Booking) -> str:
    """A line about a booking that was found; one that is not paid yet says so."""
    unpaid = {"held": " Held, not booked yet.", "pending": " On the waitlist."}
    return f"Reference {summary(booking)}{unpaid.get(booking.status, '')}"


def _boarding_place(places: Sequence[Place]) -> Callable[[str], str]:
    """A parser of the place of `find`: its code. The beginning of several names stands for all of them."""
    parse_place = answers.place(places)

    def parse(typed: str) -> str:
        try:
            return parse_place(typed).code
        except answers.AmbiguousPlace:
            return typed

    return parse


def _parts_of_find(typed: str, today: date) -> tuple[str, str, str]:
    """The phone number, the date and the place in the text after `find`, in any order; "" for a missing part.

    2026-12-05 looks like a phone number too, and the +91 of a phone number is the date in 91 days.
    """

    def first_date(words: Sequence[str]) -> list[str]:
        return leading_date(" ".join(words), today)[0].split()

    def first_phone(words: Sequence[str]) -> list[str]:
        ends = (n for n in range(1, len(words[:_MAX_WORDS])) if first_date(words[n:]))
        return _longest(words[: next(ends, len(words))], _is_phone)

    phone: list[str] = []
    day: list[str] = []
    place: list[str] = []
    words = typed.split()
    words, rest = words[:_MAX_WORDS_OF_FIND], words[_MAX_WORDS_OF_FIND:]
    while words:
        if not phone and words[0].startswith("+") and (phone := first_phone(words)):
            words = words[len(phone) :]
        elif not day and (day := first_date(words)):
            words = words[len(day) :]
        elif not phone and (phone := first_phone(words)):
            words = words[len(phone) :]
        else:
            place.append(words.pop(0))
    return " ".join(phone), " ".join(day), " ".join([*place, *rest])


def _is_phone(text: str) -> bool:
    try:
        answers.phone(text)
    except InvalidInput:
        return False
    return True


def _longest(words: Sequence[str], matches: Callable[[str], bool]) -> list[str]:
    """The longest beginning that matches; empty if there is none."""
    lengths = range(min(len(words), _MAX_WORDS), 0, -1)
    return next(([*words[:n]] for n in lengths if matches(" ".join(words[:n]))), [])


def open_booking(context: Context, typed: str) -> Steps[tuple[Booking, str | None]]:
    """The booking that a reference and a phone number open, and that phone number.

    typed: the text after the command: both, a reference, or nothing. A reference that follows the command
    without a phone number is tried first, because it opens a booking that has no phone number, and a booking
    of the caller's account.
    """
    typed_reference, _, typed_phone = typed.partition(" ")
    ask_phone = Ask(
        "Phone number of the booking (Enter: it was booked without one):", answers.optional_phone, "phone",
        f"The number that was given when it was booked, such as {PHONE_EXAMPLES}.",
        again=(lambda phone: phone or "none") if context.extended else None,
    )  # fmt: skip
    reference, also = yield from answered(_ask_reference(context.opened.last), typed_reference)
    typed_phone = typed_phone or also
    known = GetBooking(reference=reference) if typed_reference else None
    while True:
        known = context.opened.request(reference) or known
        if known is not None and not typed_phone:
            booking = yield Call(known)
            if isinstance(booking, Booking):
                return booking, known.phone
        phone = yield from answered(ask_phone, typed_phone)
        while isinstance(booking := (yield Call(GetBooking(reference=reference, phone=phone))), Refusal):
            yield Tell(booking.message, problem=True)
            if booking.data.get("field") != "phone":
                break
            phone = yield ask_phone
        else:
            return booking, phone
        # Enter keeps it: the phone number may be wrong
        reference, typed_phone = yield _ask_reference(reference)
        known = None


def _ask_reference(default: str) -> Ask:
    """The question for a reference, and maybe a phone number, "" without one.

    default: the reference that Enter stands for, if there is one.
    """
    return Ask(
        f"Reference of the booking (Enter: {default}):" if default else "Reference of the booking:",
        lambda typed: _reference_and_phone(typed or default), "reference",
        "The reference is on the ticket. If you lost it, type quit, and then find.",
    )  # fmt: skip


def _reference_and_phone(typed: str) -> tuple[str, str]:
    first, _, rest = typed.partition(" ")
    return (answers.reference(first), rest) if _is_phone(rest) else (answers.reference(typed), "")


def _choose_tickets(booking: Booking, tickets: Sequence[Ticket]) -> Steps[list[Ticket]]:
    """Some of the tickets; asks if there are several."""
    numbers = [ticket.ticket_no for ticket in tickets]
    if len(numbers) > 1:
        options = _described(tickets, words_of(booking.kind).seat)
        numbers = yield Ask(
            "Which tickets? (numbers, or Enter for all)",
            _by_seat_or_name(booking, answers.some_of(numbers, "ticket")), "tickets",
            "The booking keeps its other tickets.",
            (Choice("all"), *(Choice(str(number), text) for number, text in options.items())),
        )  # fmt: skip
    return [ticket for ticket in tickets if ticket.ticket_no in numbers]


def _choose_ticket(booking: Booking, tickets: Sequence[Ticket]) -> Steps[int]:
    """The number of one of the tickets; asks if there are several."""
    if len(tickets) == 1:
        return tickets[0].ticket_no
    options = _described(tickets, words_of(booking.kind).seat)
    hint = "The number of the ticket in the booking above, or its seat, such as seat 7."
    ask = answers.ask_number("Which ticket?", options, "ticket", "tickets", hint)
    number: int = yield replace(ask, parse=_by_seat_or_name(booking, ask.parse))
    return number


def _by_seat_or_name(booking: Booking, parse: Callable[[str], T]) -> Callable[[str], T]:
    """The same parser of ticket numbers; a seat, such as "seat 7", or a name stands for the ticket's number.

    The message about a ticket that is cancelled or has expired says so.
    """
    ended = [ticket for ticket in booking.tickets if ticket.status not in OPEN]
    texts: list[tuple[str, int]] = []
    for ticket in booking.tickets:
        seat = f"{words_of(booking.kind).seat} {ticket.seat_no}"
        described = (seat, ticket.name or seat, f"{seat} {ticket.name}")
        texts += [(text, ticket.ticket_no) for text in {fold_name(text) for text in described}]

    def parse_open(typed: str) -> T:
        found = [number for text, number in texts if text == fold_name(typed)]
        numbers = str(found[0]) if len(found) == 1 else typed
        try:
            return parse(numbers)
        except InvalidInput:
            for ticket in ended:
                if re.search(rf"\b{ticket.ticket_no}\b", numbers):
                    raise InvalidInput(f"Ticket {ticket.ticket_no} is {ticket.status} already.") from None
            raise

    return parse_open


def _tickets_request(
    booking: Booking, phone: str | None, chosen: Sequence[Ticket], of: Sequence[Ticket]
) -> dict[str, Any]:
    """The fields of a request about tickets; none if it is about all tickets."""
    fields: dict[str, Any] = {"reference": booking.reference, "phone": phone}
    return fields if len(chosen) == len(of) else fields | {"tickets": [t.ticket_no for t in chosen]}


def _named_tickets(booking: Booking, chosen: Sequence[Ticket], of: Sequence[Ticket]) -> str:
    """Tickets with their seats: "ticket 2 (seat 8)". If they are all of several, how many."""
    if 1 < len(chosen) == len(of):
        return counted(len(chosen), "ticket")
    numbers = [ticket.ticket_no for ticket in chosen]
    seats = [ticket.seat_no for ticket in chosen if ticket.seat_no is not None]
    named = f"{plural('ticket', numbers)} {listed(numbers, 'and')}"
    if not seats:  # the booking waits for seats
        return named
    return f"{named} ({plural(words_of(booking.kind).seat, seats)} {listed(seats, 'and')})"


def _refund_question(refund: str, tickets: Iterable[Ticket], booking: Booking) -> str:
    """The end of a question: the refund, and the part of the fares that was not refunded before."""
    paid = sum(
        (Decimal(t.fare) - Decimal(t.refund) for t in tickets if t.status in ("booked", "displaced")),
        Decimal(),
    )
    if not float(refund):
        return "? Nothing is refunded."
    return f", and get {money(refund, booking.currency)} of {money(paid, booking.currency)} back?"


def _end_of_ticket(stop: AlightingStop, stops: Sequence[AlightingStop], *, stay: bool) -> str:
    """What tells a stop from the others: its place; the date, if all are at one place; else both."""
    if stay:
        return day_of(stop.arrives_at.date())
    same_place = [other for other in stops if other.place == stop.place]
    return stop.place if len(same_place) == 1 else f"{stop.place}, {moment(stop.arrives_at)}"


def _end_by_number_or_name(
    ends: Mapping[str, AlightingStop], noun: str, places: Sequence[Place], today: date, last: Collection[str]
) -> Callable[[str], str]:
    """A parser of one of these ends, by its number, name or date.

    noun: the word for an end. places: those of this kind of service, with their aliases. last: where the
    tickets end now.
    """
    parse_end = answers.one_of({end: end for end in ends}, {str(n): end for n, end in enumerate(ends, 1)})
    by_day = {stop.arrives_at.date(): end for end, stop in ends.items()}
    by_place = {end: end for end, stop in ends.items() if end == stop.place}
    names = answers.PlaceNames([place for place in places if place.name in {*by_place, *last}])

    def parse(typed: str) -> str:
        with suppress(InvalidInput):
            return parse_end(answers.without_noun(typed, noun))
        if found := names.named(typed) or names.beginning_with(typed):
            if found.name not in by_place:
                raise InvalidInput(f"Your ticket ends at {found.name} anyway. Type an earlier {noun}.")
            return by_place[found.name]
        with suppress(InvalidInput, KeyError):
            if len(by_day) == len(ends):
                return by_day[answers.any_date(today)(typed)]
        possible = listed(abridged([*ends], _MAX_ENDS_LISTED), "or")
        raise InvalidInput(f"{quoted(typed)} is not one of the {noun}s. Type a number, or {possible}.")

    return parse


def _last_ends(booking: Booking, tickets: Iterable[Ticket]) -> set[str]:
    """The places at which tickets end."""
    return {ticket.destination or booking.destination for ticket in tickets}


def _numbers_of(items: Sized) -> str:
    """The numbers of a list in a question: "(1)", "(1 to 3)"."""
    return "(1)" if len(items) == 1 else f"(1 to {len(items)})"


def _described(tickets: Iterable[Ticket], noun: str) -> dict[int, str]:
    """The ticket numbers, with seat and name."""
    return {
        t.ticket_no: " ".join(filter(None, (f"{noun} {t.seat_no}" if t.seat_no else "waiting", t.name)))
        for t in tickets
    }
