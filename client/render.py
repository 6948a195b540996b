"""Replies and refusals as text for people: what a command prints.

Tables have columns and no lines, so that they copy well. On a terminal they fit its width; in a pipe nothing
is folded. Colour is for terminals, unless NO_COLOR is set.
"""

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from busware import seatmap
from busware.server.conversation.manifest import manifest_lines
from busware.server.conversation.words import (
    arrival,
    clock,
    counted,
    differing_ends,
    moment,
    money,
    sent_line,
    service_of,
    type_text,
    words_of,
)
from busware.server.output import writing
from busware.server.protocol import (
    AlightingStop,
    AlightingStops,
    Booking,
    BookingList,
    CancelledTrip,
    ChangeSeat,
    Done,
    Logout,
    OpenedSales,
    OperatedTrip,
    OperatedTrips,
    Place,
    PlaceList,
    Pong,
    Quote,
    References,
    Refusal,
    Release,
    Request,
    Say,
    Seats,
    SentNotice,
    Session,
    Ticket,
    Trip,
    TripList,
    TripManifest,
)
from busware.server.protocol.jsonrpc import RpcError

PIPED_COLUMNS = 1000  # the width where there is no terminal
COLUMN_GAP = 2  # spaces between columns

# The vehicle of a trip carries the travel date, so a passenger who boards days later may read it there. On a
# trip that lasts for weeks, as a hotel's does, the travel date says nothing to a guest.
_MAX_TRAVEL_DATE_DAYS = 7
_WRAPPED_COLUMNS = ("Service", "Also called")  # the other columns keep their width on a narrow terminal
_PLACE_HEADERS = {"origin": "From", "destination": "To"}
_STATUS_STYLES = {"held": "yellow", "booked": "green", "pending": "yellow"}
# Fields in a refusal's data, with the label to print them under.
_DATA_LABELS = {
    "nearest": "Similar",
    "dates": "Dates of this service",
    "stops": "Stops of this service",
    "seats_free": "Free seats",
    "seat_count": "Number of seats",
    "limit": "Limit",
    "takes": "Expected",
    "key": "To repeat the request safely, add --key",
    "request_id": "Request id in the server's log",
}

Cell = str | Text
Row = dict[str, Cell]  # header of the column → cell. A header that begins with ">" aligns its column right.


class ReplyConsole(Console):
    """A console for `text`."""

    def on_broken_pipe(self) -> None:
        """Raise the BrokenPipeError. Rich would exit here, with a status that means a refusal."""
        raise


def console(*, stderr: bool = False) -> ReplyConsole:
    """The console on stdout or stderr, as wide as the terminal, or PIPED_COLUMNS."""
    out = ReplyConsole(stderr=stderr, highlight=False)
    if not out.is_terminal:
        out.width = PIPED_COLUMNS
    return out


def text(out: Console, shown: RenderableType) -> str:
    """What a console would print, without the last line end. Raises NotShown.

    Rich writes an empty text to the console, which fails with PYTHONUNBUFFERED on a full disk.
    """
    with writing(), out.capture() as captured:
        out.print(shown)
    return captured.get().removesuffix("\n")


def reply(  # noqa: C901, PLR0911, PLR0912 - a case for each reply
    answer: object, columns: int, request: Request | None = None, done: str = ""
) -> RenderableType:
    """The text of any reply, for a console of this width.

    request: what was sent. done: a sentence on what it has done, if the reply does not say it.
    """
    match answer:
        case Pong():
            return Text(f"{answer.server} {answer.version}")
        case Done():
            return Text(_done(request))
        case PlaceList():
            return _table(map(_place, answer.places), if_empty="No place was found.")
        case TripList():
            ends = differing_ends(answer)
            return _table(
                (_trip(trip, ends) for trip in answer.trips),
                if_empty="No trip goes from this origin to this destination on that date.",
            )
        case Seats():
            return seatmap.as_text(seatmap.draw(answer, columns=columns))
        case Booking():
            return Group(
                *_summary(answer, request, done),
                _table(map(_ticket, answer.tickets)),
                Text(f"Fare {money(answer.fare)}, refund {money(answer.refund)}."),
            )
        case References():
            return Text("\n".join(answer.references) or "No booking was found.")
        case Quote():
            return Text(f"Refund {money(answer.refund)}, if cancelled before {moment(answer.valid_until)}.")
        case AlightingStops():
            return _table(
                map(_alighting_stop, answer.stops),
                if_empty="There is no stop left at which to get off earlier.",
            )
        case Session():
            return _session(answer)
        case BookingList():
            return _page(map(_booking, answer.bookings), answer.next, if_empty="There are no bookings.")
        case OperatedTrips():
            return _page(
                map(_operated_trip, answer.trips),
                answer.next,
                if_empty="You have no trip on that travel date.",
            )
        case TripManifest():
            return Text("\n").join(_manifest(answer))
        case CancelledTrip():
            tickets = counted(answer.tickets, "ticket")
            return Text(f"The trip is cancelled: {tickets}, {money(answer.refund)} refunded.")
        case SentNotice():
            return Text(sent_line(answer))
        case OpenedSales():
            opened = counted(answer.opened, "trip") if answer.opened else "No new trip was"
            return Text(f"{opened} put on sale.")
    raise TypeError(f"no text for a {type(answer).__name__}")


def error(problem: Refusal | RpcError) -> RenderableType:
    """The message, and what its data adds to it."""
    lines = [Text(problem.message, style="red")]
    for field, label in _DATA_LABELS.items():
        value = problem.data.get(field, [])
        values = [str(one) for one in (value if isinstance(value, list) else [value])]
        if not all(text in problem.message for text in values):
            lines.append(Text(f"{label}: {', '.join(values)}"))
    return Group(*lines)


# Rows of the tables, by header of column ---------------------------------------------------------


def _place(place: Place) -> Row:
    return {
        "Code": place.code,
        "Place": place.name,
        "Also called": ", ".join(place.aliases),
        "Served by": ", ".join(place.kinds),
    }


def _trip(trip: Trip, ends: list[str]) -> Row:
    """Bus and Date are arguments of the commands seats and book. ends: the places that trips differ in."""
    return {
        ">Bus": str(trip.bus_id),
        "Date": str(trip.boarding_date),
        "Departs": clock(trip.departs_at),
        "Arrives": arrival(trip.arrives_at, trip.departs_at),
        **{_PLACE_HEADERS[end]: getattr(trip, end) for end in ends},
        "Service": ", ".join(filter(None, (service_of(trip), type_text(trip)))),
        ">Fare": money(trip.fare),
        ">Free": Text(str(trip.seats_free), style="green" if trip.seats_free else "dim"),
    }


def _ticket(ticket: Ticket) -> Row:
    return {
        ">Ticket": str(ticket.ticket_no),
        ">Seat": str(ticket.seat_no or "-"),
        "Name": ticket.name or "",
        "Status": Text(ticket.status, style=_STATUS_STYLES.get(ticket.status, "")),
        ">Fare": money(ticket.fare),
        ">Refund": money(ticket.refund),
    }


def _alighting_stop(stop: AlightingStop) -> Row:
    return {
        ">Stop": str(stop.stop_no),
        "Place": stop.place,
        "Arrives": moment(stop.arrives_at),
        ">Refund": money(stop.refund),
    }


def _booking(booking: Booking) -> Row:
    return {
        "Reference": booking.reference,
        "Status": Text(booking.status, style=_STATUS_STYLES.get(booking.status, "")),
        "Departs": moment(booking.departs_at),
        "From": booking.origin,
        "To": booking.destination,
        "Service": service_of(booking),
        ">Fare": money(booking.fare),
    }


def _operated_trip(trip: OperatedTrip) -> Row:
    return {
        ">Bus": str(trip.bus_id),
        "State": trip.state,
        "Departs": clock(trip.departs_at),
        "Arrives": arrival(trip.arrives_at, trip.departs_at),
        "Service": f"{trip.name}, {trip.origin} – {trip.destination}",
        ">Seats": str(trip.seats),
        ">Sold": str(trip.booked),
        ">Held": str(trip.held),
        ">Waiting": str(trip.pending),
    }


def _table(rows: Iterable[Row], if_empty: str = "") -> RenderableType:
    """A table with the headers of the first row, or a text if there are no rows."""
    rows = list(rows)
    if not rows:
        return Text(if_empty)
    table = Table(box=None, pad_edge=False, padding=(0, COLUMN_GAP, 0, 0))
    for header in rows[0]:
        table.add_column(
            header.lstrip(">"),
            justify="right" if header.startswith(">") else "left",
            no_wrap=header not in _WRAPPED_COLUMNS,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row.values()))
    return table


def _page(rows: Iterable[Row], after: str | None, if_empty: str) -> RenderableType:
    """A page of a list. after: the value of --after for the next page, or None."""
    table = _table(rows, if_empty)
    return table if after is None else Group(table, Text(f"For the next page: --after {after}", "dim"))


# Replies of several lines ----------------------------------------------------------------------


def _summary(booking: Booking, request: Request | None, done: str) -> Iterable[Text]:
    """What was done, or the status; reference, service and journey; then what the passenger must know now."""
    status = "Released" if isinstance(request, Release) else booking.status.capitalize()
    label = Text.assemble((status, _STATUS_STYLES.get(booking.status, "")), ": ")
    if isinstance(request, ChangeSeat):
        seat = words_of(booking.kind).seat.capitalize()
        done = f"{seat} changed to {request.seat_no} (ticket {request.ticket_no})."
    if done:
        yield Text(done)
        label = Text("Booking ")
    yield Text.assemble(
        label,
        (booking.reference, "bold"),
        f", {service_of(booking)} ({booking.bus_id}) of {_dates(booking)}.",
    )
    yield Text(
        f"{booking.origin}, {moment(booking.departs_at)}, to "
        f"{booking.destination}, {moment(booking.arrives_at)}."
    )
    if booking.expires_at is not None:
        yield Text(f"Confirm it before {booking.expires_at.astimezone():%H:%M:%S} (local time).")
    if booking.position is not None:
        yield Text(f"Position {booking.position} on the waitlist.")
    if booking.why is not None:
        yield Text(f"The operator cancelled the trip. {booking.why}")


def _dates(booking: Booking) -> str:
    """The boarding date; and the travel date, if it differs by at most _MAX_TRAVEL_DATE_DAYS."""
    days = abs((booking.travel_date - booking.boarding_date).days)
    travel_date = f", travel date {booking.travel_date}" if 0 < days <= _MAX_TRAVEL_DATE_DAYS else ""
    return f"{booking.boarding_date}{travel_date}"


def _session(session: Session) -> Text:
    operator = f", operator of {session.operator}" if session.operator else ""
    return Text.assemble(
        f"Signed in as {session.username} ({session.role}{operator}) until {moment(session.expires_at)}.\n"
        "Token: ",
        (session.token, "bold"),
    )


def _done(request: Request | None) -> str:
    """What a request has done whose reply has no fields."""
    match request:
        case Say():
            return "Sent to the operator."
        case Logout(everywhere=everywhere):
            return "Signed out everywhere." if everywhere else "Signed out."
    return "Done."


def _manifest(manifest: TripManifest) -> Iterable[Text]:
    """The numbers of tickets; then, stop by stop, the passengers who board and alight."""
    for line, is_heading in manifest_lines(manifest):
        yield Text(line, "bold" if is_heading else "")
