"""Reservation, from the date to the ticket; where nothing is free, a place in the queue.

The order is that of server/PROTOCOL.md. Nothing is written before the seats are held, which happens
once all is known; whatever is refused then is asked again by itself, and what else was typed stays.
What differs between kinds of service is in `Words`.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from busware.server.conversation import answers, seating
from busware.server.conversation.departures import BookingDraft, ask_place, choose_trip, read_seat_map
from busware.server.conversation.dialogue import Ask, Call, Choice, Show, Steps, Tell
from busware.server.conversation.seating import Wanted
from busware.server.conversation.words import EXAMPLES, Words, day_of, money
from busware.server.protocol import (
    Book,
    Booking,
    Confirm,
    Hold,
    PlaceList,
    Places,
    Refusal,
    Release,
    Seats,
    Trip,
)

_OF_THE_PARTY = ("seat_taken", "sold_out", "unknown_seat", "too_many_seats", "hold_expired", "not_held")


def reservation(words: Words, today: date, *, with_names: bool = False) -> Steps[None]:
    """Find a trip, choose seats, hold them, confirm. with_names: ask for the passengers' names too."""
    served: PlaceList = yield Call(Places(kind=words.kind))
    places, last = served.places, served.on_sale_until
    ask_day = Ask(
        f"Date of journey ({EXAMPLES}):", answers.travel_date(today, last), "date",
        "The date on which you board" + (f", up to {day_of(last)}." if last else "."),
    )  # fmt: skip
    day = yield ask_day
    bus_type = ac = None
    if words.types:
        bus_type = yield Ask(
            f"{', '.join(words.types)} or any:",
            answers.one_or_any({name: name for name in words.types}), "bus_type",
            "In a SLEEPER one lies, in a SEMI_SLEEPER the seat leans far back, in a SEATER one sits.",
            answers.choices(*words.types, "any"),
        )  # fmt: skip
        ac = yield Ask(
            "AC, NON_AC or any:", answers.one_or_any({"AC": True, "NON_AC": False}), "ac",
            "AC is air-conditioned.", answers.choices("AC", "NON_AC", "any"),
        )  # fmt: skip
    origin = yield ask_place(f"{words.source}:", "origin", places)
    destination = yield ask_place(f"{words.destination}:", "destination", places, origin)
    draft = BookingDraft(day, origin, destination, bus_type, ac)
    while True:
        trip = yield from choose_trip(words, draft, today, places, ask_day)
        booking = yield from book(words, draft, trip, with_names)
        if booking is not None:
            yield Show(booking)
            yield Tell(good_bye(booking, draft.phone))
            return


def book(words: Words, draft: BookingDraft, trip: Trip, with_names: bool) -> Steps[Booking | None]:
    """The booking, booked or waiting; None when another trip has to be chosen."""
    wanted: Wanted | None = None
    waits = False
    while True:
        if wanted is None:
            chosen = yield from _choose_seats(words, trip)
            if chosen is None:
                return None
            wanted, waits = chosen
        if with_names and len(draft.names) != wanted.count:
            draft.names = yield from _ask_names(words, wanted, draft.names)
        if not draft.phone_known:  # last, since the server may find fault with it
            draft.phone = yield _ask_phone(words)
            draft.phone_known = True
        booking = yield from _wait(draft, trip, wanted) if waits else _hold(words, draft, trip, wanted)
        if isinstance(booking, Booking):
            return booking
        if booking is None:  # the fare was not to the traveller's liking
            wanted = None
            continue
        yield Tell(booking.message, problem=True)
        if booking.data.get("field") == "phone":
            draft.phone_known = False
        elif booking.reason in _OF_THE_PARTY:
            wanted = None
        else:  # it has left, or does not run
            return None


def _choose_seats(words: Words, trip: Trip) -> Steps[tuple[Wanted, bool] | None]:
    """The seats, and whether to wait for them; None when the trip is no more."""
    wanted: Wanted | None = None
    while True:  # with a new look each time: seats come and go
        seat_map = yield from read_seat_map(trip)
        if seat_map is None:
            return None
        if wanted is not None:
            gone = seating.not_free(seat_map, wanted, words.seat)
            if not gone:
                return wanted, False
            yield Tell(gone, problem=True)
        yield Show(seat_map)
        if not seat_map.free:
            number = yield from _ask_wait(words, trip, seat_map)
            return Wanted(any=number), True
        wanted = yield _ask_seats(words, seat_map)
        if wanted.count > len(seat_map.free):
            wait = yield Ask(
                f"Only {len(seat_map.free)} free. Wait until {wanted.count} are? (yes or no)",
                answers.yes_or_no, "wait",
                f"yes: a place in the queue, until {wanted.count} are free. no: choose other {words.seat}s.",
                answers.choices("yes", "no"),
            )  # fmt: skip
            if wait:
                return wanted, True
            wanted = None
        elif not seating.not_free(seat_map, wanted, words.seat):
            return wanted, False


def _ask_seats(words: Words, seat_map: Seats) -> Ask:
    free = [str(n) for n in seat_map.free]
    return Ask(
        f"{words.seat.capitalize()} numbers, such as {' '.join(free[:2])}; "
        "or best 2, for any two:",
        seating.seats(seat_map, words.seat), "seats",
        f"The numbers of the {words.seat}s you want, or: best 2, for any two, together if they can be.",
        (Choice("best 1"), Choice("best 2"), *map(Choice, free)),
    )  # fmt: skip


def _ask_wait(words: Words, trip: Trip, seat_map: Seats) -> Steps[int]:
    """How many seats to wait for."""
    seat = words.seat
    yield Tell(f"Every {seat} is taken between {trip.origin} and {trip.destination}, but you can wait.")
    number: int = yield Ask(
        f"How many {seat}s would you wait for? (back: another {words.service})",
        seating.count(seating.most_of(seat_map), seat), "count",
        f"Whoever waits gets the {seat}s that are given back, in order of arrival, and pays only then.",
    )  # fmt: skip
    return number


def _ask_phone(words: Words) -> Ask:
    return Ask(
        "Phone number:" if words.needs_phone else "Phone number (Enter: none):",
        answers.phone if words.needs_phone else answers.phone_or_none, "phone",
        f"With it, and the reference on the ticket, you open the booking again. {words.phone_example}",
    )  # fmt: skip


def _ask_names(words: Words, wanted: Wanted, known: tuple[str | None, ...]) -> Steps[tuple[str | None, ...]]:
    """The names of a party; of those it had before, all who still come are kept if none was dropped."""
    names = list(known if len(known) < wanted.count else ())
    for n in range(len(names), wanted.count):
        of = f" {n + 1} of {wanted.count}" if wanted.count > 1 else ""
        seat = f", {words.seat} {wanted.seats[n]}" if wanted.seats else ""
        name = yield Ask(
            f"Name of {words.passenger}{of}{seat} (Enter: none):", answers.name, "name",
            "It is printed on the ticket.",
        )  # fmt: skip
        names.append(name)
    return tuple(names)


def _hold(words: Words, draft: BookingDraft, trip: Trip, wanted: Wanted) -> Steps[Booking | Refusal | None]:
    """The seats held, the fare shown, and confirmed; None when the traveller says no."""
    held = yield Call(Hold(**_party(draft, trip, wanted)), undo=_give_up(draft))
    if not isinstance(held, Booking):
        return held if isinstance(held, Refusal) else None
    yield Show(held)
    yes = yield Ask(
        f"Confirm, for {money(held.fare)}? (yes or no)", answers.yes_or_no, "confirm",
        f"yes: the booking is made. no: the {words.seat}s are given up, and you may choose others.",
        answers.choices("yes", "no"),
    )  # fmt: skip
    if yes:
        booked: Booking | Refusal = yield Call(Confirm(reference=held.reference, phone=draft.phone))
        return booked
    yield Call(_give_up(draft)(held))
    yield Tell(f"The {words.seat}s are given up. Choose others, or: back, quit.")
    return None


def _wait(draft: BookingDraft, trip: Trip, wanted: Wanted) -> Steps[Booking | Refusal | None]:
    """A place in the queue, or seats that came free meanwhile; None when the traveller says no."""
    yes = yield Ask(
        f"Wait for {wanted.count} at {money(trip.fare)} each, to pay when they come free? (yes or no)",
        answers.yes_or_no, "confirm", "yes: a place in the queue. no: choose again; nothing is kept.",
        answers.choices("yes", "no"),
    )  # fmt: skip
    if not yes:
        return None
    party = _party(draft, trip, Wanted(any=wanted.count))
    booked: Booking | Refusal = yield Call(Book(**party, waitlist=True))
    return booked


def _party(draft: BookingDraft, trip: Trip, wanted: Wanted) -> dict[str, Any]:
    """The fields that Hold and Book share."""
    seats = {"seats": list(wanted.seats)} if wanted.seats else {"count": wanted.any}
    return seats | {
        "bus_id": trip.bus_id, "travel_date": trip.travel_date, "from_stop": trip.from_stop,
        "to_stop": trip.to_stop, "phone": draft.phone, "passengers": draft.passengers(),
    }  # fmt: skip


def _give_up(draft: BookingDraft) -> Callable[[Booking], Release]:
    phone = draft.phone  # the one the hold was made with
    return lambda held: Release(reference=held.reference, phone=phone)


def good_bye(booking: Booking, phone: str | None) -> str:
    """What to keep in mind. phone: the one that was given."""
    reference = booking.reference
    if booking.status == "pending":
        return (
            "Keep the reference. Once enough come free they are yours, and you are told.\n"
            f"Later, status {reference} tells it; cancel {reference} leaves the queue."
        )
    keep = f"Keep the reference: status {reference} shows the booking, cancel gives it back."
    return keep + ("\nBoth ask for the phone number, too." if phone else "")
