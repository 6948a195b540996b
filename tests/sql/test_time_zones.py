"""Time zones and changes of the clock: times of trips, durations, and the trips of a boarding date."""

from datetime import datetime

import pytest

from tests.conftest import Clock, Database
from tests.support.schema_api import ASHA, DAY, SchemaApi

KIRITIMATI, PAGO_PAGO = "Pacific/Kiritimati", "Pacific/Pago_Pago"  # UTC+14 and UTC-11
ZONES = (
    "Asia/Kolkata", "Europe/Berlin", "America/New_York", "America/St_Johns", KIRITIMATI, PAGO_PAGO,
    "Australia/Lord_Howe", "Pacific/Chatham",
    "America/Havana", "Atlantic/Azores",  # midnight is repeated in autumn
    "Asia/Beirut",  # midnight is left out in spring
)  # fmt: skip


def add_service(database: Database, stops: str, zone: str, **places: str) -> None:
    """Add service 7, with trips from 2026-12-01 to 2026-12-15. places: the time zones of places."""
    for code, place_zone in places.items():
        database.query("UPDATE places SET time_zone = %s WHERE code = %s", place_zone, code)
    database.query(
        "SELECT api.add_service(7, 'Far', 'KSRTC', 'ss', %s, time_zone => %s, sales_days => 14)", stops, zone
    )


def times_on(database: Database, date: str, zone: str) -> list[str]:
    """The local departure or arrival of each stop of service 7 on a travel date."""
    database.query("SET TimeZone = 'America/Los_Angeles'")  # the session's zone does not matter
    return database.query(
        "SELECT to_char(api.instant(%s, coalesce(departs, arrives), s.time_zone) AT TIME ZONE %s, "
        "'DD HH24:MI') FROM route_table JOIN bus_info s USING (bus_id) WHERE bus_id = 7 ORDER BY stop_no",
        date,
        zone,
    )


# Changes of the clock --------------------------------------------------------------------------


NIGHT = """
    Bengaluru | -     | 01:50 | 0 | 0
    Mandya    | 02:40 | 02:40 | 1 | 1
    Mysuru    | 03:10 | -     | 2 | 2
"""


@pytest.mark.parametrize(
    ("date", "times"),
    [
        ("2027-03-27", ["27 01:50", "27 02:40", "27 03:10"]),
        ("2027-03-28", ["28 00:50", "28 01:40", "28 03:10"]),  # 02:00 is followed by 03:00
        ("2027-10-31", ["31 02:50", "31 02:40", "31 03:10"]),  # 03:00 is followed by 02:00
    ],
)
def test_change_of_the_clock_changes_no_journey_time(database: Database, date: str, times: list[str]) -> None:
    add_service(database, NIGHT, "Europe/Berlin")
    assert times_on(database, date, "Europe/Berlin") == times


def test_delay_is_as_long_at_a_change_of_the_clock(database: Database) -> None:
    add_service(database, NIGHT, "Europe/Berlin")
    database.query(
        "INSERT INTO trips (bus_id, travel_date, delays) "
        "VALUES (7, '2027-03-28', array_fill(interval '30 minutes', '{3}'))"
    )
    assert database.query(
        "SELECT to_char(api.expected(t, r.stop_no, coalesce(r.departs, r.arrives), 'Europe/Berlin') "
        "AT TIME ZONE 'Europe/Berlin', 'DD HH24:MI') FROM trips t JOIN route_table r USING (bus_id) "
        "WHERE t.bus_id = 7 AND t.travel_date = '2027-03-28' ORDER BY r.stop_no"
    ) == ["28 01:20", "28 03:10", "28 03:40"]  # 02:00 is followed by 03:00


def test_time_with_a_day_is_by_the_clock_on_that_day(database: Database) -> None:
    add_service(
        database,
        """
        Chennai | -         | 14:00 | 0 | 0
        Chennai | 1d 11:00  | 14:00 | 1 | 1
        Chennai | 47:00     | 50:00 | 2 | 2
        Chennai | 90d 11:00 | -     | 3 | 3
        """,
        "Europe/Berlin",
    )
    # The clock changes on the 28th, so 24 hours later it is an hour later.
    times = times_on(database, "2027-03-27", "Europe/Berlin")
    assert times == ["27 14:00", "28 14:00", "29 03:00", "25 11:00"]


def test_views_have_the_times_of_the_clock(api: SchemaApi, database: Database) -> None:
    add_service(database, NIGHT, "Europe/Berlin")
    database.query("SELECT api.add_trip(7, '2027-03-28')")
    api.book(1, bus_id=7, travel_date="2027-03-28")
    times = [datetime(2027, 3, 28, 0, 50), datetime(2027, 3, 28, 3, 10)]
    assert database.query("SELECT departs, arrives FROM bookings") == [tuple(times)]
    stops = "SELECT coalesce(departs, arrives) FROM manifest WHERE bus_id = 7 AND travel_date = '2027-03-28'"
    assert database.query(f"{stops} ORDER BY stop_no")[::2] == times


# The session's time zone -----------------------------------------------------------------------


def test_stats_count_from_today_at_the_service(api: SchemaApi, database: Database, clock: Clock) -> None:
    add_service(database, NIGHT, PAGO_PAGO)
    counts = []
    for session in ("UTC", KIRITIMATI, PAGO_PAGO):
        api.conn.execute("SELECT set_config('TimeZone', %s, false)", [session])
        for now in ("2026-12-05 23:59+05:30", "2026-12-06 00:00+05:30", "2026-12-06 23:59-11:00"):
            clock.set(now)
            counts.append(api.conn.execute("SELECT api.stats() -> 'trips'").fetchone())
    assert counts == [(2 * 11 + 10,), (2 * 10 + 10,), (2 * 9 + 9,)] * 3


def test_stop_stays_on_sale_for_a_day_by_the_clock_of_the_service(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    add_service(database, "Bengaluru | - | 14:00 | 0 | 0\nMysuru | 60:00 | - | 9 | 9", "Europe/Berlin")
    database.query("UPDATE bus_info SET sells_until = '1 day' WHERE bus_id = 7")
    database.query("SELECT api.add_trip(7, '2027-03-27')")  # 23 hours before the 28th at 14:00
    trip = {"bus_id": 7, "travel_date": "2027-03-27"}
    search = {"origin": "Bengaluru", "destination": "Mysuru", "date": "2027-03-27"}
    vacancy = "SELECT count(*) FROM vacancy WHERE bus_id = 7 AND travel_date = '2027-03-27'"
    for session in ("UTC", "America/Los_Angeles"):
        for conn in (api.conn, database.conn):
            conn.execute("SELECT set_config('TimeZone', %s, false)", [session])
        clock.set("2027-03-28 13:59+02:00")
        booking = api.book(count=1, **trip)
        quote = {"reference": booking["reference"], "phone": ASHA}
        assert api.read("cancel_quote", **quote)["valid_until"] == "2027-03-28T17:30:00+05:30"
        assert (len(api.read("search", **search)["trips"]), database.value(vacancy)) == (1, 1)
        clock.set("2027-03-28 14:00+02:00")
        assert api.book(count=1, **trip)["reason"] == "departed"
        assert api.cancel(booking)["reason"] == api.read("cancel_quote", **quote)["reason"] == "departed"
        assert database.value(vacancy) == 0
        assert api.read("search", **search)["reason"] == "bad_request"  # it is the day after


def test_sales_open_on_a_day_without_midnight(database: Database) -> None:
    add_service(database, NIGHT, "UTC")
    database.query("SET TimeZone = 'Asia/Beirut'")  # the 28th of March begins at 01:00
    assert database.value("SELECT api.open_sales(7, '2027-03-28', '2027-04-02')") == 6


# Boarding dates --------------------------------------------------------------------------------


def test_trips_of_a_boarding_date_are_those_that_board_on_it(database: Database) -> None:
    """In each pair of zones, on each day of a year, also where midnight is left out or repeated."""
    zones = list(ZONES)
    wrong = """
        SELECT z.name, p.name, t.departs, d.day
        FROM unnest(%s::text[]) AS z (name), unnest(%s::text[]) AS p (name),
             unnest('{00:00,00:30,23:50,30:00,1 day 14:00,364 days 11:00}'::interval[]) AS t (departs),
             generate_series('2027-01-01', '2027-12-31', interval '1 day') AS d (day),
             api.instant(d.day::date, t.departs, z.name) AS departs_at,
             LATERAL (SELECT (departs_at AT TIME ZONE p.name)::date AS boards) AS b
        WHERE NOT d.day > api.last_travel_date_before(b.boards, p.name, t.departs, z.name)
           OR NOT d.day <= api.last_travel_date_before(b.boards + 1, p.name, t.departs, z.name)
    """
    assert database.query(wrong, zones, zones) == []


@pytest.mark.parametrize(
    ("zone", "zone_at_stop", "departs", "travel_date", "boards"),
    [
        (KIRITIMATI, PAGO_PAGO, "00:30", "2026-12-07", "2026-12-05T23:30:00-11:00"),
        (PAGO_PAGO, KIRITIMATI, "23:30", "2026-12-03", "2026-12-05T00:30:00+14:00"),
    ],
)
def test_trip_is_found_on_the_date_at_its_stop_in_every_zone(
    api: SchemaApi,
    database: Database,
    zone: str,
    zone_at_stop: str,
    departs: str,
    travel_date: str,
    boards: str,
) -> None:
    add_service(
        database, f"Chennai | - | {departs} | 0 | 0\nOoty | 30:00 | - | 0 | 0", zone, CHEN=zone_at_stop
    )
    journey = {"origin": "Chennai", "destination": "Ooty"}
    found = api.read("search", **journey, date=DAY)["trips"]
    assert [(trip["travel_date"], trip["departs_at"]) for trip in found] == [(travel_date, boards)]
    booking = api.book(1, bus_id=7, travel_date=travel_date, **journey)
    for date, references in ((DAY, [booking["reference"]]), (travel_date, [])):
        assert api.read("find", phone=ASHA, date=date, place="Chennai")["references"] == references


def test_dates_on_sale_are_in_the_time_zone_of_the_place(api: SchemaApi, database: Database) -> None:
    add_service(database, "Chennai | - | 00:30 | 0 | 0\nOoty | 01:30 | - | 0 | 0", KIRITIMATI, CHEN=PAGO_PAGO)
    journey = {"origin": "Chennai", "destination": "Ooty"}
    served = api.read("places")
    assert served["on_sale_from"] == "2026-11-30"  # at Chennai
    assert served["on_sale_until"] == "2026-12-16"  # of service 2, from Mysuru
    last = "2026-12-13"  # the trip of the 15th, which leaves at 10:30 UTC of the 14th
    assert len(api.read("search", **journey, date=last)["trips"]) == 1
    refusal = api.read("search", **journey, date="2026-12-14")
    assert (refusal["message"], refusal["takes"]) == (f"Sales are open up to {last}.", f"a date up to {last}")


def test_date_is_past_when_it_is_past_at_all_places_of_a_region(
    api: SchemaApi, database: Database, clock: Clock
) -> None:
    database.query("UPDATE places SET time_zone = %s WHERE code = 'MYSU'", PAGO_PAGO)
    clock.set("2026-12-05 06:00+05:30")  # the 4th in Mysuru
    journey = {"origin": "Karnataka", "destination": "Ooty"}
    assert api.read("search", **journey, date="2026-12-04") == {"trips": []}
    past = api.read("search", **journey, date="2026-12-03")
    assert past["message"] == "2026-12-03 is in the past; today is 2026-12-04."
