"""Replies as text for people: one function for each reply, each returns something rich can print.

Tables have columns and no lines, so that they copy well; piped, nothing in them is folded. Colour
only where there is a terminal, and not with NO_COLOR. Nothing here asks the clock, the network or
the arguments.
"""

from collections.abc import Callable
from typing import Any, Literal

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from busware import seatmap
from busware.server.conversation.words import arrival, clock, comfort, differing_ends, moment, service_of
from busware.server.protocol import (
    Booking,
    BookingList,
    CancelledTrip,
    Done,
    OpenedSales,
    OperatedTrips,
    PlaceList,
    Pong,
    Quote,
    References,
    Refusal,
    Seats,
    Session,
    Trip,
    TripList,
    TripManifest,
)
from busware.server.protocol.jsonrpc import RpcError

PIPED_COLUMNS = 1000  # the width where there is no terminal: nothing is folded or cut
COLUMN_GAP = 2  # spaces between columns

_ENDS = {"origin": "From", "destination": "To"}
_STYLES = {"held": "yellow", "booked": "green", "pending": "yellow"}
# What would be right, in the data of a refusal; said unless the message said it already.
_HINTS = {
    "nearest": "Like it",
    "dates": "It runs on",
    "stops": "It stops at",
    "seats_free": "Free",
    "seat_count": "Seats there are",
    "limit": "The limit",
    "takes": "It takes",
    "key": "Ask again with the same arguments and --key",
    "request_id": "In the server's log it is",
}


class _Out(Console):
    def on_broken_pipe(self) -> None:
        raise  # rich calls this where it caught the error, and would exit by itself


def console(*, stderr: bool = False) -> Console:
    """Where to print: as wide as the terminal, or as wide as need be when there is none."""
    out = _Out(stderr=stderr, highlight=False)
    return out if out.is_terminal else _Out(stderr=stderr, highlight=False, width=PIPED_COLUMNS)


def reply(answer: object) -> RenderableType:
    """The text of any reply."""
    return TEXTS[type(answer)](answer)


def pong(answer: Pong) -> RenderableType:
    """Who answers."""
    return Text(f"{answer.server} {answer.version}")


def places(answer: PlaceList) -> RenderableType:
    """A line for each place."""
    table = _table("Code", "Place", "Also called", "Served by", folds="Also called")
    for place in answer.places:
        table.add_row(
            place.code, Text(place.name), Text(", ".join(place.aliases)), Text(", ".join(place.kinds))
        )
    return table


def trips(answer: TripList) -> RenderableType:
    """A line for each trip; bus and date are what `seats` and `book` take.

    From and to are named where the trips differ in them, as with a place that contains others.
    """
    if not answer.trips:
        return Text("No trip goes from the one to the other on that date.")
    ends = differing_ends(answer)
    heads = (_ENDS[end] for end in ends)
    table = _table(">Bus", "Date", "Departs", "Arrives", *heads, "Service", ">Fare", ">Free", folds="Service")
    for trip in answer.trips:
        table.add_row(
            str(trip.bus_id), str(trip.travel_date), clock(trip.departs_at),
            arrival(trip.arrives_at, trip.departs_at), *(Text(getattr(trip, end)) for end in ends),
            Text(_service(trip)), trip.fare,
            Text(str(trip.seats_free), style="green" if trip.seats_free else "dim"),
        )  # fmt: skip
    return table


class _Map:
    """A seat map, as wide as it is printed."""

    def __init__(self, seat_map: Seats) -> None:
        self._seat_map = seat_map

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield seatmap.as_text(seatmap.draw(self._seat_map, columns=options.max_width))


def booking(answer: Booking) -> RenderableType:
    """What the passenger needs to know: status, reference, ride, tickets, money."""
    lines = [
        Text.assemble(
            (answer.status.capitalize(), _STYLES.get(answer.status, "")),
            ": ",
            (answer.reference, "bold"),
            f", {service_of(answer)} ({answer.bus_id}) of {answer.travel_date}.",
        ),
        Text(
            f"{answer.origin}, {moment(answer.departs_at)}, to "
            f"{answer.destination}, {moment(answer.arrives_at)}."
        ),
    ]
    if answer.expires_at is not None:
        lines.append(Text(f"Held until {answer.expires_at.astimezone():%H:%M:%S}: confirm it before."))
    if answer.position is not None:
        lines.append(Text(f"Number {answer.position} of those who wait for seats."))
    if answer.why is not None:
        lines.append(Text(f"The trip was cancelled by its operator. {answer.why}"))
    table = _table(">Ticket", ">Seat", "Name", "Status", ">Fare", ">Refund")
    for ticket in answer.tickets:
        seat = "-" if ticket.seat_no is None else str(ticket.seat_no)
        table.add_row(
            str(ticket.ticket_no), seat, Text(ticket.name or ""),
            Text(ticket.status, style=_STYLES.get(ticket.status, "")), ticket.fare, ticket.refund,
        )  # fmt: skip
    return Group(*lines, table, Text(f"Fare {answer.fare}, refund {answer.refund}."))


def quote(answer: Quote) -> RenderableType:
    """What a cancellation gives back, and how long that stands."""
    return Text(f"Refund {answer.refund}, if cancelled before {moment(answer.valid_until)}.")


def references(answer: References) -> RenderableType:
    """One on each line."""
    return Text("\n".join(answer.references) or "No booking was found.")


def session(answer: Session) -> RenderableType:
    """Who is signed in, and the token."""
    runs = f", running the services of {answer.operator}" if answer.operator else ""
    return Text.assemble(
        f"Signed in as {answer.username} ({answer.role}{runs}) until {moment(answer.expires_at)}.\nToken: ",
        (answer.token, "bold"),
    )


def bookings(answer: BookingList) -> RenderableType:
    """A line for each booking."""
    table = _table("Reference", "Status", "Departs", "From", "To", "Service", ">Fare", folds="Service")
    for one in answer.bookings:
        table.add_row(
            one.reference, Text(one.status, style=_STYLES.get(one.status, "")), moment(one.departs_at),
            Text(one.origin), Text(one.destination), Text(service_of(one)), one.fare,
        )  # fmt: skip
    return _page(table if answer.bookings else Text("There are no bookings."), answer.next)


def operated_trips(answer: OperatedTrips) -> RenderableType:
    """A line for each trip of an operator's."""
    table = _table(">Bus", "State", "Departs", "Arrives", "Service", ">Seats", ">Sold", ">Held", ">Waiting",
                   folds="Service")  # fmt: skip
    for trip in answer.trips:
        table.add_row(
            str(trip.bus_id), trip.state,
            clock(trip.departs_at), arrival(trip.arrives_at, trip.departs_at),  # all on the date asked for
            Text(f"{trip.name}, {trip.origin} – {trip.destination}"),
            *(str(n) for n in (trip.seats, trip.booked, trip.held, trip.pending)),
        )  # fmt: skip
    return _page(table if answer.trips else Text("You run no trip on that date."), answer.next)


def manifest(answer: TripManifest) -> RenderableType:
    """Stop by stop, who boards and who alights."""
    lines: list[RenderableType] = [Text(f"{answer.name} ({answer.bus_id}) of {answer.travel_date}", "bold")]
    for stop in answer.stops:
        at = stop.departs_at or stop.arrives_at
        lines.append(Text(f"{clock(at)}  {stop.place}" if at else stop.place, "bold"))
        for what, riders in (("boards", stop.boards), ("alights", stop.alights)):
            for one in riders:
                who = ", ".join(filter(None, (one.name, one.phone, f"{one.reference}/{one.ticket_no}")))
                lines.append(Text(f"  {what:7}  seat {one.seat_no}: {who}"))
        if stop.comes_free:
            lines.append(Text(f"  free from here: {', '.join(map(str, stop.comes_free))}"))
    return Group(*lines)


def cancelled_trip(answer: CancelledTrip) -> RenderableType:
    """What it came to."""
    return Text(f"Cancelled. {answer.tickets} tickets ended, {answer.refund} given back.")


def opened_sales(answer: OpenedSales) -> RenderableType:
    """How many."""
    return Text(f"{answer.opened} trips went on sale.")


def _page(shown: RenderableType, after: str | None) -> RenderableType:
    return shown if after is None else Group(shown, Text(f"There are more: --after {after}", "dim"))


def done(answer: Done) -> RenderableType:
    """It is."""
    return Text("Done.")


def free_seats(answer: Seats) -> RenderableType:
    """The seats that could be had instead."""
    return Text(f"Free on that stretch: {', '.join(map(str, answer.free)) or 'none'}.")


def error(problem: Refusal | RpcError) -> RenderableType:
    """The message, then what would be right where the message did not say it."""
    lines = [Text(problem.message, style="red")]
    for field, label in _HINTS.items():
        said = [str(value) for value in _listed(problem.data.get(field))]
        if said and not all(value in problem.message for value in said):
            lines.append(Text(f"{label}: {', '.join(said)}"))
    return Group(*lines)


def _listed(value: object) -> list[object]:
    """A list of a field's values, of none when the field is not there."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _table(*heads: str, folds: str = "") -> Table:
    """An empty table. A head that begins with > is of numbers; one column folds where there is no room."""
    table = Table(box=None, pad_edge=False, padding=(0, COLUMN_GAP, 0, 0))
    for head in heads:
        justify: Literal["right", "left"] = "right" if head.startswith(">") else "left"
        table.add_column(head.lstrip(">"), justify=justify, no_wrap=head != folds, overflow="fold")
    return table


def _service(trip: Trip) -> str:
    """Who runs it, what it is called, and what it is: AC semi-sleeper, non-AC seater."""
    return ", ".join(filter(None, (service_of(trip), comfort(trip))))


TEXTS: dict[type, Callable[[Any], RenderableType]] = {
    Pong: pong,
    PlaceList: places,
    TripList: trips,
    Seats: _Map,
    Booking: booking,
    References: references,
    Quote: quote,
    Done: done,
    Session: session,
    BookingList: bookings,
    OperatedTrips: operated_trips,
    TripManifest: manifest,
    CancelledTrip: cancelled_trip,
    OpenedSales: opened_sales,
}
