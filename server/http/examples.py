"""Examples for the OpenAPI document: of each request with its reply, by method; of each problem, by status.

In all of them, Asha books two seats on a bus to Mysuru and cancels one.
"""

from typing import NamedTuple

from busware.server.http.agent_examples import AGENT_EXAMPLES
from busware.server.http.invoice_examples import INVOICE_EXAMPLES
from busware.server.http.payment_examples import PAYMENT_EXAMPLES, PAYMENT_REQUIRED, Json
from busware.server.http.problems import Problem, of_body, of_refusal, of_status
from busware.server.http.webhook_examples import WEBHOOK_EXAMPLES
from busware.server.protocol import VERSION, Refusal


class Example(NamedTuple):
    """The fields of a request and of its reply."""

    request: Json
    reply: Json


_TRIP: Json = {"bus_id": 101, "travel_date": "2026-12-05"}
_SEGMENT: Json = {**_TRIP, "origin": "Bengaluru", "destination": "Mysuru"}
_BOOKING: Json = {"reference": "DTK7GHJ", "phone": "98450 12345"}
_PROMO_CODE: Json = {
    "operator": "KSRTC",
    "code": "DASARA",
    "percent": "10",
    "amount": "0.00",
    "currency": "INR",
    "services": None,
    "first_date": None,
    "last_date": "2026-12-31",
    "max_uses": 500,
    "max_uses_per_account": None,
    "uses": 41,
}
_TOKEN = "9f2c41d7a05be8361c7d90f4e2ab5873d6410c9e8b57f2a3046de1c895b7fa20"  # noqa: S105 - an example

_TICKETS: list[Json] = [
    {
        "ticket_no": ticket_no,
        "seat_no": seat_no,
        "name": name,
        "status": "booked",
        "fare": "260.00",
        "refund": "0.00",
        "seated_at": "2026-12-01T03:30:00.517394Z",
    }
    for ticket_no, seat_no, name in ((1, 7, "Asha"), (2, 8, "Ravi"))
]
_BOOKED: Json = {
    "reference": "DTK7GHJ",
    "status": "booked",
    "kind": "bus",
    "name": "Airavat Club Class",
    "operator": "KSRTC",
    **_TRIP,
    "boarding_date": "2026-12-05",
    "origin": "Bengaluru",
    "destination": "Mysuru",
    "from_stop": 1,
    "to_stop": 3,
    "departs_at": "2026-12-05T22:00:00+05:30",
    "arrives_at": "2026-12-06T00:50:00+05:30",
    "currency": "INR",
    "fare": "520.00",
    "refund": "0.00",
    "tickets": _TICKETS,
}
_HELD: Json = {
    **_BOOKED,
    "status": "held",
    "expires_at": "2026-12-01T09:10:00+05:30",
    "tickets": [{**ticket, "status": "held"} for ticket in _TICKETS],
}
_RELEASED: Json = {
    **_BOOKED,
    "status": "cancelled",
    "tickets": [{**ticket, "status": "cancelled"} for ticket in _TICKETS],
}
_CANCELLED: Json = {
    **_BOOKED,
    "refund": "130.00",
    "tickets": [_TICKETS[0], {**_TICKETS[1], "status": "cancelled", "refund": "130.00"}],
}
_CHECKED_IN: Json = {
    **_BOOKED,
    "tickets": [{**ticket, "checked_in_at": "2026-12-05T21:52:00+05:30"} for ticket in _TICKETS],
}
_SEAT_CHANGED: Json = {**_BOOKED, "tickets": [{**_TICKETS[0], "seat_no": 11}, _TICKETS[1]]}
_ENDED_EARLY: Json = {
    **_BOOKED,
    "destination": "Mandya",
    "to_stop": 2,
    "arrives_at": "2026-12-05T23:40:00+05:30",
}
_EXCHANGE: Json = {
    "currency": "INR",
    "paid": "520.00",
    "fare": "520.00",
    "fee": "0.00",
    "withheld": "0.00",
    "due": "0.00",
    "refund": "0.00",
}
_EXCHANGE_QUOTE: Json = {
    **_EXCHANGE,
    "valid_until": "2026-12-05T22:00:00+05:30",
    "tickets": [{name: ticket[name] for name in ("ticket_no", "seat_no", "fare")} for ticket in _TICKETS],
    "journey": {
        **{name: _BOOKED[name] for name in ("bus_id", "kind", "name", "operator")},
        **{name: _BOOKED[name] for name in ("origin", "destination", "from_stop", "to_stop")},
        "travel_date": "2026-12-06",
        "boarding_date": "2026-12-06",
        "departs_at": "2026-12-06T22:00:00+05:30",
        "arrives_at": "2026-12-07T00:50:00+05:30",
    },
}
_TRIP_FOUND: Json = {
    **{name: _BOOKED[name] for name in ("bus_id", "kind", "name", "operator", "travel_date")},
    **{name: _BOOKED[name] for name in ("boarding_date", "origin", "destination", "from_stop", "to_stop")},
    **{name: _BOOKED[name] for name in ("departs_at", "arrives_at")},
    "bus_type": "SEMI_SLEEPER",
    "ac": True,
    "currency": "INR",
    "fare": "260.00",
    "seats_free": 38,
}
_SESSION: Json = {
    "token": _TOKEN,
    "username": "asha",
    "role": "traveller",
    "expires_at": "2026-12-31T03:30:00Z",
}
_OPERATED_TRIP: Json = {
    **{name: _BOOKED[name] for name in ("bus_id", "kind", "name", "operator", "travel_date")},
    **{name: _BOOKED[name] for name in ("origin", "destination", "departs_at", "arrives_at")},
    "state": "open",
    "seats": 40,
    "booked": 2,
    "held": 0,
    "pending": 0,
    "load": 2,
}
_PASSENGER: Json = {
    "reference": "DTK7GHJ",
    "ticket_no": 1,
    "seat_no": 7,
    "name": "Asha",
    "phone": "+919845012345",
}
_FIRST_STOP: Json = {
    "stop_no": 1,
    "place": "Bengaluru",
    "arrives_at": None,
    "departs_at": "2026-12-05T22:00:00+05:30",
    "boards": [_PASSENGER],
    "alights": [],
    "comes_free": [],
}
_LEG: Json = {
    **{name: _ENDED_EARLY[name] for name in ("from_stop", "to_stop", "origin", "destination")},
    **{name: _ENDED_EARLY[name] for name in ("departs_at", "arrives_at")},
    "booked": 2,
    "held": 0,
    "free": 38,
    "pending": 0,
}
_SALES: Json = {"currency": "INR", "tickets": 2, "charges": "520.00", "refunds": "130.00", "income": "390.00"}
_SEAT: Json = {
    "seat_no": 7,
    "deck": "main",
    "tickets": [
        {
            **{name: _BOOKED[name] for name in ("from_stop", "to_stop", "reference", "status")},
            **{name: _PASSENGER[name] for name in ("ticket_no", "name")},
        }
    ],
}

_VEHICLE: Json = {
    "operator": "KSRTC",
    "registration": "KA09F1234",
    "layout": "...D\nss.ss",
    "seats": 4,
    "in_service": True,
    "name": "Volvo 9600",
}
_ON_BOARD: Json = {"code": "D17", "name": "Kumar", "phone": "+919845054321"}
_DRIVER: Json = {"operator": "KSRTC", **_ON_BOARD, "active": True}

_STOPS: list[Json] = [
    {"place": "Bengaluru", "arrives": None, "departs": "22:30", "km": "0", "fare": "0.00"},
    {"place": "Mandya", "arrives": "24:25", "departs": "24:30", "km": "102", "fare": "240.00"},
    {"place": "Mysuru", "arrives": "25:20", "departs": None, "km": "147", "fare": "350.00"},
]
_SERVICE: Json = {
    "name": "Night Owl",
    "operator": "KSRTC",
    "layout": "...D\nss.ss",
    "runs_on": "Mon-Fri",
    "stops": _STOPS,
}
_CHANGED: Json = {"bus_id": 101, "created": False, "changes": [], "opened": [], "removed": []}
_OFFERED_TRIP: Json = {
    "bus_id": 107,
    "kind": "bus",
    "name": "Rajahamsa Executive",
    "operator": "KSRTC",
    "travel_date": "2026-12-05",
    "boarding_date": "2026-12-05",
    "origin": "Bengaluru",
    "destination": "Mysuru",
    "from_stop": 1,
    "to_stop": 5,
    "departs_at": "2026-12-05T23:00:00+05:30",
    "arrives_at": "2026-12-06T02:20:00+05:30",
    "seats": [11, 12],
}
_OFFER: Json = {
    "reference": "DTK7GHJ",
    "offer_no": 1,
    "state": "open",
    "cause": "A bus with fewer seats runs.",
    "unanswered": "refund",
    "valid_until": "2026-12-02T09:00:00+05:30",
    "currency": "INR",
    "refund": "520.00",
    "trip": _OFFERED_TRIP,
}

EXAMPLES: dict[str, Example] = {
    "ping": Example({}, {"server": "busware", "version": VERSION, "time_zone": "Asia/Kolkata"}),
    "places": Example(
        {"kind": "bus", "origin": "Mysuru"},
        {
            "places": [{"code": "BLRU", "name": "Bengaluru", "aliases": ["Bangalore"], "kinds": ["bus"]}],
            "on_sale_from": "2026-12-01",
            "on_sale_until": "2027-01-31",
        },
    ),
    "search": Example(
        {"origin": "Bengaluru", "destination": "Mysuru", "date": "2026-12-05", "ac": True},
        {"trips": [_TRIP_FOUND]},
    ),
    "seat_map": Example(
        _SEGMENT,
        {
            **{
                name: _BOOKED[name]
                for name in ("bus_id", "travel_date", "boarding_date", "from_stop", "to_stop")
            },
            "layout": "...D\nss.ss",
            "currency": "INR",
            "fare": "260.00",
            "seats": [
                {"seat_no": 1, "deck": "main", "row": 2, "column": 1, "kind": "seat", "state": "free"},
                {"seat_no": 2, "deck": "main", "row": 2, "column": 2, "kind": "seat", "state": "held"},
            ],
            "max_seats": 6,
            "refund_percent": "50",
            "refund_until": "2026-12-05T22:00:00+05:30",
        },
    ),
    "book": Example(
        {
            **_SEGMENT,
            "seats": [7, 8],
            "phone": "98450 12345",
            "passengers": [{"name": "Asha"}, {"name": "Ravi"}],
        },
        _BOOKED,
    ),
    "hold": Example({**_SEGMENT, "seats": [7, 8], "phone": "98450 12345", "seconds": 600}, _HELD),
    "confirm": Example(_BOOKING, _BOOKED),
    "release": Example(_BOOKING, _RELEASED),
    "booking": Example(_BOOKING, _BOOKED),
    "find": Example(
        {"phone": "98450 12345", "date": "2026-12-05", "place": "Bengaluru"}, {"references": ["DTK7GHJ"]}
    ),
    "cancel_quote": Example(
        {**_BOOKING, "tickets": [2]},
        {
            "currency": "INR",
            "refund": "130.00",
            "valid_until": "2026-12-05T22:00:00+05:30",
            "stands_until": "2026-12-05T22:00:00+05:30",
            "refund_percent": "50",
        },
    ),
    "cancel": Example({**_BOOKING, "tickets": [2]}, _CANCELLED),
    "change_seat": Example({**_BOOKING, "ticket_no": 1, "seat_no": 11}, _SEAT_CHANGED),
    "alight_quote": Example(
        {**_BOOKING, "at": "Mandya"},
        {
            "currency": "INR",
            "stops": [
                {
                    "stop_no": 2,
                    "place": "Mandya",
                    "arrives_at": "2026-12-05T23:40:00+05:30",
                    "refund": "0.00",
                }
            ],
        },
    ),
    "alight": Example({**_BOOKING, "at": "Mandya"}, _ENDED_EARLY),
    "bookings": Example({"limit": 1}, {"bookings": [_BOOKED], "next": "DTK7GHJ"}),
    "register": Example(
        {"username": "asha", "password": "correct horse battery", "phone": "98450 12345"}, _SESSION
    ),
    "login": Example({"username": "asha", "password": "correct horse battery"}, _SESSION),
    "set_email": Example({"password": "correct horse battery", "email": "asha@example.org"}, {}),
    "request_reset": Example({"account": "asha"}, {}),
    "reset_password": Example({"reset_token": _TOKEN, "password": "correct horse staple"}, _SESSION),
    "logout": Example({"everywhere": True}, {}),
    "say": Example({"text": "Is there a charging point at seat 7?"}, {}),
    "messages": Example(
        _BOOKING, {"messages": [{"at": "2026-12-05T06:30:00+05:30", "text": "Yes.", "from_operator": True}]}
    ),
    "trips": Example({"date": "2026-12-05"}, {"date": "2026-12-05", "trips": [_OPERATED_TRIP]}),
    "manifest": Example(_TRIP, {**_OPERATED_TRIP, "stops": [_FIRST_STOP]}),
    "sales": Example(
        {"from": "2026-12-01", "to": "2026-12-31", "group": "service"},
        {
            "rows": [{"bus_id": 101, "name": "Airavat Club Class", **_SALES, "occupancy": "5.0"}],
            "totals": [_SALES],
            **_SALES,
        },
    ),
    "load": Example(_TRIP, {**_OPERATED_TRIP, "legs": [_LEG], "bookings": 1}),
    "occupancy": Example(_TRIP, {**_OPERATED_TRIP, "legs": [_LEG], "bookings": 1, "occupancy": [_SEAT]}),
    "check_in": Example({"reference": "DTK7GHJ", **_TRIP}, _CHECKED_IN),
    "no_shows": Example(
        {**_TRIP, "at": "Bengaluru", "release": True},
        {
            **_TRIP,
            "stop_no": 1,
            "place": "Bengaluru",
            "tickets": [
                {"reference": "DTK7GHJ", "ticket_no": 2, "seat_no": 8, "name": "Ravi", "sells": True}
            ],
        },
    ),
    "transfer": Example(
        {**_BOOKING, "ticket_no": 1, "name": "Uma"},
        {**_BOOKED, "tickets": [{**_TICKETS[0], "name": "Uma"}, _TICKETS[1]]},
    ),
    "set_contact": Example({**_BOOKING, "email": "asha@example.org"}, _BOOKED),
    "offers": Example(_BOOKING, {"offers": [_OFFER]}),
    "accept": Example(
        {**_BOOKING, "offer_no": 1},
        {
            **_BOOKED,
            **{name: value for name, value in _OFFERED_TRIP.items() if name != "seats"},
            "tickets": [{**ticket, "seat_no": seat} for ticket, seat in zip(_TICKETS, (11, 12), strict=True)],
        },
    ),
    "decline": Example(
        {**_BOOKING, "offer_no": 1},
        {
            **_BOOKED,
            "status": "cancelled",
            "refund": "520.00",
            "tickets": [{**ticket, "status": "cancelled", "refund": ticket["fare"]} for ticket in _TICKETS],
        },
    ),
    "trip_offers": Example(_TRIP, {"offers": [_OFFER]}),
    "exchange_quote": Example({**_BOOKING, "boarding_date": "2026-12-06"}, _EXCHANGE_QUOTE),
    "exchange": Example(
        {**_BOOKING, "boarding_date": "2026-12-06", "due": "0.00"},
        {
            **_BOOKED,
            "travel_date": "2026-12-06",
            "boarding_date": "2026-12-06",
            "departs_at": "2026-12-06T22:00:00+05:30",
            "arrives_at": "2026-12-07T00:50:00+05:30",
            "exchange": _EXCHANGE,
        },
    ),
    "notice": Example({**_TRIP, "text": "The bus leaves from platform 4."}, {"bookings": 12, "tickets": 17}),
    "cancel_trip": Example(
        {**_TRIP, "reason": "The road is flooded."},
        {**_TRIP, "state": "cancelled", "tickets": 2, "currency": "INR", "refund": "520.00"},
    ),
    "delay_trip": Example(
        {**_TRIP, "minutes": 30, "reason": "A road is closed."},
        {
            **_TRIP,
            "stop_no": 1,
            "place": "Bengaluru",
            "minutes": 30,
            "expected_at": "2026-12-05T22:30:00+05:30",
            "scheduled_at": "2026-12-05T22:00:00+05:30",
            "bookings": 2,
            "tickets": 3,
            "offers": 0,
            "next_trips": [],
        },
    ),
    "skip_stop": Example(
        {**_TRIP, "at": "Mandya", "reason": "A road is closed."},
        {
            **_TRIP,
            "stop_no": 2,
            "place": "Mandya",
            "served": False,
            "bookings": 2,
            "moved": 3,
            "displaced": 0,
            "ended": 0,
        },
    ),
    "serve_stop": Example(
        {**_TRIP, "at": "Mandya"}, {**_TRIP, "stop_no": 2, "place": "Mandya", "served": True}
    ),
    "block_seats": Example(
        {**_TRIP, "seats": [3], "reason": "The seat is broken."},
        {**_TRIP, "blocked": [{"seat_no": 3, "from_stop": 1, "to_stop": None, "reason": "It is broken."}]},
    ),
    "unblock_seats": Example({**_TRIP, "seats": [3]}, {**_TRIP, "blocked": []}),
    "services": Example(
        {},
        {
            "services": [
                {
                    "bus_id": 101,
                    "kind": "bus",
                    "name": "Night Owl",
                    "operator": "KSRTC",
                    "source_id": None,
                    "origin": "Bengaluru",
                    "destination": "Mysuru",
                    "departs": "22:30",
                    "arrives": "25:20",
                    "runs_on": "Mon-Fri",
                    "first_date": None,
                    "last_date": None,
                    "seats": 4,
                    "trips": 43,
                }
            ]
        },
    ),
    "service": Example({"bus_id": 101}, {"bus_id": 101, "currency": "INR", **_SERVICE}),
    "add_service": Example(
        _SERVICE, {**_CHANGED, "bus_id": 10001, "created": True, "opened": ["2026-12-07"]}
    ),
    "put_service": Example(
        {"bus_id": 101, "name": "Night Owl", "plan": True},
        {**_CHANGED, "changes": [{"field": "name", "from": "Airavat", "to": "Night Owl"}]},
    ),
    "end_service": Example(
        {"bus_id": 101, "last_date": "2027-03-31"},
        {**_CHANGED, "changes": [{"field": "last_date", "from": None, "to": "2027-03-31"}]},
    ),
    "succeed_service": Example(
        {"bus_id": 101, "from_date": "2027-01-01", "refund_percent": "60"},
        {**_CHANGED, "bus_id": 10001, "created": True, "opened": ["2027-01-01"], "ended": _CHANGED},
    ),
    "open_trip": Example({**_TRIP}, _OPERATED_TRIP),
    "put_place": Example(
        {"code": "CKPT", "name": "Chikkapete", "aliases": ["Chickpet"]},
        {
            "code": "CKPT",
            "name": "Chikkapete",
            "aliases": ["Chickpet"],
            "part_of": None,
            "time_zone": "Asia/Kolkata",
        },
    ),
    "vehicles": Example({}, {"vehicles": [_VEHICLE]}),
    "put_vehicle": Example(
        {"registration": "KA 09 F 1234", "layout": "...D\nss.ss", "name": "Volvo 9600"}, _VEHICLE
    ),
    "drivers": Example({}, {"drivers": [_DRIVER]}),
    "put_driver": Example({"code": "D17", "name": "Kumar", "phone": "98450 54321"}, _DRIVER),
    "assign": Example(
        {**_TRIP, "vehicle": "KA09F1234", "drivers": ["D17"], "until": "2026-12-11"},
        {"assigned": 7, "trip": {**_OPERATED_TRIP, "vehicle": "KA09F1234", "drivers": [_ON_BOARD]}},
    ),
    "exchange_vehicle": Example(
        {**_TRIP, "vehicle": "KA09F1234", "plan": True},
        {
            "version": "9b2f0d0d1b2d6d1c0a9f3c1e5a7b8c9d",
            "tickets": 2,
            "seated": 1,
            "same_class": 1,
            "together": 0,
            "moved": 1,
            "moves": [
                {
                    "reference": "DTYV9P9",
                    "ticket_no": 1,
                    "status": "booked",
                    "from_seat_no": 37,
                    "seat_no": 4,
                    "refund": "0.00",
                    "name": "Asha",
                }
            ],
            "left_over": [{"reference": "DTRPKBD", "tickets": 1}],
            "currency": "INR",
            "refund": "0.00",
            "trip": {**_OPERATED_TRIP, "vehicle": "KA09F1234"},
        },
    ),
    "events": Example({"after": "41-5f1c0a7e"}, {"events": [], "next": "41-5f1c0a7e"}),
    "promo_codes": Example({}, {"promo_codes": [_PROMO_CODE]}),
    "put_promo_code": Example(
        {"code": "DASARA", "percent": "10", "last_date": "2026-12-31", "max_uses": 500}, _PROMO_CODE
    ),
    **{
        method: Example(*fields)
        for examples in (AGENT_EXAMPLES, INVOICE_EXAMPLES, PAYMENT_EXAMPLES, WEBHOOK_EXAMPLES)
        for method, fields in examples.items()
    },
    "open_sales": Example({"bus_id": 101, "from": "2026-12-05", "to": "2027-03-31"}, {"opened": 56}),
}

_MISSING_DATE = Refusal(
    "bad_request", "date is missing. Expected: a date, YYYY-MM-DD.", field="date", takes="a date, YYYY-MM-DD"
)
PROBLEMS: dict[int, Problem] = {
    problem.status: problem
    for problem in (
        of_refusal(_MISSING_DATE),
        of_refusal(Refusal("not_signed_in", "The token has expired or was revoked: log in again.")),
        of_refusal(PAYMENT_REQUIRED),
        of_refusal(Refusal("not_allowed", "manifest is for operators.")),
        of_refusal(Refusal("unknown_booking", "No booking has that reference and phone number.")),
        of_status(408, "The body did not arrive within 10 s."),
        of_refusal(Refusal("seat_taken", "Seat 7 is taken between Bengaluru and Mysuru.", seats=[7])),
        of_status(
            412, "If-Match is not supported, so the request was not executed. Send it without If-Match."
        ),
        of_body(413, "The body is too long: at most 65536 bytes."),
        of_body(415, "The body must be application/json; it is text/plain."),
        of_status(421, "This server does not answer to the name bus.example."),
        of_refusal(
            Refusal("key_reused", "This key was used for another request. A new request needs a new key.")
        ),
        of_refusal(
            Refusal(
                "not_allowed", "Too many wrong attempts: try again in 9 minutes.", limit=10, retry_after=540
            )
        ),
        of_status(431, "The head of the request is too long: at most 16384 bytes."),
        of_status(500, "Something went wrong inside the server.", request_id="5f3a9c01"),
        of_refusal(
            Refusal("unsupported", "put_promo_code is not supported by a server with several databases.")
        ),
        of_refusal(Refusal("busy", "There are too many connections: nothing was done, try again.")),
        of_refusal(
            Refusal("outcome_unknown", "The database connection was lost: try again with the same key.")
        ),
    )
}
