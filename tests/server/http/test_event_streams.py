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
from tests.support.line import until
from tests.support.web import WAIT_SECONDS, Web


class Stream:
    """An event stream, as it is received."""

    def __init__(self, web: Web, path: str, **how: Any) -> None:
        headers = {"Accept": "text/event-stream"}
        self.response = web.call("GET", path, stream=True, headers=headers, **how)
        self._lines = self.response.iter_lines()

    def next(self) -> tuple[str, Any]:
        """The next event, without comments."""
        told: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.decode().partition(": ")
            if not line and "data" in told:
                return told["event"], json.loads(told["data"])
            told[name] = value
        raise EOFError


def test_a_seat_map_has_an_event_stream(web: Web, pushing: SimpleNamespace) -> None:
    stream = Stream(web, SEATS)
    assert stream.response.headers["Content-Type"].startswith("text/event-stream")
    name, seats = stream.next()
    assert (name, seats) == ("seats", web.call("GET", SEATS).json())
    web.call("POST", "/v1/bookings", json=BOOK)
    _, seats = stream.next()
    assert [seat["state"] for seat in seats["seats"]][:3] == ["taken", "taken", "free"]
    stream.response.close()


def test_a_booking_has_an_event_stream(web: Web, pushing: SimpleNamespace, database: Database) -> None:
    waiting = {**TRIP, "count": 1, "waitlist": True}
    taken = [web.call("POST", "/v1/bookings", json={**BOOK, "seats": [n]}).json() for n in range(1, 9)]
    pending = web.call("POST", "/v1/bookings", json={**waiting, "phone": "9880099000"})
    stream = Stream(web, pending.headers["Location"], params={"phone": "9880099000"})
    assert stream.next() == ("booking", pending.json())
    web.call("POST", f"/v1/bookings/{taken[4]['reference']}/cancel", json=PHONE)
    _, booked = stream.next()
    assert (booked["status"], booked["tickets"][0]["seat_no"]) == ("booked", 5)
    stream.response.close()


def test_a_stream_ends_when_its_token_is_revoked(web: Web, pushing: SimpleNamespace) -> None:
    asha = {"username": "asha", "password": "correct horse battery"}
    token = web.call("POST", "/v1/accounts", json=asha).json()["token"]
    booked = web.call("POST", "/v1/bookings", json={**TRIP, "seats": [1]}, token=token)
    assert problem(web.call("GET", booked.headers["Location"])) == (404, "unknown_booking")
    stream = Stream(web, booked.headers["Location"], token=token)
    stream.next()
    web.call("DELETE", "/v1/sessions", token=token)
    web.call("POST", "/v1/bookings", json={**BOOK, "seats": [2]})
    name, told = stream.next()
    assert (name, told["reason"]) == ("problem", "not_signed_in")
    with pytest.raises(EOFError):
        stream.next()


@pytest.mark.settings(event_streams=1)
def test_streams_are_limited(web: Web) -> None:
    first = Stream(web, SEATS)
    first.next()
    headers = {"Accept": "text/event-stream"}
    assert problem(web.call("GET", SEATS, headers=headers)) == (503, "busy")
    assert problem(web.call("GET", SEATS.replace("/1/", "/9/"), headers=headers))[0] in (404, 503)
    first.response.close()


@pytest.mark.settings(event_streams=1)
def test_streams_that_begin_at_once_are_limited(web: Web, database: Database) -> None:
    def begin(to: str) -> requests.Response:
        headers = {"Accept": "text/event-stream"}
        path = SEATS.replace("Mysuru", to)  # the same would be read once for all
        return requests.get(web.url + path, headers=headers, stream=True, timeout=WAIT_SECONDS)

    with ThreadPoolExecutor(3) as clients:
        with database.connect(autocommit=False) as holder:
            holder.execute("LOCK TABLE trips IN ACCESS EXCLUSIVE MODE")
            responses = clients.map(begin, ("Ramanagara", "Mandya", "Mysuru"))
            until(lambda: database.value("SELECT count(*) FROM pg_locks WHERE NOT granted") == 3)
            holder.commit()
        begun = list(responses)
    assert sorted(response.status_code for response in begun) == [200, 503, 503]
    for response in begun:
        response.close()


# The end ---------------------------------------------------------------------------------------


def test_draining_answers_pending_requests_and_ends_the_streams(
    server: SimpleNamespace, web: Web, database: Database
) -> None:
    stream, answers = Stream(web, SEATS), []
    stream.next()
    with database.connect(autocommit=False) as holder:
        holder.execute("SELECT FROM trips WHERE bus_id = 1 AND travel_date = '2026-12-02' FOR UPDATE")
        call = threading.Thread(target=lambda: answers.append(web.call("POST", "/v1/bookings", json=BOOK)))
        call.start()
        until(lambda: server.writer.waiting)
        drain = threading.Thread(target=web.server.drain)
        drain.start()
        name, told = stream.next()  # it has begun
        assert (name, told["reason"]) == ("problem", "draining")
        with pytest.raises(EOFError):
            stream.next()
        holder.commit()
    call.join()
    drain.join()
    assert [answer.status_code for answer in answers] == [201]
    with pytest.raises(requests.ConnectionError):
        web.call("GET", "/healthz")
