"""Examples of payments for the OpenAPI document: Asha pays for her two seats, and gets one fare back."""

from typing import Any

from busware.server.protocol import Refusal

Json = dict[str, Any]

_BOOKING: Json = {"reference": "DTK7GHJ", "phone": "98450 12345"}
_PAYMENT: Json = {
    "payment_id": "0f6f2a0e-4f0e-4a53-9c7f-6a3b4e0d9c11",
    "reference": "DTK7GHJ",
    "provider": "manual",
    "state": "pending",
    "amount": "520.00",
    "currency": "INR",
    "created_at": "2026-12-01T09:00:00+05:30",
    "booked": False,
    "refunds": [],
    "provider_reference": "DTK7GHJ",
}
_HOW_TO_PAY: Json = {
    "text": "Pay 520.00 INR by UPI to ksrtc@sbi. Write DTK7GHJ as the reference. Your seats are booked when "
    "it has arrived.",
    "upi": "upi://pay?pa=ksrtc@sbi&pn=KSRTC&am=520.00&cu=INR&tn=DTK7GHJ",
}
_REFUND: Json = {
    "refund_id": "5f0c7a3e-0c55-4c0b-9a53-2f5a7b0d9c11",
    "state": "waiting",
    "amount": "260.00",
    "currency": "INR",
    "created_at": "2026-12-02T10:00:00+05:30",
    "tickets": [2],
}
_PAID: Json = {
    **_PAYMENT,
    "state": "succeeded",
    "booked": True,
    "received": "520.00",
    "received_currency": "INR",
    "succeeded_at": "2026-12-01T12:00:00+05:30",
}
PAYMENT_REQUIRED = Refusal(
    "payment_required",
    "Booking DTK7GHJ is not paid yet. Pay 520.00, then confirm it.",
    amount="520.00",
    currency="INR",
)
# By method: the fields of a request and of its reply.
PAYMENT_EXAMPLES: dict[str, tuple[Json, Json]] = {
    "pay": (_BOOKING, {**_PAYMENT, "pay": _HOW_TO_PAY}),
    "payments": (_BOOKING, {"payments": [_PAYMENT]}),
    "operator_payments": ({"state": "pending"}, {"payments": [{**_PAYMENT, "bus_id": 101}]}),
    "settle_payment": (
        {
            "payment": "DTK7GHJ",
            "amount": "520.00",
            "currency": "INR",
            "receipt": "N336 20261201",
            "fee": "5.90",
        },
        {"outcome": "booked", "payment": _PAID, "bus_id": 101, "travel_date": "2026-12-05"},
    ),
    "refunds": ({}, {"refunds": [{**_REFUND, "reference": "DTK7GHJ", "provider": "manual", "bus_id": 101}]}),
    "settle_refund": (
        {"reference": "DTK7GHJ", "refund_id": _REFUND["refund_id"]},
        {
            **_PAID,
            "refunds": [{**_REFUND, "state": "succeeded", "succeeded_at": "2026-12-03T10:00:00+05:30"}],
        },
    ),
}
