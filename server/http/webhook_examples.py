"""Examples of webhooks for the OpenAPI document: KSRTC sends what happens to its accounting."""

from typing import Any

Json = dict[str, Any]

EVENT_ID = "0d5f7c1e-7f0d-4f36-9c3e-2f7a5c1b8e40"
_WEBHOOK: Json = {
    "webhook": "accounting",
    "operator": "KSRTC",
    "url": "https://example.org/busware",
    "types": ["booking.*", "payment.*", "refund.*"],
    "active": True,
    "created_at": "2026-12-01T03:30:00Z",
    "waiting": 0,
    "failed": 0,
}
_NEW_SECRET: Json = {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="}
_DELIVERY: Json = {
    "delivery_no": 41,
    "event_id": EVENT_ID,
    "type": "booking.booked",
    "state": "waiting",
    "attempts": 1,
    "created_at": "2026-12-01T03:30:00Z",
    "position": 17,
    "reference": "DTK7GHJ",
    "error": "The receiver answered 503 Service Unavailable: ''",
    "next_at": "2026-12-01T03:30:05Z",
}
_TEST: Json = {
    "delivery_no": 42,
    "event_id": "4f7a1a2b-77a5-4c19-8d2a-0c8f6c1f3d55",
    "type": "webhook.test",
    "state": "waiting",
    "attempts": 0,
    "created_at": "2026-12-01T03:31:00Z",
    "next_at": "2026-12-01T03:31:00Z",
}
_NAME: Json = {"webhook": "accounting"}

# The request and the reply of each method.
WEBHOOK_EXAMPLES: dict[str, tuple[Json, Json]] = {
    "webhooks": ({}, {"webhooks": [_WEBHOOK]}),
    "put_webhook": (
        {**_NAME, "url": "https://example.org/busware", "types": _WEBHOOK["types"]},
        {**_WEBHOOK, **_NEW_SECRET},
    ),
    "test_webhook": (_NAME, _TEST),
    "webhook_deliveries": (_NAME, {"deliveries": [_DELIVERY]}),
    "replay_webhook": ({**_NAME, "after": "0"}, {"replayed": 12, "next": "17"}),
    "rotate_webhook_secret": (
        _NAME,
        {**_WEBHOOK, **_NEW_SECRET, "earlier_secret_until": "2026-12-02T03:31:00Z"},
    ),
    "delete_webhook": (_NAME, _WEBHOOK),
}
