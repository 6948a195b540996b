"""Rules of a sale: the shortest segment, the seats of an account, a passenger who is on the trip twice."""

from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.race import Race
from tests.support.schema_api import DAY, OTHER_DAY, RAVI, TRIP, SchemaApi, book, outcomes_of

ASHA_NAMED = [{"name": "Asha Rao"}]


# The shortest segment: from Bengaluru to Ramanagara is 50 km, to Mandya 100, to Mysuru 145 -----------


@pytest.fixture
def shortest(database: Database) -> None:
    database.query(
        "UPDATE bus_info SET shortest_segment_km = 90, short_segments_open = '4 hours' WHERE bus_id = 1"
    )


@pytest.mark.usefixtures("shortest")
def test_short_segment_is_refused(api: SchemaApi) -> None:
    refusal = api.book(from_stop=1, to_stop=2)
    assert refusal == {
        "reason": "too_short",
        "message": "Day Bus (bus 1) sells journeys of 90 km or more; "
        "from Bengaluru to Ramanagara it is 50 km. "
        "Stops that are far enough: Mandya, Srirangapatna, Mysuru. "
        "It sells shorter journeys from 2026-12-05 06:00 on.",
        "shortest_km": "90",
        "stops": ["Mandya", "Srirangapatna", "Mysuru"],
        "sold_from": "2026-12-05T06:00:00+05:30",
    }
    assert api.read("seat_map", bus_id=1, travel_date=DAY, from_stop=1, to_stop=2) == refusal
    assert api.book(from_stop=1, to_stop=3)["status"] == "booked"
    assert api.hold(from_stop=3, to_stop=5)["stops"] == []


@pytest.mark.usefixtures("shortest")
def test_short_segment_is_sold_shortly_before_departure(api: SchemaApi, clock: Clock) -> None:
    clock.set(f"{DAY} 05:59+05:30")
    assert api.book(from_stop=1, to_stop=2)["reason"] == "too_short"
    clock.set(f"{DAY} 06:00+05:30")
    assert api.book(from_stop=1, to_stop=2)["status"] == "booked"


@pytest.mark.usefixtures("shortest")
def test_short_segment_is_not_found(api: SchemaApi, database: Database, clock: Clock) -> None:
    def found(destination: str) -> list[int]:
        trips = api.read("search", origin="Bengaluru", destination=destination, date=DAY)["trips"]
        return [trip["bus_id"] for trip in trips if trip["bus_id"] == 1]

    vacancy = """SELECT destination FROM vacancy
                 WHERE bus_id = 1 AND travel_date = %s AND from_stop = 1 ORDER BY to_stop"""
    assert (found("Ramanagara"), found("Mandya")) == ([], [1])
    assert database.query(vacancy, DAY) == ["Mandya", "Srirangapatna", "Mysuru"]
    clock.set(f"{DAY} 06:00+05:30")
    assert found("Ramanagara") == [1]


def test_short_segment_that_never_opens(api: SchemaApi, database: Database, clock: Clock) -> None:
    database.query("UPDATE bus_info SET shortest_segment_km = 90 WHERE bus_id = 1")
    clock.set(f"{DAY} 09:59+05:30")
    refusal = api.book(from_stop=1, to_stop=2)
    assert refusal["reason"] == "too_short"
    assert "sold_from" not in refusal
    assert "Shorter" not in refusal["message"]


# The seats of an account -------------------------------------------------------------------------


@pytest.fixture
def three_seats(database: Database) -> None:
    database.query("UPDATE bus_info SET max_seats_per_account = 3 WHERE bus_id = 1")


@pytest.mark.usefixtures("three_seats")
def test_phone_number_has_a_limit_on_a_trip(api: SchemaApi) -> None:
    first = api.book(count=2)
    refusal = api.book(count=2)
    assert (refusal["reason"], refusal["limit"]) == ("too_many_on_trip", 3)
    assert refusal["message"] == "One account or phone number may have 3 seats on this bus."
    assert api.book(count=2, phone=RAVI)["status"] == "booked"
    assert api.book(count=2, travel_date=OTHER_DAY)["status"] == "booked"
    assert api.hold(count=1)["status"] == "held"
    assert api.book(count=1)["reason"] == "too_many_on_trip"
    api.cancel(first, 1)
    assert api.book(count=1)["status"] == "booked"


@pytest.mark.usefixtures("three_seats")
def test_account_has_a_limit_with_any_phone_number(api: SchemaApi, clock: Clock) -> None:
    api.hold(count=2, account="asha")
    api.book(count=1, account="asha", phone=RAVI)
    assert api.book(count=1, account="asha", phone="+919845054321")["reason"] == "too_many_on_trip"
    clock.advance(minutes=11)
    assert api.book(count=2, account="asha", phone="+919845054321")["status"] == "booked"


@pytest.mark.usefixtures("three_seats")
def test_limit_counts_for_expired_holds_that_are_confirmed(api: SchemaApi, clock: Clock) -> None:
    expired = api.hold(1, 2)
    clock.advance(minutes=11)
    api.book(3, 4)
    before = api.everything()
    assert api.change("confirm", expired)["reason"] == "too_many_on_trip"
    assert api.everything() == before
    other = api.hold(5)
    clock.advance(minutes=11)
    assert api.change("confirm", other)["status"] == "booked"


@pytest.mark.usefixtures("three_seats")
def test_account_of_the_operator_sells_to_others(api: SchemaApi, database: Database) -> None:
    database.query("INSERT INTO accounts VALUES ('meera', '', NULL, 'operator', 'KSRTC', now())")
    assert api.book(count=3, account="meera")["status"] == "booked"
    assert api.book(count=3, account="meera", phone=RAVI)["status"] == "booked"
    assert api.book(count=1, account="meera", phone=RAVI)["reason"] == "too_many_on_trip"


@pytest.mark.usefixtures("three_seats")
def test_limit_counts_the_tickets_of_the_same_batch(api: SchemaApi) -> None:
    answers = api.batch(book(1, 2), book(3, phone=RAVI), book(4, 5), book(6), book(7))
    assert outcomes_of(answers) == ["booked", "booked", "too_many_on_trip", "booked", "too_many_on_trip"]


@pytest.mark.usefixtures("three_seats")
def test_two_bookings_of_an_account_at_once(race: Race) -> None:
    race.first.write("book", **TRIP, seats=[1, 2], account="asha", phone=RAVI)
    refused = race.start(lambda: race.second.book(3, 4, account="asha"))
    assert race.then_commit(refused)["reason"] == "too_many_on_trip"


# The same passenger twice ------------------------------------------------------------------------


def test_same_passenger_is_a_warning(api: SchemaApi) -> None:
    first = api.book(1, account="asha", passengers=ASHA_NAMED)
    assert "warnings" not in first
    second = api.book(2, 3, account="asha", passengers=[{"name": "Ravi"}, {"name": "ASHA  RAO"}])
    assert second["status"] == "booked"
    assert second["warnings"] == [
        {
            "warning": "same_passenger",
            "reference": first["reference"],
            "message": f"Asha Rao is on this trip already, in booking {first['reference']}.",
        }
    ]
    assert "warnings" not in api.show(second)


def test_warning_to_others_has_no_reference(api: SchemaApi) -> None:
    """With the phone number, the reference opens the booking."""
    api.book(1, account="asha", passengers=ASHA_NAMED)
    for caller in ({}, {"account": "ravi"}):
        booking = api.book(**{"count": 1, "passengers": ASHA_NAMED, **caller})
        assert booking["warnings"][0] == {
            "warning": "same_passenger",
            "message": "Asha Rao is on this trip already.",
        }


@pytest.mark.parametrize(
    "other",
    [
        {"phone": RAVI},
        {"passengers": [{"name": "Asha"}]},
        {"passengers": None},
        {"travel_date": OTHER_DAY},
        {"from_stop": 3, "to_stop": 5},
    ],
)
def test_other_passenger_is_no_warning(api: SchemaApi, other: dict[str, Any]) -> None:
    api.book(1, from_stop=1, to_stop=3, passengers=ASHA_NAMED)
    booking = api.book(**{"count": 1, "passengers": ASHA_NAMED} | other)
    assert booking["status"] == "booked"
    assert "warnings" not in booking


def test_cancelled_passenger_is_no_warning(api: SchemaApi) -> None:
    api.cancel(api.book(1, passengers=ASHA_NAMED))
    assert "warnings" not in api.hold(1, passengers=ASHA_NAMED)


def test_a_repeated_request_gets_the_same_warning(api: SchemaApi) -> None:
    api.book(1, passengers=ASHA_NAMED)
    hold = {**TRIP, "seats": [2], "account": "asha", "phone": "+919845012345", "passengers": ASHA_NAMED}
    first = api.write("hold", "k", **hold)
    assert first["warnings"]
    assert api.write("hold", "k", **hold) == first


def test_warning_counts_the_bookings_of_the_same_batch(api: SchemaApi) -> None:
    answers = api.batch(book(1, passengers=ASHA_NAMED), book(2, passengers=ASHA_NAMED))
    assert ["warnings" in answer for answer in answers if answer] == [False, True]


# Expired holds --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("women_seats = '{1}'", "reserved_seat"),
        ("accessible_seats = '{1}'", "reserved_seat"),
        ("shortest_segment_km = 1000", "too_short"),
    ],
)
def test_new_rule_applies_when_an_expired_hold_is_confirmed(
    api: SchemaApi, database: Database, clock: Clock, rule: str, reason: str
) -> None:
    expired = api.hold(1)
    clock.advance(minutes=11)
    database.query(f"UPDATE bus_info SET {rule} WHERE bus_id = 1")
    assert api.change("confirm", expired)["reason"] == reason
    assert api.show(expired)["status"] == "expired"
