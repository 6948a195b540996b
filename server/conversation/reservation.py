"""The dialogue of `bus`, up to the ticket or the waitlist; other dialogues share its parts.

The order of the questions is published in server/PROTOCOL.md. Nothing is written before all questions are
answered: then the seats are held, and the traveller confirms the fare. After a refusal the dialogue repeats
only the question that the refusal is about.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from busware.server.conversation import answers, bookings, payments, seating
from busware.server.conversation.answers import ask_yes_no
from busware.server.conversation.dialogue import (
    CHOOSE,
    NOT_GIVEN,
    Ask,
    Call,
    Context,
    InvalidInput,
    Show,
    Steps,
    Tell,
    unpaid,
)
from busware.server.conversation.extras import (
    NO_EXTRAS,
    Extras,
    ask_extras,
    fare_of_class,
    offered,
    split_extras,
)
from busware.server.conversation.journeys import ANY, Filter, Journey
from busware.server.conversation.seating import Wanted
from busware.server.conversation.trips import (
    BookingDraft,
    Sale,
    ask_place,
    choose_trip,
    read_seat_map,
    sale_of,
)
from busware.server.conversation.words import (
    BUS,
    PHONE_EXAMPLES,
    Words,
    counted,
    listed,
    money,
    plural,
    quoted,
    venue_of,
    words_of,
)
from busware.server.protocol import (
    Book,
    Booking,
    Confirm,
    Hold,
    Place,
    Refusal,
    Release,
    Seats,
    Trip,
)

# After these refusals the traveller chooses other seats; after any other refusal, another trip.
_SEAT_REASONS = (
    "seat_taken", "reserved_seat", "sold_out", "unknown_seat", "too_many_seats", "too_many_holds",
    "hold_expired", "not_held",
)  # fmt: skip


# By `reserved_for`: what is said about such a seat, and what is asked about its passenger.
_RESERVED_QUESTIONS = {
    "women": ("is for women.", "Is the passenger a woman?"),
    "accessible": ("is accessible.", "Does the passenger need an accessible one?"),
}


def bus(context: Context, typed: str) -> Steps[None]:
    """The command `bus [FROM TO [DATE]]`: a reservation, or in plain text a cancellation."""
    ask_purpose = answers.ask_option(
        "Reservation or cancellation:", {"reservation": False, "cancellation": True}, "purpose",
        "reservation: book seats. cancellation: cancel tickets, with a refund of part of the fare.",
        {"book": False, "reserve": False, "cancel": True},
    )  # fmt: skip
    try:
        cancels, typed = ask_purpose.parse(typed), ""
    except InvalidInput:  # the text is a journey, or there is none
        cancels = not typed and not context.extended and (yield ask_purpose)
    yield from bookings.cancellation(context, "") if cancels else reservation(context, BUS, typed)


def reservation(context: Context, words: Words, typed: str) -> Steps[None]:
    """Find a trip, choose seats, hold and confirm them. typed: a journey; the dialogue asks for the rest."""
    sale = yield from sale_of(context, words)
    typed, extras = split_extras(typed)
    journey = sale.read(typed)
    for problem in journey.problems:
        yield Tell(problem, problem=True)
    ask_day = sale.ask_day("Date of journey", "The date on which you board")
    if context.extended:
        draft = yield from _ask_for_rest(sale, journey, ask_day)
    else:
        draft = yield from _ask_in_published_order(sale, journey, ask_day, any_type=bool(typed))
    draft.extras = extras
    while True:
        trip = yield from choose_trip(sale, draft, ask_day)
        try:
            yield from book(context, words, draft, trip)
            return
        except Refusal as refusal:
            yield Tell(refusal.message, problem=True)


def _ask_for_rest(sale: Sale, journey: Journey, ask_day: Ask) -> Steps[BookingDraft]:
    """Ask for what is missing of a journey: the places, in one question if both are missing; the date."""
    example = sale.words.example

    def parse(typed: str) -> Journey:
        found = sale.read(typed, answers.LIST_PLACES)
        if found.problems and not (found.origin or found.destination):
            raise InvalidInput(" ".join(found.problems))
        if found == Journey():
            raise InvalidInput(f"{quoted(typed)} names no place. Type two, such as {example}.")
        return found

    served = ask_place("", "", sale.places)
    ask_journey = Ask(
        f"From and to (such as {example}):", parse, "journey",
        f"{served.hint} If you like, with a date: {example} tomorrow.", served.choices,
    )  # fmt: skip
    known = journey if journey.origin or journey.destination else None
    while True:
        said: Journey = yield ask_journey.known(known)
        if said is not known:
            for problem in said.problems:
                yield Tell(problem, problem=True)
        journey = replace(said, day=said.day or journey.day, wanted=said.wanted or journey.wanted)
        if journey.origin or journey.destination:
            break
    to = journey.destination
    prompt = f"To {to.name} from:" if to else "From:"
    ask_origin = ask_place(prompt, "origin", sale.places, to, "You go to")
    origin, destination = yield from _ends(sale, journey, ask_origin)
    day = yield ask_day.known(journey.day)
    return BookingDraft(day, origin, destination, journey.wanted or ANY)


def _ask_in_published_order(
    sale: Sale, journey: Journey, ask_day: Ask, *, any_type: bool
) -> Steps[BookingDraft]:
    """Ask the same in the order of server/PROTOCOL.md. any_type: do not ask for the type of the service."""
    words = sale.words
    journey = yield from _check_ends(sale, journey)
    day = yield ask_day.known(journey.day)
    wanted = journey.wanted or ANY
    bus_type, ac = wanted.bus_type, wanted.ac
    if words.types:
        ask_type = answers.ask_option(
            f"{', '.join(words.types)} or any:",
            {**{name: name for name in words.types}, "any": None},
            "bus_type",
            "SLEEPER: berths to lie down. SEMI_SLEEPER: seats that recline far. SEATER: ordinary seats.",
        )
        ask_ac = answers.ask_option(
            "AC, NON_AC or any:", {"AC": True, "NON_AC": False, "any": None}, "ac", "AC: air-conditioned."
        )
        if bus_type or not any_type:
            bus_type = yield ask_type.known(bus_type)
        if ac is not None or not any_type:
            ac = yield ask_ac.known(ac)
    ask_origin = ask_place(f"{words.source}:", "origin", sale.places, journey.destination, "You go to")
    if journey.origin:
        ask_origin = ask_origin.known(journey)
        journey = replace(journey, origin=None)
    origin, destination = yield from _ends(sale, journey, ask_origin)
    return BookingDraft(day, origin, destination, Filter(bus_type, ac))


def _ends(sale: Sale, journey: Journey, ask_origin: Ask) -> Steps[tuple[Place, Place]]:
    """Origin and destination. Asks for those that are missing, or between which no service goes.

    The answer to the question for the origin may have both.
    """
    ask_origin = replace(ask_origin, parse=_origin_or_both(sale, ask_origin.parse, journey.destination))
    journey = yield from _check_ends(sale, journey)
    while journey.origin is None:
        said: Journey = yield ask_origin
        ask_origin = replace(ask_origin, given=NOT_GIVEN)
        said = replace(said, destination=said.destination or journey.destination)
        journey = yield from _check_ends(sale, said)
    origin, destination = journey.origin, journey.destination
    reached = yield from sale.reached_from(origin)
    prompt = f"From {origin.name} to:" if sale.context.extended else f"{sale.words.destination}:"
    ask_destination = sale.ask_destination(prompt, origin, reached)
    if sale.context.extended and destination:  # `back` returns to the question for both places
        return origin, destination
    return origin, (yield ask_destination.known(destination))


def _check_ends(sale: Sale, journey: Journey) -> Steps[Journey]:
    """The journey without the origin or destination that no service serves; a text names it, and says why."""
    origin, destination = journey.origin, journey.destination
    if origin is None:
        return journey
    reached = yield from sale.reached_from(origin)
    if not reached:
        yield Tell(f"No {sale.words.service} on sale leaves {origin.name}.", problem=True)
        return replace(journey, origin=None)
    if destination and destination.code not in [place.code for place in reached]:
        yield Tell(sale.unreached(origin, destination, reached), problem=True)
        destination = None
    elif journey.unknown and not destination:
        yield Tell(sale.unknown(origin, journey.unknown, reached), problem=True)
    return replace(journey, destination=destination, unknown="")


def _origin_or_both(
    sale: Sale, parse_origin: Callable[[str], Place], destination: Place | None
) -> Callable[[str], Journey]:
    """A parser of the origin, or of origin and destination in one answer. destination: if it is known."""

    def parse(typed: str) -> Journey:
        try:
            return Journey(parse_origin(typed))
        except InvalidInput:
            said = sale.read(typed)
            if said.origin is None or (said.origin == destination and said.destination is None):
                raise
            problems = said.problems
            if said.unknown:
                problems = (answers.PlaceNames(sale.places).unknown(said.unknown),)
            if said.day or said.wanted:
                problems = (f"{quoted(typed)} is more than two places. Type one or two.",)
            if problems:
                raise InvalidInput(problems[0]) from None
            return said

    return parse


def book(context: Context, words: Words, draft: BookingDraft, trip: Trip) -> Steps[None]:
    """Choose seats, then hold and confirm them, or join the waitlist.

    Raises Refusal if the traveller must choose another trip.
    """
    wanted: Wanted | None = None
    while True:
        if wanted is None:
            wanted, seat_map = yield from _choose_seats(context, words, trip)
        yield from _ask_party(context, words, draft, wanted, seat_map)
        outcome = yield from (_join_waitlist if wanted.waits else _hold)(words, draft, trip, wanted)
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
        elif (accepted := draft.extras.without_refused(outcome)) is not None:
            yield Tell(outcome.message, problem=True)
            draft.extras = accepted
        elif outcome.reason in _SEAT_REASONS:
            yield Tell(outcome.message, problem=True)
            wanted = None
        else:
            raise outcome


def _ask_party(
    context: Context, words: Words, draft: BookingDraft, wanted: Wanted, seat_map: Seats
) -> Steps[None]:
    """Ask for the extras and the contact of a party, as far as they are not known."""
    if context.extended:
        draft.extras = yield from ask_extras(seat_map, wanted, draft.extras)
    if draft.phone_known and len(draft.names) <= wanted.count:
        return
    if not context.extended and (words_to_add := offered(seat_map)):
        yield Tell(words_to_add)
    contact, extras = yield _ask_contact(context, words, draft, wanted)
    draft.phone, draft.names, draft.phone_known = contact.phone, contact.names, True
    draft.extras = extras.or_else(draft.extras)
    named = [name for name in contact.names if name]
    if 0 < len(named) < wanted.count:
        counts = f"{counted(len(named), 'name')} for {counted(wanted.count, words.seat)}"
        yield Tell(f"{counts}: {', '.join(named)}. To type other names, with commas: back.")


def book_directly(
    context: Context, words: Words, draft: BookingDraft, trip: Trip, wanted: Wanted
) -> Steps[Booking | Refusal | None]:
    """Book the wanted seats, or join the waitlist if too few are free. Asks only what PROTOCOL.md lists.

    An extended dialogue holds the seats and confirms the fare. None: the traveller declined.
    """
    if context.extended:
        step = _join_waitlist if wanted.waits and trip.seats_free < wanted.count else _hold
        return (yield from step(words, draft, trip, wanted))
    booked: Booking | Refusal = yield Call(Book(**_party(draft, trip, wanted), waitlist=wanted.waits))
    if isinstance(booked, Refusal) and booked.reason == "payment_required":
        return (yield from _hold(words, draft, trip, wanted))
    return booked


def fare_of_direct_booking(context: Context, booking: Booking) -> Steps[None]:
    """Tell the fare of a booking that was made without a question for confirmation."""
    if not context.extended and booking.status == "booked":
        yield Tell(f"Booked at once, for {money(booking.fare, booking.currency)}.")
        yield Tell(f"To see the fare before you book, type: {booking.kind} {CHOOSE}.")


def _choose_seats(context: Context, words: Words, trip: Trip) -> Steps[tuple[Wanted, Seats]]:
    """The seats to hold, or to wait for, and their map. Reads the map again for each attempt."""
    while True:
        seat_map = yield from read_seat_map(trip)
        yield Show(seat_map)
        if not seat_map.free:
            count = yield from _ask_wait_count(words, trip, seat_map)
            return Wanted(count, waits=True), seat_map
        wanted: Wanted = yield _ask_seats(context, words, seat_map)
        if wanted.count > len(seat_map.free):
            wait = yield ask_yes_no(
                f"Only {len(seat_map.free)} free. Wait until {wanted.count} are free?",
                f"yes: join the waitlist for {wanted.count} {words.seat}s. no: choose other {words.seat}s.",
                "wait",
            )
            if wait:
                return Wanted(wanted.count, waits=True), seat_map
            continue
        if seating.describe_unavailable(seat_map, wanted, words.seat):  # they may be free by now
            seat_map = yield from read_seat_map(trip)
        problem = seating.describe_unavailable(seat_map, wanted, words.seat)
        if problem:
            yield Tell(problem, problem=True)
        elif permitted := (yield from _ask_reserved(seat_map, wanted, words.seat)):
            return permitted, seat_map


def _ask_reserved(seat_map: Seats, wanted: Wanted, noun: str) -> Steps[Wanted | None]:
    """Ask who sits on the reserved seats of a choice. None: the traveller chooses other seats."""
    reserved = []
    kinds = {seat.seat_no: seat.reserved_for for seat in seat_map.seats if seat.reserved_for}
    for number in wanted.numbers:
        if kind := kinds.get(number):
            about, question = _RESERVED_QUESTIONS[kind]
            answer = yield ask_yes_no(
                f"{noun.capitalize()} {number} {about} {question}", f"no: choose another {noun}.", "reserved"
            )
            if not answer:
                return None
            reserved.append((number, kind))
    return replace(wanted, reserved=tuple(reserved))


def _ask_seats(context: Context, words: Words, seat_map: Seats) -> Ask:
    free = seat_map.free
    example = " ".join(str(n) for n in free[:2])
    any_two = f"2 {words.seat}s" if context.extended else "best 2"
    seats, parse = words.seat.capitalize(), seating.seats(seat_map, words.seat, any_two)
    prompt = f"{seats} numbers, such as {example}, or {any_two} for any two:"
    if context.extended:
        which = f"number, such as {example}" if len(free) == 1 else f"numbers such as {example}, or {any_two}"
        prompt = f"{seats} {which} (Enter: the server chooses 1):"
    return Ask(
        prompt, answers.with_default(parse, Wanted(1)) if context.extended else parse, "seats",
        f"{free[0]} is {words.seat} {free[0]}. For any two {words.seat}s, side by side if possible, type "
        f"2 {words.seat}s, any 2 or best 2.",
        answers.choices("best 1", "best 2", *seat_map.free),
    )  # fmt: skip


def _ask_wait_count(words: Words, trip: Trip, seat_map: Seats) -> Steps[int]:
    seat = words.seat
    where = "" if venue_of(trip) else f" between {trip.origin} and {trip.destination}"
    yield Tell(f"All {seat}s are taken{where}. You can join the waitlist.")
    count: int = yield Ask(
        f"How many {seat}s do you want? (back: choose another {words.service})",
        seating.count(seat, seating.max_count(seat_map)), "count",
        f"The waitlist gets {seat}s that become free, in order of arrival. You pay when you get them.",
    )  # fmt: skip
    return count


def _ask_contact(context: Context, words: Words, draft: BookingDraft, wanted: Wanted) -> Ask:
    """The question for a phone number; the answer is a contact and extras.

    In an extended dialogue, names of passengers may follow the number; in plain text, words about extras.
    """
    opens = "You need it, and the reference, to open the booking later."
    if not words.needs_phone:
        opens = f"{opens} Without a phone number (type none), the reference alone opens it."
    hint = f"Such as {PHONE_EXAMPLES}. {opens}"
    if not context.extended:
        parse = answers.phone if words.needs_phone else answers.optional_phone
        prompt = "Phone number:" if words.needs_phone else "Phone number (Enter: none):"

        def parse_both(typed: str) -> tuple[answers.Contact, Extras]:
            number, extras = split_extras(typed)
            return answers.Contact(parse(number)), extras

        return Ask(prompt, parse_both, "phone", hint)
    default = draft.phone or context.last_phone
    answer = "such as 98450 12345"
    if default or not words.needs_phone:
        answer = f"Enter: {default or 'none'}"
    parse_contact = answers.contact(wanted.count, words.seat, default, required=words.needs_phone)
    return Ask(
        f"Phone number ({answer}; names may follow):",
        lambda typed: (parse_contact(typed), NO_EXTRAS), "phone",
        f"{hint} The names of the {words.passenger}s may follow, with commas: 98450 12345, Asha, Ravi.",
        enter=f"Phone number: {default}." if default else "The booking has no phone number.",
        again=lambda said: said[0].line,
    )  # fmt: skip


def _hold(words: Words, draft: BookingDraft, trip: Trip, wanted: Wanted) -> Steps[Booking | Refusal | None]:
    """Hold the seats, show the fare, and confirm. None: the traveller declined."""
    release = _make_release(draft.phone)
    held = yield Call(Hold(**_party(draft, trip, wanted)), undo=release)
    if isinstance(held, Refusal):
        return held
    yield Show(held)
    if not wanted.numbers:
        chosen = [ticket.seat_no for ticket in held.tickets if ticket.seat_no is not None]
        yield Tell(f"The server has chosen {plural(words.seat, chosen)} {listed(chosen, 'and')}.")
    yield Tell(f"If you leave before you answer, the {words.seat}s are released.")
    if held.payment is not None:
        return (yield from _pay(words, draft, held))
    fare, accepted = held.fare, None
    question = f"Confirm, for {money(fare, held.currency)}?"
    hint = f"yes: book the {words.seat}s. no: release them. {after_expiry(held)}"
    while (yield ask_yes_no(question, hint)):
        booked: Booking | Refusal = yield Call(
            Confirm(reference=held.reference, phone=draft.phone, fare=accepted)
        )
        if isinstance(booked, Booking) or "fare" not in booked.data:
            return booked
        before, fare = fare, booked.data["fare"]
        accepted = fare
        yield Tell(f"The hold has expired. The {words.seat}s are still free.", problem=True)
        if fare == before:
            yield Tell("The fare is the same. What is refunded after a cancellation has changed.")
            question = f"Confirm, for the same fare of {money(fare, held.currency)}?"
        else:
            was, now = money(before, held.currency), money(fare, held.currency)
            yield Tell(f"The fare was {was}. It is {now} now.")
            question = f"Confirm, for the new fare of {now}?"
    yield Call(release(held))
    yield Tell(f"The {words.seat}s are released.{unpaid(held)}")
    return None


def _pay(words: Words, draft: BookingDraft, held: Booking) -> Steps[Booking | Refusal | None]:
    """Show how to pay a hold; the seats stay held meanwhile. None: the traveller declined."""
    assert held.payment is not None  # noqa: S101 - for the type checker
    hint = f"yes: keep the {words.seat}s, and show how to pay. no: release them."
    amount = money(held.payment.amount, held.payment.currency)
    if (yield ask_yes_no(f"Pay {amount}, and book the {words.seat}s?", hint)):
        return (yield from payments.begin(held, draft.phone))
    yield Call(_make_release(draft.phone)(held))
    yield Tell(f"The {words.seat}s are released.")
    return None


def after_expiry(held: Booking) -> str:
    """What the answers to the question for confirmation mean once the time limit of a hold has passed."""
    seats = f"{words_of(held.kind).seat}s"
    return f"After the time limit, the {seats} may still be free: yes tries to book them, no leaves them."


def _join_waitlist(
    words: Words, draft: BookingDraft, trip: Trip, wanted: Wanted
) -> Steps[Booking | Refusal | None]:
    """Join the waitlist; or book, if enough seats are free by now. None: the traveller declined."""
    seats = f"{wanted.count} {plural(words.seat, range(wanted.count))}"
    fare = fare_of_class(trip.classes, draft.extras.seat_class, trip.fare)
    yes = yield ask_yes_no(
        f"Wait for {seats} at {money(fare, trip.currency)} each, and pay when you get them?",
        "yes: join the waitlist. no: do not join it.",
    )
    if not yes:
        return None
    booked: Booking | Refusal = yield Call(Book(**_party(draft, trip, Wanted(wanted.count)), waitlist=True))
    return booked


def _party(draft: BookingDraft, trip: Trip, wanted: Wanted) -> dict[str, Any]:
    """The fields that Hold and Book share."""
    extras = draft.extras
    seats: dict[str, Any] = {"count": wanted.count, "seat_class": extras.seat_class or None}
    if wanted.numbers:  # their class follows from them
        seats = {"seats": list(wanted.numbers)}
    return seats | {
        "bus_id": trip.bus_id, "travel_date": trip.travel_date, "from_stop": trip.from_stop,
        "to_stop": trip.to_stop, "phone": draft.phone, "promo_code": extras.promo_code or None,
        "passengers": extras.passengers(wanted.passengers(draft.names)),
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
    if booking.status == "held":
        return f"Keep the reference. To see whether the payment has arrived: pay {reference}."
    keep = f"Keep the reference.\nTo see the booking: status {reference}. To cancel it: cancel {reference}."
    return keep + ("\nAfter you disconnect, both ask for the phone number." if phone else "")
