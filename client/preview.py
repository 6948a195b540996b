"""What a command is going to change, as a question before it is sent; and what it has changed.

Two kinds of commands have a preview: those that end something permanently (a sold ticket, a part of its
journey, a trip with its passengers, the timetable of a service), and those that inform passengers.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from busware.retries import ConnectionLost
from busware.sdk import Client
from busware.server import protocol
from busware.server.conversation.manifest import delayed_lines, stop_lines
from busware.server.conversation.payments import outcome_line
from busware.server.conversation.words import (
    cancelled_line,
    counted,
    day_of,
    ended_line,
    exchange_amount,
    exchange_lines,
    journey_of,
    listed,
    moment,
    money,
    offer_lines,
    plural,
    summary,
    words_of,
)
from busware.service_text import change_lines

Report = Callable[[Any], str]  # from the reply


class Preview(NamedTuple):
    """What to ask, with facts to show above it."""

    question: str
    facts: str = ""


class Plan(NamedTuple):
    """What a request is going to do, as a question to confirm; and the function that describes its reply.

    preview: None if nothing has to be confirmed. report: None if the reply says what was done. accepted: the
    request that is sent after the confirmation, if it is another one.
    """

    preview: Preview | None = None
    report: Report | None = None
    accepted: protocol.Request | None = None


def plan(request: protocol.Request, client: Client) -> Plan:  # noqa: C901, PLR0911 - a case for each request
    """The plan of a request. Raises Refusal, as the request would, and ConnectionLost.

    It reads the state before the request, which `report` compares with the reply. It is called again after a
    confirmation: if another client has changed the state meanwhile, the new plan is confirmed too.
    """
    match request:
        case protocol.Cancel():
            return _plan_of_cancellation(request, client)
        case protocol.Decline():
            return _plan_of_declining(request, client)
        case protocol.Alight():
            return _plan_of_alighting(request, client)
        case protocol.Exchange():
            return _plan_of_exchange(request, client)
        case protocol.CancelTrip(plan=False):
            return Plan(_preview_of_trip_cancellation(request, client))
        case protocol.DeleteWebhook():
            return Plan(_preview_of_deletion(request, client))
        case protocol.SettlePayment(plan=False):
            planned = client.call(msgspec.structs.replace(request, plan=True), protocol.PaymentOutcome)
            return Plan(Preview("Settle the payment?", outcome_line(planned, plan=True)))
        case (
            protocol.AddService()
            | protocol.PutService()
            | protocol.EndService()
            | protocol.SucceedService()
            | protocol.DelayTrip()
            | protocol.SkipStop()
        ):
            return Plan(None if request.plan else _preview_of_planned(request, client))
        case protocol.ExchangeVehicle() if not (request.plan or request.version):
            return _plan_of_vehicle(request, client)
        case protocol.Find():
            return Plan(report=lambda found: "\n".join(_found(found, request.phone, client)))
    return Plan()


def _found(found: protocol.References, phone: str, client: Client) -> Iterator[str]:
    """Each booking in one sentence; only its reference, if it cannot be read now."""
    for reference in found.references:
        try:
            yield summary(client.booking(reference, phone))
        except (protocol.Refusal, ConnectionLost):
            yield reference


def _plan_of_cancellation(request: protocol.Cancel, client: Client) -> Plan:
    quote = client.cancel_quote(request.reference, request.phone, tickets=request.tickets)
    before = client.booking(request.reference, request.phone)
    tickets = _chosen(before, request.tickets, protocol.OPEN)
    paid = sum(
        (
            Decimal(ticket.fare) - Decimal(ticket.refund)
            for ticket in tickets
            if ticket.status in ("booked", "displaced")
        ),
        Decimal(),
    )
    refund = (
        f", and get {money(quote.refund, quote.currency)} of {money(paid, quote.currency)} back?"
        if paid
        else "? You have not paid yet."
    )
    question = f"Cancel {_named(tickets, before)} {journey_of(before)}, {moment(before.departs_at)}{refund}"
    return Plan(Preview(question), lambda after: cancelled_line(before, after))


def _plan_of_declining(request: protocol.Decline, client: Client) -> Plan:
    before = client.booking(request.reference, request.phone)
    offers = [offer for offer in before.offers or () if request.offer_no in (None, offer.offer_no)]
    if not offers:  # the request is refused
        return Plan()
    refund = money(offers[0].refund or "0", offers[0].currency)
    question = f"Decline offer {offers[0].offer_no}, and get {refund} back?"
    return Plan(
        Preview(question, "\n".join(offer_lines(offers[0]))), lambda after: cancelled_line(before, after)
    )


def _plan_of_alighting(request: protocol.Alight, client: Client) -> Plan:
    (stop,) = client.alight_quote(request.reference, request.phone, tickets=request.tickets, at=request.at)
    before = client.booking(request.reference, request.phone)
    tickets = _chosen(before, request.tickets, ("booked",))
    refund = f"and get {money(stop.refund, before.currency)} back"
    question = f"End {_named(tickets, before)} at {stop.place} instead of {before.destination}, {refund}?"
    return Plan(
        Preview(question),
        lambda after: ended_line(  # the reply does not name the stop
            _chosen(after, request.tickets, ("booked",)), f"at {stop.place}", before, after
        ),
    )


def _plan_of_exchange(request: protocol.Exchange, client: Client) -> Plan:
    fields = {field: getattr(request, field) for field in protocol.ExchangeRequest.__struct_fields__}
    terms = client.call(protocol.ExchangeQuote(**fields), protocol.ExchangeTerms)
    question = f"Exchange booking {request.reference}, and {exchange_amount(terms)}?"
    return Plan(
        Preview(question, "\n".join(exchange_lines(terms))),
        accepted=msgspec.structs.replace(request, due=terms.due, refund=terms.refund),
    )


def _named(tickets: list[protocol.Ticket], booking: protocol.Booking) -> str:
    """Tickets with their seats: ticket 1 (seat 9)."""
    numbers = [ticket.ticket_no for ticket in tickets]
    seats = [ticket.seat_no for ticket in tickets if ticket.seat_no is not None]
    named = f"{plural('ticket', numbers)} {listed(numbers, 'and')}"
    seat = words_of(booking.kind).seat
    return f"{named} ({plural(seat, seats)} {listed(seats, 'and')})" if seats else named


def _preview_of_deletion(request: protocol.DeleteWebhook, client: Client) -> Preview | None:
    """The question before a webhook is deleted. None: there is no such webhook, so the request is refused."""
    for webhook in client.webhooks(request.operator):
        if webhook.webhook == request.webhook:
            facts = f"{webhook.url}: {counted(webhook.waiting, 'event')} not delivered yet."
            return Preview(f"Delete webhook {webhook.webhook}?", facts)
    return None


def _preview_of_trip_cancellation(request: protocol.CancelTrip, client: Client) -> Preview | None:
    trip = client.manifest(request.bus_id, request.travel_date)
    if trip.state == "cancelled":  # the request is refused
        return None
    bookings = {rider.reference for stop in trip.stops for rider in stop.boards}
    tickets = f"{counted(trip.booked, 'ticket')} of {counted(len(bookings), 'booking')}"
    unpaid = trip.held + trip.pending
    facts = [f"{tickets} will be refunded in full."] if bookings else []
    facts += [f"{counted(unpaid, 'ticket')} held or waiting will end."] if unpaid else []
    return Preview(
        f"Cancel {trip.name} ({trip.bus_id}) of {day_of(trip.travel_date)}?",
        " ".join(facts) or "The trip has no passengers.",
    )


def _preview_of_planned(
    request: protocol.AddService
    | protocol.PutService
    | protocol.EndService
    | protocol.SucceedService
    | protocol.DelayTrip
    | protocol.SkipStop,
    client: Client,
) -> Preview | None:
    planned = msgspec.structs.replace(request, plan=True)
    if isinstance(request, protocol.DelayTrip):
        lines = delayed_lines(client.call(planned, protocol.DelayedTrip), plan=True)
        return Preview("Apply this?", "\n".join(lines))
    if isinstance(request, protocol.SkipStop):
        lines = stop_lines(client.call(planned, protocol.SkippedStop), plan=True)
        return Preview("Apply this?", "\n".join(lines))
    plan = client.call(planned, protocol.ChangedService)
    if not (plan.created or plan.changes):
        return None
    return Preview("Apply this?", "\n".join(change_lines(plan, plan=True)))


def _plan_of_vehicle(request: protocol.ExchangeVehicle, client: Client) -> Plan:
    from busware import render

    as_plan = msgspec.structs.replace(request, plan=True)
    plan = client.call(as_plan, protocol.VehicleExchange)
    out = render.console()
    facts = render.text(out, render.reply(plan, out.width, as_plan))
    accepted = msgspec.structs.replace(request, version=plan.version)
    return Plan(Preview("Exchange the vehicle?", facts), accepted=accepted)


def _chosen(
    booking: protocol.Booking, numbers: list[int] | None, statuses: tuple[protocol.Status, ...]
) -> list[protocol.Ticket]:
    """The tickets with these numbers, or those of the booking that have one of these statuses."""
    if numbers:
        return [ticket for ticket in booking.tickets if ticket.ticket_no in numbers]
    return [ticket for ticket in booking.tickets if ticket.status in statuses]
