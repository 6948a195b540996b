"""Services as documents, their calendar, and the fares of single segments."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.conftest import Database
from tests.support.schema_api import DAY, SchemaApi

DAY_BUS = {
    "bus_id": 1, "kind": "bus", "name": "Day Bus", "operator": "KSRTC", "bus_type": "SEATER", "ac": False,
    "layout": "...D\nss.ss\nss.ss", "currency": "INR", "source_id": None,
    "time_zone": "Asia/Kolkata", "repeat_legs": None, "segment_fares": [],
    "stops": [
        {"place": "Bengaluru", "arrives": None, "departs": "10:00", "km": "0", "fare": "0.00"},
        {"place": "Ramanagara", "arrives": "10:50", "departs": "10:55", "km": "50", "fare": "90.00"},
        {"place": "Mandya", "arrives": "11:45", "departs": "11:50", "km": "100", "fare": "180.00"},
        {"place": "Srirangapatna", "arrives": "12:20", "departs": "12:25", "km": "128", "fare": "230.00"},
        {"place": "Mysuru", "arrives": "12:45", "departs": None, "km": "145", "fare": "260.00"},
    ],
    "runs_on": "daily", "first_date": None, "last_date": None,
    "seasons": [], "days_off": [], "extra_days": [],
    "sales_days": 14, "sells_until": "0 minutes", "refund_percent": "50", "alight_refund_percent": "0",
    "max_seats": 6, "queue_limit": 200, "phone_required": True, "nouns": {"service": "bus", "seat": "seat"},
    "seat_classes": [], "fare_rules": [], "concessions": [], "refund_tiers": [],
    "blocked_seats": [], "women_seats": [], "accessible_seats": [], "shortest_segment_km": None,
    "short_segments_open": None, "max_seats_per_account": None,
    "exchange_fee": "0.00", "exchange_until": "0 minutes",
    "max_transfers": 3, "no_show_sells": False, "offer_hours": 24, "alternative_hours": 24,
    "whole_refund_delay": None, "payment": "none", "payment_minutes": 60,
}  # fmt: skip


def document(database: Database, bus_id: int) -> Any:
    return database.value("SELECT api.service(%s)", bus_id)


def test_document_of_a_service(database: Database) -> None:
    assert document(database, 1) == DAY_BUS
    assert document(database, 99) is None


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("'-90 minutes'", "-1 hours -30 minutes"),
        ("'16:00'", "16 hours"),
        ("'1 day 01:01'", "1 day 1 hour 1 minute"),
        ("'-1 day'", "-1 days"),
        ("'36 hours'", "36 hours"),
    ],
)
def test_durations_of_a_document(database: Database, written: str, shown: str) -> None:
    assert database.value(f"SELECT api.format_duration({written})") == shown
    assert database.value(f"SELECT '{shown}'::interval = {written}")


@pytest.mark.parametrize(
    ("days", "shown"),
    [
        ([1, 2, 3, 4, 5, 6, 7], "daily"),
        ([], "never"),
        ([7, 1], "Mon Sun"),
        ([5, 4, 3, 2, 1], "Mon-Fri"),
        ([1, 3, 4, 6, 7, 6], "Mon Wed Thu Sat Sun"),
        ([2, 3, 4, 6], "Tue-Thu Sat"),
    ],
)
def test_weekdays_of_a_document(database: Database, days: list[int], shown: str) -> None:
    assert database.value("SELECT api.format_weekdays(%s)", days) == shown


@pytest.mark.parametrize("written", ["22:00", "24:05", "100:59", "1d 00:00", "28d 14:00", "0:07"])
def test_times_of_a_document(database: Database, written: str) -> None:
    shown = database.value("SELECT api.format_time(api.next_time('0', %s))", written)
    assert shown == written.zfill(5)


def test_place_with_an_ambiguous_name_is_shown_by_its_code(database: Database) -> None:
    database.query("INSERT INTO places (code, name, aliases) VALUES ('ELSEWHERE', 'Elsewhere', '{mandya}')")
    places = [stop["place"] for stop in document(database, 1)["stops"]]
    assert places == ["Bengaluru", "Ramanagara", "MNDY", "Srirangapatna", "Mysuru"]


def test_named_layout_is_shown_by_its_name(database: Database) -> None:
    database.query("INSERT INTO layouts SELECT 'twenty', layout FROM bus_info WHERE bus_id = 1")
    assert document(database, 1)["layout"] == "twenty"


# A repeating route -----------------------------------------------------------------------------

NIGHTS = """
    Mysuru | -        | 14:00    | 0 |   0
    Mysuru | 1d 11:00 | 1d 14:00 | 0 | 100
    Mysuru | 2d 11:00 | 2d 14:00 | 1 | 250
    Mysuru | 3d 11:00 | -        | 2 | 350
"""


@pytest.mark.parametrize("repeat_legs", [1, 2])
def test_document_of_a_repeating_route_has_the_repeated_legs_once(
    database: Database, repeat_legs: int
) -> None:
    database.query(
        "SELECT api.add_service(7, 'Lodge', 'KSRTC', 'ss', %s, repeat_legs => %s, runs_on => 'never')",
        NIGHTS, repeat_legs,
    )  # fmt: skip
    before = document(database, 7)
    assert [stop["departs"] for stop in before["stops"]] == ["14:00", "1d 14:00", "2d 14:00", None]
    database.query("SELECT api.add_trip(7, '2026-11-30'), api.open_sales(7)")
    assert database.value("SELECT count(*) FROM route_table WHERE bus_id = 7") > 60
    assert document(database, 7) == before


def test_document_of_a_repeating_route_leaves_out_written_repetitions(database: Database) -> None:
    days = range(1, 15)
    night = "Mysuru | {n}d 11:00 | {n}d 14:00 | 0 | {fare}"
    stops = [night.format(n=n, fare=n * 100 + n // 7 * 50) for n in days]
    written = "\n".join(["Mysuru | - | 14:00 | 0 | 0", *stops])
    database.query(
        "SELECT api.add_service(7, 'Lodge', 'K', 'ss', %s, repeat_legs => 7, runs_on => 'never')", written
    )
    assert len(document(database, 7)["stops"]) == 9
    assert document(database, 7)["stops"][-1]["departs"] is None


# The calendar ----------------------------------------------------------------------------------


def running(database: Database, first: date, days: int) -> list[int]:
    """The days of the month on which service 1 runs."""
    return database.query(
        "SELECT extract(day FROM day)::int FROM bus_info b, api.running_days(b, %s, %s) AS day "
        "WHERE bus_id = 1 ORDER BY day",
        first, first + timedelta(days=days - 1),
    )  # fmt: skip


def test_calendar(database: Database) -> None:
    """2026-12-07 is a Monday."""
    monday = date(2026, 12, 7)
    database.query("UPDATE bus_info SET runs_on = '{1,2,3,4,5}' WHERE bus_id = 1")
    assert running(database, monday, 14) == [7, 8, 9, 10, 11, 14, 15, 16, 17, 18]
    database.query("INSERT INTO seasons VALUES (1, '2026-12-10', '2026-12-16', '{6,7}')")
    assert running(database, monday, 14) == [7, 8, 9, 12, 13, 17, 18]
    database.query(
        "INSERT INTO calendar_dates VALUES (1, '2026-12-08', false), (1, '2026-12-12', false), "
        "(1, '2026-12-20', true), (1, '2026-12-11', true)"
    )
    assert running(database, monday, 14) == [7, 9, 11, 13, 17, 18, 20]
    database.query("UPDATE bus_info SET first_date = '2026-12-12' WHERE bus_id = 1")
    assert running(database, monday, 14) == [13, 17, 18, 20]
    assert document(database, 1)["seasons"] == [
        {"first_date": "2026-12-10", "last_date": "2026-12-16", "runs_on": "Sat Sun"}
    ]
    assert document(database, 1)["days_off"] == ["2026-12-08", "2026-12-12"]
    assert document(database, 1)["extra_days"] == ["2026-12-11", "2026-12-20"]


def test_sales_follow_the_calendar(database: Database) -> None:
    database.query(
        "SELECT api.add_service(7, 'Bus', 'K', 'ss', E'Mysuru|-|09:00|0|0\\nOoty|11:00|-|9|9', "
        "runs_on => 'never', sales_days => 9)"
    )
    database.query("INSERT INTO seasons VALUES (7, '2026-12-02', '2026-12-04', '{1,2,3,4,5,6,7}')")
    database.query("INSERT INTO calendar_dates VALUES (7, '2026-12-03', false), (7, '2026-12-09', true)")
    assert database.value("SELECT api.open_sales(7)") == 3
    dates = "SELECT travel_date::text FROM trips WHERE bus_id = 7 ORDER BY 1"
    assert database.query(dates) == ["2026-12-02", "2026-12-04", "2026-12-09"]


# Fares of segments -----------------------------------------------------------------------------


def test_fare_of_a_segment_is_used_everywhere(database: Database, api: SchemaApi) -> None:
    database.query("UPDATE route_table SET fares[2] = 99.50 WHERE bus_id = 1 AND stop_no = 2")
    (trip,) = api.read("search", origin="Ramanagara", destination="Srirangapatna", date=DAY)["trips"]
    assert trip["fare"] == "99.50"
    stops = {"from_stop": 2, "to_stop": 4}
    assert api.read("seat_map", bus_id=1, travel_date=DAY, **stops)["fare"] == "99.50"
    booking = api.book(1, 2, **stops)
    assert booking["fare"] == "199.00"
    assert database.query(
        "SELECT fare::text FROM vacancy "
        "WHERE bus_id = 1 AND travel_date = %s AND from_stop = 2 AND to_stop > 3 ORDER BY to_stop",
        DAY,
    ) == ["99.50", "170.00"]
    assert document(database, 1)["segment_fares"] == [{"from_stop": 2, "to_stop": 4, "fare": "99.50"}]


@pytest.mark.parametrize(
    ("fares", "refunds"),
    [
        ([], ["85.00", "40.00", "15.00"]),
        ([(1, 5, 200)], ["55.00", "10.00", "0.00"]),  # the fare to stop 4 exceeds that of the journey
        ([(1, 3, 240)], ["85.00", "10.00", "10.00"]),  # stop 4 refunds no more than stop 3
        ([(1, 2, 0)], ["130.00", "40.00", "15.00"]),
    ],
)
def test_refund_for_alighting_early_is_a_part_of_the_fare_paid(
    database: Database, api: SchemaApi, fares: list[Any], refunds: list[str]
) -> None:
    database.query("UPDATE bus_info SET alight_refund_percent = 50 WHERE bus_id = 1")
    for from_stop, to_stop, fare in fares:
        database.query(
            "UPDATE route_table SET fares[%s] = %s WHERE bus_id = 1 AND stop_no = %s",
            to_stop - from_stop,
            fare,
            from_stop,
        )
    booking = api.book(1)
    stops = api.read("alight_quote", reference=booking["reference"], phone="+919845012345")["stops"]
    assert [stop["refund"] for stop in stops] == refunds
