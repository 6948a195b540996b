"""Tables of replies: rows by header of column, and their layout."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.text import Text

from busware.server.conversation.fares import lowest_fare
from busware.server.conversation.words import (
    arrival,
    departure,
    end_of,
    moment,
    money,
    service_of,
    status_of,
    type_text,
    venue_of,
)
from busware.server.protocol import (
    Agent,
    AlightingStop,
    Booking,
    Delivery,
    Driver,
    Event,
    Leg,
    NoShow,
    OpenRefund,
    OperatedTrip,
    OperatorPayment,
    Payment,
    Place,
    PromoCode,
    ReseatedTicket,
    SalesRow,
    ServiceSummary,
    SettledPayment,
    Settlement,
    StaffAccount,
    Ticket,
    Trip,
    Vehicle,
    Webhook,
)

COLUMN_GAP = 2  # spaces between columns

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
STATUS_STYLES = {"held": "yellow", "booked": "green", "pending": "yellow", "displaced": "red"}

Cell = str | Text
Row = dict[str, Cell]  # header of the column → cell. A header that begins with ">" aligns its column right.


def place_row(place: Place) -> Row:
    """A place."""
    return {
        "Code": place.code,
        "Place": place.name,
        "Also called": ", ".join(place.aliases),
        "Served by": ", ".join(place.kinds),
    }


def trip_row(trip: Trip, ends: list[str]) -> Row:
    """Bus and Date are arguments of the commands seats and book. ends: the places that trips differ in."""
    return {
        ">Bus": str(trip.bus_id),
        "Date": str(trip.boarding_date),
        "Departs": departure(trip),
        "Arrives": arrival(trip.arrives_at, trip.departs_at),
        **{_PLACE_HEADERS[end]: getattr(trip, end) for end in ends},
        "Service": ", ".join(filter(None, (service_of(trip), type_text(trip)))),
        ">Fare": lowest_fare(trip),
        ">Free": Text(str(trip.seats_free), style="green" if trip.seats_free else "dim"),
    }


def ticket_rows(booking: Booking) -> Iterator[Row]:
    """A row for each ticket. There is a column Ends if a ticket ends before its booking does."""
    ends = [end_of(ticket, booking) for ticket in booking.tickets]
    for ticket, end in zip(booking.tickets, ends, strict=True):
        yield ticket_row(ticket, booking.currency) | ({"Ends": end} if any(ends) else {})


def ticket_row(ticket: Ticket, currency: str | None) -> Row:
    """A ticket of a booking."""
    return {
        ">Ticket": str(ticket.ticket_no),
        ">Seat": str(ticket.seat_no or "-"),
        "Name": ticket.name or "",
        "Status": Text(status_of(ticket), style=STATUS_STYLES.get(ticket.status, "")),
        ">Fare": money(ticket.fare, currency),
        ">Refund": money(ticket.refund, currency),
    }


def alighting_stop_row(stop: AlightingStop) -> Row:
    """A stop at which a passenger may get off."""
    return {
        ">Stop": str(stop.stop_no),
        "Place": stop.place,
        "Arrives": moment(stop.arrives_at),
        ">Refund": money(stop.refund),
    }


def booking_row(booking: Booking) -> Row:
    """A booking."""
    return {
        "Reference": booking.reference,
        "Status": Text(
            "not booked" if booking.never_booked else booking.status,
            style=STATUS_STYLES.get(booking.status, ""),
        ),
        "Departs": moment(booking.departs_at),
        "From": venue_of(booking) or booking.origin,
        "To": "" if venue_of(booking) else booking.destination,
        "Service": service_of(booking),
        ">Fare": "" if booking.never_booked else money(booking.fare, booking.currency),
    }


def service_row(service: ServiceSummary) -> Row:
    """A service."""
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


def vehicle_row(vehicle: Vehicle) -> Row:
    """A vehicle."""
    return {
        "Registration": vehicle.registration,
        ">Seats": str(vehicle.seats),
        "In service": "yes" if vehicle.in_service else "no",
        "Name": vehicle.name or "",
        "Notes": vehicle.notes or "",
    }


def driver_row(driver: Driver) -> Row:
    """A driver."""
    return {
        "Code": driver.code,
        "Name": driver.name,
        "Phone": driver.phone or "",
        "Licence": driver.licence_no or "",
        "Active": "yes" if driver.active else "no",
    }


def operated_trip_rows(trips: Sequence[OperatedTrip]) -> Iterator[Row]:
    """A row for each trip. There is a column Vehicle if a trip has one."""
    has_vehicles = any(trip.vehicle for trip in trips)
    for trip in trips:
        yield operated_trip_row(trip) | ({"Vehicle": trip.vehicle or ""} if has_vehicles else {})


def promo_code_row(promo_code: PromoCode) -> Row:
    """A promo code."""
    discount = (
        f"{promo_code.percent} %" if float(promo_code.percent) else "",
        money(promo_code.amount, promo_code.currency) if float(promo_code.amount) else "",
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


def event_row(event: Event) -> Row:
    """What happened, and to which booking or trip."""
    return {
        ">Position": str(event.position),
        "At": event.at.strftime("%Y-%m-%d %H:%M:%S"),
        "Event": event.type,
        "Cause": str(event.data.get("cause", "")),
        ">Bus": str(event.bus_id or ""),
        "Date": str(event.travel_date or ""),
        "Booking": event.reference or "",
    }


def sales_row(row: SalesRow, *, by_agent: bool = False) -> Row:
    """A row of sales. It has columns for its service, date, segment and agent, if it is about one.

    by_agent: each row is about an agent, or about what no agent has sold.
    """
    group = {
        ">Bus": row.bus_id and str(row.bus_id),
        "Service": row.name,
        "Date": row.date and str(row.date),
        "From": row.origin,
        "To": row.destination,
        "Agent": row.agent or ("none" if by_agent else None),
    }
    return {
        **{header: cell for header, cell in group.items() if cell},
        ">Tickets": str(row.tickets),
        ">Charges": money(row.charges, row.currency),
        ">Refunds": money(row.refunds, row.currency),
        ">Income": money(row.income, row.currency),
        ">Occupied": f"{row.occupancy} %" if row.occupancy else "",
    }


def agent_row(agent: Agent) -> Row:
    """An agent."""
    quotas = (f"{quota.bus_id}: {quota.seats}" for quota in agent.quotas)
    return {
        "Agent": agent.agent,
        "Sells": "yes" if agent.active else "no",
        ">Commission": f"{agent.commission_percent} %",
        ">Cash": money(agent.cash, agent.currency),
        ">Held": money(agent.held, agent.currency),
        ">Credit": "–" if agent.credit_limit is None else money(agent.credit_limit, agent.currency),
        "Seats on a trip": ", ".join(quotas),
    }


def staff_row(account: StaffAccount) -> Row:
    """A staff account."""
    changed = account.changed_at and f"{moment(account.changed_at)} by {account.changed_by}"
    return {
        "Username": account.username,
        "Role": account.role,
        "Operator": account.operator or "all",
        "Signs in": "yes" if account.active else "no",
        "Password": "yes" if account.has_password else "no",
        "Changed": changed or "",
    }


def staff_lines(account: StaffAccount) -> Iterator[str]:
    """How an account gets its password, if it has none."""
    if account.reset_token and account.reset_expires_at:
        yield f"Token for the password, until {moment(account.reset_expires_at)}: {account.reset_token}"
        yield "Give it to the owner of the account: busware reset-password TOKEN sets the password."


def settled_payment_row(payment: SettledPayment) -> Row:
    """A payment in a settlement."""
    return {
        "At": moment(payment.at),
        "Reference": payment.reference,
        ">Ticket": str(payment.ticket_no),
        ">Bus": str(payment.bus_id),
        "Date": str(payment.travel_date),
        "Kind": payment.kind,
        ">Amount": money(payment.amount),
    }


def payment_row(payment: Payment) -> Row:
    """A payment of a booking."""
    return {
        "Payment": payment.provider_reference or payment.payment_id,
        "With": payment.provider,
        "State": payment.state,
        ">Amount": f"{money(payment.amount)} {payment.currency}",
        "Refunds": ", ".join(f"{money(refund.amount)} ({refund.state})" for refund in payment.refunds),
        "Problem": payment.problem or "",
    }


def operator_payment_row(payment: OperatorPayment) -> Row:
    """A payment in the list of an operator."""
    return {
        "Booking": payment.reference,
        ">Bus": str(payment.bus_id),
        **payment_row(payment),
        "Since": moment(payment.created_at),
    }


def open_refund_row(refund: OpenRefund) -> Row:
    """A refund that an operator pays back."""
    return {
        "Refund": refund.refund_id,
        "Reference": refund.reference,
        ">Bus": str(refund.bus_id),
        "With": refund.provider,
        "State": refund.state,
        ">Amount": f"{money(refund.amount)} {refund.currency}",
        "Since": moment(refund.created_at),
        "Problem": refund.problem or "",
    }


def webhook_row(webhook: Webhook) -> Row:
    """A webhook of an operator."""
    return {
        "Webhook": webhook.webhook,
        "URL": webhook.url,
        "Events": ", ".join(webhook.types),
        "Gets events": "yes" if webhook.active else "no",
        ">Waiting": str(webhook.waiting),
        ">Failed": str(webhook.failed),
        "Problem": webhook.problem or "",
    }


def webhook_lines(webhook: Webhook) -> Iterator[str]:
    """The new secret of a webhook."""
    if webhook.secret:
        yield f"Secret: {webhook.secret}"
        yield "It is not shown again. The receiver checks the signatures with it."
    if webhook.earlier_secret_until:
        yield f"The earlier secret signs, too, until {moment(webhook.earlier_secret_until)}."


def delivery_row(delivery: Delivery) -> Row:
    """A delivery to a webhook."""
    return {
        ">Delivery": str(delivery.delivery_no),
        "At": delivery.created_at.strftime("%Y-%m-%d %H:%M:%S"),
        ">Position": str(delivery.position or ""),
        "Event": delivery.type,
        "Booking": delivery.reference or "",
        "State": delivery.state,
        ">Attempts": str(delivery.attempts),
        "Error": delivery.error or "",
    }


def settlement_lines(settlement: Settlement) -> Iterator[str]:
    """The sums of a settlement."""
    state = f"settled {moment(settlement.settled_at)}" if settlement.settled_at else "not settled yet"
    yield f"Settlement {settlement.settlement_no} of {settlement.agent}, {state}."
    currency = settlement.currency
    yield f"Charges {money(settlement.charges, currency)}, refunds {money(settlement.refunds, currency)}."
    yield f"Commission of {settlement.commission_percent} %: {money(settlement.commission, currency)}."
    carried = (
        "" if float(settlement.carried) == 0 else f", with {money(settlement.carried, currency)} carried over"
    )
    yield f"Due {money(settlement.due, currency)}{carried}."
    if settlement.handed_over is not None and settlement.balance is not None:
        yield (
            f"Handed over {money(settlement.handed_over, currency)}, "
            f"balance {money(settlement.balance, currency)}."
        )


def no_show_row(ticket: NoShow) -> Row:
    """A ticket whose passenger did not board."""
    return {
        "Reference": ticket.reference,
        ">Ticket": str(ticket.ticket_no),
        ">Seat": str(ticket.seat_no),
        "Name": ticket.name or "",
        "Status": "no-show, the seat is for sale again" if ticket.sells else "no-show",
    }


def reseated_row(ticket: ReseatedTicket) -> Row:
    """A ticket that has another seat, or another class, in a new vehicle."""
    classes = (ticket.from_class or "no class", ticket.seat_class or "no class")
    return {
        "Reference": ticket.reference,
        ">Ticket": str(ticket.ticket_no),
        "Name": ticket.name or "",
        "Status": ticket.status,
        ">Seat": str(ticket.from_seat_no),
        ">New seat": str(ticket.seat_no),
        "Class": " → ".join(classes) if classes[0] != classes[1] else ticket.seat_class or "",
        ">Refund": money(ticket.refund) if float(ticket.refund) else "",
    }


def operated_trip_row(trip: OperatedTrip) -> Row:
    """A trip, for its operator."""
    return {
        ">Bus": str(trip.bus_id),
        "State": trip.state,
        "Departs": departure(trip),
        "Arrives": arrival(trip.arrives_at, trip.departs_at),
        "Service": f"{trip.name}, {venue_of(trip) or f'{trip.origin} – {trip.destination}'}",
        ">Seats": str(trip.seats),
        ">Sold": str(trip.booked),
        ">Held": str(trip.held),
        ">Waiting": str(trip.pending),
        ">Load": str(trip.load),
    }


def leg_row(leg: Leg) -> Row:
    """A leg of a trip."""
    return {
        "Departs": departure(leg),
        "Arrives": arrival(leg.arrives_at, leg.departs_at),
        "From": leg.origin,
        "To": leg.destination,
        ">Booked": str(leg.booked),
        ">Held": str(leg.held),
        ">Free": str(leg.free),
        ">Waiting": str(leg.pending),
    }


def table(rows: Iterable[Row], if_empty: str = "") -> RenderableType:
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


def page(rows: Iterable[Row], after: str | None, if_empty: str) -> RenderableType:
    """A page of a list. after: the value of --after for the next page, or None."""
    shown = table(rows, if_empty)
    return shown if after is None else Group(shown, Text(f"For the next page: --after {after}", "dim"))
