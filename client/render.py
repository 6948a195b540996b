"""Replies and refusals as text for people: what a command prints.

Tables have columns and no lines, so that they copy well. On a terminal they fit its width; in a pipe nothing
is folded. Colour is for terminals, unless NO_COLOR is set.
"""

from collections.abc import Iterable
from functools import partial

from rich.console import Console, Group, RenderableType
from rich.text import Text

from busware import seatmap
from busware.invoice_tables import account_lines, account_row, invoice_row, invoicing_lines
from busware.server.conversation.chart import Piece, chart_lines
from busware.server.conversation.contacts import contact_line
from busware.server.conversation.fares import part_lines
from busware.server.conversation.manifest import (
    blocked_lines,
    crew_line,
    delayed_lines,
    manifest_lines,
    stop_lines,
    trip_lines,
)
from busware.server.conversation.payments import due_line, outcome_line, payment_lines
from busware.server.conversation.words import (
    counted,
    day_of,
    differing_ends,
    exchange_amount,
    exchange_lines,
    exchanged_line,
    hold_end,
    message_line,
    moment,
    money,
    name_line,
    offer_lines,
    refund_line,
    seat_line,
    sent_line,
    service_of,
    venue_of,
)
from busware.server.output import writing
from busware.server.protocol import (
    AccountReport,
    Agent,
    AgentList,
    AlightingStops,
    Assignment,
    BlockedSeats,
    Booking,
    BookingList,
    BookingMessages,
    CancelledTrip,
    ChangedPlace,
    ChangedService,
    ChangeSeat,
    DelayedTrip,
    DeleteWebhook,
    Delivery,
    DeliveryList,
    Done,
    Driver,
    DriverList,
    EventList,
    ExchangeTerms,
    InvoiceList,
    InvoicesOfBooking,
    Invoicing,
    Logout,
    NoShows,
    Offer,
    OfferList,
    OpenedSales,
    OperatedTrip,
    OperatedTrips,
    OperatorPaymentList,
    Payment,
    PaymentList,
    PaymentOutcome,
    PlaceList,
    Pong,
    PromoCode,
    PromoCodeList,
    Quote,
    References,
    RefundList,
    Refusal,
    Release,
    Replay,
    Request,
    SalesReport,
    Say,
    Seats,
    SentNotice,
    ServedStop,
    ServiceData,
    ServiceList,
    Session,
    Settlement,
    StaffAccount,
    StaffList,
    Transfer,
    TripList,
    TripLoad,
    TripManifest,
    TripOccupancy,
    Vehicle,
    VehicleExchange,
    VehicleList,
    Webhook,
    WebhookList,
)
from busware.server.protocol.jsonrpc import RpcError
from busware.service_text import change_lines, service_lines
from busware.tables import (
    STATUS_STYLES,
    agent_row,
    alighting_stop_row,
    booking_row,
    delivery_row,
    driver_row,
    event_row,
    leg_row,
    no_show_row,
    open_refund_row,
    operated_trip_rows,
    operator_payment_row,
    page,
    payment_row,
    place_row,
    promo_code_row,
    reseated_row,
    sales_row,
    service_row,
    settled_payment_row,
    settlement_lines,
    staff_lines,
    staff_row,
    table,
    ticket_rows,
    trip_row,
    vehicle_row,
    webhook_lines,
    webhook_row,
)

PIPED_COLUMNS = 1000  # the width where there is no terminal
MAX_CHART_COLUMNS = 200  # of a seat occupancy chart, also in a pipe

# The vehicle of a trip carries the travel date, so a passenger who boards days later may read it there. On a
# trip that lasts for weeks, as a hotel's does, the travel date says nothing to a guest.
_MAX_TRAVEL_DATE_DAYS = 7
_PARTY_COLOURS = ("green", "cyan", "yellow", "magenta", "bright_blue", "bright_white")
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


def reply(  # noqa: C901, PLR0911, PLR0912, PLR0915 - a case for each reply
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
            return table(map(place_row, answer.places), if_empty="No place was found.")
        case TripList():
            ends = differing_ends(answer)
            return table(
                (trip_row(trip, ends) for trip in answer.trips),
                if_empty="No trip goes from this origin to this destination on that date.",
            )
        case Seats():
            return seatmap.as_text(seatmap.draw(answer, columns=columns))
        case Booking():
            return Group(
                *_summary(answer, request, done),
                table(ticket_rows(answer)),
                *map(Text, part_lines(answer)),
                Text(
                    f"Fare {money(answer.fare, answer.currency)}, "
                    f"refund {money(answer.refund, answer.currency)}."
                ),
                *([Text(due)] if (due := due_line(answer)) else []),
            )
        case References():
            return Text(done or "\n".join(answer.references) or "No booking was found.")
        case Quote():
            refund = money(answer.refund, answer.currency)
            return Text(f"Refund {refund}, if cancelled before {moment(answer.valid_until)}.")
        case ExchangeTerms():
            return Text("\n".join(_exchange_terms(answer)))
        case AlightingStops():
            return table(
                map(alighting_stop_row, answer.stops),
                if_empty="There is no earlier stop at which you can still get off.",
            )
        case Session():
            return _session(answer)
        case BookingList():
            return page(map(booking_row, answer.bookings), answer.next, if_empty="There are no bookings.")
        case OperatedTrips():
            return page(
                operated_trip_rows(answer.trips),
                answer.next,
                if_empty="You have no trip on that travel date.",
            )
        case TripOccupancy():
            return _chart(answer, columns)
        case TripLoad():
            heading = (Text(line, "bold" if is_heading else "") for line, is_heading in trip_lines(answer))
            return Group(*heading, table(map(leg_row, answer.legs)))
        case TripManifest():
            return Text("\n").join(_manifest(answer))
        case CancelledTrip():
            done = "would be" if getattr(request, "plan", False) else "is"
            tickets = counted(answer.tickets, "ticket")
            return Text(
                f"The trip {done} cancelled: {tickets}, {money(answer.refund, answer.currency)} refunded."
            )
        case DelayedTrip():
            return Text("\n".join(delayed_lines(answer, plan=getattr(request, "plan", False))))
        case ServedStop():
            return Text("\n".join(stop_lines(answer, plan=getattr(request, "plan", False))))
        case BlockedSeats():
            return Text("\n".join(blocked_lines(answer.blocked)) or "No seat of the trip is blocked.")
        case ServiceList():
            return page(map(service_row, answer.services), answer.next, if_empty="You have no service.")
        case ServiceData():
            return Text("\n".join(service_lines(answer)))
        case ChangedService():
            return Text("\n".join(change_lines(answer, plan=getattr(request, "plan", False))))
        case ChangedPlace():
            names = ", ".join([answer.name, *answer.aliases])
            return Text(f"{answer.code}: {names}; {answer.time_zone}")
        case OperatedTrip():
            return table(operated_trip_rows([answer]))
        case VehicleList():
            return page(map(vehicle_row, answer.vehicles), answer.next, if_empty="You have no vehicle.")
        case Vehicle():
            return table([vehicle_row(answer)])
        case DriverList():
            return page(map(driver_row, answer.drivers), answer.next, if_empty="You have no driver.")
        case Driver():
            return table([driver_row(answer)])
        case Assignment():
            assigned = crew_line(answer.trip) or "No vehicle and no driver."
            return Text(f"{counted(answer.assigned, 'trip')}: {assigned}")
        case OfferList():
            return Text("\n").join(_offers(answer.offers)) if answer.offers else Text("There are no offers.")
        case BookingMessages():
            return Text("\n".join(map(message_line, answer.messages)) or "There are no messages.")
        case VehicleExchange():
            return _exchange(answer, planned=getattr(request, "plan", False))
        case SalesReport():
            sums = "\n".join(
                f"{counted(total.tickets, 'ticket')}, income {money(total.income, total.currency)}."
                for total in answer.totals or [answer]
            )
            row_columns = partial(sales_row, by_agent=any(row.agent for row in answer.rows))
            return Group(table(map(row_columns, answer.rows), if_empty="Nothing was sold."), Text(sums))
        case InvoicesOfBooking():
            return table(map(invoice_row, answer.invoices))
        case InvoiceList():
            return page(map(invoice_row, answer.invoices), answer.next, if_empty="There are no invoices.")
        case AccountReport():
            rows = table(map(account_row, answer.rows), if_empty="No money has moved.")
            return Group(rows, *map(Text, account_lines(answer)))
        case Invoicing():
            return Text("\n".join(invoicing_lines(answer)))
        case NoShows():
            return table(
                map(no_show_row, answer.tickets), if_empty=f"No passenger is missing at {answer.place}."
            )
        case AgentList():
            return page(
                map(agent_row, answer.agents),
                answer.next,
                if_empty="You have no agent. Add one with put-staff NAME --role agent.",
            )
        case Agent():
            return table([agent_row(answer)])
        case StaffList():
            return page(map(staff_row, answer.staff), answer.next, if_empty="There are no accounts.")
        case StaffAccount():
            return Group(table([staff_row(answer)]), *map(Text, staff_lines(answer)))
        case Settlement():
            return Group(
                table(map(settled_payment_row, answer.payments)), *map(Text, settlement_lines(answer))
            )
        case Payment():
            return Group(*map(Text, payment_lines(answer)))
        case PaymentList():
            return table(map(payment_row, answer.payments), if_empty="The booking has no payment.")
        case PaymentOutcome():
            return Text(outcome_line(answer, plan=getattr(request, "plan", False)))
        case OperatorPaymentList():
            return page(
                map(operator_payment_row, answer.payments), answer.next, if_empty="There is no such payment."
            )
        case RefundList():
            return page(
                map(open_refund_row, answer.refunds), answer.next, if_empty="There is no refund to pay back."
            )
        case SentNotice():
            return Text(sent_line(answer))
        case EventList():
            return page(map(event_row, answer.events), answer.next, if_empty="There are no later events.")
        case WebhookList():
            return table(map(webhook_row, answer.webhooks), if_empty="You have no webhook.")
        case Webhook() if isinstance(request, DeleteWebhook):
            return Text(f"Webhook {answer.webhook} is deleted.")
        case Webhook():
            return Group(table([webhook_row(answer)]), *map(Text, webhook_lines(answer)))
        case Delivery():
            return table([delivery_row(answer)])
        case DeliveryList():
            return page(
                map(delivery_row, answer.deliveries), answer.next, if_empty="There are no such deliveries."
            )
        case Replay():
            more = f" There are more: --after {answer.next}" if answer.more else ""
            return Text(f"{counted(answer.replayed, 'event')} will be sent again.{more}")
        case PromoCode():
            return table([promo_code_row(answer)], if_empty="")
        case PromoCodeList():
            return page(
                map(promo_code_row, answer.promo_codes), answer.next, if_empty="There are no promo codes."
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


# Replies of several lines ----------------------------------------------------------------------


def _exchange_terms(terms: ExchangeTerms) -> Iterable[str]:
    yield from exchange_lines(terms)
    if terms.payment:
        yield "To exchange: pay, with the same journey. The exchange follows when the payment has arrived."
        return
    yield f"To exchange: {exchange_amount(terms)}. Valid until {moment(terms.valid_until)}."


def _done_to(booking: Booking, request: Request | None) -> str:
    """What a change of seats, a transfer or an exchange has done to a booking."""
    if isinstance(request, ChangeSeat):
        return seat_line(booking, request.ticket_no)
    if isinstance(request, Transfer):
        return name_line(request.ticket_no, request.name)
    return "" if booking.exchange is None else exchanged_line(booking.exchange)


def _summary(booking: Booking, request: Request | None, done: str) -> Iterable[Text]:
    """What was done, or the status; reference, service and journey; then what the passenger must know now."""
    status = "Released" if isinstance(request, Release) else booking.status.capitalize()
    label = Text.assemble((status, STATUS_STYLES.get(booking.status, "")), ": ")
    if done := done or _done_to(booking, request):
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
    for offer in booking.offers or ():
        yield from map(Text, offer_lines(offer))
    if contact := contact_line(booking):
        yield Text(contact)
    if booking.why is not None:
        yield Text(f"The operator cancelled the trip. {booking.why}")


def _offers(offers: Iterable[Offer]) -> Iterable[Text]:
    """The offers, each with the reference of its booking."""
    for offer in offers:
        yield Text.assemble("Booking ", (offer.reference, "bold"))
        yield from map(Text, offer_lines(offer))


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
    """What a request has done, if its reply has no fields."""
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


def _exchange(exchange: VehicleExchange, *, planned: bool) -> RenderableType:
    """The tickets with another seat or class, and the numbers of an exchange, or of its plan."""
    kept = exchange.seated - exchange.moved
    lines = [
        f"{exchange.trip.name} ({exchange.trip.bus_id}) of {day_of(exchange.trip.travel_date)}: "
        + ("the plan; nothing was changed." if planned else "the vehicle is exchanged."),
        f"{exchange.seated} of {counted(exchange.tickets, 'ticket')} have a seat: {kept} with the same "
        f"number, {exchange.moved} with another one.",
    ]
    if other := exchange.seated - exchange.same_class:
        lines.append(
            f"{counted(other, 'ticket')} in another class, or not on an accessible seat; "
            f"{money(exchange.refund, exchange.currency)} refunded."
        )
    if exchange.left_over:
        parties = ", ".join(f"{p.reference} ({counted(p.tickets, 'ticket')})" for p in exchange.left_over)
        lines.append(f"No seats for {parties}: they get an offer, or the whole fare back.")
    summary = Text("\n".join(lines))
    return Group(table(map(reseated_row, exchange.moves)), summary) if exchange.moves else summary


def _piece_style(piece: Piece) -> str:
    if piece.party is not None:
        return f"black on {_PARTY_COLOURS[piece.party % len(_PARTY_COLOURS)]}"
    return "bold" if piece.is_bold else ""


def _manifest(manifest: TripManifest) -> Iterable[Text]:
    """The numbers of tickets; then, stop by stop, the passengers who board and alight."""
    for line, is_heading in manifest_lines(manifest):
        yield Text(line, "bold" if is_heading else "")
