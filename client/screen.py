"""Replies on the traveller's screen: one function for each, each returns something rich can print."""

import msgspec
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from client import seatmap, ticket
from server.conversation.words import (
    arrival,
    clock,
    differing_ends,
    duration,
    journey,
    moment,
    money,
    service_of,
    words_of,
)
from server.wire import Booking, Quote, Seats, Trip, TripList

NARROW = 100  # columns, under which a table of trips leaves out what it can


def reply(answer: msgspec.Struct, console: Console, yours: tuple[int, ...] = ()) -> RenderableType:
    """A reply, for that console."""
    match answer:
        case TripList():
            return trips(answer, console.width)
        case Seats():
            return seatmap.as_text(seatmap.draw(answer, yours, console.width))
        case Booking():
            return ticket.draw(answer, coloured=coloured(console), with_code=console.is_terminal)
        case Quote():
            return Text(
                f"Cancelled before {moment(answer.stands_until)}, it gives back {money(answer.refund)}."
            )
    raise TypeError(f"no picture of a {type(answer).__name__}")


def coloured(console: Console) -> bool:
    """Whether that console shows colours."""
    return console.color_system is not None and not console.no_color


def trips(answer: TripList, columns: int) -> RenderableType:
    """Buses as a table: times, duration, fare, free seats; the ends of each where they differ."""
    differ = differing_ends(answer)
    table = Table(
        box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim",
        title=Text(journey(answer), "bold"), title_justify="left",
    )  # fmt: skip
    service = words_of(answer.trips[0].kind).service.capitalize()
    for head in (service, "Leaves", "Arrives", "Takes", "Fare", "Free"):
        right = head not in ("Leaves", "Arrives")
        table.add_column(head, justify="right" if right else "left", no_wrap=True)
    for end in differ:
        table.add_column({"origin": "From", "destination": "To"}[end], overflow="fold")
    typed = any(_type(trip) for trip in answer.trips)
    if typed:
        table.add_column("Type", no_wrap=columns >= NARROW)
    table.add_column("Service", ratio=1, overflow="fold")
    for trip in answer.trips:
        table.add_row(
            Text(str(trip.bus_id), "bold"), clock(trip.departs_at), arrival(trip.arrives_at, trip.departs_at),
            duration(trip.departs_at, trip.arrives_at), money(trip.fare), _free(trip),
            *(Text(getattr(trip, end)) for end in differ),
            *([Text(_type(trip))] * typed), Text(service_of(trip)),
        )  # fmt: skip
    return table


def _free(trip: Trip) -> Text:
    style = "red" if trip.seats_free == 0 else "yellow" if trip.seats_free < 6 else "green"
    return Text(str(trip.seats_free) if trip.seats_free else "full", style)


def _type(trip: Trip) -> str:
    """AC semi-sleeper."""
    cooling = {True: "AC", False: "non-AC", None: ""}[trip.ac]
    return f"{cooling} {(trip.bus_type or '').lower().replace('_', '-')}".strip()
