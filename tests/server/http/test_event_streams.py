"""Event streams over HTTP, and how the HTTP server stops."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from tests.conftest import Database
from tests.server.http.test_http import BOOK, PHONE, SEATS, TRIP, problem
from tests.support.http_client import WAIT_SECONDS, HttpClient
from tests.support.line_client import wait_until

SEATS_BY_BOARDING_DATE = "/v1/trips/1/seats?boarding_date=2026-12-02&origin=Bengaluru&destination=Mysuru"


class Stream:
    """The events of a stream."""

    def __init__(self, http: HttpClient, path: str, **options: Any) -> None:
        headers = {"Accept": "text/event-stream"}
        self.response = http.call("GET", path, stream=True, headers=headers, **options)
        self._lines = self.response.iter_lines()

    def next(self) -> tuple[str, Any]:
        """The next event. Comments are skipped."""
        fields: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.decode().partition(": ")
            if not line and "data" in fields:
                return fields["event"], json.loads(fields["data"])
            fields[name] = value
        raise EOFError


@pytest.mark.parametrize("path", [SEATS, SEATS_BY_BOARDING_DATE])
def test_seat_map_has_an_event_stream(http: HttpClient, pushing: SimpleNamespace, path: str) -> None:
    stream = Stream(http, path)
    assert stream.response.headers["Content-Type"].startswith("text/event-stream")
    name, seats = stream.next()
    assert (name, seats) == ("seats", http.call("GET", SEATS).json())
    http.call("POST", "/v1/bookings", json=BOOK)
    _, seats = stream.next()
    assert [seat["state"] for seat in seats["seats"]][:3] == ["taken", "taken", "free"]
    stream.response.close()


def test_booking_has_an_event_stream(http: HttpClient, pushing: SimpleNamespace, database: Database) -> None:
    waiting = {**TRIP, "count": 1, "waitlist": True}
    taken = [http.call("POST", "/v1/bookings", json={**BOOK, "seats": [n]}).json() for n in range(1, 9)]
    pending = http.call("POST", "/v1/bookings", json={**waiting, "phone": "9880099000"})
    stream = Stream(http, pending.headers["Location"], params={"phone": "9880099000"})
    assert stream.next() == ("booking", pending.json())
    http.call("POST", f"/v1/bookings/{taken[4]['reference']}/cancel", json=PHONE)
    _, booked = stream.next()
    assert (booked["status"], booked["tickets"][0]["seat_no"]) == ("booked", 5)
    stream.response.close()


def test_stream_ends_when_its_token_is_revoked(http: HttpClient, pushing: SimpleNamespace) -> None:
    asha = {"username": "asha", "password": "correct horse battery"}
    token = http.call("POST", "/v1/accounts", json=asha).json()["token"]
    booked = http.call("POST", "/v1/bookings", json={**TRIP, "seats": [1]}, token=token)
    assert problem(http.call("GET", booked.headers["Location"])) == (404, "unknown_booking")
    stream = Stream(http, booked.headers["Location"], token=token)
    stream.next()
    http.call("DELETE", "/v1/sessions", token=token)
    http.call("POST", "/v1/bookings", json={**BOOK, "seats": [2]})
    name, refusal = stream.next()
    assert (name, refusal["reason"]) == ("problem", "not_signed_in")
    with pytest.raises(EOFError):
        stream.next()


@pytest.mark.settings(event_streams=1)
def test_streams_are_limited(http: HttpClient) -> None:
    first = Stream(http, SEATS)
    first.next()
    headers = {"Accept": "text/event-stream"}
    assert problem(http.call("GET", SEATS, headers=headers)) == (503, "busy")
    assert problem(http.call("GET", SEATS.replace("/1/", "/9/"), headers=headers))[0] in (404, 503)
    first.response.close()


@pytest.mark.settings(event_streams=1)
def test_streams_that_begin_together_are_limited(http: HttpClient, database: Database) -> None:
    def begin(to: str) -> requests.Response:
        headers = {"Accept": "text/event-stream"}
        path = SEATS.replace("Mysuru", to)  # different replies: equal reads share one query
        return requests.get(http.url + path, headers=headers, stream=True, timeout=WAIT_SECONDS)

    with ThreadPoolExecutor(3) as clients:
        with database.connect(autocommit=False) as locking:
            locking.execute("LOCK TABLE trips IN ACCESS EXCLUSIVE MODE")
            responses = clients.map(begin, ("Ramanagara", "Mandya", "Mysuru"))
            wait_until(lambda: database.value("SELECT count(*) FROM pg_locks WHERE NOT granted") == 3)
            locking.commit()
        begun = list(responses)
    assert sorted(response.status_code for response in begun) == [200, 503, 503]
    for response in begun:
        response.close()


@pytest.mark.settings(event_streams_per_address=1)
def test_streams_of_one_address_are_limited(http: HttpClient) -> None:
    headers = {"Accept": "text/event-stream"}
    first = Stream(http, SEATS)
    assert problem(http.call("GET", SEATS, headers=headers)) == (503, "busy")
    with http.from_address("127.0.0.2") as other:
        assert other.call("GET", SEATS, headers=headers, stream=True).status_code == 200
    first.response.close()


def test_head_of_a_stream_is_that_of_the_plain_get(http: HttpClient) -> None:
    head = http.call("HEAD", SEATS, headers={"Accept": "text/event-stream"})
    assert (head.status_code, head.headers["Content-Type"]) == (200, "application/json")
    assert http.call("GET", "/v1/ping").status_code == 200  # on the same connection


# Draining -------------------------------------------------------------------------------------


def test_draining_answers_pending_requests_and_ends_the_streams(
    server: SimpleNamespace, http: HttpClient, database: Database
) -> None:
    stream, answers = Stream(http, SEATS), []
    stream.next()
    with database.connect(autocommit=False) as locking:
        locking.execute("SELECT FROM trips WHERE bus_id = 1 AND travel_date = '2026-12-02' FOR UPDATE")
        call = threading.Thread(target=lambda: answers.append(http.call("POST", "/v1/bookings", json=BOOK)))
        call.start()
        wait_until(lambda: server.writer.waiting)
        drain = threading.Thread(target=http.server.drain)
        drain.start()
        name, refusal = stream.next()  # draining has begun
        assert (name, refusal["reason"]) == ("problem", "draining")
        with pytest.raises(EOFError):
            stream.next()
        locking.commit()
    call.join()
    drain.join()
    assert [answer.status_code for answer in answers] == [201]
    with pytest.raises(requests.ConnectionError):
        http.call("GET", "/healthz")
