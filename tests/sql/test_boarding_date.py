"""Boarding dates, and which stop is meant if a route passes a place several times."""

from typing import Any

import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import ASHA, DAY, SchemaApi, audit

NIGHT = {"bus_id": 2, "origin": "Mysuru", "destination": "Ooty"}  # leaves Mysuru at 01:00 of the next day
NEXT_DAY = "2026-12-06"
MARKET = """
    Bengaluru | -     | 06:00 |  0 |   0
    Mandya    | 07:00 | 07:05 |  9 |  30
    Mysuru    | 08:00 | 08:05 | 18 |  70
    Mandya    | 09:00 | 09:05 | 27 | 100
    Ooty      | 10:00 | -     | 36 | 130
"""
TWO_DAYS = MARKET.replace("09:0", "33:0").replace("10:00", "34:00")  # the second Mandya is a day later


def market(database: Database, stops: str = MARKET) -> dict[str, Any]:
    """Add a service that stops at Mandya twice. Returns the fields of a request for its trip on DAY."""
    database.query("SELECT api.add_service(7, 'Market Bus', 'KSRTC', 'ss', %s)", stops)
    return {"bus_id": 7, "travel_date": DAY, "origin": "Mandya", "destination": "Ooty"}


def dates_stops(answer: dict[str, Any]) -> tuple[Any, ...]:
    return answer["travel_date"], answer["boarding_date"], answer["from_stop"], answer["to_stop"]


def send_for_one(api: SchemaApi, method: str, **args: Any) -> dict[str, Any]:
    return api.write(method, **{"count": 1, "phone": ASHA, **args})


# A boarding date instead of a travel date -------------------------------------------------------


def test_replies_of_search_seat_map_and_sale_have_both_dates(api: SchemaApi) -> None:
    (trip,) = api.read("search", origin="Mysuru", destination="Ooty", date=NEXT_DAY)["trips"]
    on = {"travel_date": trip["travel_date"]}
    answers = [trip, api.read("seat_map", **NIGHT, **on), send_for_one(api, "book", **NIGHT, **on)]
    assert [dates_stops(answer) for answer in answers] == [(DAY, NEXT_DAY, 3, 4)] * 3


@pytest.mark.parametrize("segment", [{}, {"origin": None, "destination": None, "from_stop": 3, "to_stop": 4}])
def test_boarding_date_selects_the_trip_that_leaves_the_stop_on_that_date(
    api: SchemaApi, segment: dict[str, Any]
) -> None:
    request = {**NIGHT, **segment, "boarding_date": NEXT_DAY}
    answers = [
        api.read("seat_map", **request),
        send_for_one(api, "book", **request),
        send_for_one(api, "hold", **request),
    ]
    assert [dates_stops(answer) for answer in answers] == [(DAY, NEXT_DAY, 3, 4)] * 3


def test_a_boarding_date_is_in_the_time_zone_of_the_stop(api: SchemaApi, database: Database) -> None:
    database.query("UPDATE places SET time_zone = 'Pacific/Honolulu' WHERE code = 'BLRU'")  # UTC-10:00
    request = {"bus_id": 1, "origin": "Bengaluru", "destination": "Mysuru", "boarding_date": "2026-12-04"}
    assert dates_stops(send_for_one(api, "book", **request)) == (DAY, "2026-12-04", 1, 5)


def test_sales_by_either_date_get_different_seats_of_the_same_trip(api: SchemaApi) -> None:
    seats = {
        send_for_one(api, "book", **NIGHT, **on)["tickets"][0]["seat_no"]
        for on in ({"travel_date": DAY}, {"boarding_date": NEXT_DAY})
    }
    assert len(seats) == 2
    assert len(api.free(3, 4, bus_id=2)) == 2


def test_key_used_with_a_boarding_date_is_refused_with_the_travel_date(api: SchemaApi) -> None:
    request = {**NIGHT, "boarding_date": NEXT_DAY}
    first, again = (send_for_one(api, "book", key="k", **request) for _ in range(2))
    assert first == again
    other = send_for_one(api, "book", key="k", **NIGHT, travel_date=DAY)
    assert other["reason"] == "key_reused"


@pytest.mark.parametrize("method", ["seat_map", "book", "hold"])
@pytest.mark.parametrize(
    ("changed", "reason", "message"),
    [
        ({"bus_id": 99}, "unknown_trip", "There is no bus 99."),
        (
            {"boarding_date": "2020-01-01"},
            "unknown_trip",
            "Night Sleeper (bus 2) has no trip from Mysuru on 2020-01-01. "
            "The nearest: 2026-12-02, 2026-12-03, 2026-12-04.",
        ),
        ({"destination": "Bengaluru"}, "not_on_route", "does not go from Mysuru to Bengaluru."),
        ({"origin": "Mysroe"}, "unknown_place", "Did you mean Mysuru?"),
        ({"origin": None}, "bad_request", "Give origin and destination"),
    ],
)
def test_a_wrong_request_with_a_boarding_date_is_refused(
    api: SchemaApi, method: str, changed: dict[str, Any], reason: str, message: str
) -> None:
    before = api.everything()
    send = api.read if method == "seat_map" else api.write
    refusal = send(method, **{**NIGHT, "boarding_date": NEXT_DAY, "count": 1, "phone": ASHA, **changed})
    assert (refusal["reason"], message in refusal["message"]) == (reason, True), refusal
    if "dates" in refusal:
        assert refusal["dates"] == ["2026-12-02", "2026-12-03", "2026-12-04"]
    assert api.everything() == before


def test_refusals_contain_the_boarding_date(api: SchemaApi, database: Database, clock: Clock) -> None:
    clock.set("2026-12-06 01:00+05:30")
    request = {**NIGHT, "travel_date": DAY}
    assert send_for_one(api, "book", **request)["message"] == (
        "Night Sleeper (bus 2) of 2026-12-06 is no longer sold from Mysuru, where it departs at 01:00."
    )
    clock.set("2026-12-05 12:00+05:30")
    held = send_for_one(api, "hold", **request)
    database.query("UPDATE trips SET state = 'cancelled', reason = 'Flood.' WHERE bus_id = 2")
    for refusal in (send_for_one(api, "book", **request), api.change("confirm", held)):
        assert refusal["reason"] == "trip_cancelled"
        assert refusal["message"] == "Night Sleeper (bus 2) does not run on 2026-12-06. Flood."


def test_psql_books_by_boarding_date(api: SchemaApi, database: Database) -> None:
    book = (
        "SELECT api.book(2, boarding_date => '2026-12-06', origin => 'Mysuru', destination => 'Ooty', "
        "count => 1, phone => '+919845012345')"
    )
    assert dates_stops(database.value(book)) == (DAY, NEXT_DAY, 3, 4)


def test_answers_recorded_by_an_older_version_have_a_boarding_date(
    api: SchemaApi, database: Database
) -> None:
    request = {**NIGHT, "travel_date": DAY, "key": "k", "caller": "asha"}
    first = send_for_one(api, "book", **request)
    database.query("UPDATE idempotency_keys SET answer = answer - 'boarding_date'")
    assert send_for_one(api, "book", **request) == first


# Which stop is meant ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "segment", "fare"),
    [
        ("2026-12-01 09:00+05:30", (2, 5), "100.00"),
        ("2026-12-05 07:04:59+05:30", (2, 5), "100.00"),
        ("2026-12-05 07:05+05:30", (4, 5), "30.00"),
    ],
)
def test_the_first_stop_that_still_sells_is_meant(
    api: SchemaApi, database: Database, clock: Clock, now: str, segment: tuple[int, int], fare: str
) -> None:
    request = market(database)
    clock.set(now)
    first = api.read("search", origin="Mandya", destination="Ooty", date=DAY)
    found = [trip for trip in first["trips"] if trip["bus_id"] == 7]
    answers = [
        found[0],
        api.read("seat_map", **request),
        send_for_one(api, "book", **request),
        send_for_one(api, "hold", **request),
    ]
    assert [(a["from_stop"], a["to_stop"], a["fare"]) for a in answers] == [(*segment, fare)] * 4


def test_no_stop_still_sells(api: SchemaApi, database: Database, clock: Clock) -> None:
    request = market(database)
    clock.set("2026-12-05 09:05+05:30")
    assert send_for_one(api, "book", **request)["message"] == (
        "Market Bus (bus 7) of 2026-12-05 is no longer sold from Mandya, where it departs at 07:05."
    )
    assert dates_stops(api.read("seat_map", **request)) == (DAY, DAY, 2, 5)


def test_boarding_date_selects_the_stop_on_that_date(api: SchemaApi, database: Database) -> None:
    """Saturday's trip stops at Mandya on Sunday, too, as Sunday's trip does."""
    market(database, TWO_DAYS)
    request = {"bus_id": 7, "origin": "Mandya", "destination": "Ooty"}
    database.query("UPDATE trips SET state = 'cancelled' WHERE bus_id = 7 AND travel_date <> %s", DAY)
    assert dates_stops(send_for_one(api, "book", **request, boarding_date=DAY)) == (DAY, DAY, 2, 5)
    assert dates_stops(send_for_one(api, "book", **request, boarding_date=NEXT_DAY)) == (
        DAY,
        NEXT_DAY,
        4,
        5,
    )


def test_of_several_stops_on_a_boarding_date_the_first_that_sells_is_meant(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    market(database, TWO_DAYS)
    request = {"bus_id": 7, "origin": "Mandya", "destination": "Ooty", "boarding_date": NEXT_DAY}
    assert dates_stops(send_for_one(api, "book", **request)) == (NEXT_DAY, NEXT_DAY, 2, 5)
    clock.set("2026-12-06 07:05+05:30")
    assert dates_stops(send_for_one(api, "book", **request)) == (DAY, NEXT_DAY, 4, 5)
    assert audit(api.conn) == []


def test_alighting_at_a_place_means_the_first_stop_that_the_trip_has_not_left(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    request = {**market(database), "origin": "Bengaluru"}
    early, late = send_for_one(api, "book", **request), send_for_one(api, "book", **request)
    clock.set("2026-12-05 07:04+05:30")
    assert api.change("alight", early, at="Mandya")["to_stop"] == 2
    clock.set("2026-12-05 07:05+05:30")
    assert api.change("alight", late, at="Mandya")["to_stop"] == 4
