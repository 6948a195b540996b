"""Who may do what: every operation, by everybody there is, on both faces, cell by cell.

The bookings and the bus are Asha's and KSRTC's. `phone` is a guest who knows the phone that was given with
the booking; everybody else knows the reference alone. A cell is what comes of it: ok, or a reason.
"""

import itertools
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from busware.server import protocol
from busware.server.accounts.passwords import Passwords
from busware.server.booking import permissions
from busware.server.http.routes import RESOURCES
from tests.conftest import Database, LineClient
from tests.support.http_client import HttpClient

WHO = ("guest", "phone", "owner", "traveller", "operator", "other operator", "admin")
PASSWORD = "correct horse battery"
PHONE = "+919845012345"
TRIP = {"bus_id": 1, "travel_date": "2026-12-02"}
STRETCH = {**TRIP, "from_stop": 1, "to_stop": 5}

OK, NONE = "ok", "unknown_booking"
OUT, NOT, OTHERS = "not_signed_in", "not_allowed", "not_yours"

ANYBODY = (OK, OK, OK, OK, OK, OK, OK)
SIGNED_IN = (OUT, OUT, OK, OK, OK, OK, OK)
WHOSE_BOOKING = (NONE, OK, OK, NONE, OK, NONE, OK)
WHOSE_BUS = (OUT, OUT, NOT, NOT, OK, OTHERS, OK)
OPERATORS = (OUT, OUT, NOT, NOT, OK, OK, OK)

# What is asked; and what comes of it, in the order of WHO. "booking", "hold": with Asha's.
TABLE: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "ping": ({}, ANYBODY),
    "places": ({}, ANYBODY),
    "search": ({"origin": "Bengaluru", "destination": "Mysuru", "date": "2026-12-02"}, ANYBODY),
    "seat_map": (STRETCH, ANYBODY),
    "book": ({**STRETCH, "count": 1, "phone": "9880099000"}, ANYBODY),
    "hold": ({**STRETCH, "count": 1, "phone": "9880099000"}, ANYBODY),
    "booking": ({"reference": "booking"}, WHOSE_BOOKING),
    "cancel_quote": ({"reference": "booking"}, WHOSE_BOOKING),
    "change_seat": ({"reference": "booking", "ticket_no": 1, "seat_no": 8}, WHOSE_BOOKING),
    "alight": ({"reference": "booking", "at": 3}, WHOSE_BOOKING),
    "cancel": ({"reference": "booking"}, WHOSE_BOOKING),
    "confirm": ({"reference": "hold"}, WHOSE_BOOKING),
    "release": ({"reference": "hold"}, WHOSE_BOOKING),
    "find": ({"phone": "9880099000", "date": "2026-12-02", "place": "Bengaluru"}, ANYBODY),
    "say": ({"text": "Hello"}, ANYBODY),
    "register": ({"username": "x", "password": "short"}, 7 * ("bad_request",)),
    "login": ({}, 7 * ("bad_request",)),  # anybody may, and would be somebody else then
    "bookings": ({}, SIGNED_IN),
    "trips": ({"date": "2026-12-02"}, OPERATORS),
    "manifest": (TRIP, WHOSE_BUS),
    "notice": ({**TRIP, "text": "Platform 4"}, WHOSE_BUS),
    "cancel_trip": ({**TRIP, "reason": "Flood"}, WHOSE_BUS),
    "open_sales": ({"bus_id": 1, "from": "2026-12-20", "to": "2026-12-21"}, WHOSE_BUS),
    "logout": ({}, SIGNED_IN),
}

pytestmark = pytest.mark.settings(password_wait_seconds=60)

Ask = Callable[[str, dict[str, Any]], str]


@pytest.fixture(scope="module")
def password_hash() -> str:
    return Passwords(at_once=1, wait_seconds=1).hash(PASSWORD)


@pytest.fixture
def people(database: Database, password_hash: str) -> None:
    """Accounts for all who have one, each named for what it is."""
    for username, role, operator in (
        ("owner", "traveller", None),
        ("traveller", "traveller", None),
        ("operator", "operator", "KSRTC"),
        ("other operator", "operator", "SRS Travels"),
        ("admin", "admin", None),
    ):
        database.query(
            "INSERT INTO accounts (username, password_hash, role, operator, created_at) "
            "VALUES (%s, %s, %s, %s, api.now())", username, password_hash, role, operator,
        )  # fmt: skip


class Owner:
    """Asha, who makes a booking or a hold whenever one is to be tried, each on a trip of its own."""

    def __init__(self, line: LineClient) -> None:
        line.call("login", username="owner", password=PASSWORD)
        self._line = line
        self._dates = (f"2026-12-{day:02}" for day in itertools.count(3))

    def make(self, what: str) -> str:
        """The reference of a new one."""
        trip = {**STRETCH, "travel_date": next(self._dates), "phone": PHONE, "seats": [1]}
        return str(self._line.call({"booking": "book"}.get(what, what), **trip)["reference"])


def over_tcp(connect: Callable[[], LineClient], who: str) -> Ask:
    line = connect()
    if who not in ("guest", "phone"):
        assert line.call("login", username=who, password=PASSWORD)["username"] == who

    def ask(method: str, params: dict[str, Any]) -> str:
        told = line.call(method, **params)
        return str(told["data"]["reason"]) if "data" in told else "ok"

    return ask


def over_http(http: HttpClient, who: str) -> Ask:
    token = None
    if who not in ("guest", "phone"):
        login = {"username": who, "password": PASSWORD}
        token = http.call("POST", "/v1/sessions", json=login).json()["token"]

    def ask(method: str, params: dict[str, Any]) -> str:
        resource = RESOURCES[method]
        path = resource.path.format(**params)
        rest = {name: value for name, value in params.items() if name not in resource.in_path}
        how = {"json": rest} if resource.has_body else {"params": rest}
        answer = http.call(resource.http_method, path, token=token, **how)
        return str(answer.json()["reason"]) if answer.status_code >= 400 else "ok"

    return ask


@pytest.mark.parametrize("face", ["tcp", "http"])
@pytest.mark.parametrize("who", WHO)
def test_a_column(
    who: str, face: str, people: None, database: Database, connect: Callable[[], LineClient], http: HttpClient
) -> None:
    """Everything that somebody may ask."""
    owner = Owner(connect())
    ask = over_tcp(connect, who) if face == "tcp" else over_http(http, who)
    found = {}
    for method, (params, _) in TABLE.items():
        mine = dict(params)
        if "reference" in mine:
            mine["reference"] = owner.make(mine["reference"])
            mine |= {"phone": PHONE} if who == "phone" else {}
        found[method] = ask(method, mine)
    assert found == {method: cells[WHO.index(who)] for method, (_, cells) in TABLE.items()}
    assert database.query("SELECT * FROM api.audit()") == []


def test_what_changed_nothing_was_refused(
    people: None, database: Database, connect: Callable[[], LineClient]
) -> None:
    """Whoever may not, changes nothing: not even the record of requests."""
    reference = Owner(connect()).make("booking")
    before = database.query("SELECT passengers::text, seats::text FROM passengers JOIN seats USING (bus_id)")
    requests = database.value("SELECT count(*) FROM idempotency_keys")
    for who in ("guest", "traveller", "other operator"):
        ask = over_tcp(connect, who)
        for method in ("cancel", "change_seat", "alight", "cancel_trip"):
            params = {**TABLE[method][0]}
            params |= {"reference": reference} if "reference" in params else {"travel_date": "2026-12-03"}
            assert ask(method, params) != "ok"
    after = database.query("SELECT passengers::text, seats::text FROM passengers JOIN seats USING (bus_id)")
    assert after == before
    assert database.value("SELECT count(*) FROM idempotency_keys") == requests


def test_the_table_is_complete() -> None:
    assert TABLE.keys() == protocol.METHODS.keys()
    assert permissions.RIGHTS.keys() == set(protocol.METHODS.values())
    for method, (params, _) in TABLE.items():
        msgspec.convert(params, protocol.METHODS[method])
