"""`book` and `hold`: all seats of a request or none. test_choose_seats.py has the choice of any seats."""

from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import DAY, RAVI, SchemaApi, sale


def seats_of(booking: dict[str, Any]) -> list[int]:
    return [ticket["seat_no"] for ticket in booking["tickets"]]


# Named seats -----------------------------------------------------------------------------------


def test_fields_of_a_booking(api: SchemaApi) -> None:
    booking = api.book(7, 3, passengers=[{"name": "Asha"}, {}], from_stop=1, to_stop=3)
    reference = booking.pop("reference")
    booked = {
        "status": "booked", "fare": "180.00", "refund": "0.00", "seated_at": "2026-12-01T03:30:00+00:00",
    }  # fmt: skip
    assert booking == {
        "status": "booked", "kind": "bus", "name": "Day Bus", "operator": "KSRTC", "bus_id": 1,
        "travel_date": DAY, "boarding_date": DAY, "origin": "Bengaluru", "destination": "Mandya",
        "from_stop": 1, "to_stop": 3,
        "departs_at": "2026-12-05T10:00:00+05:30", "arrives_at": "2026-12-05T11:45:00+05:30",
        "currency": "INR", "fare": "360.00", "refund": "0.00",
        "tickets": [
            {"ticket_no": 1, "seat_no": 7, "name": "Asha"} | booked,
            {"ticket_no": 2, "seat_no": 3, "name": None} | booked,
        ],
    }  # fmt: skip
    assert api.show({"reference": reference}) == booking | {"reference": reference}


def test_fare_of_a_segment_is_the_difference_of_its_stops_fares(api: SchemaApi, database: Database) -> None:
    assert api.book(1, from_stop=2, to_stop=4)["fare"] == "140.00"
    night = api.book(1, bus_id=2, origin="Mandya", destination="Ooty")
    assert night["fare"] == "550.50"
    assert database.query("SELECT kind, amount::text FROM payments ORDER BY 2") == [
        ("charge", "140.00"),
        ("charge", "550.50"),
    ]


def test_seat_is_sold_again_from_where_its_passenger_alights(api: SchemaApi) -> None:
    api.book(1, from_stop=1, to_stop=3)
    assert api.book(1, from_stop=3, to_stop=5, phone=RAVI)["status"] == "booked"
    assert api.book(1)["reason"] == "seat_taken"
    assert api.free(1, 3) == api.free(3, 5) == [2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(("start", "end"), [(1, 3), (2, 3), (2, 4), (2, 5), (1, 5), (3, 4)])
def test_overlapping_segment_is_refused(api: SchemaApi, start: int, end: int) -> None:
    api.book(1, from_stop=2, to_stop=4)
    assert api.book(1, from_stop=start, to_stop=end)["reason"] == "seat_taken"


def test_all_seats_or_none(api: SchemaApi) -> None:
    api.book(2, 3)
    before = api.everything()
    refusal = api.book(1, 3, 2, 4)
    assert refusal == {
        "reason": "seat_taken",
        "message": "Seats 2 and 3 are taken between Bengaluru and Mysuru.",
        "seats": [2, 3],
    }
    assert api.everything() == before


@pytest.mark.parametrize(
    ("changed", "reason", "message"),
    [
        ({"seats": [9]}, "unknown_seat", "There is no seat 9; the bus has 8 seats, numbered from 1."),
        ({"seats": [1, 10, 9]}, "unknown_seat", "There are no seats 9 and 10; the bus has 8 seats"),
        ({"seats": [0]}, "unknown_seat", "There is no seat 0;"),
        ({"seats": [1, 1]}, "bad_request", "The same seat is named twice."),
        (
            {"seats": [1, 2, 3, 4, 5, 6, 7]},
            "too_many_seats",
            "One booking may have at most 6 seats; you asked for 7.",
        ),
        ({"seats": []}, "bad_request", "Say which seats, or how many."),
        ({"seats": None}, "bad_request", "Say which seats, or how many."),
        ({"seats": [1], "phone": None}, "bad_request", "A phone number is required"),
        ({"seats": [1], "passengers": [{}, {}]}, "bad_request", "There are more passengers than seats."),
    ],
)
@pytest.mark.parametrize("method", ["book", "hold"])
def test_invalid_sale_is_refused_and_changes_nothing(
    api: SchemaApi, method: str, changed: dict[str, Any], reason: str, message: str
) -> None:
    before = api.everything()
    refusal = api.write(method, **{**sale(), "count": None, **changed})
    assert (refusal["reason"], message in refusal["message"]) == (reason, True)
    assert api.everything() == before


def test_limits_are_settings_of_the_service(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE bus_info SET max_seats = 1, phone_required = false WHERE bus_id = 1")
    assert api.book(1, 2)["limit"] == 1
    booking = api.book(1, phone=None)
    assert api.show(booking, phone=None)["status"] == "booked"


def test_nothing_is_sold_after_departure(api: SchemaApi, clock: Clock) -> None:
    today = {"travel_date": "2026-12-01"}
    clock.set("2026-12-01 09:59:59+05:30")
    assert api.book(1, **today)["status"] == "booked"
    clock.set("2026-12-01 10:00+05:30")
    refusal = api.book(2, **today)
    assert refusal["reason"] == "departed"
    assert refusal["message"] == (
        "Day Bus (bus 1) of 2026-12-01 is no longer sold from Bengaluru, where it departs at 10:00."
    )
    assert api.hold(2, **today)["reason"] == "departed"
    assert api.book(2, **today, from_stop=2, to_stop=5)["status"] == "booked"


def test_messages_use_the_nouns_of_the_service(api: SchemaApi, database: Database) -> None:
    database.query("""UPDATE bus_info SET nouns = '{"service": "hotel", "seat": "room"}', max_seats = 1""")
    assert api.book(9)["message"] == "There is no room 9; the hotel has 8 rooms, numbered from 1."
    api.book(1)
    assert api.book(1)["message"] == "Room 1 is taken between Bengaluru and Mysuru."
    assert api.book(2, 3)["message"] == "One booking may have at most 1 room; you asked for 2."


# Too few seats --------------------------------------------------------------------------------


def test_sold_out_says_how_many_are_free(api: SchemaApi) -> None:
    api.book(1, 2, 3, 4, 5)
    api.hold(6)
    before = api.everything()
    assert api.book(count=3) == {
        "reason": "sold_out",
        "message": "Only 2 seats are free between Bengaluru and Mysuru.",
        "seats_free": 2,
    }
    api.book(7)
    assert api.book(count=2)["message"] == "Only 1 seat is free between Bengaluru and Mysuru."
    api.book(8)
    assert api.hold(count=1)["seats_free"] == 0
    assert len(api.everything()[2]) == len(before[2]) + 2
