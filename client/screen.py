"""Replies on the traveller's screen: one function for each, each returns something rich can print."""

from collections.abc import Sequence

import msgspec
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from busware import seatmap, ticket
from busware.server.conversation.words import (
    arrival,
    clock,
    comfort,
    differing_ends,
    duration,
    journey,
    moment,
    money,
    service_of,
    words_of,
)
from busware.server.protocol import Booking, Quote, Seats, Trip, TripList

_ALIGNED = "><<>>>"  # the columns of trips: their number, times, duration, fare, free seats
_ENDS = {"origin": "from", "destination": "to"}


def reply(answer: msgspec.Struct, console: Console, yours: tuple[int, ...] = ()) -> RenderableType:
    """A reply, for that console."""
    match answer:
        case TripList():
            return trips(answer, console.width)
        case Seats():
            return seatmap.as_text(seatmap.draw(answer, yours, console.width))
        case Booking():
            return ticket.draw(
                answer, console.width, coloured=coloured(console), with_code=console.is_terminal
            )
        case Quote():
            return Text(f"Refund {money(answer.refund)}, if cancelled before {moment(answer.valid_until)}.")
    raise TypeError(f"no picture of a {type(answer).__name__}")


def coloured(console: Console) -> bool:
    """Whether that console shows colours."""
    return console.color_system is not None and not console.no_color


def trips(answer: TripList, columns: int) -> RenderableType:
    """Buses as a table: times, duration, fare, free seats; and behind each, or below it, which bus it is."""
    service = words_of(answer.trips[0].kind).service.capitalize()
    rows = [(service, "Leaves", "Arrives", "Takes", "Fare", "Free"), *map(_cells, answer.trips)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head, *lines = (Text("  ".join(map(_in_column, _ALIGNED, row, widths))) for row in rows)
    about = [_about(trip, differing_ends(answer)) for trip in answer.trips]
    beside = len(head) + 2 + max(map(len, about)) <= columns
    head.stylize("dim")
    shown: list[RenderableType] = [Text(journey(answer), "bold"), head]
    for trip, line, words in zip(answer.trips, lines, about, strict=True):
        line.stylize("bold", 0, widths[0])
        line.stylize(_free(trip), len(line) - widths[-1])
        shown.append(line.append(f"  {words}") if beside else line)
        if not beside:
            shown.append(Padding(Text(words, "dim"), (0, 0, 0, widths[0] + 2)))
    return Group(*shown)


def _cells(trip: Trip) -> tuple[str, ...]:
    departs, arrives = trip.departs_at, trip.arrives_at
    return (
        str(trip.bus_id), clock(departs), arrival(arrives, departs), duration(departs, arrives),
        money(trip.fare), str(trip.seats_free or "full"),
    )  # fmt: skip


def _in_column(aligned: str, cell: str, width: int) -> str:
    return f"{cell:{aligned}{width}}"


def _free(trip: Trip) -> str:
    """The colour of the number of free seats."""
    return "red" if trip.seats_free == 0 else "yellow" if trip.seats_free < 6 else "green"


def _about(trip: Trip, differ: Sequence[str]) -> str:
    """KSRTC Airavat Club Class, AC semi-sleeper; and its ends, where they differ from the others'."""
    ends = (f"{_ENDS[end]} {getattr(trip, end)}" for end in differ)
    return ", ".join(filter(None, (service_of(trip), comfort(trip), *ends)))
