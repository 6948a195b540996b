"""The hotel's API, called as its existing clients call it: by `requests` and a base URL."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest
import requests

from tests.conftest import WAIT_SECONDS, Clock, Database
from tests.support.http_client import HttpClient
from tests.support.project import PROJECT

pytestmark = pytest.mark.settings(password_wait_seconds=60)  # a password hash is slow on a busy machine

SEED = (PROJECT / "sql/99_seed_hotel.sql").read_text()


class HotelClient:
    """A client that returns the status and the object of each response."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def _send(self, method: str, path: str, **fields: Any) -> tuple[int, Any]:
        options = {"json": fields} if method != "GET" else {"params": fields}
        response = requests.request(method, self.base_url + path, timeout=60, **options)
        assert response.headers["Content-Type"] == "application/json"
        return response.status_code, response.json()

    def rooms(self, **nights: str) -> list[int]:
        """The rooms that are taken."""
        status, reply = self._send("GET", "/rooms", **nights)
        assert status == 200
        assert [room["room_number"] for room in reply["rooms"]] == list(range(1, 11))
        return [room["room_number"] for room in reply["rooms"] if room["is_occupied"]]

    def book(self, username: str, password: str, num_rooms: Any, **nights: Any) -> tuple[int, Any]:
        return self._send(
            "POST", "/book", username=username, password=password, num_rooms=num_rooms, **nights
        )

    def query(self, username: str, password: str) -> tuple[int, Any]:
        return self._send("POST", "/query", username=username, password=password)

    def update(self, username: str, password: str, new_room: Any) -> tuple[int, Any]:
        return self._send("PUT", "/update", username=username, password=password, new_room=new_room)

    def checkout(self, username: str, password: str) -> tuple[int, Any]:
        return self._send("DELETE", "/checkout", username=username, password=password)


@pytest.fixture
def hotel(database: Database, http: HttpClient) -> Iterator[HotelClient]:
    database.query(SEED)
    yield HotelClient(f"{http.url}/hotel")
    assert database.query("SELECT * FROM api.audit()") == []


def test_stay_from_registration_to_checkout(hotel: HotelClient) -> None:
    assert hotel.rooms() == []
    assert hotel.query("asha", "pw") == (404, {"error": "User not found."})
    assert hotel.book("asha", "pw", 2) == (200, {"message": "Rooms booked successfully: [1, 2]"})
    assert hotel.rooms() == [1, 2]
    assert hotel.query("asha", "pw") == (200, {"message": "Your booked rooms: [1, 2]"})
    assert hotel.update("asha", "pw", 8) == (200, {"message": "Updated booking: released 1, assigned 8."})
    assert hotel.update("asha", "pw", 8) == (200, {"message": "You already have room 8."})
    assert hotel.rooms() == [2, 8]
    assert hotel.checkout("asha", "pw") == (
        200,
        {
            "message": "Checked out successfully. Released rooms: [2, 8]",
            "refund": "2400.00",
            "currency": "INR",
        },
    )
    assert hotel.rooms() == []
    assert hotel.query("asha", "pw") == (200, {"message": "You have not booked any rooms."})
    assert hotel.checkout("asha", "pw") == (400, {"message": "You have no booked rooms."})
    assert hotel.update("asha", "pw", 3) == (400, {"error": "You have no booking to update."})


def test_wrong_password(hotel: HotelClient) -> None:
    hotel.book("asha", "pw", 1)
    wrong = (401, {"error": "Invalid password."})
    assert hotel.book("asha", "PW", 1) == wrong
    assert hotel.query("asha", "pw ") == wrong
    assert hotel.update("asha", "no", 3) == wrong
    assert hotel.checkout("asha", "no") == wrong
    assert hotel.query("ASHA ", "pw") == (200, {"message": "Your booked rooms: [1]"})


@pytest.mark.settings(hotel_named_failures=3, attempts_per_address=6)
def test_usernames_cannot_be_listed(hotel: HotelClient, clock: Clock) -> None:
    hotel.book("asha", "pw", 1)
    assert hotel.query("nobody", "pw") == (404, {"error": "User not found."})
    assert hotel.checkout("nobody", "pw") == (404, {"error": "User not found."})
    assert hotel.query("asha", "no") == (401, {"error": "Invalid password."})
    either = (401, {"error": "Wrong username or password."})
    assert hotel.query("nobody", "pw") == either
    assert hotel.update("asha", "no", 3) == either
    assert hotel.book("asha", "no", 1) == either
    assert hotel.query("nobody", "pw")[0] == 429
    assert hotel.query("asha", "pw")[0] == 429
    clock.advance(seconds=1)
    assert hotel.query("asha", "pw") == (200, {"message": "Your booked rooms: [1]"})


@pytest.mark.settings(registrations_per_address=1)
def test_first_booking_counts_as_a_registration(hotel: HotelClient) -> None:
    hotel.book("asha", "pw", 1)
    status, reply = hotel.book("ravi", "pw", 1)
    assert (status, reply["error"]) == (429, "Too many registrations: try again in 1 s.")
    assert hotel.book("asha", "pw", 1) == (200, {"message": "Rooms booked successfully: [2]"})


def test_two_guests_share_ten_rooms(hotel: HotelClient) -> None:
    hotel.book("asha", "pw", 4)
    assert hotel.book("ravi", "pw2", 7) == (409, {"error": "Only 6 rooms are available.", "rooms_free": 6})
    assert hotel.query("ravi", "pw2") == (200, {"message": "You have not booked any rooms."})
    assert hotel.book("ravi", "pw2", 6) == (
        200,
        {"message": "Rooms booked successfully: [5, 6, 7, 8, 9, 10]"},
    )
    assert hotel.update("asha", "pw", 5) == (409, {"error": "Room 5 is already occupied."})
    assert hotel.book("asha", "pw", 1) == (409, {"error": "No rooms available.", "rooms_free": 0})
    for more in (1000, 10**30):
        assert hotel.book("asha", "pw", more) == (409, {"error": "No rooms available.", "rooms_free": 0})


def test_one_free_room_is_not_enough_for_two(hotel: HotelClient) -> None:
    hotel.book("asha", "pw", 9)
    assert hotel.book("ravi", "pw", 2) == (409, {"error": "Only 1 room is available.", "rooms_free": 1})


def test_limit_of_rooms_in_one_booking(hotel: HotelClient, database: Database) -> None:
    database.query("UPDATE bus_info SET max_seats = 2 WHERE kind = 'hotel'")
    hotel.book("asha", "pw", 2)
    hotel.book("asha", "pw", 1)
    assert hotel.book("asha", "pw", 7) == (
        422,
        {"error": "One booking may have at most 2 rooms; you asked for 7."},
    )
    assert hotel.book("asha", "pw", 8) == (409, {"error": "Only 7 rooms are available.", "rooms_free": 7})


def test_update_moves_the_room_that_the_guest_has_had_longest(hotel: HotelClient, clock: Clock) -> None:
    def after(seconds: float, answer: Callable[[], tuple[int, Any]]) -> str:
        clock.advance(seconds=seconds)
        return str(answer()[1]["message"])

    assert after(1, lambda: hotel.book("asha", "pw", 2)) == "Rooms booked successfully: [1, 2]"
    assert after(1, lambda: hotel.update("asha", "pw", 8)) == "Updated booking: released 1, assigned 8."
    assert after(1, lambda: hotel.book("asha", "pw", 1)) == "Rooms booked successfully: [1]"
    assert after(1, lambda: hotel.query("asha", "pw")) == "Your booked rooms: [2, 8, 1]"
    moves = [(2, 5), (8, 3), (1, 2), (5, 8)]
    for released, room in moves:  # within a second
        moved = f"Updated booking: released {released}, assigned {room}."
        assert after(0.001, lambda room=room: hotel.update("asha", "pw", room)) == moved
    assert after(0.001, lambda: hotel.checkout("asha", "pw")).endswith("Released rooms: [3, 2, 8]")


@pytest.mark.parametrize("room", [0, 11, -1, 10**30, "11", 0.9, False])
def test_unknown_room(hotel: HotelClient, room: Any) -> None:
    invalid = (400, {"error": "Invalid room number."})
    hotel.book("asha", "pw", 1)
    assert hotel.update("asha", "pw", room) == invalid
    hotel.checkout("asha", "pw")
    assert hotel.update("asha", "pw", room) == invalid


def test_taken_room_is_reported_before_a_missing_booking(hotel: HotelClient) -> None:
    hotel.book("asha", "pw", 1)
    hotel.book("ravi", "pw", 1)
    hotel.checkout("asha", "pw")
    assert hotel.update("asha", "pw", 2) == (409, {"error": "Room 2 is already occupied."})
    assert hotel.update("asha", "pw", 3) == (400, {"error": "You have no booking to update."})


@pytest.mark.parametrize("room", [8, "8", " 8 ", "+8", 8.0, 8.9])
def test_new_room_is_converted_as_by_int(hotel: HotelClient, room: Any) -> None:
    hotel.book("asha", "pw", 1)
    assert hotel.update("asha", "pw", room) == (200, {"message": "Updated booking: released 1, assigned 8."})


@pytest.mark.parametrize("room", [None, "eight", "8.0", "", [8], {}, {"8": 8}, "9" * 5000])
def test_new_room_must_be_an_integer(hotel: HotelClient, room: Any) -> None:
    assert hotel.update("asha", "pw", room) == (400, {"error": "new_room must be integer."})


@pytest.mark.parametrize("count", [1, "1", 1.9, True])
def test_num_rooms_is_converted_as_by_int(hotel: HotelClient, count: Any) -> None:
    assert hotel.book("asha", "pw", count) == (200, {"message": "Rooms booked successfully: [1]"})


def test_party_larger_than_a_booking_gets_no_room(http: HttpClient, database: Database) -> None:
    large = SEED.replace("house 10", "house 120").replace("rrrrr\n", "rrrrr\n" * 12, 1)
    large = large.replace("rrrrr')", "rrrrr\n" * 11 + "rrrrr')").replace(
        "max_seats => 10", "max_seats => 100"
    )
    database.query(large)
    hotel = HotelClient(f"{http.url}/hotel")
    status, reply = hotel.book("asha", "pw", 101)
    assert (status, reply["error"]) == (422, "You asked for 101 rooms. One booking may have 1 to 100.")
    assert database.value("SELECT count(*) FROM passengers") == 0


@pytest.mark.parametrize("count", [0, -1, "0", 0.5, False])
def test_number_of_rooms_below_1_is_reported_as_missing(hotel: HotelClient, count: Any) -> None:
    error = {"error": "username, password, and num_rooms required."}
    assert hotel.book("asha", "pw", count) == (400, error)


@pytest.mark.parametrize("count", [None, "two", "", [1], {}, {"1": 1}])
def test_num_rooms_must_be_an_integer(hotel: HotelClient, count: Any) -> None:
    error = {"error": "num_rooms must be a positive integer."}
    assert hotel.book("asha", "pw", count) == (400, error)


@pytest.mark.parametrize("username", [5, ["asha"], "n" * 65, "a\x07b"])
def test_username_that_no_account_can_have(hotel: HotelClient, username: Any) -> None:
    assert hotel.query(username, "pw") == (404, {"error": "User not found."})
    status, reply = hotel.book(username, "pw", 1)
    assert (status, reply["error"][:44]) == (400, "username and password: a username of up to 6")


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        ("POST", "book", "{}", "username, password, and num_rooms required."),
        ("POST", "book", '{"username":"a","password":"b"}', "username, password, and num_rooms required."),
        (
            "POST",
            "book",
            '{"username":"","password":"b","num_rooms":1}',
            "username, password, and num_rooms required.",
        ),
        ("POST", "query", '{"username":"a"}', "username and password required."),
        ("POST", "query", '{"username":" ","password":"b"}', "username and password required."),
        ("PUT", "update", '{"new_room":"x"}', "new_room must be integer."),
        ("POST", "book", '{"num_rooms":NaN}', "Invalid JSON."),
        ("PUT", "update", '{"new_room":1e999}', "Invalid JSON."),
        ("PUT", "update", '{"new_room":3}', "username and password required."),
        ("DELETE", "checkout", "{}", "username and password required."),
        ("POST", "book", "", "Invalid JSON."),
        ("POST", "query", "{", "Invalid JSON."),
        ("PUT", "update", "[1]", "Invalid JSON."),
        ("DELETE", "checkout", "\xff", "Invalid JSON."),
        ("POST", "query", "[" * 5000, "Invalid JSON."),
        ("POST", "query", '{"username":' * 5000, "Invalid JSON."),
        ("POST", "query", '{"a":' + "[" * 5000 + "]" * 5000 + "}", "Invalid JSON."),
        ("POST", "query", '{"a":[[1]],"username":[["a"]]}', "username and password required."),
    ],
)
def test_bad_request(http: HttpClient, method: str, path: str, body: str, error: str) -> None:
    answer = http.call(method, f"/hotel/{path}", data=body.encode("latin-1"))
    assert (answer.status_code, answer.json()) == (400, {"error": error})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/hotel"),
        ("GET", "/hotel/book"),
        ("GET", "/hotel/a/b"),
        ("PATCH", "/hotel/x"),
    ],
)
def test_unknown_path(http: HttpClient, method: str, path: str) -> None:
    answer = http.call(method, path)
    assert (answer.status_code, answer.json()) == (404, {"error": "Endpoint not found."})


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_body_is_decoded_before_the_path(http: HttpClient, method: str) -> None:
    answer = http.call(method, "/hotel/none", data=b"{")
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid JSON."})
    answer = http.call(method, "/hotel/none", data=b"{}")
    assert (answer.status_code, answer.json()) == (404, {"error": "Endpoint not found."})


def test_long_body_is_413(http: HttpClient) -> None:
    answer = http.call("POST", "/hotel/query", data=b" " * 70_000)
    assert answer.status_code == 413
    assert answer.json().keys() == {"error"}


def test_hotel_without_nights_is_closed(http: HttpClient) -> None:
    answer = http.call("GET", "/hotel/rooms")
    assert (answer.status_code, answer.json()) == (503, {"error": "The hotel is closed."})


# Nights ----------------------------------------------------------------------------------------


def test_tonight_is_the_first_night_that_is_still_on_sale(
    hotel: HotelClient, clock: Clock, database: Database
) -> None:
    clock.set("2026-12-02 05:59+05:30")
    hotel.book("asha", "pw", 1)
    assert hotel.rooms(check_in="2026-12-01", check_out="2026-12-02") == [1]
    clock.set("2026-12-02 06:00+05:30")
    assert hotel.rooms() == []
    assert hotel.query("asha", "pw") == (200, {"message": "You have not booked any rooms."})
    hotel.book("asha", "pw", 1)
    assert hotel.rooms(check_in="2026-12-02", check_out="2026-12-03") == [1]


def test_tonight_is_a_night_of_the_hotel_in_every_time_zone_of_the_server(
    hotel: HotelClient, clock: Clock
) -> None:
    clock.set("2026-12-02 20:00-08:00")  # the 3rd at the hotel
    hotel.book("asha", "pw", 1)
    assert hotel.rooms(check_in="2026-12-03", check_out="2026-12-04") == [1]
    clock.set("2026-12-05 10:00+14:00")  # the 5th at the server, the 5th at 01:30 at the hotel
    hotel.book("asha", "pw", 1)
    assert hotel.rooms(check_in="2026-12-04", check_out="2026-12-05") == [1]


def test_stay_covers_its_nights_only(hotel: HotelClient) -> None:
    three = {"check_in": "2026-12-10", "check_out": "2026-12-13"}  # Thursday to Sunday
    assert hotel.book("asha", "pw", 1, **three)[0] == 200
    assert hotel.rooms(**three) == [1]
    assert hotel.rooms() == hotel.rooms(check_in="2026-12-13", check_out="2026-12-20") == []
    assert hotel.rooms(check_in="2026-12-12", check_out="2026-12-14") == [1]
    assert hotel.book("ravi", "pw", 10, check_in="2026-12-08", check_out="2026-12-10")[0] == 200
    assert hotel.book("ravi", "pw", 10, check_in="2026-12-09", check_out="2026-12-11") == (
        409,
        {"error": "No rooms available.", "rooms_free": 0},
    )


def test_terminal_takes_dates_in_several_notations(hotel: HotelClient) -> None:
    typed = (
        "asha\npw\nbook 2 5 dec 2026\nbook 2 5/12/2026 2026-12-07\nrooms 5 dec 1\nrooms 6 dec 7 dec\nstatus\n"
        "rooms 5 dec 0\nexit\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "client", "hotel", "--url", hotel.base_url],
        input=typed, capture_output=True, text=True, timeout=WAIT_SECONDS, cwd=PROJECT,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "Give the date of the first night and the number of nights, such as 5 dec 2." in done.stdout
    assert "Rooms booked successfully: [1, 2]" in done.stdout
    assert done.stdout.count("Room  2  occupied\nRoom  3  free") == 2
    assert done.stdout.endswith("Your booked rooms: [1, 2]\ncheck_out must be after check_in.\nGoodbye.\n")


def test_checkout_refunds_the_remaining_nights(hotel: HotelClient, clock: Clock) -> None:
    hotel.book("asha", "pw", 2, check_in="2026-12-07", check_out="2026-12-11")  # four nights at 2,400
    clock.set("2026-12-08 09:00+05:30")  # one night is over
    assert hotel.checkout("asha", "pw") == (
        200,
        {
            "message": "Checked out successfully. Released rooms: [1, 2]",
            "refund": "7200.00",
            "currency": "INR",
        },
    )
    assert hotel.rooms() == []
    assert hotel.query("asha", "pw") == (200, {"message": "You have not booked any rooms."})


def test_stay_spans_the_weeks_of_two_years(hotel: HotelClient) -> None:
    stay = {"check_in": "2027-11-28", "check_out": "2027-11-30"}  # version 0.1.0 ended a season between them
    assert hotel.book("asha", "pw", 2, **stay) == (200, {"message": "Rooms booked successfully: [1, 2]"})
    assert hotel.rooms(**stay) == [1, 2]


@pytest.mark.parametrize(
    ("check_in", "check_out", "error"),
    [
        ("2026-12-09", "2026-12-09", "check_out must be after check_in."),
        ("2026-12-09", "2026-12-08", "check_out must be after check_in."),
        ("2026-12-09", None, "check_in and check_out must be dates, YYYY-MM-DD."),
        ("tomorrow", "2026-12-09", "check_in and check_out must be dates, YYYY-MM-DD."),
        ("2026-11-29", "2026-12-05", "2026-11-29 is in the past; today is 2026-12-01."),
        # 2029-12-03 is the last night on sale
        ("2029-12-03", "2029-12-05", "The nights from 2029-12-03 to 2029-12-05 are not on sale."),
        ("2035-01-01", "2035-01-02", "Sales are open up to 2029-12-03."),
    ],
)
def test_wrong_nights(hotel: HotelClient, check_in: Any, check_out: Any, error: str) -> None:
    assert hotel.book("asha", "pw", 1, check_in=check_in, check_out=check_out) == (400, {"error": error})


@pytest.mark.settings(registrations_per_address=1, hotel_named_failures=2, attempts_per_address=4)
def test_usernames_cannot_be_listed_by_bookings(hotel: HotelClient) -> None:
    hotel.book("asha", "pw", 1)
    assert hotel.book("ravi", "pw", 1)[0] == 429  # counts as a failure
    assert hotel.book("asha", "no", 1) == (401, {"error": "Invalid password."})
    either = (401, {"error": "Wrong username or password."})
    assert hotel.book("ravi", "pw", 1) == hotel.book("asha", "no", 1) == either
    too_many = (429, {"error": "Too many wrong attempts: try again in 1 s."})
    assert hotel.book("ravi", "pw", 1) == hotel.book("asha", "no", 1) == too_many


@pytest.mark.settings(exempt_networks=(ip_network("127.0.0.0/8"),), registration_hashes=2)
def test_thirty_guests_book_ten_rooms_at_the_same_time(hotel: HotelClient) -> None:
    answers: list[tuple[int, Any]] = []
    guests = [
        threading.Thread(target=lambda n=n: answers.append(hotel.book(f"guest {n}", "pw", 1)))
        for n in range(30)
    ]
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.join()
    rooms = sorted(reply["message"] for status, reply in answers if status == 200)
    assert rooms == sorted(f"Rooms booked successfully: [{n}]" for n in range(1, 11))
    assert [reply for status, reply in answers if status != 200] == 20 * [
        {"error": "No rooms available.", "rooms_free": 0}
    ]


def test_new_guest_sends_two_bookings_at_the_same_time(hotel: HotelClient) -> None:
    answers: list[tuple[int, Any]] = []
    calls = [threading.Thread(target=lambda: answers.append(hotel.book("asha", "pw", 1))) for _ in range(2)]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert [status for status, _ in answers] == [200, 200]
    assert hotel.query("asha", "pw") == (200, {"message": "Your booked rooms: [1, 2]"})
