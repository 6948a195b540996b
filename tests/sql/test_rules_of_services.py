"""The rules of sale in the document of a service: blocked and reserved seats, and limits."""

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.conftest import Database
from tests.support.schema_api import DAY, OTHER_DAY, SchemaApi

RULES = {
    "blocked_seats": [4], "women_seats": [1, 2], "accessible_seats": [8], "shortest_segment_km": "60.5",
    "short_segments_open": "4 hours", "max_seats_per_account": 3,
}  # fmt: skip


def put(database: Database, **data: Any) -> Any:
    statement = "SELECT answer FROM api.put_service(NULL, %s)"
    return database.value(statement, Jsonb({"bus_id": 1} | data))


def test_rules_are_written_and_read(database: Database) -> None:
    assert {change["field"] for change in put(database, **RULES)["changes"]} == RULES.keys()
    document = database.value("SELECT api.service(1)")
    assert {name: document[name] for name in RULES} == RULES
    assert put(database, **document)["changes"] == []
    nothing = {name: [] if name.endswith("seats") else None for name in RULES}
    put(database, **nothing)
    document = database.value("SELECT api.service(1)")
    assert {name: document[name] for name in RULES} == nothing


def test_wrong_seats_are_faults(database: Database) -> None:
    refusal = put(database, blocked_seats=[9, 1], women_seats=[1, 2, 1], accessible_seats=[2])
    assert {fault["field"]: fault["message"] for fault in refusal["faults"]} == {
        "blocked_seats[0]": "The layout has no seat 9: its seats are 1 to 8.",
        "women_seats[2]": "Seat 1 is listed already.",
        "accessible_seats[0]": "Seat 2 is listed already.",
    }


def test_transfers_exchanges_and_no_shows_are_written_and_read(database: Database) -> None:
    rules = {
        "exchange_fee": "25.00", "exchange_until": "4 hours", "max_transfers": 0, "no_show_sells": True
    }  # fmt: skip
    assert {change["field"] for change in put(database, **rules)["changes"]} == rules.keys()
    document = database.value("SELECT api.service(1)")
    assert {name: document[name] for name in rules} == rules
    wrong = {"exchange_fee": "-1", "exchange_until": "soon", "max_transfers": -1, "no_show_sells": None}
    refusal = put(database, **wrong)
    assert {fault["field"] for fault in refusal["faults"]} == rules.keys()


def test_blocked_seats_follow_the_service(api: SchemaApi, database: Database) -> None:
    put(database, blocked_seats=[4, 5])
    assert api.free() == api.free(travel_date=OTHER_DAY) == [1, 2, 3, 6, 7, 8]
    assert api.book(4)["reason"] == "seat_taken"
    put(database, blocked_seats=[5], sales_days=20)
    assert api.free() == api.free(travel_date="2026-12-20") == [1, 2, 3, 4, 6, 7, 8]
    put(database, layout="ss.ss\nss.ss\nss.ss")
    assert api.free() == [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12]


def test_extra_trip_has_the_blocked_seats(api: SchemaApi, database: Database) -> None:
    put(database, blocked_seats=[5])
    database.query("SELECT api.add_trip(1, '2027-01-20')")
    assert api.free(travel_date="2027-01-20") == [1, 2, 3, 4, 6, 7, 8]


def test_waitlist_gets_the_seats_that_are_no_longer_blocked(api: SchemaApi, database: Database) -> None:
    put(database, blocked_seats=[1, 2, 3, 4, 5, 6, 7, 8])
    waiting = api.book(count=2, waitlist=True)
    put(database, blocked_seats=[1, 2, 3, 4])
    assert api.show(waiting)["status"] == "booked"


def test_sold_seat_is_not_blocked(api: SchemaApi, database: Database) -> None:
    api.book(4)
    refusal = put(database, blocked_seats=[3, 4])
    assert (refusal["reason"], refusal["fields"]) == ("service_in_use", ["blocked_seats"])
    assert refusal["dates"] == [DAY]
    assert "sold seat 4" in refusal["message"]
    assert api.free() == [1, 2, 3, 5, 6, 7, 8]


@pytest.mark.parametrize("seats", [[], [1]])
def test_block_of_one_trip_stays(api: SchemaApi, database: Database, seats: list[int]) -> None:
    database.query("INSERT INTO accounts VALUES ('meera', '', NULL, 'operator', 'KSRTC', now())")
    api.write("block_seats", account="meera", bus_id=1, travel_date=DAY, seats=[3])
    put(database, blocked_seats=[1, 2])
    put(database, blocked_seats=seats)
    assert api.free() == [n for n in range(1, 9) if n not in [3, *seats]]
