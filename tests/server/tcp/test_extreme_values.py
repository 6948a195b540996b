"""Extreme values in every field of every method, over JSON-RPC and HTTP: each gets a reply or a refusal.

tests/server/conversation/test_bad_answers.py has the same for the questions of the dialogues.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import pytest

from busware.server.http.routes import RESOURCES
from busware.server.protocol import METHODS
from tests.conftest import Database, LineClient
from tests.support.http_client import HttpClient

pytestmark = pytest.mark.settings(attempts_per_address=10**6, password_wait_seconds=60)

EXTREMES: list[Any] = [
    "0001-01-01", "9999-12-31", "10000-01-01", "-0001-01-01", "2026-02-31", "infinity",
    0, -1, 10_000, 2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 10**30, -(2**63), 1.5, 1e300,
    "9" * 18, "9" * 19, "9" * 400, "nan", "", "\u0000", "\u2028", "%", "x" * 3000, None, [], [2**31], {},
]  # fmt: skip
METHOD_NAMES = sorted(METHODS, key=lambda name: name in ("cancel_trip", "logout"))  # these come last
ASHA = {"username": "asha", "password": "correct horse battery"}
FIELDS: dict[str, Any] = {  # a valid value of each field
    "bus_id": 1, "travel_date": "2026-12-03", "date": "2026-12-03", "until": "2026-12-03",
    "from": "2026-12-03", "to": "2026-12-03", "origin": "Bengaluru", "destination": "Mysuru",
    "from_stop": 1, "to_stop": 2, "place": "Mandya", "at": "Mandya", "seats": [1], "count": 1,
    "seat_no": 5, "ticket_no": 1, "tickets": [1], "phone": "98450 12345", "passengers": [], "seconds": 60,
    "kind": "bus", "bus_type": "SEATER", "ac": False, "waitlist": False, "current": True,
    "everywhere": False, "limit": 2, "text": "Hello", "reason": "Flood", "username": "ravi", "password": "x",
}  # fmt: skip
# Fields that a request has only if their value is extreme.
LEFT_OUT = {
    "boarding_date",
    "from_stop",
    "to_stop",
    "count",
    "key",
    "after",
    "token",
    "reference",
}
EXCLUSIVE = {
    "boarding_date": ("travel_date",),
    "from_stop": ("origin", "destination"),
    "to_stop": ("origin", "destination"),
    "count": ("seats",),
}
PARTNERS = {"from_stop": {"to_stop": 2}, "to_stop": {"from_stop": 1}}


@pytest.fixture
def admin(client_socket: LineClient, database: Database) -> LineClient:
    """A connection of an admin, who may send every request."""
    client_socket.call("register", **ASHA)
    database.query("UPDATE accounts SET role = 'admin'")
    client_socket.call("login", **ASHA)
    return client_socket


def book(client: LineClient) -> str:
    """The reference of a new booking; a made-up one if the trip is cancelled."""
    trip = {name: FIELDS[name] for name in ("bus_id", "travel_date", "origin", "destination", "phone")}
    return str(client.call("book", **trip, count=1).get("reference", "ABCDEFG"))


def variations(method: str, reference: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The parameters of a method, each with one extreme value; and the name of the field that has it."""
    names = list(METHODS[method].__struct_encode_fields__)
    valid = {name: FIELDS[name] for name in names if name in FIELDS and name not in LEFT_OUT}
    valid |= {"reference": reference} if "reference" in names else {}
    for name in names:
        others = {known: v for known, v in valid.items() if known not in EXCLUSIVE.get(name, ())}
        for extreme in EXTREMES:
            yield name, others | PARTNERS.get(name, {}) | {name: extreme}


def test_extreme_values_are_answered_over_json_rpc(admin: LineClient, database: Database) -> None:
    failed = []
    for method in METHOD_NAMES:
        for _, params in variations(method, book(admin)):
            answer = admin.call(method, **params)
            if "code" in answer and "reason" not in answer.get("data", {}):
                failed.append((method, params, answer))
    assert failed == []
    assert database.query("SELECT * FROM api.audit()") == []


def test_extreme_values_are_answered_over_http(
    admin: LineClient, http: HttpClient, database: Database
) -> None:
    """In paths and queries. Bodies are decoded as over JSON-RPC."""
    token = http.call("POST", "/v1/sessions", json=ASHA).json()["token"]
    failed = []
    resources = sorted(RESOURCES.items(), key=lambda item: METHOD_NAMES.index(item[1].request_type.method))
    for name, resource in resources:
        method = resource.request_type.method
        for changed, params in variations(method, book(admin)):
            if changed not in (*resource.path_fields, *resource.query_fields):
                continue
            path = resource.path
            for field in resource.path_fields:
                path = path.replace(f"{{{field}}}", quote(str(params.get(field, FIELDS.get(field))), safe=""))
            query, body = (
                {field: params[field] for field in fields if field in params}
                for fields in (resource.query_fields, resource.body_fields)
            )
            sent = {"json": body} if resource.has_body else {"params": query}
            answer = http.call(resource.http_method, path, token=token, **sent)
            if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                failed.append((name, params, answer.text))
    assert failed == []
