"""Permissions: every method by every kind of caller, over TCP and HTTP.

The bookings belong to the account `owner`, on a service of KSRTC. The caller `phone` is a guest that has the
phone number of the booking; the others have the reference only. The outcome is ok or the reason of a refusal.
"""

import itertools
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from busware.server import protocol
from busware.server.accounts.passwords import Passwords
from busware.server.booking import permissions
from busware.server.http.routes import RESOURCES
from tests.conftest import Database, LineClient
from tests.support.http_client import HttpClient
from tests.support.offers import LATER, add_service

CALLERS = ("guest", "phone", "owner", "traveller", "agent", "operator", "other operator", "admin")
PASSWORD = "correct horse battery"
PHONE = "+919845012345"
NO_REFUND = "00000000-0000-0000-0000-000000000000"  # stands for the id of a refund
TRIP = {"bus_id": 1, "travel_date": "2026-12-02"}
SEGMENT = {**TRIP, "from_stop": 1, "to_stop": 5}
WEBHOOK = {"operator": "KSRTC", "webhook": "accounting"}

STOPS = [
    {"place": "Mandya", "departs": "09:00", "km": "0", "fare": "0"},
    {"place": "Mysuru", "arrives": "10:00", "km": "45", "fare": "90"},
]

OK, UNKNOWN = "ok", "unknown_booking"
NOT_SIGNED_IN, NOT_ALLOWED, NOT_YOURS = "not_signed_in", "not_allowed", "not_yours"

ALL_CALLERS = len(CALLERS) * (OK,)
SIGNED_IN = (NOT_SIGNED_IN, NOT_SIGNED_IN, OK, OK, OK, OK, OK, OK)
BOOKING_ACCESS = (UNKNOWN, OK, OK, UNKNOWN, UNKNOWN, OK, UNKNOWN, OK)
SERVICE_OPERATORS = (NOT_SIGNED_IN, NOT_SIGNED_IN, *3 * (NOT_ALLOWED,), OK, NOT_YOURS, OK)
OPERATORS = (NOT_SIGNED_IN, NOT_SIGNED_IN, *3 * (NOT_ALLOWED,), OK, OK, OK)
AGENTS = (NOT_SIGNED_IN, NOT_SIGNED_IN, NOT_ALLOWED, NOT_ALLOWED, OK, OK, NOT_YOURS, OK)


def in_place_of_ok(outcome: str, cells: tuple[str, ...]) -> tuple[str, ...]:
    """The outcome for each of CALLERS of a request that is refused to callers who may send it."""
    return tuple(outcome if cell == OK else cell for cell in cells)


# For each method: params, and the outcome for each of CALLERS. The reference "booking", "hold" or "unpaid
# hold" stands for the reference of a new booking or hold of `owner`, and "refund" for that of a cancelled
# booking and the id of its refund. The payment "payment" stands for a payment of a new hold.
TABLE: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "ping": ({}, ALL_CALLERS),
    "places": ({}, ALL_CALLERS),
    "search": ({"origin": "Bengaluru", "destination": "Mysuru", "date": "2026-12-02"}, ALL_CALLERS),
    "seat_map": (SEGMENT, ALL_CALLERS),
    "book": ({**SEGMENT, "count": 1, "phone": "9880099000"}, ALL_CALLERS),
    "hold": ({**SEGMENT, "count": 1, "phone": "9880099000"}, ALL_CALLERS),
    "booking": ({"reference": "booking"}, BOOKING_ACCESS),
    "cancel_quote": ({"reference": "booking"}, BOOKING_ACCESS),
    "change_seat": ({"reference": "booking", "ticket_no": 1, "seat_no": 8}, BOOKING_ACCESS),
    "alight_quote": ({"reference": "booking"}, BOOKING_ACCESS),
    "alight": ({"reference": "booking", "at": 3}, BOOKING_ACCESS),
    "cancel": ({"reference": "booking"}, BOOKING_ACCESS),
    "confirm": ({"reference": "hold"}, BOOKING_ACCESS),
    "release": ({"reference": "hold"}, BOOKING_ACCESS),
    "pay": ({"reference": "unpaid hold"}, BOOKING_ACCESS),
    "payments": ({"reference": "booking"}, BOOKING_ACCESS),
    "settle_payment": ({"payment": "payment", "amount": "300", "currency": "INR"}, SERVICE_OPERATORS),
    "operator_payments": ({}, OPERATORS),
    "refunds": ({}, OPERATORS),
    "settle_refund": ({"reference": "refund", "refund_id": NO_REFUND}, SERVICE_OPERATORS),
    "find": ({"phone": "9880099000", "date": "2026-12-02", "place": "Bengaluru"}, ALL_CALLERS),
    "say": ({"text": "Hello"}, ALL_CALLERS),
    "register": ({"username": "x", "password": "short"}, len(CALLERS) * ("bad_request",)),
    "login": ({}, len(CALLERS) * ("bad_request",)),  # permitted, but without fields it changes no session
    "request_reset": ({"account": "nobody"}, ALL_CALLERS),
    "reset_password": ({"reset_token": "x", "password": "long enough"}, len(CALLERS) * ("wrong_password",)),
    "set_email": ({"password": "another"}, in_place_of_ok("wrong_password", SIGNED_IN)),
    "bookings": ({}, SIGNED_IN),
    "trips": ({"date": "2026-12-02"}, OPERATORS),
    "manifest": (TRIP, SERVICE_OPERATORS),
    "load": (TRIP, SERVICE_OPERATORS),
    "occupancy": (TRIP, SERVICE_OPERATORS),
    "sales": ({"from": "2026-12-01", "to": "2026-12-31"}, OPERATORS),
    "no_shows": ({**TRIP, "at": 1}, in_place_of_ok("not_departed", SERVICE_OPERATORS)),
    "check_in": ({"reference": "booking"}, in_place_of_ok("wrong_trip", SERVICE_OPERATORS)),
    "transfer": ({"reference": "booking", "ticket_no": 1, "name": "Uma"}, BOOKING_ACCESS),
    "set_contact": ({"reference": "booking", "email": "asha@example.org"}, BOOKING_ACCESS),
    "offers": ({"reference": "booking"}, BOOKING_ACCESS),
    "messages": ({"reference": "booking"}, BOOKING_ACCESS),
    "accept": ({"reference": "booking", "offer_no": 1}, in_place_of_ok("no_offer", BOOKING_ACCESS)),
    "decline": ({"reference": "booking", "offer_no": 1}, in_place_of_ok("no_offer", BOOKING_ACCESS)),
    "trip_offers": (TRIP, SERVICE_OPERATORS),
    "exchange_quote": ({"reference": "booking", "seats": [8]}, BOOKING_ACCESS),
    "exchange": ({"reference": "booking", "seats": [8]}, BOOKING_ACCESS),
    "notice": ({**TRIP, "text": "Platform 4"}, SERVICE_OPERATORS),
    "delay_trip": ({**TRIP, "minutes": 30}, SERVICE_OPERATORS),
    "skip_stop": ({**TRIP, "at": 2, "plan": True}, SERVICE_OPERATORS),
    "serve_stop": ({**TRIP, "at": 2}, SERVICE_OPERATORS),
    "cancel_trip": ({**TRIP, "reason": "Flood"}, SERVICE_OPERATORS),
    "block_seats": ({**TRIP, "seats": [8]}, SERVICE_OPERATORS),
    "unblock_seats": ({**TRIP, "seats": [8]}, SERVICE_OPERATORS),
    "open_sales": ({"bus_id": 1, "from": "2026-12-20", "to": "2026-12-21"}, SERVICE_OPERATORS),
    "services": ({}, OPERATORS),
    "service": ({"bus_id": 1}, SERVICE_OPERATORS),
    "add_service": ({"name": "Van", "operator": "KSRTC", "layout": "s", "stops": STOPS}, SERVICE_OPERATORS),
    "put_service": ({"bus_id": 1, "max_seats": 5}, SERVICE_OPERATORS),
    "end_service": ({"bus_id": 1, "last_date": "2027-12-01"}, SERVICE_OPERATORS),
    "succeed_service": ({"bus_id": 1, "from_date": "2027-06-01"}, SERVICE_OPERATORS),
    "open_trip": ({**TRIP, "travel_date": "2027-01-30"}, SERVICE_OPERATORS),
    "put_place": ({"code": "CKPT", "name": "Chikkapete"}, OPERATORS),
    "put_vehicle": ({"registration": "KA09F1", "operator": "KSRTC", "layout": "s"}, SERVICE_OPERATORS),
    "vehicles": ({"operator": "KSRTC"}, SERVICE_OPERATORS),
    "put_driver": ({"code": "D1", "operator": "KSRTC", "name": "Ravi"}, SERVICE_OPERATORS),
    "drivers": ({"operator": "KSRTC"}, SERVICE_OPERATORS),
    "assign": ({**TRIP, "travel_date": "2026-12-03", "drivers": ["D1"]}, SERVICE_OPERATORS),
    "exchange_vehicle": ({**TRIP, "travel_date": "2026-12-03", "vehicle": "KA09F1"}, SERVICE_OPERATORS),
    "events": ({}, OPERATORS),
    "promo_codes": ({"operator": "KSRTC"}, SERVICE_OPERATORS),
    "put_promo_code": ({"operator": "KSRTC", "code": "DASARA", "percent": "10"}, SERVICE_OPERATORS),
    "invoice": ({"reference": "booking"}, in_place_of_ok("no_invoice", BOOKING_ACCESS)),
    "invoices": ({"operator": "KSRTC", "from": "2026-12-01", "to": "2026-12-31"}, SERVICE_OPERATORS),
    "accounts": ({"operator": "KSRTC", "from": "2026-12-01", "to": "2026-12-31"}, SERVICE_OPERATORS),
    "invoicing": ({"operator": "KSRTC"}, SERVICE_OPERATORS),
    "put_invoicing": (
        {"operator": "KSRTC", "seller": None},
        in_place_of_ok("bad_request", SERVICE_OPERATORS),
    ),
    "agents": ({"operator": "KSRTC"}, SERVICE_OPERATORS),
    "put_agent": ({"operator": "KSRTC", "agent": "agent", "active": True}, SERVICE_OPERATORS),
    "settlement": ({"operator": "KSRTC", "agent": "agent"}, AGENTS),
    "settle_agent": (
        {"operator": "KSRTC", "agent": "agent", "settlement_no": 1, "handed_over": "0"},
        SERVICE_OPERATORS,
    ),
    "staff": ({"operator": "KSRTC"}, SERVICE_OPERATORS),
    "put_staff": ({"operator": "KSRTC", "username": "new", "role": "agent"}, SERVICE_OPERATORS),
    "webhooks": ({"operator": "KSRTC"}, SERVICE_OPERATORS),
    "put_webhook": ({**WEBHOOK, "url": "https://example.org/"}, SERVICE_OPERATORS),
    "rotate_webhook_secret": (WEBHOOK, SERVICE_OPERATORS),
    "test_webhook": (WEBHOOK, SERVICE_OPERATORS),
    "webhook_deliveries": (WEBHOOK, SERVICE_OPERATORS),
    "replay_webhook": ({**WEBHOOK, "after": "0"}, SERVICE_OPERATORS),
    "delete_webhook": ({**WEBHOOK, "webhook": "other"}, in_place_of_ok("unknown_webhook", SERVICE_OPERATORS)),
    "logout": ({}, SIGNED_IN),
}

# The owner has as many holds as TABLE has rows with one.
pytestmark = pytest.mark.settings(
    password_wait_seconds=60, holds_per_account=20, manual_account="KSRTC, account 12345678"
)

Send = Callable[[str, dict[str, Any]], str]


@pytest.fixture(scope="module")
def password_hash() -> str:
    return Passwords(memory_mib=1).hash(PASSWORD)


@pytest.fixture
def accounts(database: Database, password_hash: str) -> None:
    """An account for each caller that has one, named as the caller, and a trip for each of their requests.

    The service LATER is paid by bank transfer before it is booked.
    """
    add_service(database, LATER, "12:00", "14:45")
    database.query("UPDATE bus_info SET payment = 'manual' WHERE bus_id = %s", LATER)
    for bus_id in (1, LATER):
        database.query("UPDATE bus_info SET sales_days = 60 WHERE bus_id = %s", bus_id)
        database.query("SELECT api.open_sales(%s)", bus_id)
    for username, role, operator in (
        ("owner", "traveller", None),
        ("traveller", "traveller", None),
        ("agent", "agent", None),
        ("operator", "operator", "KSRTC"),
        ("other operator", "operator", "SRS Travels"),
        ("admin", "admin", None),
    ):
        database.query(
            "INSERT INTO accounts (username, password_hash, role, operator, created_at) "
            "VALUES (%s, %s, %s, %s, api.now())", username, password_hash, role, operator,
        )  # fmt: skip
    database.query("INSERT INTO agents (agent, operator) VALUES ('agent', 'KSRTC')")


class Owner:
    """The account `owner`, which makes bookings and holds, each on a trip of its own."""

    def __init__(self, connect: Callable[[], LineClient]) -> None:
        self._line, self._operator = connect(), connect()
        self._line.call("login", username="owner", password=PASSWORD)
        self._operator.call("login", username="operator", password=PASSWORD)
        self._dates = (date(2026, 12, 3) + timedelta(days) for days in itertools.count())

    def make(self, what: str) -> dict[str, Any]:
        """Make what TABLE names so. Returns the fields by which a request names it."""
        trip = {**SEGMENT, "travel_date": str(next(self._dates)), "phone": PHONE, "seats": [1]}
        if what in ("booking", "hold"):
            return {"reference": self._line.call({"booking": "book"}.get(what, what), **trip)["reference"]}
        hold = self._line.call("hold", **trip | {"bus_id": LATER, "to_stop": 2})
        named = {"reference": hold["reference"]}
        if what == "unpaid hold":
            return named
        payment = self._line.call("pay", **named)
        if what == "payment":
            return {"payment": payment["provider_reference"]}
        money = {name: payment[name] for name in ("amount", "currency")}
        self._operator.call("settle_payment", payment=payment["provider_reference"], **money)
        self._line.call("cancel", **named)
        ((refund,),) = [paid["refunds"] for paid in self._line.call("payments", **named)["payments"]]
        return {**named, "refund_id": refund["refund_id"]}


def over_tcp(connect: Callable[[], LineClient], caller: str) -> Send:
    line = connect()
    if caller not in ("guest", "phone"):
        assert line.call("login", username=caller, password=PASSWORD)["username"] == caller

    def send(method: str, params: dict[str, Any]) -> str:
        reply = line.call(method, **params)
        return str(reply["data"]["reason"]) if "data" in reply else "ok"

    return send


def over_http(http: HttpClient, caller: str) -> Send:
    token = None
    if caller not in ("guest", "phone"):
        login = {"username": caller, "password": PASSWORD}
        token = http.call("POST", "/v1/sessions", json=login).json()["token"]

    def send(method: str, params: dict[str, Any]) -> str:
        resource = RESOURCES[method]
        path = resource.path.format(**params)
        rest = {name: value for name, value in params.items() if name not in resource.path_fields}
        how = {"json": rest} if resource.has_body else {"params": rest}
        answer = http.call(resource.http_method, path, token=token, **how)
        return str(answer.json()["reason"]) if answer.status_code >= 400 else "ok"

    return send


@pytest.mark.parametrize("server_type", ["tcp", "http"])
@pytest.mark.parametrize("caller", CALLERS)
def test_the_permissions_of_a_caller(
    caller: str,
    server_type: str,
    accounts: None,
    database: Database,
    connect: Callable[[], LineClient],
    http: HttpClient,
) -> None:
    owner = Owner(connect)
    send = over_tcp(connect, caller) if server_type == "tcp" else over_http(http, caller)
    found = {}
    for method, (params, _) in TABLE.items():
        fields = dict(params)
        for what in {fields.get("reference"), fields.get("payment")} - {None}:
            fields |= owner.make(what)
        if caller == "phone" and issubclass(protocol.METHODS[method], protocol.BookingRequest):
            fields["phone"] = PHONE
        found[method] = send(method, fields)
    assert found == {method: cells[CALLERS.index(caller)] for method, (_, cells) in TABLE.items()}
    assert database.query("SELECT * FROM api.audit()") == []


def test_refused_requests_change_nothing(
    accounts: None, database: Database, connect: Callable[[], LineClient]
) -> None:
    booking = Owner(connect).make("booking")
    before = database.query("SELECT passengers::text, seats::text FROM passengers JOIN seats USING (bus_id)")
    requests = database.value("SELECT count(*) FROM idempotency_keys")
    for caller in ("guest", "traveller", "other operator"):
        send = over_tcp(connect, caller)
        for method in ("cancel", "change_seat", "alight", "cancel_trip"):
            params = {**TABLE[method][0]}
            params |= booking if "reference" in params else {"travel_date": "2026-12-03"}
            assert send(method, params) != "ok"
    after = database.query("SELECT passengers::text, seats::text FROM passengers JOIN seats USING (bus_id)")
    assert after == before
    assert database.value("SELECT count(*) FROM idempotency_keys") == requests


def test_the_table_has_every_method() -> None:
    assert TABLE.keys() == protocol.METHODS.keys()
    assert permissions.RIGHTS.keys() == set(protocol.METHODS.values())
    for method, (params, _) in TABLE.items():
        msgspec.convert(params, protocol.METHODS[method])
