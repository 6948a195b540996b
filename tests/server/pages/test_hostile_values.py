"""Values that no form of the pages sends: dates at the end of the calendar, long numbers, other digits."""

import pytest

from tests.conftest import Database
from tests.support.page_visitor import PHONE, SEARCH, Visitor

VALUES = [
    "9" * 3000,
    "٣",
    "9999-12-31",
    "0001-01-01",
    '\0"><svg onload=x>',
    "//evil.example",
    "\r\nX: y",
]
FIELDS = {
    "/": ["kind", "origin", "date", "until", "seats"],
    "/trips": ["kind", "origin", "date", "until", "seats", "sort", "max_fare", "type", "ac", "time"],
    "/trips/1": ["date", "seats", "seat", "key"],
    "/trips/1/passengers": ["seats", "seat", "key", "name-0", "phone", "waitlist", "seat_class"],
    "/bookings": ["after", "reference", "phone", "done"],
    "/bookings/find": ["phone", "date", "place"],
    "/sign-in": ["to", "username"],
    "/language/hi": ["to"],
    "{booking}": ["done"],
    "{booking}/cancel": ["ticket"],
    "{booking}/seat": ["ticket", "seat"],
    "{booking}/exchange": ["date", "bus_id", "travel_date", "due", "refund"],
    "{booking}/alight": ["at"],
    "{booking}/transfer": ["ticket", "name", "gender"],
    "{booking}/contact": ["email", "sms"],
    "{booking}/offer": ["offer_no", "answer"],
}
HOTEL = {"kind": "hotel", "origin": "HTL", "date": "2026-12-05", "until": "9999-12-31"}


@pytest.mark.parametrize("path", FIELDS)
def test_odd_value_is_no_internal_error(visitor: Visitor, path: str) -> None:
    here = path.replace("{booking}", f"/bookings/{visitor.book(3).reference}")
    token = visitor.get("/bookings").form("/bookings").value("token")
    journey = dict(pair.split("=") for pair in SEARCH.partition("?")[2].split("&"))
    of_path = journey if path.startswith(("/trips", "/")) and "booking" not in path else {}
    for name in FIELDS[path]:
        for value in VALUES:
            changed = {"travel_date": "2026-12-05", "bus_id": "1", name: value}
            answers = [
                visitor.session.get(visitor.url + here, params=of_path | changed, allow_redirects=False),
                visitor.session.post(
                    visitor.url + here, changed | {"token": token}, params=of_path, allow_redirects=False
                ),
            ]
            for answer in answers:
                assert answer.status_code < 500, (name, value[:30], answer.status_code)
                assert "<svg onload" not in answer.text
                target = answer.headers.get("Location", "/")
                assert target.startswith("/")
                assert not target.startswith("//")


def test_far_date_of_a_stay_is_no_internal_error(visitor: Visitor) -> None:
    assert visitor.session.get(f"{visitor.url}/trips", params=HOTEL).status_code < 500


def test_unknown_host_with_odd_characters_is_no_internal_error(visitor: Visitor) -> None:
    answer = visitor.session.get(f"{visitor.url}/", headers={"Host": "[::1"})
    assert answer.status_code < 500


def test_cookies_with_odd_values_are_no_internal_error(visitor: Visitor) -> None:
    for name in ("session", "bookings", "form", "language"):
        for value in ('"\\000"', "DT7VKKK:%00|:|||x", "A:" + "9" * 3000, "\xff"):
            cookie = f"busware-{name}={value}".encode("latin-1")
            answer = visitor.session.get(f"{visitor.url}/bookings", headers={"Cookie": cookie})
            assert answer.status_code < 500, (name, value[:30])


def test_a_seat_that_is_chosen_twice_is_one_seat(visitor: Visitor, database: Database) -> None:
    form = visitor.choose(3, 3).form("/passengers")
    assert "Held for you" in visitor.send(form, phone=PHONE).text
    assert database.value("SELECT count(*) FROM passengers") == 1
