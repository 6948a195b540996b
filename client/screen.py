"""Replies on the screen of the terminal client."""

from collections.abc import Sequence

import msgspec
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from busware import seatmap, ticket
from busware.server.conversation.fares import lowest_fare
from busware.server.conversation.words import (
    arrival,
    clock,
    differing_ends,
    duration,
    journey,
    moment,
    money,
    service_of,
    type_text,
    words_of,
)
from busware.server.protocol import Booking, Payment, Quote, Seats, Trip, TripList

_ALIGNMENTS = "><<>>>"  # of the columns: number, departure, arrival, duration, fare, free seats
_PREPOSITIONS = {"origin": "from", "destination": "to"}


def reply(answer: msgspec.Struct, console: Console, yours: tuple[int, ...] = ()) -> RenderableType:
    """A reply as it is displayed on this console. yours: the traveller's own seats in it."""
    match answer:
        case TripList():
            return trips(answer, console.width)
        case Seats():
            return seatmap.as_text(seatmap.draw(answer, yours, console.width, with_fare=not yours))
        case Booking():
            return ticket.draw(
                answer, console.width, coloured=coloured(console), with_code=console.is_terminal
            )
        case Payment():
            return ticket.draw_payment(answer, coloured=coloured(console), with_code=console.is_terminal)
        case Quote():
            return Text(
                f"Refund {money(answer.refund, answer.currency)}, "
                f"if cancelled before {moment(answer.valid_until)}."
            )
    raise TypeError(f"{type(answer).__name__} cannot be displayed")


def coloured(console: Console) -> bool:
    """Whether the console shows colours."""
    return console.color_system is not None and not console.no_color


def trips(found: TripList, columns: int) -> RenderableType:
    """A table of trips. If one description does not fit its row, every one gets a line below its row."""
    words = words_of(found.trips[0].kind)
    header = (words.service.capitalize(), words.departs, words.arrives, words.takes, "Fare", "Free")
    rows = [header, *map(_cells, found.trips)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head, *lines = (Text("  ".join(map("{:{}{}}".format, row, _ALIGNMENTS, widths))) for row in rows)
    ends = differing_ends(found)
    descriptions = [_description(trip, ends) for trip in found.trips]
    fits = len(head) + 2 + max(map(len, descriptions)) <= columns
    head.stylize("dim")
    shown: list[RenderableType] = [Text(journey(found), "bold"), head]
    for trip, line, description in zip(found.trips, lines, descriptions, strict=True):
        free = trip.seats_free
        line.stylize("bold", 0, widths[0])
        line.stylize("red" if free == 0 else "yellow" if free < 6 else "green", len(line) - widths[-1])
        shown.append(line.append(f"  {description}") if fits else line)
        if not fits:
            shown.append(Padding(Text(description, "dim"), (0, 0, 0, widths[0] + 2)))
    return Group(*shown)


def _cells(trip: Trip) -> tuple[str, ...]:
    departs, arrives = trip.departs_at, trip.arrives_at
    return (
        str(trip.bus_id), clock(departs), arrival(arrives, departs), duration(departs, arrives),
        lowest_fare(trip), str(trip.seats_free or "full"),
    )  # fmt: skip


def _description(trip: Trip, ends: Sequence[str]) -> str:
    """A trip in words, such as KSRTC Airavat Club Class, AC semi-sleeper.

    ends: which of origin and destination to add, because they differ between the trips of the table.
    """
    differing = (f"{_PREPOSITIONS[end]} {getattr(trip, end)}" for end in ends)
    return ", ".join(filter(None, (service_of(trip), type_text(trip), *differing)))
