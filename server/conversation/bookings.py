"""What is done with a booking that is there: show it, find it, cancel it, change a seat of it.

A booking is opened by its reference and phone. Each script takes what was typed with the command,
and asks for the rest.
"""

from collections.abc import Sequence
from datetime import date

from busware.server.conversation import answers, seating
from busware.server.conversation.departures import ask_place, read_seat_map
from busware.server.conversation.dialogue import Ask, Call, Choice, Problem, Show, Steps, Tell
from busware.server.conversation.words import EXAMPLES, Words, about, moment, money, words_of
from busware.server.protocol import (
    OPEN,
    Booking,
    Cancel,
    CancelQuote,
    ChangeSeat,
    Find,
    GetBooking,
    Place,
    Places,
    Quote,
    Refusal,
    Ticket,
)

_MOST_FOUND = 10  # bookings that are told of, of those that were found


def status(words: Words, reference: str | None = None, phone: str | None = None) -> Steps[None]:
    """Show a booking."""
    booking, _ = yield from _open(words, reference, phone)
    yield Show(booking)


def cancellation(words: Words, reference: str | None = None, phone: str | None = None) -> Steps[None]:
    """Cancel a booking or some of its tickets, once the traveller has seen what comes back."""
    booking, phone = yield from _open(words, reference, phone)
    yield Show(booking)
    standing = _open_tickets(booking)
    if not standing:
        yield Tell(f"Booking {booking.reference} is {booking.status} already: there is nothing to cancel.")
        return
    ended = yield from _choose_tickets(standing, words_of(booking.kind).seat)
    tickets = [ticket.ticket_no for ticket in ended] if len(ended) < len(standing) else None
    quote = yield Call(CancelQuote(reference=booking.reference, phone=phone, tickets=tickets))
    if isinstance(quote, Refusal):
        yield Tell(quote.message, problem=True)
        return
    done = yield from _agree(quote, ended)
    if not done:
        yield Tell("Nothing is cancelled.")
        return
    cancelled = yield Call(Cancel(reference=booking.reference, phone=phone, tickets=tickets))
    yield _outcome(cancelled)
    if not isinstance(cancelled, Refusal):
        yield Tell(f"{_named(ended)} cancelled; {done}.")


def _choose_tickets(tickets: list[Ticket], noun: str) -> Steps[list[Ticket]]:
    """Which of several tickets are to be cancelled. noun: what each is for."""
    if len(tickets) == 1:
        return tickets
    chosen = yield Ask(
        "Which tickets? (numbers, or Enter for all)",
        answers.some_of([ticket.ticket_no for ticket in tickets], "ticket"), "tickets",
        "The rest of the party keeps its tickets.",
        (Choice("all"), *_about(tickets, noun)),
    )  # fmt: skip
    return [ticket for ticket in tickets if ticket.ticket_no in chosen]


def _agree(quote: Quote, ended: list[Ticket]) -> Steps[str]:
    """What becomes of the money, once the traveller has agreed to that; nothing when they have not."""
    counted = answers.counted(len(ended), "ticket")
    paid = sum(float(ticket.fare) for ticket in ended if ticket.status == "booked")
    if paid:
        yield Show(quote)
        question = f"Cancel {counted}, and get {money(quote.refund)} of {money(str(paid))} back?"
        done = f"{money(quote.refund)} is given back"
    else:  # held, or waiting
        question = f"Give up {counted}? Nothing was paid yet."
        done = "nothing was paid"
    yes = yield Ask(
        f"{question} (yes or no)", answers.yes_or_no, "confirm",
        f"It can be cancelled until {moment(quote.stands_until)}.", answers.choices("yes", "no"),
    )  # fmt: skip
    return done if yes else ""


def change(words: Words, reference: str | None = None, phone: str | None = None) -> Steps[None]:
    """Move a ticket to another seat."""
    booking, phone = yield from _open(words, reference, phone)
    words = words_of(booking.kind)
    yield Show(booking)
    seated = [ticket for ticket in _open_tickets(booking) if ticket.seat_no is not None]
    if not seated:
        yield Tell(f"Booking {booking.reference} has no {words.seat} that could be changed.")
        return
    ticket = seated[0]
    if len(seated) > 1:
        number = yield Ask(
            "Which ticket?", answers.number_of([t.ticket_no for t in seated], "ticket"), "tickets",
            "The number before the passenger, on the ticket.", _about(seated, words.seat),
        )  # fmt: skip
        ticket = next(t for t in seated if t.ticket_no == number)
    mine = tuple(t.seat_no for t in seated if t.seat_no is not None)
    while True:
        seat_map = yield from read_seat_map(booking)
        if seat_map is None:
            return
        yield Show(seat_map, mine)
        if not seat_map.free:
            yield Tell(f"No other {words.seat} is free.")
            return
        wanted = yield Ask(
            f"Instead of {words.seat} {ticket.seat_no}, which {words.seat}?",
            seating.one_seat(seat_map, words.seat, mine), "seat",
            f"The number of a {words.seat} that is free.",
            answers.choices(*map(str, seat_map.free)),
        )  # fmt: skip
        changed = yield Call(ChangeSeat(
            reference=booking.reference, phone=phone, ticket_no=ticket.ticket_no, seat_no=wanted
        ))  # fmt: skip
        yield _outcome(changed)
        if not isinstance(changed, Refusal):
            yield Tell(f"Ticket {ticket.ticket_no} has {words.seat} {wanted} now, not {ticket.seat_no}.")
            return
        if changed.reason != "seat_taken":
            return


def find(words: Words, today: date, phone: str | None = None) -> Steps[None]:
    """The references of a guest's bookings, by phone, date and boarding place."""
    places: Sequence[Place] = (yield Call(Places(kind=words.kind))).places
    ask_phone = Ask(
        "Phone number given with the booking:", answers.phone, "phone",
        "A booking without one cannot be found: its reference is all that opens it.",
    )  # fmt: skip
    if phone is None:
        phone = yield ask_phone
    day = yield Ask(f"Date of journey ({EXAMPLES}):", answers.any_date(today), "date")
    place = yield ask_place(f"{words.source} (where you board):", "origin", list(places))
    while True:
        found = yield Call(Find(phone=phone, date=day, place=place.code))
        if not isinstance(found, Refusal):
            break
        yield Tell(found.message, problem=True)
        if found.data.get("field") != "phone":
            return
        phone = yield ask_phone
    if not found.references:
        yield Tell("No booking has that phone number, date and boarding place.", problem=True)
        return
    for reference in found.references[:_MOST_FOUND]:
        booking = yield Call(GetBooking(reference=reference, phone=phone))
        yield Tell(booking.message if isinstance(booking, Refusal) else f"Reference {about(booking)}")
    yield Tell(f"To see it: status {found.references[0]} {phone}")


def _open(words: Words, reference: str | None, phone: str | None) -> Steps[tuple[Booking, str | None]]:
    """The booking that reference and phone open, and the phone."""
    if reference is not None:
        try:
            reference = answers.reference(reference)
        except Problem as problem:
            yield Tell(str(problem), problem=True)
            reference = None
    given = reference
    if given is not None and phone is None:  # some services need none
        booking = yield Call(GetBooking(reference=given))
        if not isinstance(booking, Refusal):
            return booking, None
    while True:
        if given is None:
            given = yield _ask_reference(reference)
        if phone is None:
            phone = yield Ask(
                "Phone number given with it (Enter, if none was given):", answers.phone_or_none, "phone",
                words.phone_example,
            )  # fmt: skip
        booking = yield Call(GetBooking(reference=given, phone=phone))
        if not isinstance(booking, Refusal):
            return booking, phone
        yield Tell(booking.message, problem=True)
        phone = None
        if booking.data.get("field") != "phone":
            reference, given = given, None


def _ask_reference(tried: str | None) -> Ask:
    """The question for a reference. tried: the one that was typed last; the phone may have been wrong."""
    return Ask(
        f"Reference of the booking (Enter: {tried}):" if tried else "Reference of the booking:",
        lambda typed: answers.reference(typed or tried or ""), "reference",
        "It stands on the ticket. Lost? Leave this with quit, then type: find.",
    )  # fmt: skip


def _outcome(reply: Booking | Refusal) -> Show | Tell:
    return Tell(reply.message, problem=True) if isinstance(reply, Refusal) else Show(reply)


def _named(tickets: list[Ticket]) -> str:
    """Ticket 2 is; tickets 1 and 2 are."""
    numbers = answers.listed([str(ticket.ticket_no) for ticket in tickets], "and")
    return f"Ticket{'s' * (len(tickets) > 1)} {numbers} {'are' if len(tickets) > 1 else 'is'}"


def _open_tickets(booking: Booking) -> list[Ticket]:
    return [ticket for ticket in booking.tickets if ticket.status in OPEN]


def _about(tickets: list[Ticket], noun: str) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            str(t.ticket_no),
            " ".join(filter(None, (f"{noun} {t.seat_no}" if t.seat_no else "waiting", t.name))),
        )
        for t in tickets
    )
