"""A booking as the database shows it, for the tests of what is made from it."""

from typing import Any

REFERENCE = "DT7VKKK"


def booking(**changes: Any) -> dict[str, Any]:
    """A booking of two seats. changes: other values of its fields."""
    ticket = {"fare": "260.00", "refund": "0.00", "seated_at": "2026-11-30T03:30:00+00:00"}
    status = changes.get("status", "booked")
    tickets = [
        {**ticket, "ticket_no": 1, "seat_no": 7, "name": "Asha Rao", "status": status},
        {**ticket, "ticket_no": 2, "seat_no": 8, "name": "ಆಶಾ ರಾವ್", "status": status},
    ]
    return {
        "reference": REFERENCE,
        "status": status,
        "kind": "bus",
        "name": "Airavat Club Class",
        "operator": "KSRTC",
        "bus_id": 101,
        "travel_date": "2026-12-05",
        "boarding_date": "2026-12-05",
        "origin": "Bengaluru",
        "destination": "Mysuru",
        "from_stop": 1,
        "to_stop": 5,
        "departs_at": "2026-12-05T07:00:00+05:30",
        "arrives_at": "2026-12-05T10:05:00+05:30",
        "fare": "520.00",
        "refund": "0.00",
        "currency": "INR",
        "tickets": tickets,
    } | changes


OFFER = {
    "reference": REFERENCE,
    "offer_no": 1,
    "state": "open",
    "cause": "The bus has fewer seats.",
    "unanswered": "refund",
    "valid_until": "2026-12-04T07:00:00+05:30",
    "refund": "520.00",
    "trip": {
        "bus_id": 107,
        "kind": "bus",
        "name": "Rajahamsa Executive",
        "operator": "KSRTC",
        "travel_date": "2026-12-05",
        "boarding_date": "2026-12-05",
        "origin": "Bengaluru",
        "destination": "Mysuru",
        "departs_at": "2026-12-05T06:15:00+05:30",
        "arrives_at": "2026-12-05T09:35:00+05:30",
        "from_stop": 1,
        "to_stop": 5,
        "seats": [3, 4],
    },
}
