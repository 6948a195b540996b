"""Replies and refusals as text for people: what a command prints.

Tables have columns and no lines, so that they copy well. On a terminal they fit its width; in a pipe nothing
is folded. Colour is for terminals, unless NO_COLOR is set.
"""

from collections.abc import Iterable, Iterator, Mapping

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.text import Text

from busware import seatmap
from busware.server.conversation.chart import Piece, chart_lines
from busware.server.conversation.fares import lowest_fare, part_lines
from busware.server.conversation.manifest import blocked_lines, crew_line, manifest_lines, trip_lines
from busware.server.conversation.words import (
    arrival,
    clock,
    counted,
    day_of,
    differing_ends,
    end_of,
    hold_end,
    moment,
    money,
    refund_line,
    seat_line,
    sent_line,
    service_of,
    status_of,
    type_text,
    venue_of,
)
from busware.server.output import writing
from busware.server.protocol import (
    AlightingStop,
    AlightingStops,
    Assignment,
    BlockedSeats,
    Booking,
    BookingList,
    CancelledTrip,
    ChangedPlace,
    ChangedService,
    ChangeSeat,
    Done,
    Driver,
    DriverList,
    Leg,
    Logout,
    NoShow,
    NoShows,
    OpenedSales,
    OperatedTrip,
    OperatedTrips,
    Place,
    PlaceList,
    Pong,
    PromoCode,
    PromoCodeList,
    Quote,
    References,
    Refusal,
    Release,
    Request,
    SalesReport,
    SalesRow,
    Say,
    Seats,
    SentNotice,
    ServiceData,
    ServiceList,
    ServiceSummary,
    Session,
    Ticket,
    Trip,
    TripList,
    TripLoad,
    TripManifest,
    TripOccupancy,
    Vehicle,
    VehicleList,
)
from busware.server.protocol.jsonrpc import RpcError
from busware.service_text import change_lines, service_lines

PIPED_COLUMNS = 1000  # the width where there is no terminal
COLUMN_GAP = 2  # spaces between columns
MAX_CHART_COLUMNS = 200  # of a seat occupancy chart, also in a pipe

# The vehicle of a trip carries the travel date, so a passenger who boards days later may read it there. On a
# trip that lasts for weeks, as a hotel's does, the travel date says nothing to a guest.
_MAX_TRAVEL_DATE_DAYS = 7
# Columns that are on a line below each row if the screen is too narrow, with the words before the cell there.
_LONG_COLUMNS = {
    "From": "from ",
    "To": "to ",
    "Service": "",
    "Also called": "also ",
    "Name": "",
    "Ends": "",
    "Vehicle": "vehicle ",
    "Notes": "",
}
_PLACE_HEADERS = {"origin": "From", "destination": "To"}
_PARTY_COLOURS = ("green", "cyan", "yellow", "magenta", "bright_blue", "bright_white")
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

    request: what was sent. done: what it has done or found, if the reply does not say it.
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
                _table(_tickets(answer)),
                *map(Text, part_lines(answer)),
                Text(f"Fare {money(answer.fare)}, refund {money(answer.refund)}."),
            )
        case References():
            return Text(done or "\n".join(answer.references) or "No booking was found.")
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
                _operated_trips(answer.trips),
                answer.next,
                if_empty="You have no trip on that travel date.",
            )
        case TripOccupancy():
            return _chart(answer, columns)
        case TripLoad():
            heading = (Text(line, "bold" if is_heading else "") for line, is_heading in trip_lines(answer))
            return Group(*heading, _table(map(_leg, answer.legs)))
        case TripManifest():
            return Text("\n").join(_manifest(answer))
        case CancelledTrip():
            tickets = counted(answer.tickets, "ticket")
            return Text(f"The trip is cancelled: {tickets}, {money(answer.refund)} refunded.")
        case BlockedSeats():
            return Text("\n".join(blocked_lines(answer.blocked)) or "No seat of the trip is blocked.")
        case ServiceList():
            return _page(map(_service, answer.services), answer.next, if_empty="You have no service.")
        case ServiceData():
            return Text("\n".join(service_lines(answer)))
        case ChangedService():
            return Text("\n".join(change_lines(answer, plan=getattr(request, "plan", False))))
        case ChangedPlace():
            names = ", ".join([answer.name, *answer.aliases])
            return Text(f"{answer.code}: {names}; {answer.time_zone}")
        case OperatedTrip():
            return _table(_operated_trips([answer]))
        case VehicleList():
            return _page(map(_vehicle, answer.vehicles), answer.next, if_empty="You have no vehicle.")
        case Vehicle():
            return _table([_vehicle(answer)])
        case DriverList():
            return _page(map(_driver, answer.drivers), answer.next, if_empty="You have no driver.")
        case Driver():
            return _table([_driver(answer)])
        case Assignment():
            assigned = crew_line(answer.trip) or "No vehicle and no driver."
            return Text(f"{counted(answer.assigned, 'trip')}: {assigned}")
        case SalesReport():
            sums = f"{counted(answer.tickets, 'ticket')}, income {money(answer.income)}."
            return Group(_table(map(_sales, answer.rows), if_empty="Nothing was sold."), Text(sums))
        case NoShows():
            return _table(
                map(_no_show, answer.tickets), if_empty=f"No passenger is missing at {answer.place}."
            )
        case SentNotice():
            return Text(sent_line(answer))
        case PromoCode():
            return _table([_promo_code(answer)], if_empty="")
        case PromoCodeList():
            return _page(
                map(_promo_code, answer.promo_codes), answer.next, if_empty="There are no promo codes."
            )
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
        ">Fare": lowest_fare(trip),
        ">Free": Text(str(trip.seats_free), style="green" if trip.seats_free else "dim"),
    }


def _tickets(booking: Booking) -> Iterator[Row]:
    """A row for each ticket. There is a column Ends if a ticket ends before its booking does."""
    ends = [end_of(ticket, booking) for ticket in booking.tickets]
    for ticket, end in zip(booking.tickets, ends, strict=True):
        yield _ticket(ticket) | ({"Ends": end} if any(ends) else {})


def _ticket(ticket: Ticket) -> Row:
    return {
        ">Ticket": str(ticket.ticket_no),
        ">Seat": str(ticket.seat_no or "-"),
        "Name": ticket.name or "",
        "Status": Text(status_of(ticket), style=_STATUS_STYLES.get(ticket.status, "")),
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
        "From": venue_of(booking) or booking.origin,
        "To": "" if venue_of(booking) else booking.destination,
        "Service": service_of(booking),
        ">Fare": money(booking.fare),
    }


def _service(service: ServiceSummary) -> Row:
    ends = [str(date) if date else "" for date in (service.first_date, service.last_date)]
    return {
        ">Bus": str(service.bus_id),
        "Service": service.name,
        "From": service.origin,
        "To": service.destination,
        "Departs": service.departs,
        "Runs on": service.runs_on,
        "Dates": " to ".join(ends).strip() if any(ends) else "",
        ">Seats": str(service.seats),
        ">Trips": str(service.trips),
    }


def _vehicle(vehicle: Vehicle) -> Row:
    return {
        "Registration": vehicle.registration,
        ">Seats": str(vehicle.seats),
        "In service": "yes" if vehicle.in_service else "no",
        "Name": vehicle.name or "",
        "Notes": vehicle.notes or "",
    }


def _driver(driver: Driver) -> Row:
    return {
        "Code": driver.code,
        "Name": driver.name,
        "Phone": driver.phone or "",
        "Licence": driver.licence_no or "",
        "Active": "yes" if driver.active else "no",
    }


def _operated_trips(trips: list[OperatedTrip]) -> Iterator[Row]:
    """A row for each trip. There is a column Vehicle if a trip has one."""
    has_vehicles = any(trip.vehicle for trip in trips)
    for trip in trips:
        yield _operated_trip(trip) | ({"Vehicle": trip.vehicle or ""} if has_vehicles else {})


def _promo_code(promo_code: PromoCode) -> Row:
    discount = (
        f"{promo_code.percent} %" if float(promo_code.percent) else "",
        money(promo_code.amount) if float(promo_code.amount) else "",
    )
    dates = (f"from {promo_code.first_date}", f"to {promo_code.last_date}")
    limits = (promo_code.max_uses, promo_code.max_uses_per_account)
    return {
        "Code": promo_code.code,
        "Discount": " and ".join(filter(None, discount)),
        "Sold": " ".join(text for text in dates if not text.endswith("None")) or "always",
        "Services": ", ".join(map(str, promo_code.services or [])) or "all",
        ">Uses": str(promo_code.uses),
        ">Limit": "–" if limits[0] is None else str(limits[0]),
        ">Each account": "–" if limits[1] is None else str(limits[1]),
    }


def _sales(row: SalesRow) -> Row:
    """The columns of a service, a date or a segment are those that the row has."""
    group = {
        ">Bus": row.bus_id and str(row.bus_id),
        "Service": row.name,
        "Date": row.date and str(row.date),
        "From": row.origin,
        "To": row.destination,
    }
    return {
        **{header: cell for header, cell in group.items() if cell},
        ">Tickets": str(row.tickets),
        ">Charges": money(row.charges),
        ">Refunds": money(row.refunds),
        ">Income": money(row.income),
        ">Occupied": f"{row.occupancy} %" if row.occupancy else "",
    }


def _no_show(ticket: NoShow) -> Row:
    return {
        "Reference": ticket.reference,
        ">Ticket": str(ticket.ticket_no),
        ">Seat": str(ticket.seat_no),
        "Name": ticket.name or "",
        "Status": "no-show, the seat is for sale again" if ticket.sells else "no-show",
    }


def _operated_trip(trip: OperatedTrip) -> Row:
    return {
        ">Bus": str(trip.bus_id),
        "State": trip.state,
        "Departs": clock(trip.departs_at),
        "Arrives": arrival(trip.arrives_at, trip.departs_at),
        "Service": f"{trip.name}, {venue_of(trip) or f'{trip.origin} – {trip.destination}'}",
        ">Seats": str(trip.seats),
        ">Sold": str(trip.booked),
        ">Held": str(trip.held),
        ">Waiting": str(trip.pending),
        ">Load": str(trip.load),
    }


def _leg(leg: Leg) -> Row:
    return {
        "Departs": clock(leg.departs_at),
        "Arrives": arrival(leg.arrives_at, leg.departs_at),
        "From": leg.origin,
        "To": leg.destination,
        ">Booked": str(leg.booked),
        ">Held": str(leg.held),
        ">Free": str(leg.free),
        ">Waiting": str(leg.pending),
    }


def _table(rows: Iterable[Row], if_empty: str = "") -> RenderableType:
    """A table with the headers of the first row, or a text if there are no rows."""
    rows = list(rows)
    return _Table(rows) if rows else Text(if_empty)


class _Table:
    """Rows with their headers. If the screen is too narrow, long cells are on a line below their row."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = [{header: _text(cell) for header, cell in row.items()} for row in rows]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        titles = {header: Text(header.lstrip(">"), "bold") for header in self._rows[0]}
        widths = {header: max(row[header].cell_len for row in (titles, *self._rows)) for header in titles}
        fits = sum(widths.values()) + COLUMN_GAP * (len(widths) - 1) <= options.max_width
        below = [] if fits else [header for header in titles if header in _LONG_COLUMNS]
        beside = {header: width for header, width in widths.items() if header not in below}
        yield _line(titles, beside)
        for row in self._rows:
            yield _line(row, beside)
            long_cells = [
                Text.assemble(_LONG_COLUMNS[header], row[header]) for header in below if row[header]
            ]
            if long_cells:
                yield Padding(Text(", ").join(long_cells), (0, 0, 0, COLUMN_GAP), expand=False)


def _line(row: Mapping[str, Text], widths: Mapping[str, int]) -> Text:
    """The cells of a row in columns of these widths."""
    cells = [row[header].copy() for header in widths]
    for cell, (header, width) in zip(cells, widths.items(), strict=True):
        cell.align("right" if header.startswith(">") else "left", width)
    line = Text(" " * COLUMN_GAP).join(cells)
    line.rstrip()
    return line


def _text(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(cell)


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
        done = seat_line(booking, request.ticket_no)
    if done:
        yield Text(done)
        label = Text("Booking ")
    yield Text.assemble(
        label,
        (booking.reference, "bold"),
        f", {service_of(booking)} ({booking.bus_id}) of {_dates(booking)}.",
    )
    if venue := venue_of(booking):
        yield Text(f"{venue}, {moment(booking.departs_at)}, until {moment(booking.arrives_at)}.")
    else:
        yield Text(
            f"{booking.origin}, {moment(booking.departs_at)}, to "
            f"{booking.destination}, {moment(booking.arrives_at)}."
        )
    if booking.expires_at is not None:
        yield Text(f"Confirm it before {hold_end(booking, booking.expires_at, None)}.")
    if booking.position is not None:
        yield Text(f"Position {booking.position} on the waitlist.")
    if booking.vehicle is not None:
        yield Text(f"Vehicle {booking.vehicle}.")
    if booking.refund_tiers is not None:
        yield Text(refund_line(booking.refund_tiers))
    if booking.why is not None:
        yield Text(f"The operator cancelled the trip. {booking.why}")


def _dates(booking: Booking) -> str:
    """The boarding date; and the travel date, if it differs by at most _MAX_TRAVEL_DATE_DAYS."""
    days = abs((booking.travel_date - booking.boarding_date).days)
    travel_date = f", travel date {day_of(booking.travel_date)}" if 0 < days <= _MAX_TRAVEL_DATE_DAYS else ""
    return f"{day_of(booking.boarding_date)}{travel_date}"


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


def _chart(trip: TripOccupancy, columns: int) -> Text:
    """The seat occupancy chart. Neighbouring runs of different bookings differ in colour."""
    lines = (
        Text.assemble(*((piece.text, _piece_style(piece)) for piece in line))
        for line in chart_lines(trip, min(columns, MAX_CHART_COLUMNS))
    )
    return Text("\n", no_wrap=True).join(lines)


def _piece_style(piece: Piece) -> str:
    if piece.party is not None:
        return f"black on {_PARTY_COLOURS[piece.party % len(_PARTY_COLOURS)]}"
    return "bold" if piece.is_bold else ""


def _manifest(manifest: TripManifest) -> Iterable[Text]:
    """The numbers of tickets; then, stop by stop, the passengers who board and alight."""
    for line, is_heading in manifest_lines(manifest):
        yield Text(line, "bold" if is_heading else "")
