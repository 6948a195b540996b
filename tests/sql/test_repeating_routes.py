"""Repeating routes: they are extended as time passes, and end with their service."""

import psycopg
import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import SchemaApi, audit

STOPS = """
    Mysuru | -        | 14:00    | 0 |   0
    Mysuru | 1d 11:00 | 1d 14:00 | 0 | 100
    Mysuru | 2d 11:00 | 2d 14:00 | 1 | 250
    Mysuru | 3d 11:00 | -        | 2 | 350
"""


def add_lodge(
    database: Database, *, repeat_legs: int = 2, sales_days: int = 5, runs_on: str = "never"
) -> None:
    database.query(
        "SELECT api.add_service(7, 'Lodge', 'KSRTC', 'ss', %s, repeat_legs => %s, sales_days => %s, "
        "runs_on => %s, sells_until => '16 hours')",
        STOPS, repeat_legs, sales_days, runs_on,
    )  # fmt: skip


def test_repeating_route_is_extended_as_time_passes(database: Database, clock: Clock) -> None:
    add_lodge(database)
    database.query("SELECT api.add_trip(7, '2026-11-30')")
    assert database.value("SELECT api.open_sales(7)") == 0  # no trip is new
    route = (
        "SELECT stop_no, place, arrives::text, departs::text, km::int, fare::int FROM route_table "
        "WHERE bus_id = 7 AND stop_no > 2 ORDER BY stop_no"
    )
    extended = [
        (3, "MYSU", "2 days 11:00:00", "2 days 14:00:00", 1, 250),
        (4, "MYSU", "3 days 11:00:00", "3 days 14:00:00", 2, 350),
        (5, "MYSU", "4 days 11:00:00", "4 days 14:00:00", 3, 500),
        (6, "MYSU", "5 days 11:00:00", "5 days 14:00:00", 4, 600),
        (7, "MYSU", "6 days 11:00:00", "6 days 14:00:00", 5, 750),
        (8, "MYSU", "7 days 11:00:00", None, 6, 850),  # to the 7th: the night of the 6th is on sale
    ]
    assert database.query(route) == extended
    with SchemaApi.open(database) as api:
        stay = api.book(1, bus_id=7, travel_date="2026-11-30", from_stop=6, to_stop=8)
        clock.advance(days=1)
        database.query("SELECT api.open_sales(7)")
        assert database.value("SELECT max(stop_no) FROM route_table WHERE bus_id = 7") == 10
        assert api.show(stay)["to_stop"] == 8
        longer = api.book(1, bus_id=7, travel_date="2026-11-30", from_stop=8, to_stop=10)
        assert longer["fare"] == "250.00"
        backwards = api.book(1, bus_id=7, travel_date="2026-11-30", from_stop=8, to_stop=6)
        assert backwards["stops"] == ["Mysuru"]
    database.query("SELECT api.end_service(7, '2026-12-08')")
    clock.advance(days=30)
    database.query("SELECT api.open_sales(7)")
    assert database.value("SELECT max(stop_no) FROM route_table WHERE bus_id = 7") == 10


def test_manifest_of_the_console_is_that_of_the_trip_under_way(database: Database) -> None:
    add_lodge(database)
    database.query("SELECT api.add_trip(7, '2026-11-30')")
    for date, travel_date in (("2026-11-30", "2026-11-30"), ("2026-12-02", "2026-11-30")):
        manifest = database.value("SELECT api.console_manifest(7, %s)", date)
        assert manifest["travel_date"] == travel_date
    for date in ("2026-11-29", "2027-11-30"):
        assert database.value("SELECT api.console_manifest(7, %s)", date)["reason"] == "unknown_trip"


def test_two_trips_of_a_repeating_route_do_not_overlap(database: Database, clock: Clock) -> None:
    add_lodge(database)
    database.query("SELECT api.add_trip(7, '2026-11-30')")
    for day in ("2026-11-28", "2026-12-02"):
        with pytest.raises(psycopg.errors.RaiseException, match=f"Service 7 is on sale on {day} in another"):
            database.query("SELECT api.add_trip(7, %s)", day)
    database.query("SELECT api.add_trip(7, '2026-12-06')")
    clock.advance(days=20)
    database.query("SELECT api.open_sales(7)")
    assert database.value("SELECT max(arrives)::text FROM route_table WHERE bus_id = 7") == "5 days 11:00:00"
    assert audit(database.conn) == []


def test_ended_repeating_route_sells_no_night_after_its_last_date(database: Database) -> None:
    add_lodge(database, sales_days=20)
    database.query("SELECT api.add_trip(7, '2026-11-30'), api.open_sales(7)")
    trip = {"bus_id": 7, "travel_date": "2026-11-30"}
    on_sale = "SELECT count(*) FROM vacancy WHERE bus_id = 7 AND to_stop > 6"
    with SchemaApi.open(database) as api:
        end = "SELECT api.end_service(7, '2026-12-04')"  # the night that begins at stop 5
        late = api.book(1, **trip, from_stop=8, to_stop=10)
        error = "passengers after 2026-12-04: until 2026-12-09"
        with pytest.raises(psycopg.errors.RaiseException, match=error):
            database.query(end)
        assert database.value("SELECT last_date FROM bus_info WHERE bus_id = 7") is None
        api.cancel(late)
        api.book(1, **trip, from_stop=5, to_stop=6)
        database.query(end)
        assert database.value(on_sale) == 0
        for from_stop, to_stop in ((5, 7), (6, 7), (8, 10)):
            assert api.book(2, **trip, from_stop=from_stop, to_stop=to_stop)["reason"] == "not_on_route"
        assert api.book(2, **trip, from_stop=5, to_stop=6)["status"] == "booked"
        search = {"origin": "Mysuru", "destination": "Mysuru"}
        assert len(api.read("search", **search, date="2026-12-04")["trips"]) == 1
        assert api.read("search", **search, date="2026-12-05") == {"trips": []}
        assert api.show(late)["status"] == "cancelled"
        assert audit(database.conn) == []
        error = "passengers after 2026-12-03: until 2026-12-05"
        with pytest.raises(psycopg.errors.RaiseException, match=error):
            database.query("SELECT api.add_service(7, last_date => '2026-12-03', replace => true)")
        database.query("SELECT api.end_service(7, '2026-12-08')")
        assert api.book(2, **trip, from_stop=8, to_stop=10)["status"] == "booked"
        assert api.book(2, **trip, from_stop=10, to_stop=11)["reason"] == "not_on_route"
        database.query("SELECT api.end_service(7, NULL)")
        assert api.book(2, **trip, from_stop=10, to_stop=11)["status"] == "booked"


def test_expired_hold_after_the_end_of_a_repeating_route_is_not_confirmed(
    database: Database, clock: Clock
) -> None:
    add_lodge(database, sales_days=20)
    database.query("SELECT api.add_trip(7, '2026-11-30'), api.open_sales(7)")
    with SchemaApi.open(database) as api:
        hold = api.hold(1, bus_id=7, travel_date="2026-11-30", from_stop=8, to_stop=10)
        clock.advance(minutes=11)
        database.query("SELECT api.end_service(7, '2026-12-04')")
        assert api.change("confirm", hold)["reason"] == "not_on_route"
        assert api.show(hold)["status"] == "expired"


def test_nearest_dates_of_a_repeating_route_are_nights(database: Database) -> None:
    add_lodge(database)
    database.query("SELECT api.add_trip(7, '2026-11-30'), api.open_sales(7)")
    with SchemaApi.open(database) as api:
        request = {"bus_id": 7, "boarding_date": "2027-12-01"}
        far = api.read("seat_map", **request, origin="Mysuru", destination="Mysuru")
        assert (far["reason"], far["dates"]) == ("unknown_trip", ["2026-12-04", "2026-12-05", "2026-12-06"])
        one = api.read("seat_map", **request, from_stop=3, to_stop=4)
        assert one["dates"] == ["2026-12-02"]


def test_legs_that_cannot_repeat_are_refused(database: Database) -> None:
    for legs in (3, 4):
        error = f"Service 7: The last {legs} legs cannot repeat."
        with pytest.raises(psycopg.errors.RaiseException, match=error):
            add_lodge(database, repeat_legs=legs)
    with pytest.raises(psycopg.errors.RaiseException, match="A repeating route has runs_on never"):
        add_lodge(database, runs_on="daily")


def test_exchange_of_a_stay_for_another_date(database: Database) -> None:
    """It begins at the stop that the trip leaves on that date, and has the same number of nights."""
    add_lodge(database)
    database.query("SELECT api.add_trip(7, '2026-11-30'), api.open_sales(7)")
    with SchemaApi.open(database) as api:
        stay = api.book(1, bus_id=7, travel_date="2026-11-30", from_stop=3, to_stop=5)
        later = api.change("exchange", stay, boarding_date="2026-12-04", due="9999")
        assert (later["from_stop"], later["to_stop"], later["boarding_date"]) == (5, 7, "2026-12-04")
        earlier = api.change("exchange", stay, boarding_date="2026-12-03", to_stop=5, due="9999")
        assert (earlier["from_stop"], earlier["to_stop"]) == (4, 5)
        assert api.change("exchange", stay, boarding_date="2026-12-30")["reason"] == "unknown_trip"
