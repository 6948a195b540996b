"""The dialogues about an existing booking: show it, cancel it, change a seat, find a lost reference.

A booking is opened by its reference and phone number. They may follow the command; else the dialogue asks. It
offers the booking that was made or opened last, and does not ask for the phone number of that one.
"""

from collections.abc import Iterable
from typing import Any

from busware.server.conversation import answers, seating
from busware.server.conversation.dates import EXAMPLES
from busware.server.conversation.dialogue import (
    Ask,
    Call,
    Choice,
    Context,
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
    moment,
    money,
    numbered,
    plural,
    summary,
    words_of,
)
from busware.server.protocol import (
    OPEN,
    Booking,
    Cancel,
    CancelQuote,
    ChangeSeat,
    Find,
    GetBooking,
    Places,
    Quote,
    Refusal,
    Ticket,
)

_MAX_SHOWN = 10  # bookings; if `find` finds more, it shows the first ones


def status(context: Context, typed: str) -> Steps[None]:
    """The command `status [REFERENCE [PHONE]]`: show a booking."""
    booking, _ = yield from _open(context, typed)
    yield Show(booking)


def cancellation(context: Context, typed: str) -> Steps[None]:
    """The command `cancel [REFERENCE [PHONE]]`: cancel tickets, after the traveller has seen the refund."""
    booking, phone = yield from _open(context, typed)
    yield Show(booking)
    open_tickets = [ticket for ticket in booking.tickets if ticket.status in OPEN]
    if not open_tickets:
        yield Tell(f"Booking {booking.reference} is already {booking.status}. There is nothing to cancel.")
        return
    chosen = [ticket.ticket_no for ticket in open_tickets]
    if len(open_tickets) > 1:
        options = _described(open_tickets, words_of(booking.kind).seat)
        chosen = yield Ask(
            "Which tickets? (numbers, or Enter for all)", answers.some_of(chosen, "ticket"), "tickets",
            "The booking keeps its other tickets.",
            (Choice("all"), *(Choice(str(number), text) for number, text in options.items())),
        )  # fmt: skip
    request: dict[str, Any] = {"reference": booking.reference, "phone": phone}
    if len(chosen) < len(open_tickets):
        request["tickets"] = chosen
    quote: Quote = yield from require(CancelQuote(**request))
    count = f"{len(chosen)} {plural('ticket', chosen)}"
    paid = sum(float(t.fare) for t in open_tickets if t.ticket_no in chosen and t.status == "booked")
    if paid:
        yield Show(quote)
        question = f"Cancel {count}, and get {money(quote.refund)} of {money(paid)} back?"
        refund = f"Your refund is {money(quote.refund)}."
    else:
        question, refund = f"Cancel {count}? You have not paid yet.", "There is nothing to refund."
    hint = f"You can cancel until {moment(quote.valid_until)}."
    if not (yield answers.ask_yes_no(question, hint)):
        yield Tell("Nothing was cancelled.")
        return
    yield Show((yield from require(Cancel(**request))))
    yield Tell(f"{numbered('ticket', chosen)} cancelled. {refund}")


def change(context: Context, typed: str) -> Steps[None]:
    """The command `change [REFERENCE [PHONE]]`: move a ticket to another seat."""
    booking, phone = yield from _open(context, typed)
    noun = words_of(booking.kind).seat
    yield Show(booking)
    seats = {t.ticket_no: t.seat_no for t in booking.tickets if t.status in OPEN and t.seat_no is not None}
    if not seats:
        yield Tell(f"Booking {booking.reference} has no {noun} that can be changed.")
        return
    ticket_no = next(iter(seats))
    if len(seats) > 1:
        options = _described((t for t in booking.tickets if t.ticket_no in seats), noun)
        hint = "The number after the word Ticket in the booking above."
        ticket_no = yield answers.ask_number("Which ticket?", options, "ticket", "tickets", hint)
    own = tuple(seats.values())
    changed: Booking | Refusal | None = None
    while not isinstance(changed, Booking):
        seat_map = yield from read_seat_map(booking)
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
    yield Tell(f"Ticket {ticket_no} has {noun} {wanted} now, instead of {seats[ticket_no]}.")


def find(context: Context, typed: str) -> Steps[None]:
    """The command `find [PHONE]`: the references of bookings, by phone number, date and boarding place."""
    places = (yield from require(Places(kind=BUS.kind))).places
    ask_phone = Ask(
        "Phone number of the booking:", answers.phone, "phone",
        "A booking without a phone number cannot be found: only its reference opens it.",
    )  # fmt: skip
    phone = yield from answered(ask_phone, typed)
    day = yield Ask(
        f"Date of journey ({EXAMPLES}):", answers.any_date(context.today()), "date",
        "The date on which the passengers board.",
    )  # fmt: skip
    place = yield ask_place(f"{BUS.source} (where you board):", "origin", places)
    while isinstance(found := (yield Call(Find(phone=phone, date=day, place=place.code))), Refusal):
        if found.data.get("field") != "phone":
            raise found
        yield Tell(found.message, problem=True)
        phone = yield ask_phone
    if not found.references:
        yield Tell("No booking has that phone number, date and boarding place.", problem=True)
        return
    for reference in found.references[:_MAX_SHOWN]:
        booking = yield Call(GetBooking(reference=reference, phone=phone))
        yield Tell(booking.message if isinstance(booking, Refusal) else f"Reference {summary(booking)}")
    yield Tell(f"To see the booking, type: status {found.references[0]} {phone}")


def _open(context: Context, typed: str) -> Steps[tuple[Booking, str | None]]:
    """The booking that a reference and a phone number open, and that phone number.

    typed: the text after the command: both, a reference, or nothing. A reference that follows the command
    without a phone number is tried first, because it opens a booking that has no phone number, and a booking
    of the caller's account.
    """
    typed_reference, _, typed_phone = typed.partition(" ")
    last = context.last_booking
    reference = yield from answered(_ask_reference(last.reference if last else ""), typed_reference)
    known = GetBooking(reference=reference) if typed_reference else None
    if last is not None and last.reference == reference:
        known = last
    if known is not None and not typed_phone:
        booking = yield Call(known)
        if isinstance(booking, Booking):
            return booking, known.phone
    ask_phone = Ask(
        "Phone number of the booking (Enter: none):", answers.optional(answers.phone), "phone",
        f"Such as {PHONE_EXAMPLES}.",
    )  # fmt: skip
    phone = yield from answered(ask_phone, typed_phone)
    while isinstance(booking := (yield Call(GetBooking(reference=reference, phone=phone))), Refusal):
        yield Tell(booking.message, problem=True)
        if booking.data.get("field") != "phone":
            reference = yield _ask_reference(reference)
        phone = yield ask_phone
    return booking, phone


def _ask_reference(default: str) -> Ask:
    """The question for a reference. default: the answer that Enter stands for, if there is one."""
    return Ask(
        f"Reference of the booking (Enter: {default}):" if default else "Reference of the booking:",
        lambda typed: answers.reference(typed or default), "reference",
        "The reference is on the ticket. If you lost it, type quit, and then find.",
    )  # fmt: skip


def _described(tickets: Iterable[Ticket], noun: str) -> dict[int, str]:
    """The ticket numbers, with seat and name."""
    return {
        t.ticket_no: " ".join(filter(None, (f"{noun} {t.seat_no}" if t.seat_no else "waiting", t.name)))
        for t in tickets
    }
