"""The HTTP server: resources, problems, keys, ETags, pages, health and metrics."""

import dataclasses
import json
import re
from ipaddress import ip_network

import pytest
import requests

from busware.server import protocol
from busware.server.http.problems import STATUSES
from busware.server.settings import Settings, variable
from tests.conftest import Clock, Database
from tests.support.http_client import HttpClient
from tests.support.line_client import wait_until
from tests.support.project import PROJECT
from tests.support.refusals import check_data

TRIP = {"bus_id": 1, "travel_date": "2026-12-02", "origin": "Bengaluru", "destination": "Mysuru"}
BOOK = {**TRIP, "seats": [1, 2], "phone": "98450 12345"}
SEATS = "/v1/trips/1/2026-12-02/seats?origin=Bengaluru&destination=Mysuru"
PHONE = {"phone": "9845012345"}


def problem(answer: requests.Response) -> tuple[int, str | None]:
    """The status and the reason of a response, which must be a problem (RFC 9457)."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"] == (f"/schema#{body['reason']}" if "reason" in body else "about:blank")
    assert body["title"] and body["detail"]
    if body.get("reason") in protocol.REASONS:
        members = ("type", "title", "status", "detail", "reason")
        check_data(body["reason"], {name: value for name, value in body.items() if name not in members})
    return answer.status_code, body.get("reason")


# A booking -------------------------------------------------------------------------------------


def test_booking_from_search_to_refund(http: HttpClient, database: Database) -> None:
    search = {"origin": "bangalore", "destination": "Mysuru", "date": "2026-12-02", "ac": "false"}
    (trip,) = http.call("GET", "/v1/trips", params=search).json()["trips"]
    segment = {name: trip[name] for name in ("from_stop", "to_stop")}
    seats = http.call("GET", "/v1/trips/1/2026-12-02/seats", params=segment).json()["seats"]
    assert {seat["state"] for seat in seats} == {"free"}
    made = http.call("POST", "/v1/bookings", json=BOOK)
    assert (made.status_code, made.json()["status"]) == (201, "booked")
    location = made.headers["Location"]
    assert location == f"/v1/bookings/{made.json()['reference']}"
    assert http.call("GET", location, params=PHONE).json() == made.json()
    quote = http.call("GET", f"{location}/cancel-quote", params={**PHONE, "tickets": [1]})
    assert quote.json()["refund"] == "130.00"
    moved = http.call("POST", f"{location}/change-seat", json={**PHONE, "ticket_no": 2, "seat_no": 5})
    assert [ticket["seat_no"] for ticket in moved.json()["tickets"]] == [1, 5]
    cancelled = http.call("POST", f"{location}/cancel", json={**PHONE, "tickets": [1]})
    assert cancelled.json()["refund"] == "130.00"
    shorter = http.call("POST", f"{location}/alight", json={**PHONE, "tickets": [2], "at": "Mandya"})
    assert shorter.json()["tickets"][1]["status"] == "booked"
    assert database.query("SELECT * FROM api.audit()") == []


def test_a_boarding_date_may_replace_the_travel_date(http: HttpClient) -> None:
    """Bus 2 leaves Bengaluru on the 2nd at 22:00, and Mysuru on the 3rd at 01:00."""
    on = {"boarding_date": "2026-12-03", "origin": "Mysuru", "destination": "Ooty"}
    seats = http.call("GET", "/v1/trips/2/seats", params=on)
    assert seats.status_code == 200
    by_travel_date = {"origin": "Mysuru", "destination": "Ooty"}
    assert seats.json() == http.call("GET", "/v1/trips/2/2026-12-02/seats", params=by_travel_date).json()
    booked = http.call("POST", "/v1/bookings", json={"bus_id": 2, **on, "count": 1, **PHONE}).json()
    for answer in (seats.json(), booked):
        assert (answer["travel_date"], answer["boarding_date"]) == ("2026-12-02", "2026-12-03")


@pytest.mark.parametrize(
    ("path", "dates", "detail"),
    [
        ("/v1/trips/1/seats", {}, "travel_date or boarding_date is missing."),
        (
            "/v1/trips/1/2026-12-02/seats",
            {"boarding_date": "2026-12-02"},
            "Give travel_date or boarding_date, not both.",
        ),
    ],
)
def test_a_request_has_one_of_the_two_dates(
    http: HttpClient, path: str, dates: dict[str, str], detail: str
) -> None:
    segment = {"origin": "Bengaluru", "destination": "Mysuru"}
    refused = http.call("GET", path, params={**dates, **segment})
    assert problem(refused) == (400, "bad_request")
    assert refused.json()["detail"] == f"{detail} Expected: a date, YYYY-MM-DD."


def test_hold_is_confirmed_or_released(http: HttpClient) -> None:
    for seat, action, status in ((1, "confirm", "booked"), (2, "release", "cancelled")):
        held = http.call("POST", "/v1/holds", json={**BOOK, "seats": [seat], "seconds": 60})
        assert (held.status_code, held.json()["status"]) == (201, "held")
        answer = http.call("POST", f"{held.headers['Location']}/{action}", json=PHONE)
        assert (answer.status_code, answer.json()["status"]) == (200, status)


def test_expired_hold_is_confirmed_at_its_new_fare(
    http: HttpClient, database: Database, clock: Clock
) -> None:
    held = http.call("POST", "/v1/holds", json={**BOOK, "seconds": 60})
    database.query("UPDATE route_table SET fare = 300 WHERE bus_id = 1 AND stop_no = 5")
    clock.advance(minutes=2)
    confirm = f"{held.headers['Location']}/confirm"
    refused = http.call("POST", confirm, json=PHONE)
    assert (problem(refused), refused.json()["fare"]) == ((409, "hold_expired"), "600.00")
    booked = http.call("POST", confirm, json={**PHONE, "fare": refused.json()["fare"]})
    assert (booked.status_code, booked.json()["status"], booked.json()["fare"]) == (200, "booked", "600.00")


def test_write_with_a_used_key_gets_the_first_answer(http: HttpClient, database: Database) -> None:
    first = http.call("POST", "/v1/bookings", json=BOOK, key="once")
    assert http.call("POST", "/v1/bookings", json=BOOK, key="once").json() == first.json()
    assert database.value("SELECT count(*) FROM passengers") == 2
    other = http.call("POST", "/v1/bookings", json={**BOOK, "seats": [3]}, key="once")
    assert problem(other) == (422, "key_reused")
    in_body = http.call("POST", "/v1/bookings", json={**BOOK, "key": "once"})
    assert problem(in_body) == (400, "bad_request")
    assert "Idempotency-Key" in in_body.json()["detail"]


def test_key_is_known_after_signing_in(http: HttpClient, database: Database) -> None:
    asha = {"username": "asha", "password": "correct horse battery"}
    token = http.call("POST", "/v1/accounts", json=asha).json()["token"]
    as_guest = http.call("POST", "/v1/bookings", json=BOOK, key="once")
    signed_in = http.call("POST", "/v1/bookings", json=BOOK, key="once", token=token)
    assert signed_in.json() == as_guest.json()
    assert http.call("GET", "/v1/bookings", token=token).json() == {"bookings": []}
    own = http.call("POST", "/v1/bookings", json={**BOOK, "seats": [3]}, key="mine", token=token)
    assert http.call("POST", "/v1/bookings", json={**BOOK, "seats": [3]}, key="mine").json() == own.json()
    assert database.value("SELECT count(DISTINCT reference) FROM passengers") == 2
    others = {**BOOK, "seats": [4], "phone": "98800 99000"}
    assert http.call("POST", "/v1/bookings", json=others, key="once").status_code == 201
    other_phone = http.call("POST", "/v1/bookings", json=others, key="mine", token=token)
    assert problem(other_phone) == (422, "key_reused")


def test_bookings_are_listed_in_pages(http: HttpClient) -> None:
    asha = {"username": "asha", "password": "correct horse battery"}
    token = http.call("POST", "/v1/accounts", json=asha).json()["token"]
    for seat in range(1, 6):
        http.call("POST", "/v1/bookings", json={**TRIP, "seats": [seat]}, token=token)
    seen, after = [], {}
    for size in (2, 2, 1):
        page = http.call("GET", "/v1/bookings", params={"limit": 2, **after}, token=token).json()
        assert len(page["bookings"]) == size
        seen += [booking["reference"] for booking in page["bookings"]]
        after = {"after": page.get("next")}
    assert after == {"after": None}
    assert len(set(seen)) == 5


# ETags ----------------------------------------------------------------------------------------


def test_unchanged_resource_is_304(http: HttpClient) -> None:
    first = http.call("GET", SEATS)
    known = {"If-None-Match": first.headers["ETag"]}
    again = http.call("GET", SEATS, headers=known)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    http.call("POST", "/v1/bookings", json=BOOK)
    changed = http.call("GET", SEATS, headers=known)
    assert (changed.status_code, changed.json()["seats"][0]["state"]) == (200, "taken")


def test_head_has_the_headers_of_get(http: HttpClient) -> None:
    head, get = http.call("HEAD", SEATS), http.call("GET", SEATS)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["ETag"] == get.headers["ETag"]
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


# Other headers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"), [("GET", SEATS), ("POST", "/v1/bookings"), ("GET", "/hotel/rooms")]
)
def test_request_with_if_match_is_not_executed(
    http: HttpClient, database: Database, method: str, path: str
) -> None:
    refused = http.call(method, path, json=BOOK, headers={"If-Match": '"x"'})
    assert problem(refused) == (412, None)
    assert database.value("SELECT count(*) FROM passengers") == 0


def test_range_and_dates_of_a_get_are_ignored(http: HttpClient) -> None:
    ignored = {"Range": "bytes=0-3", "If-Modified-Since": "Sun, 29 Nov 2026 09:00:00 GMT"}
    answer = http.call("GET", SEATS, headers=ignored)
    assert (answer.status_code, answer.json()["bus_id"]) == (200, 1)


def test_every_response_says_how_long_it_may_be_cached(http: HttpClient) -> None:
    cacheable = 0
    paths = [*http.call("GET", "/schema").json()["paths"], "/schema", "/hotel/rooms", "/hotel/none", "/none"]
    for path in [*paths, SEATS]:
        for method in ("GET", "OPTIONS", "POST"):
            answer = http.call(method, path)
            has_etag = "ETag" in answer.headers
            assert answer.headers["Cache-Control"] == ("private, no-cache" if has_etag else "no-store")
            cacheable += has_etag
    stream = http.call("GET", SEATS, headers={"Accept": "text/event-stream"}, stream=True)
    assert stream.headers["Cache-Control"] == "no-store"
    stream.close()
    assert cacheable >= 4


# Problems --------------------------------------------------------------------------------------


def test_allow_lists_the_methods_of_a_path(http: HttpClient) -> None:
    for answer in (http.call("OPTIONS", "/v1/bookings"), http.call("PATCH", "/v1/bookings")):
        assert {*answer.headers["Allow"].split(", ")} == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/v1/trips?origin=Nowhere&destination=Mysuru&date=2026-12-02", 404, "unknown_place"),
        ("GET", "/v1/trips/9/2026-12-02/seats?from_stop=1&to_stop=2", 404, "unknown_trip"),
        ("GET", "/v1/trips/1/2026-12-02/seats?origin=Mysuru&destination=Mandya", 422, "not_on_route"),
        ("GET", "/v1/bookings/BNONE9?phone=9845012345", 404, "unknown_booking"),
        ("GET", "/v1/bookings", 401, "not_signed_in"),
        ("GET", "/v1/operator/trips?date=2026-12-02", 401, "not_signed_in"),
        ("GET", "/v1/trips?origin=Bengaluru&destination=Mysuru", 400, "bad_request"),
        ("GET", "/v1/trips?origin=Bengaluru&destination=Mysuru&date=2.12.2026", 400, "bad_request"),
        ("GET", "/v1/trips?origin=Bengaluru&destination=Mysuru&date=2026-12-02&ac=1", 400, "bad_request"),
        ("GET", "/v1/trips?origin=A&origin=B&destination=Mysuru&date=2026-12-02", 400, "bad_request"),
        ("GET", f"{SEATS}&seat=1", 400, "bad_request"),
        ("GET", f"{SEATS}&bus_id=2", 400, "bad_request"),
        ("GET", f"/v1/places?{'kind=bus&' * 200}", 400, "bad_request"),
        ("GET", "/v1/places?kind=", 400, "bad_request"),
        ("GET", "/v1/trips/one/2026-12-02/seats?from_stop=1&to_stop=2", 400, "bad_request"),
        ("GET", f"/v1/trips/{10**30}/2026-12-02/seats?from_stop=1&to_stop=2", 400, "bad_request"),
        ("GET", "/v1/nothing", 404, None),
        ("GET", "/", 404, None),
        ("GET", "/v1/trips/1/2026-12-02", 404, None),
        ("PUT", "/v1/bookings", 405, None),
        ("DELETE", "/v1/bookings/B", 405, None),
    ],
)
def test_wrong_request_gets_a_problem(
    http: HttpClient, method: str, path: str, status: int, reason: str | None
) -> None:
    answer = http.call(method, path)
    assert problem(answer) == (status, reason)
    assert (status == 405) == ("Allow" in answer.headers)
    assert (status == 401) == (answer.headers.get("WWW-Authenticate") == "Bearer")


def test_problem_has_the_reason_and_data_of_the_refusal(http: HttpClient) -> None:
    http.call("POST", "/v1/bookings", json=BOOK)
    answer = http.call("POST", "/v1/bookings", json=BOOK)
    assert answer.json() == {
        "type": "/schema#seat_taken",
        "title": "A seat is taken or held on a part of the segment",
        "status": 409,
        "detail": "Seats 1 and 2 are taken between Bengaluru and Mysuru.",
        "reason": "seat_taken",
        "seats": [1, 2],
    }


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b"\xff{}", "application/json", 400),
        (b'{"bus_id":1,"phone":"\xff"}', "application/json", 400),
        (b'{"passengers":[{"name":"\xcb"}]}', "application/json", 400),
        (b'{"\xff":1}', "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b'{"bus_id":' * 6_000, "application/json", 400),
        (b'{"bus_id":"1"}', "application/json", 400),
        (b'{"bus_id":1,"bus_id":1,"travel_date":"2026-12-02","count":true}', "application/json", 400),
        (json.dumps(BOOK).encode(), "application/x-www-form-urlencoded", 415),
        (json.dumps(BOOK).encode(), "text/plain", 415),
        (json.dumps(BOOK).encode(), "multipart/form-data; boundary=x", 415),
        (json.dumps(BOOK).encode(), "application/vnd.busware+json; charset=utf-8", 201),
        (json.dumps(BOOK).encode() + b" " * 70_000, "application/json", 413),
    ],
)
def test_body_is_a_json_object_of_limited_size(
    http: HttpClient, database: Database, body: bytes, kind: str, status: int
) -> None:
    answer = http.call("POST", "/v1/bookings", data=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    if status != 201:
        assert problem(answer) == (status, "bad_request")
        assert database.value("SELECT count(*) FROM passengers") == 0


def test_unknown_reason_of_a_newer_database_is_answered_as_a_conflict(
    http: HttpClient, database: Database
) -> None:
    database.query(
        """CREATE OR REPLACE FUNCTION api.places(kind text DEFAULT NULL, origin text DEFAULT NULL)
        RETURNS jsonb LANGUAGE sql STABLE
        RETURN jsonb_build_object('reason', 'full_moon', 'message', 'The moon is full.')"""
    )
    answer = http.call("GET", "/v1/places")
    assert problem(answer) == (409, "full_moon")
    assert answer.json()["detail"] == "The moon is full."


def test_internal_error_is_logged_under_its_request_id(
    http: HttpClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.query("DROP FUNCTION api.places(text, text)")
    answer = http.call("GET", "/v1/places")
    assert problem(answer) == (500, None)
    assert f"request {answer.json()['request_id']} failed: GET /v1/places" in caplog.text
    assert "42883: function api.places(text, text) does not exist" in caplog.text
    assert "42883" not in answer.text


# Health and metrics ---------------------------------------------------------------------------


@pytest.mark.settings(read_wait_seconds=0.2)
def test_health(http: HttpClient, database: Database) -> None:
    assert http.call("GET", "/healthz").json() == {"status": "ok"}
    assert http.call("GET", "/readyz").json() == {"status": "ok"}
    database.query("ALTER DATABASE test CONNECTION LIMIT 0")
    database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'busware'")
    away = http.call("GET", "/readyz")
    assert (away.status_code, away.json()) == (503, {"status": "away"})
    assert http.call("GET", "/healthz").status_code == 200
    database.query("ALTER DATABASE test CONNECTION LIMIT -1")
    wait_until(lambda: http.call("GET", "/readyz").status_code == 200)  # it has connected again


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(403, marks=pytest.mark.settings(http_proxies="127.0.0.1"), id="a proxy"),
        pytest.param(200, marks=pytest.mark.settings(http_proxies="192.0.2.1"), id="another client"),
        pytest.param(200, id="no proxy is named"),
    ],
)
def test_the_address_that_a_header_names_counts_only_from_a_proxy(http: HttpClient, status: int) -> None:
    answer = http.call("GET", "/metrics", headers={"X-Forwarded-For": "203.0.113.7"})
    assert answer.status_code == status


def test_metrics(http: HttpClient) -> None:
    http.call("POST", "/v1/bookings", json=BOOK)
    http.call("POST", "/v1/bookings", json=BOOK)
    http.call("POST", "/v1/holds", json={**BOOK, "seats": [3]})
    answer = http.call("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    assert float(lines['busware_request_seconds_count{method="book",outcome="ok"}']) == 1
    assert float(lines['busware_request_seconds_count{method="book",outcome="seat_taken"}']) == 1
    assert float(lines["busware_batch_calls_count"]) == 3
    assert float(lines["busware_write_queue"]) == float(lines["busware_read_queue"]) == 0
    assert sum(float(v) for k, v in lines.items() if k.startswith("busware_read_connections{")) >= 1
    tickets = {s: float(lines[f'busware_tickets{{status="{s}"}}']) for s in ("held", "pending", "sold")}
    assert tickets == {"held": 1, "pending": 0, "sold": 2}


@pytest.mark.settings(metrics_networks=(ip_network("127.0.0.2/32"),))
def test_metrics_are_for_the_networks_of_the_setting(http: HttpClient) -> None:
    refused = http.call("GET", "/metrics")
    assert problem(refused) == (403, None)
    assert refused.json()["detail"].endswith("To allow it, set BUSWARE_METRICS_NETWORKS.")
    with http.from_address("127.0.0.2") as other:
        assert other.call("GET", "/metrics").status_code == 200


# Documentation --------------------------------------------------------------------------------

DOCUMENT = (PROJECT / "docs/http.md").read_text()


def test_every_resource_is_documented() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([A-Z]+ /v1/\S+)`[^|]* \| (\d+)", DOCUMENT, re.MULTILINE)
    assert {(method, where, int(status)) for method, where, status in rows} == {
        (method, target, kind.status)
        for method, kind in protocol.METHODS.items()
        for target in kind.resources.values()
    }


def test_every_reason_is_documented_with_its_status() -> None:
    rows = re.findall(r"^\| (\d{3}) \| (.+) \|$", DOCUMENT, re.MULTILINE)
    documented = {
        reason: int(status) for status, reasons in rows for reason in re.findall(r"`(\w+)`", reasons)
    }
    assert {reason: documented.get(reason) for reason in STATUSES} == STATUSES


def test_documented_limits_are_the_defaults_of_the_settings() -> None:
    known = {variable(field): field for field in dataclasses.fields(Settings)}
    rows = re.findall(r"`(BUSWARE_\w+)` \| (\d+) \|$", DOCUMENT, re.MULTILINE)
    assert len(rows) >= 4
    assert {name: int(value) for name, value in rows} == {name: known[name].default for name, _ in rows}
    assert {*re.findall(r"`(BUSWARE_\w+)[`=]", DOCUMENT)} <= known.keys()
