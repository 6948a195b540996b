"""Replies as plain text for nc and telnet: one function for each reply, in lines of 79 columns.

No colours and no cursor movements. All texts are ASCII, except names, which the dialogue has cleaned.
"""

import textwrap
from datetime import datetime
from itertools import zip_longest

import msgspec

from busware.server.conversation.contacts import contact_line
from busware.server.conversation.drawing import drivers, mark, marks, states
from busware.server.conversation.fares import part_lines, seat_fares
from busware.server.conversation.payments import due_line, payment_lines
from busware.server.conversation.words import (
    arrival,
    clock,
    differing_ends,
    does_not_run,
    duration,
    end_of,
    hold_end,
    journey,
    moment,
    money,
    offer_lines,
    refund_line,
    service_of,
    type_code,
    venue_of,
    words_of,
)
from busware.server.protocol import Booking, Payment, Quote, Seat, Seats, Ticket, TripList

WIDTH = 79  # columns; some terminals of 80 columns wrap after the 80th
_DECK_GAP = "     "
_STATES = {"held": "~", "taken": "x"}
_YOURS = "*"
_LEGEND = {
    "free": "A number means free",
    "held": "~ held by another traveller",
    "taken": "x taken",
    "yours": f"{_YOURS} yours",
}
_PREPOSITIONS = {"origin": "from", "destination": "to"}
_TRIP_ROW = "{:>6}  {:6}  {:8}  {:>5}  {:>9}  {:>4}  {}"


def wrapped(text: str) -> str:
    """The text in lines of at most WIDTH columns, broken between words."""
    return "\n".join(textwrap.fill(line, WIDTH, break_on_hyphens=False) for line in text.splitlines())


def reply(answer: msgspec.Struct, now: datetime, yours: tuple[int, ...] = ()) -> str:
    """The text of a reply, without a newline at its end. yours: the traveller's own seats in it."""
    match answer:
        case TripList():
            return trips(answer)
        case Seats():
            return seat_map(answer, yours)
        case Booking():
            return booking(answer, now)
        case Quote():
            return quote(answer)
        case Payment():
            return payment(answer)
    raise TypeError(f"{type(answer).__name__} has no plain text")


def trips(answer: TripList) -> str:
    """A line or two for each trip."""
    words = words_of(answer.trips[0].kind)
    service = words.service.capitalize()
    lines = [
        f"{journey(answer)}:",
        _TRIP_ROW.format(service, words.departs, words.arrives, words.takes, "Fare", "Free", "Service"),
    ]
    differ = differing_ends(answer)
    for trip in answer.trips:
        head = _TRIP_ROW.format(
            trip.bus_id,
            clock(trip.departs_at),
            arrival(trip.arrives_at, trip.departs_at),
            duration(trip.departs_at, trip.arrives_at),
            money(trip.fare, trip.currency),
            trip.seats_free,
            "",
        )
        about = [service_of(trip), type_code(trip.bus_type, trip.ac)]
        about += [f"{_PREPOSITIONS[end]} {getattr(trip, end)}" for end in differ]
        lines += textwrap.wrap(
            ", ".join(filter(None, about)),
            WIDTH,
            initial_indent=head,
            subsequent_indent=" " * len(head),
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def seat_map(answer: Seats, yours: tuple[int, ...] = ()) -> str:
    """The decks side by side, with the driver's end on top."""
    decks = [_deck(name, answer, yours) for name in dict.fromkeys(seat.deck for seat in answer.seats)]
    widths = [max(map(len, deck)) for deck in decks]
    rows = (
        _DECK_GAP.join(line.ljust(width) for line, width in zip(row, widths, strict=True)).rstrip()
        for row in zip_longest(*decks, fillvalue="")
    )
    shown = states(answer, yours)
    legend = ", ".join(
        [meaning for state, meaning in _LEGEND.items() if state in shown]
        + [f"{letter} {meaning}" for letter, meaning in marks(answer).items()]
    )
    total = f"{len(answer.free)} of {len(answer.seats)} free"
    # without classes, another seat costs what the ticket has cost
    fares = seat_fares(answer) if answer.classes or not yours else []
    totals = [total, *fares] if answer.classes else [", ".join([total, *fares])]
    return "\n".join([*rows, f"{legend}.", *(textwrap.fill(f"{line}.", WIDTH) for line in totals)])


def _deck(name: str, answer: Seats, yours: tuple[int, ...]) -> list[str]:
    seats = [seat for seat in answer.seats if seat.deck == name]
    at = {(seat.row, seat.column): seat for seat in seats}
    cell_width = max(len(f"{seat.seat_no}{mark(seat)}") for seat in answer.seats)
    columns = range(1, max(column for _, column in at) + 1)
    driver = " driver " if name in {deck for deck, _, _ in drivers(answer.layout)} else ""
    inner_width = max((cell_width + 1) * len(columns) + 1, len(driver))
    kinds = ", ".join(dict.fromkeys(f"{seat.kind}s" for seat in seats))
    lines = [f"{name} ({kinds})", f"+{driver.rjust(inner_width, '-')}+"]
    for row in range(min(row for row, _ in at), max(row for row, _ in at) + 1):
        cells = " ".join(_cell(at.get((row, column)), yours).rjust(cell_width) for column in columns)
        lines.append(f"| {cells}".ljust(inner_width + 1) + "|")
    return [*lines, f"+{'-' * inner_width}+"]


def _cell(seat: Seat | None, yours: tuple[int, ...]) -> str:
    if seat is None:
        return ""
    return _YOURS if seat.seat_no in yours else _STATES.get(seat.state, f"{seat.seat_no}{mark(seat)}")


def booking(answer: Booking, now: datetime) -> str:
    """Status and reference, the journey, the tickets, the fare, and the end of the hold or the position."""
    lines = [
        f"{answer.status.capitalize()}: {answer.reference}",
        f"{service_of(answer)} ({answer.kind} {answer.bus_id})",
        *_journey(answer),
        *(_ticket(ticket, answer) for ticket in answer.tickets),
        *(f"  {line}" for line in part_lines(answer)),
        *_fare(answer),
    ]
    if answer.expires_at is not None:
        left = max(0, int((answer.expires_at - now).total_seconds()))
        until = hold_end(answer, answer.expires_at, now.tzinfo)
        lines.append(f"The hold expires at {until}, in {left // 60} min {left % 60:02d} s.")
    if due := due_line(answer):
        lines.append(due)
    elif answer.status == "expired":
        lines.append("Nothing was paid.")
    if answer.vehicle is not None:
        lines.append(f"Vehicle: {answer.vehicle}.")
    if answer.refund_tiers is not None:
        lines.append(refund_line(answer.refund_tiers))
    for offer in answer.offers or ():
        lines += offer_lines(offer)
    if contact := contact_line(answer):
        lines.append(contact)
    if answer.position is not None:
        lines.append(f"Position on the waitlist: {answer.position}.")
    if answer.why is not None:
        lines.append(does_not_run(answer))
    return "\n".join(
        textwrap.fill(line, WIDTH, subsequent_indent="    ", break_on_hyphens=False) for line in lines
    )


def payment(answer: Payment) -> str:
    """How to pay a payment. A URL stays on one line."""
    return "\n".join(
        textwrap.fill(line, WIDTH, break_on_hyphens=False, break_long_words=False)
        for line in payment_lines(answer)
    )


def _journey(answer: Booking) -> list[str]:
    """Origin, destination and times; for a stay at one place, the place and what the times mean."""
    departs, arrives = moment(answer.departs_at), moment(answer.arrives_at)
    venue, words = venue_of(answer), words_of(answer.kind)
    if not venue:
        return [f"{answer.origin}, {departs}", f"  to {answer.destination}, {arrives}"]
    place = [] if venue in service_of(answer) else [venue]
    width = max(len(words.departs), len(words.arrives))
    return [*place, f"{words.departs:{width}} {departs}", f"{words.arrives:{width}} {arrives}"]


def _fare(answer: Booking) -> list[str]:
    """The fare and what was refunded of it; nothing for a booking that was never booked."""
    if answer.never_booked:
        return []
    refunded = f", refunded {money(answer.refund, answer.currency)}" if float(answer.refund) else ""
    return [f"Fare {money(answer.fare, answer.currency)}{refunded}"]


def _ticket(ticket: Ticket, party: Booking) -> str:
    """One ticket; its end and its status if they differ from the booking's."""
    noun = words_of(party.kind).seat
    seat = f"no {noun} yet" if ticket.seat_no is None else f"{noun} {ticket.seat_no}"
    status = "" if ticket.status == party.status else ticket.status
    refund = f"refunded {money(ticket.refund, party.currency)}" if float(ticket.refund) else ""
    words = (
        seat,
        ticket.name or "",
        money(ticket.fare, party.currency),
        end_of(ticket, party),
        status,
        refund,
    )
    return f"  Ticket {ticket.ticket_no}: {', '.join(filter(None, words))}"


def quote(answer: Quote) -> str:
    """The refund, and until when the quote is valid."""
    refund = money(answer.refund, answer.currency)
    return f"The refund is {refund} if you cancel before {moment(answer.valid_until)}."
