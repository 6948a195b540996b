"""What is sent to webhooks: a struct for each family of event types, with schemas in OpenAPI."""

import datetime
from typing import Literal, get_args

from msgspec import Struct

from busware.server.protocol.fields import BusId
from busware.server.protocol.operator_replies import OperatedTrip
from busware.server.protocol.payments import Payment, PaymentRefund
from busware.server.protocol.replies import Booking, Instant, Money

BookingEventType = Literal[
    "booking.held",
    "booking.booked",
    "booking.waitlisted",
    "booking.promoted",
    "booking.released",
    "booking.expired",
    "booking.cancelled",
    "booking.changed",
    "booking.offered",
    "booking.checked_in",
    "booking.no_show",
]
PaymentEventType = Literal["payment.succeeded", "payment.failed"]
RefundEventType = Literal["refund.succeeded", "refund.failed"]
TripEventType = Literal[
    "trip.cancelled",
    "trip.restored",
    "trip.delayed",
    "trip.stop_skipped",
    "trip.stop_served",
    "trip.vehicle_exchanged",
    "trip.notice",
]
NoticeEventType = Literal["booking.notice"]
TestEventType = Literal["webhook.test"]


# The data of events ----------------------------------------------------------------------------


class CancelledTickets(Struct, frozen=True, kw_only=True):
    """What a cancellation by the caller has cancelled, and refunded."""

    tickets: list[int]
    refund: Money


class EventBooking(Booking, frozen=True, kw_only=True):
    """The booking after the change. cause, why: why it has changed. offer_state: what became of its offer."""

    cause: str | None = None
    offer_state: Literal["accepted", "declined", "expired"] | None = None
    cancelled: CancelledTickets | None = None


class EventPayment(EventBooking, frozen=True, kw_only=True):
    """The booking, with the payment as `transaction`."""

    transaction: Payment


class EventRefund(EventBooking, frozen=True, kw_only=True):
    """The booking, with the refund as `transaction`."""

    transaction: PaymentRefund


class EventTrip(OperatedTrip, frozen=True, kw_only=True):
    """The trip after the change. stop_no, minutes: of a delay or a stop. message_id, text: of a notice."""

    cause: str | None = None
    stop_no: int | None = None
    minutes: int | None = None
    message_id: int | None = None
    text: str | None = None


class EventNotice(Struct, frozen=True, kw_only=True):
    """A notice to the passengers of a booking."""

    bus_id: BusId
    travel_date: datetime.date
    reference: str
    message_id: int
    text: str


class NoData(Struct, frozen=True):
    """No data."""


# The events ------------------------------------------------------------------------------------


class WebhookEvent(Struct, frozen=True, kw_only=True):
    """What the events share. timestamp: when it happened. position: in the log of events."""

    timestamp: Instant
    position: int
    bus_id: BusId
    travel_date: datetime.date


class BookingEvent(WebhookEvent, frozen=True, kw_only=True):
    """A booking has changed."""

    type: BookingEventType
    reference: str
    data: EventBooking


class NoticeEvent(WebhookEvent, frozen=True, kw_only=True):
    """A notice to the passengers of a booking."""

    type: NoticeEventType
    reference: str
    data: EventNotice


class PaymentEvent(WebhookEvent, frozen=True, kw_only=True):
    """A payment to a provider has arrived, or failed."""

    type: PaymentEventType
    reference: str
    data: EventPayment


class RefundEvent(WebhookEvent, frozen=True, kw_only=True):
    """A refund of a payment was paid back, or has failed."""

    type: RefundEventType
    reference: str
    data: EventRefund


class TripEvent(WebhookEvent, frozen=True, kw_only=True):
    """A trip has changed."""

    type: TripEventType
    data: EventTrip


class TestEvent(Struct, frozen=True, kw_only=True):
    """What `test_webhook` sends."""

    __test__ = False  # pytest takes it for a test

    type: TestEventType
    timestamp: Instant
    data: NoData


# Each type of events, with the struct that is sent.
SENT_EVENTS: dict[str, type[Struct]] = {
    name: struct
    for struct in (BookingEvent, NoticeEvent, PaymentEvent, RefundEvent, TripEvent, TestEvent)
    for name in get_args(struct.__annotations__["type"])
}
EVENT_TYPES = tuple(name for name in SENT_EVENTS if name != "webhook.test")  # those in the log of events
