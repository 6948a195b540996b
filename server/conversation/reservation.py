"""The dialogue of `bus`, up to the ticket or the waitlist; other dialogues share its parts.

The order of the questions is published in server/PROTOCOL.md. Nothing is written before all questions are
answered: then the seats are held, and the traveller confirms the fare. After a refusal the dialogue repeats
only the question that the refusal is about.
"""

from collections.abc import Callable
from typing import Any

from busware.server.conversation import answers, bookings, seating
from busware.server.conversation.answers import ask_yes_no
from busware.server.conversation.dates import EXAMPLES
from busware.server.conversation.dialogue import Ask, Call, Context, Show, Steps, Tell
from busware.server.conversation.seating import Wanted
from busware.server.conversation.trips import (
    BookingDraft,
    ask_place,
    choose_trip,
    places_on_sale,
    read_seat_map,
)
from busware.server.conversation.words import BUS, PHONE_EXAMPLES, Words, day_of, money, plural
from busware.server.protocol import (
    Book,
    Booking,
    Confirm,
    Hold,
    Refusal,
    Release,
    Seats,
    Trip,
)

# After these refusals the traveller chooses other seats; after any other refusal, another trip.
_SEAT_REASONS = (
    "seat_taken", "sold_out", "unknown_seat", "too_many_seats", "too_many_holds", "hold_expired", "not_held",
)  # fmt: skip


def bus(context: Context, typed: str) -> Steps[None]:
    """The command `bus`: a reservation or a cancellation."""
    cancels = yield answers.ask_option(
        "Reservation or cancellation:", {"reservation": False, "cancellation": True}, "purpose",
        "reservation: book seats. cancellation: cancel tickets, with a refund of part of the fare.",
        {"book": False, "reserve": False},
    )  # fmt: skip
    yield from bookings.cancellation(context, "") if cancels else reservation(context, BUS)


def reservation(context: Context, words: Words) -> Steps[None]:
    """Find a trip, choose seats, hold and confirm them."""
    places, first, last = yield from places_on_sale(words)
    ask_day = Ask(
        f"Date of journey ({EXAMPLES}):", answers.date_on_sale(context.today(), first, last), "date",
        f"The date on which you board, up to {day_of(last)}.",
    )  # fmt: skip
    day = yield ask_day
    bus_type = ac = None
    if words.types:
        bus_type = yield answers.ask_option(
            f"{', '.join(words.types)} or any:",
            {**{name: name for name in words.types}, "any": None},
            "bus_type",
            "SLEEPER: berths to lie down. SEMI_SLEEPER: seats that recline far. SEATER: ordinary seats.",
        )
        ac = yield answers.ask_option(
            "AC, NON_AC or any:", {"AC": True, "NON_AC": False, "any": None}, "ac", "AC: air-conditioned."
        )
    origin = yield ask_place(f"{words.source}:", "origin", places)
    destination = yield ask_place(f"{words.destination}:", "destination", places, origin)
    draft = BookingDraft(day, origin, destination, bus_type, ac)
    while True:
        trip = yield from choose_trip(words, draft, first, places, ask_day)
        try:
            yield from book(context, words, draft, trip)
            return
        except Refusal as refusal:
            yield Tell(refusal.message, problem=True)


def book(context: Context, words: Words, draft: BookingDraft, trip: Trip) -> Steps[None]:
    """Choose seats, then hold and confirm them, or join the waitlist.

    Raises Refusal if the traveller must choose another trip.
    """
    wanted: Wanted | None = None
    joins_waitlist = False
    while True:
        if wanted is None:
            wanted, joins_waitlist = yield from _choose_seats(words, trip)
        if context.extended and len(draft.names) != wanted.count:
            draft.names = yield from _ask_names(words, wanted, draft.names)
        if not draft.phone_known:
            draft.phone = yield _ask_phone(words)
            draft.phone_known = True
        outcome = yield from (_join_waitlist if joins_waitlist else _hold)(words, draft, trip, wanted)
        if isinstance(outcome, Booking):
            yield Show(outcome)
            yield Tell(reference_advice(outcome, draft.phone))
            return
        if outcome is None:  # the traveller declined
            yield Tell(f"Choose other {words.seat}s, or type: back, quit.")
            wanted = None
        elif outcome.data.get("field") == "phone":
            yield Tell(outcome.message, problem=True)
            draft.phone_known = False
        elif outcome.reason in _SEAT_REASONS:
            yield Tell(outcome.message, problem=True)
            wanted = None
        else:
            raise outcome


def book_directly(
    context: Context, words: Words, draft: BookingDraft, trip: Trip, wanted: Wanted
) -> Steps[Booking | Refusal | None]:
    """Book the wanted seats, or join the waitlist for any seats. Asks only what PROTOCOL.md lists.

    An extended dialogue holds the seats and confirms the fare. None: the traveller declined.
    """
    if context.extended:
        step = _hold if wanted.numbers or trip.seats_free >= wanted.count else _join_waitlist
        return (yield from step(words, draft, trip, wanted))
    booked: Booking | Refusal = yield Call(Book(**_party(draft, trip, wanted), waitlist=not wanted.numbers))
    return booked


def _choose_seats(words: Words, trip: Trip) -> Steps[tuple[Wanted, bool]]:
    """The seats, and whether to wait for them. Reads the map again for each attempt."""
    while True:
        seat_map = yield from read_seat_map(trip)
        yield Show(seat_map)
        if not seat_map.free:
            count = yield from _ask_wait_count(words, trip, seat_map)
            return Wanted(count), True
        wanted = yield _ask_seats(words, seat_map)
        if wanted.count > len(seat_map.free):
            wait = yield ask_yes_no(
                f"Only {len(seat_map.free)} free. Wait until {wanted.count} are free?",
                f"yes: join the waitlist for {wanted.count} {words.seat}s. no: choose other {words.seat}s.",
                "wait",
            )
            if wait:
                return wanted, True
            continue
        if seating.describe_unavailable(seat_map, wanted, words.seat):  # they may be free by now
            seat_map = yield from read_seat_map(trip)
        problem = seating.describe_unavailable(seat_map, wanted, words.seat)
        if not problem:
            return wanted, False
        yield Tell(problem, problem=True)


def _ask_seats(words: Words, seat_map: Seats) -> Ask:
    example = " ".join(str(n) for n in seat_map.free[:2])
    return Ask(
        f"{words.seat.capitalize()} numbers, such as {example}, or best 2 for any two:",
        seating.seats(seat_map, words.seat), "seats",
        f"The numbers of the {words.seat}s you want, or best 2 for any two, side by side if possible.",
        answers.choices("best 1", "best 2", *seat_map.free),
    )  # fmt: skip


def _ask_wait_count(words: Words, trip: Trip, seat_map: Seats) -> Steps[int]:
    seat = words.seat
    yield Tell(
        f"All {seat}s are taken between {trip.origin} and {trip.destination}. You can join the waitlist."
    )
    count: int = yield Ask(
        f"How many {seat}s do you want? (back: choose another {words.service})",
        seating.count(seat, seating.max_count(seat_map)), "count",
        f"The waitlist gets {seat}s that become free, in order of arrival. You pay when you get them.",
    )  # fmt: skip
    return count


def _ask_phone(words: Words) -> Ask:
    return Ask(
        "Phone number:" if words.needs_phone else "Phone number (Enter: none):",
        answers.phone if words.needs_phone else answers.optional(answers.phone), "phone",
        f"Such as {PHONE_EXAMPLES}. You need it, and the reference, to open the booking later.",
    )  # fmt: skip


def _ask_names(words: Words, wanted: Wanted, known: tuple[str | None, ...]) -> Steps[tuple[str | None, ...]]:
    """The names of a party. Keeps the known names if the party has grown."""
    names = list(known if len(known) < wanted.count else ())
    for n in range(len(names), wanted.count):
        of = f" {n + 1} of {wanted.count}" if wanted.count > 1 else ""
        seat = f", {words.seat} {wanted.numbers[n]}" if wanted.numbers else ""
        name = yield Ask(
            f"Name of {words.passenger}{of}{seat} (Enter: none):", answers.name, "name",
            "It is printed on the ticket.",
        )  # fmt: skip
        names.append(name)
    return tuple(names)


def _hold(words: Words, draft: BookingDraft, trip: Trip, wanted: Wanted) -> Steps[Booking | Refusal | None]:
    """Hold the seats, show the fare, and confirm. None: the traveller declined."""
    release = _make_release(draft.phone)
    held = yield Call(Hold(**_party(draft, trip, wanted)), undo=release)
    if isinstance(held, Refusal):
        return held
    yield Show(held)
    fare, accepted = held.fare, None
    hint = f"yes: book the {words.seat}s. no: release them."
    while (yield ask_yes_no(f"Confirm, for {money(fare)}?", hint)):
        booked: Booking | Refusal = yield Call(
            Confirm(reference=held.reference, phone=draft.phone, fare=accepted)
        )
        if isinstance(booked, Booking) or "fare" not in booked.data:
            return booked
        yield Tell(booked.message, problem=True)
        fare = accepted = booked.data["fare"]
    yield Call(release(held))
    yield Tell(f"The {words.seat}s are released.")
    return None


def _join_waitlist(
    words: Words, draft: BookingDraft, trip: Trip, wanted: Wanted
) -> Steps[Booking | Refusal | None]:
    """Join the waitlist; or book, if enough seats are free by now. None: the traveller declined."""
    seats = f"{wanted.count} {plural(words.seat, range(wanted.count))}"
    yes = yield ask_yes_no(
        f"Wait for {seats} at {money(trip.fare)} each, and pay when you get them?",
        "yes: join the waitlist. no: do not join it.",
    )
    if not yes:
        return None
    party = _party(draft, trip, Wanted(wanted.count))
    booked: Booking | Refusal = yield Call(Book(**party, waitlist=True))
    return booked


def _party(draft: BookingDraft, trip: Trip, wanted: Wanted) -> dict[str, Any]:
    """The fields that Hold and Book share."""
    seats = {"seats": list(wanted.numbers)} if wanted.numbers else {"count": wanted.count}
    return seats | {
        "bus_id": trip.bus_id, "travel_date": trip.travel_date, "from_stop": trip.from_stop,
        "to_stop": trip.to_stop, "phone": draft.phone, "passengers": draft.passengers(),
    }  # fmt: skip


def _make_release(phone: str | None) -> Callable[[Booking], Release]:
    return lambda held: Release(reference=held.reference, phone=phone)


def reference_advice(booking: Booking, phone: str | None) -> str:
    """What to do with the reference of a new booking. phone: the phone number, if one was given."""
    reference = booking.reference
    if booking.status == "pending":
        return (
            "Keep the reference. You get a message when your seats are booked.\n"
            f"To see your position: status {reference}. To leave the waitlist: cancel {reference}."
        )
    keep = f"Keep the reference.\nTo see the booking: status {reference}. To cancel it: cancel {reference}."
    return keep + ("\nOn another connection, both ask for the phone number." if phone else "")
