"""Examples of agents and other accounts for the OpenAPI document: Asha bought her two seats at a counter."""

from busware.server.http.payment_examples import Json

_TRIP: Json = {"bus_id": 101, "travel_date": "2026-12-05"}
_QUOTA: Json = {"bus_id": 101, "seats": 6}
_AGENT: Json = {
    "agent": "counter1",
    "operator": "KSRTC",
    "active": True,
    "commission_percent": "5",
    "currency": "INR",
    "credit_limit": "20000.00",
    "cash": "520.00",
    "held": "0.00",
    "quotas": [_QUOTA],
}
_OPEN_SETTLEMENT: Json = {
    "agent": "counter1",
    "operator": "KSRTC",
    "settlement_no": 7,
    "currency": "INR",
    "carried": "0.00",
    "charges": "520.00",
    "refunds": "0.00",
    "commission_percent": "5",
    "commission": "26.00",
    "due": "494.00",
    "payments": [
        {
            "reference": "DTK7GHJ",
            "ticket_no": ticket_no,
            **_TRIP,
            "kind": "charge",
            "amount": "260.00",
            "at": "2026-12-01T09:00:00+05:30",
        }
        for ticket_no in (1, 2)
    ],
}
_ACCOUNT: Json = {
    "username": "counter1",
    "role": "agent",
    "operator": "KSRTC",
    "active": True,
    "has_password": True,
    "created_at": "2026-11-02T06:00:00Z",
}
# By method: the fields of a request and of its reply.
AGENT_EXAMPLES: dict[str, tuple[Json, Json]] = {
    "agents": ({}, {"agents": [_AGENT]}),
    "put_agent": (
        {"agent": "counter1", "commission_percent": "5", "credit_limit": "20000", "quotas": [_QUOTA]},
        _AGENT,
    ),
    "staff": ({}, {"staff": [_ACCOUNT]}),
    "put_staff": (
        {"username": "counter2", "role": "agent"},
        {
            **_ACCOUNT,
            "username": "counter2",
            "has_password": False,
            "created_at": "2026-12-01T03:30:00Z",
            "changed_at": "2026-12-01T03:30:00Z",
            "changed_by": "asha",
            "reset_token": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "reset_expires_at": "2026-12-03T03:30:00Z",
        },
    ),
    "settlement": ({"agent": "counter1"}, _OPEN_SETTLEMENT),
    "settle_agent": (
        {"agent": "counter1", "settlement_no": 7, "handed_over": "494.00"},
        {
            **_OPEN_SETTLEMENT,
            "settled_at": "2026-12-01T15:00:00Z",
            "account": "asha",
            "handed_over": "494.00",
            "balance": "0.00",
        },
    ),
}
