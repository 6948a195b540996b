"""From which web pages requests are accepted: the headers Host and Origin, and CORS."""

import json
import socket
from typing import Any

import pytest

from busware.server.http.origins import Origins
from busware.server.http.problems import Problem
from busware.server.settings import Settings
from tests.conftest import Database
from tests.server.http.test_http import BOOK, SEATS, problem
from tests.support.http_client import HttpClient

SHOP = "https://shop.example"


def status(name: str | None, origin: str | None = None, **settings: Any) -> int:
    """200, or the status of the problem for a request with these headers."""
    try:
        Origins(Settings(**settings)).check((name or "").encode(), (origin or "").encode())
    except Problem as refused:
        return refused.status
    return 200


@pytest.mark.parametrize(
    "host",
    [None, "", "localhost", "LOCALHOST:8000", "bus.localhost", "127.0.0.1:8000", "[::1]:8000", "10.0.0.7",
     socket.gethostname()],
)  # fmt: skip
def test_server_answers_to_its_own_names(host: str | None) -> None:
    assert status(host) == status(host, http_hosts=("bus.example",)) == 200


def test_server_that_only_this_machine_reaches_answers_to_no_other_name() -> None:
    assert status("evil.example") == status("localhost.evil.example:8000") == 421
    assert status("evil.example", "http://evil.example") == 421


def test_server_that_others_reach_answers_to_every_name_unless_the_names_are_set() -> None:
    for reached in ({"host": "0.0.0.0"}, {"http_proxies": "127.0.0.1"}):
        assert status("bus.example", **reached) == 200
        assert status("bus.example:8000", http_hosts=("bus.example",), **reached) == 200
        assert status("evil.example", http_hosts=("bus.example",), **reached) == 421


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        ("http://localhost:8000", "localhost:8000", 200),
        ("https://LOCALHOST", "localhost", 200),
        ("https://localhost", "localhost:443", 200),
        ("http://localhost", "localhost:80", 200),
        ("http://localhost:3000", "localhost:8000", 403),
        ("http://localhost", "localhost:8000", 403),
        ("null", "localhost:8000", 403),
        (SHOP, "localhost:8000", 403),
        (SHOP, None, 403),
    ],
)
def test_request_of_another_origin_is_refused(origin: str, host: str | None, expected: int) -> None:
    assert status(host, origin) == expected


def test_origins_of_the_setting_are_allowed() -> None:
    assert status("localhost", SHOP, http_origins=(SHOP,)) == 200
    assert status("localhost", "HTTPS://SHOP.EXAMPLE", http_origins=(SHOP,)) == 200
    assert status("localhost", "http://shop.example", http_origins=(SHOP,)) == 403
    assert status("localhost", "null", http_origins=("*",)) == 200


# Over HTTP ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "expected", "setting"),
    [
        ({"Origin": SHOP}, 403, "BUSWARE_HTTP_ORIGINS"),
        ({"Host": "evil.example"}, 421, "BUSWARE_HTTP_HOSTS"),
    ],
)
def test_refused_request_is_not_executed(
    http: HttpClient, database: Database, headers: dict[str, str], expected: int, setting: str
) -> None:
    for path in ("/v1/bookings", "/hotel/book"):
        refused = http.call("POST", path, data=json.dumps(BOOK), headers=headers)
        assert problem(refused) == (expected, None)
        assert refused.json()["detail"].endswith(f"To allow it, set {setting}.")
    assert database.value("SELECT count(*) FROM passengers") == 0


def test_no_cors_headers_without_the_setting(http: HttpClient) -> None:
    for headers in ({}, {"Origin": SHOP}, {"Origin": http.url}):
        for method in ("GET", "OPTIONS"):
            answer = http.call(method, "/v1/ping", headers=headers)
            assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.mark.settings(http_origins=(SHOP,))
def test_allowed_page_can_send_requests_and_read_the_answers(http: HttpClient) -> None:
    preflight = http.call("OPTIONS", "/v1/bookings", headers={
        "Origin": SHOP, "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    })  # fmt: skip
    assert preflight.status_code == 204
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"].split(", ")
    allowed = {*preflight.headers["Access-Control-Allow-Headers"].lower().split(", ")}
    assert {"authorization", "content-type", "idempotency-key"} <= allowed
    booked = http.call("POST", "/v1/bookings", json=BOOK, key="k", headers={"Origin": SHOP})
    taken = http.call("POST", "/v1/bookings", json=BOOK, headers={"Origin": SHOP})
    seats = http.call("GET", SEATS, headers={"Origin": SHOP})
    assert [answer.status_code for answer in (booked, taken, seats)] == [201, 409, 200]
    for answer in (preflight, booked, taken, seats):
        assert answer.headers["Access-Control-Allow-Origin"] == SHOP
        assert answer.headers["Vary"] == "Origin"
        exposed = {*answer.headers["Access-Control-Expose-Headers"].split(", ")}
        assert exposed == {"ETag", "Location", "Retry-After"}
