"""Payments to a provider and their refunds: the requests and the replies."""

import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from busware.server.protocol.fields import Amount, BusId, CurrencyCode, Cursor, Flag, Key, Limit, Reference
from busware.server.protocol.replies import Instant, Money
from busware.server.protocol.requests import BookingRequest, ExchangeRequest, Request, method

_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)"

TransferReference = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        pattern=_PRINTABLE,
        description="the reference of a manual payment: that of the booking, perhaps with -2 after it",
    ),
]
Receipt = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=_PRINTABLE,
        description="what tells this receipt from others, such as the number that the bank gave it",
    ),
]
RefundId = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$(?!\n)", description="the id of a refund, a UUID"
    ),
]
Provider = Literal["manual", "stripe"]
PaymentState = Annotated[
    Literal["created", "pending", "succeeded", "failed", "cancelled"],
    Meta(description="created, pending, succeeded, failed or cancelled"),
]
RefundState = Literal["waiting", "sent", "succeeded", "failed"]


# Replies ---------------------------------------------------------------------------------------


class PaymentRefund(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A refund of a payment. tickets: those that it is for; missing if the payment booked nothing.

    state: waiting for its turn, or for the operator if the payment is manual; sent to the provider;
    succeeded; failed, and still owed. problem: why it failed. provider_reference: of the refund at the
    provider.
    """

    refund_id: str
    state: RefundState
    amount: Money
    currency: CurrencyCode
    created_at: Instant
    tickets: list[int] | None = None
    problem: str | None = None
    provider_reference: str | None = None
    succeeded_at: Instant | None = None


class HowToPay(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a payment is paid. text: for people. upi: a URI for an app of UPI, and for its QR code.

    url: a page on which to pay. client_secret, publishable_key: of a payment of Stripe, for Stripe.js.
    """

    text: str
    upi: str | None = None
    url: str | None = None
    client_secret: str | None = None
    publishable_key: str | None = None


class PaidExchange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The exchange that a payment pays for. seats, seat_class: those that were named."""

    bus_id: BusId
    travel_date: datetime.date
    from_stop: int
    to_stop: int
    seats: list[int] | None = None
    seat_class: str | None = None


class Payment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A payment of a booking to a provider. booked: it has confirmed the booking, or exchanged it.

    exchange: what it pays for, if that is an exchange.

    provider_reference: at the provider; of a manual payment, what the payer writes on the transfer. received,
    received_currency: what arrived. problem: why it failed, or why it booked nothing and is refunded. pay:
    how to pay it, in the reply of `pay`.
    """

    payment_id: str
    reference: str
    provider: Provider
    state: PaymentState
    amount: Money
    currency: CurrencyCode
    created_at: Instant
    booked: bool
    refunds: list[PaymentRefund]
    provider_reference: str | None = None
    exchange: PaidExchange | None = None
    received: Money | None = None
    received_currency: CurrencyCode | None = None
    problem: str | None = None
    succeeded_at: Instant | None = None
    pay: HowToPay | None = None


class PaymentList(Struct, frozen=True, kw_only=True):
    """The payments of a booking, the oldest first."""

    payments: list[Payment]


class PaymentOutcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a settlement of a payment did, or would do.

    outcome: booked: the hold is confirmed; exchanged: the booking is exchanged; refunded: neither, and the
    amount is to be given back; unchanged: the receipt was known; recorded: another state of the payment.
    bus_id, travel_date: of the trip of the booking.
    """

    outcome: Literal["booked", "exchanged", "refunded", "unchanged", "recorded"]
    payment: Payment
    bus_id: BusId | None = None
    travel_date: datetime.date | None = None


class OperatorPayment(Payment, frozen=True, kw_only=True):
    """A payment in the list of an operator. bus_id: the service on which the booking was made."""

    bus_id: BusId


class OperatorPaymentList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of payments, the last ones first. next: the value of `after` for the next page, if there may be
    one."""

    payments: list[OperatorPayment]
    next: str | None = None


class OpenRefund(PaymentRefund, frozen=True, kw_only=True):
    """A refund that an operator has to pay back by hand.

    name, phone: of a passenger of the booking. why: the reason for which the trip was cancelled.
    """

    reference: str
    provider: Provider
    bus_id: BusId
    name: str | None = None
    phone: str | None = None
    why: str | None = None


class RefundList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of refunds. next: the value of `after` for the next page, if there may be one."""

    refunds: list[OpenRefund]
    next: str | None = None


# Requests --------------------------------------------------------------------------------------


@method("pay", Payment, "POST /v1/bookings/{reference}/payments", status=201, writes=True)
class Pay(ExchangeRequest, frozen=True, kw_only=True):
    """Ask for the payment of a hold, and how to pay it. The same payment as long as its amount is the same.

    With the fields of an exchange: the payment of what it charges, for a booking that was paid before.
    """

    key: Key | None = None


@method("payments", PaymentList, "GET /v1/bookings/{reference}/payments")
class Payments(BookingRequest, frozen=True, kw_only=True):
    """List the payments of a booking, with their refunds."""


@method("operator_payments", OperatorPaymentList, "GET /v1/operator/payments")
class OperatorPayments(Request, frozen=True, kw_only=True):
    """For operators: list the payments of your services to a provider, the last ones first."""

    state: PaymentState | None = None
    limit: Limit | None = None
    after: Cursor | None = None


@method("settle_payment", PaymentOutcome, "POST /v1/payments/{payment}/settle", writes=True)
class SettlePayment(Request, frozen=True, kw_only=True):
    """For operators: a manual payment has arrived. It confirms the hold, or is to be given back.

    fee: what your bank charged for it, in the same currency.
    """

    payment: TransferReference
    amount: Amount
    currency: CurrencyCode
    receipt: Receipt | None = None
    fee: Amount | None = None
    plan: Flag = False
    key: Key | None = None


@method("refunds", RefundList, "GET /v1/refunds")
class Refunds(Request, frozen=True, kw_only=True):
    """For operators: list the refunds that you pay back by hand: of manual payments, and those that
    failed."""

    limit: Limit | None = None
    after: Cursor | None = None


@method("settle_refund", Payment, "POST /v1/bookings/{reference}/refunds/{refund_id}/settle")
class SettleRefund(Request, frozen=True, kw_only=True):
    """For operators: you have paid a refund back. fee: what your bank charged for that."""

    reference: Reference
    refund_id: RefundId
    fee: Amount | None = None
