"""The timetables of sql/9*.sql: they load repeatedly, keep an operator's edits, and are plausible."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

from busware.server.db import schema
from busware.server.settings import Settings
from tests.conftest import NOW, Cluster, Database, stop_clock
from tests.support.schema_api import ASHA, DAY, audit

FILES = sorted(schema.FOLDER.glob("9*.sql"))
CITIES = (
    "Bengaluru", "Mysuru", "Chennai", "Hyderabad", "Kochi",
    "Coimbatore", "Madurai", "Tirupati", "Goa", "Vijayawada",
)  # fmt: skip
KMH = (15, 95)  # average speed between two stops
RUPEES_PER_KM = (0.7, 6.0)
LONGEST_STOP_SECONDS = 75 * 60


class Service(NamedTuple):
    """A bus service. stops: [stop_no, place, arrives, departs (seconds since midnight), km, fare]."""

    bus_id: int
    bus_type: str
    ac: bool
    operator: str
    stops: list[Any]


@pytest.fixture(scope="module")
def seeded(cluster: Cluster) -> Iterator[Database]:
    """A database with the timetables, loaded at NOW as a server loads them. No test changes it."""
    urls = cluster.urls("seeded")
    with cluster.database("seeded"):
        schema.prepare(*urls, Settings(seed=False))
        with psycopg.connect(urls[0], autocommit=True) as conn:
            stop_clock(conn, NOW)
            schema.prepare(*urls)
            yield Database(*urls, conn)


@pytest.fixture
def rolled_back(seeded: Database) -> Iterator[Database]:
    """The database `seeded` in a transaction that is rolled back after the test."""
    with seeded.connect(autocommit=False) as conn:
        yield Database(seeded.owner, seeded.server, conn)
        conn.rollback()


@pytest.fixture(scope="module")
def buses(seeded: Database) -> list[Service]:
    rows = seeded.query("""
        SELECT s.bus_id, s.bus_type, s.ac, s.operator, array_agg(jsonb_build_array(r.stop_no, p.name,
            extract(epoch FROM r.arrives), extract(epoch FROM r.departs), r.km, r.fare) ORDER BY r.stop_no)
        FROM bus_info s JOIN route_table r USING (bus_id) JOIN places p ON p.code = r.place
        WHERE s.kind = 'bus' GROUP BY s.bus_id ORDER BY s.bus_id""")
    return [Service(*row) for row in rows]


def load(database: Database, file: Path) -> None:
    schema.load_seed(database.conn, file)


def contents(database: Database) -> dict[str, str]:
    """A digest of each table, without the times at which files were loaded."""
    tables = database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    row = "to_jsonb(t) - 'loaded_at'"
    digest = "SELECT md5(string_agg(({row})::text, '' ORDER BY ({row})::text)) FROM {table} t".replace(
        "{row}", row
    )
    return {
        name: database.conn.execute(sql.SQL(digest).format(table=sql.Identifier(name))).fetchone()[0]  # type: ignore[arg-type, index]
        for name in tables
    }


# Loading ---------------------------------------------------------------------------------------


def test_every_file_is_loaded_and_recorded(seeded: Database) -> None:
    assert len(FILES) >= 7
    assert seeded.query("SELECT name FROM seeds_loaded ORDER BY name") == [file.stem for file in FILES]
    assert audit(seeded.conn) == []


def test_a_second_load_changes_nothing(rolled_back: Database) -> None:
    before = contents(rolled_back)
    assert before["seats"] and before["route_table"]
    for file in FILES:
        load(rolled_back, file)
    assert contents(rolled_back) == before


def test_load_keeps_an_operators_edits(rolled_back: Database) -> None:
    edits = [
        "UPDATE bus_info SET name = 'Renamed', refund_percent = 80 WHERE bus_id = 101",
        "UPDATE route_table SET fare = fare + 10, departs = departs + interval '5 minutes' "
        "WHERE bus_id = 101 AND stop_no < 7",
        "UPDATE places SET aliases = aliases || '{Nonesuch}', name = 'Mandya Town' WHERE name = 'Mandya'",
        "UPDATE layouts SET drawing = 'ss' WHERE name = '2+2 pushback 40'",
        "UPDATE trips SET state = 'cancelled', reason = 'Strike.' WHERE bus_id = 102",
        "DELETE FROM seats WHERE bus_id = 103 AND seat_no = 54",
        "DELETE FROM seat_plan WHERE bus_id = 103 AND seat_no = 54",
        f"SELECT api.end_service(104, '{DAY}')",
    ]
    for edit in edits:
        rolled_back.query(edit)
    before = contents(rolled_back)
    for file in FILES:
        load(rolled_back, file)
    assert contents(rolled_back) == before


def test_load_adds_what_is_missing(rolled_back: Database) -> None:
    before = contents(rolled_back)
    for table in ("seats", "trips", "route_table", "seat_plan", "bus_info"):
        rolled_back.query(f"DELETE FROM {table} WHERE bus_id = 101")
    rolled_back.query("DELETE FROM layouts WHERE name = '2+2 pushback 40'")
    for file in FILES:
        load(rolled_back, file)
    assert contents(rolled_back) == before


def test_every_seat_of_the_layout_is_on_sale_on_every_trip(seeded: Database) -> None:
    incomplete = """
        SELECT t.bus_id, t.travel_date FROM trips t
        WHERE ARRAY(SELECT p.seat_no FROM seat_plan p WHERE p.bus_id = t.bus_id ORDER BY 1)
           <> ARRAY(SELECT s.seat_no FROM seats s
                    WHERE s.bus_id = t.bus_id AND s.travel_date = t.travel_date ORDER BY 1)"""
    assert seeded.query(incomplete) == []
    without_trips = (
        "SELECT bus_id FROM bus_info s WHERE NOT EXISTS (SELECT FROM trips t WHERE t.bus_id = s.bus_id)"
    )
    assert seeded.query(without_trips) == []


# Plausibility, for every kind of service --------------------------------------------------------


def test_every_segment_takes_time_and_costs_money(seeded: Database) -> None:
    wrong = """
        SELECT a.bus_id, a.stop_no, b.stop_no FROM route_table a
        JOIN route_table b ON b.bus_id = a.bus_id AND b.stop_no > a.stop_no
        WHERE NOT (b.arrives > a.departs AND b.fare > a.fare AND b.km >= a.km)"""
    assert seeded.query(wrong) == []


def test_route_begins_with_a_departure_and_ends_with_an_arrival(seeded: Database) -> None:
    wrong = """
        SELECT bus_id FROM (SELECT *, max(stop_no) OVER (PARTITION BY bus_id) AS last FROM route_table) AS r
        WHERE (stop_no > 1) <> (arrives IS NOT NULL) OR (stop_no < last) <> (departs IS NOT NULL)
           OR stop_no = 1 AND (km, fare, departs >= interval '24 hours') <> (0, 0, false)"""
    assert seeded.query(wrong) == []


def test_names_of_places_are_unique(seeded: Database) -> None:
    names = seeded.query("""
        SELECT lower(name), array_agg(DISTINCT code) FROM (
            SELECT code, unnest(ARRAY[code, name] || aliases) FROM places) AS word (code, name)
        GROUP BY 1 HAVING count(DISTINCT code) > 1""")
    assert names == []


def test_every_place_has_a_stop_in_it(seeded: Database) -> None:
    served = {place["code"] for place in seeded.value("SELECT api.places()")["places"]}
    assert served == set(seeded.query("SELECT code FROM places"))


# Plausibility, for the buses of South India -----------------------------------------------------


def test_services_are_varied(buses: list[Service]) -> None:
    assert len(buses) >= 40
    assert all(5 <= len(bus.stops) <= 14 for bus in buses)
    assert len({bus.operator for bus in buses}) >= 5
    kinds = Counter((bus.bus_type, bus.ac) for bus in buses)
    assert {bus_type for bus_type, _ in kinds} == {"SLEEPER", "SEMI_SLEEPER", "SEATER"}
    assert {ac for _, ac in kinds} == {True, False}
    overnight = [bus for bus in buses if bus.stops[-1][2] > 24 * 3600]
    assert 10 <= len(overnight) <= len(buses) - 10


def test_every_city_is_served_and_every_route_runs_both_ways(seeded: Database, buses: list[Service]) -> None:
    ends = {(bus.stops[0][1], bus.stops[-1][1]) for bus in buses}
    assert {(there, back) for back, there in ends} == ends
    codes = {city: set(seeded.value("SELECT api.place_codes(%s)", city)) for city in CITIES}
    names = dict(seeded.query("SELECT name, code FROM places"))
    served = {names[stop[1]] for bus in buses for stop in bus.stops}
    assert [city for city in CITIES if not codes[city] & served] == []
    routes = [[stop[1] for stop in bus.stops] for bus in buses]
    assert any({"Bengaluru", "Mandya", "Mysuru"} <= set(route) for route in routes)


def test_times_distances_and_fares_are_plausible(buses: list[Service]) -> None:
    implausible = []
    for bus in buses:
        for (_, here, arrived, departs, km, fare), (_, there, arrives, _, next_km, next_fare) in pairwise(
            bus.stops
        ):
            speed = (next_km - km) / ((arrives - departs) / 3600)
            rate = (next_fare - fare) / (next_km - km)
            stopped = departs - (arrived or departs)
            if not (
                KMH[0] <= speed <= KMH[1]
                and RUPEES_PER_KM[0] <= rate <= RUPEES_PER_KM[1]
                and stopped <= LONGEST_STOP_SECONDS
            ):
                implausible.append(
                    f"{bus.bus_id} {here} – {there}: {speed:.0f} km/h, {rate:.2f} ₹/km, {stopped} s"
                )
    assert implausible == []


def test_bus_stops_once_in_each_town(buses: list[Service]) -> None:
    for bus in buses:
        assert len({stop[1] for stop in bus.stops}) == len(bus.stops), bus.bus_id


def test_layout_fits_the_type_of_bus(seeded: Database) -> None:
    drawn = seeded.query("""
        SELECT s.bus_id, s.bus_type, count(*), count(*) FILTER (WHERE p.kind = 'berth'),
               max(p.row_no), max(p.column_no)
        FROM bus_info s JOIN seat_plan p USING (bus_id) WHERE s.kind = 'bus' GROUP BY s.bus_id""")
    for bus_id, bus_type, seats, berths, rows, columns in drawn:
        assert 20 <= seats <= 60, bus_id
        assert bus_type != "SEATER" or berths == 0, bus_id
        assert bus_type != "SLEEPER" or berths == seats, bus_id
        assert rows <= 14, bus_id
        assert 3 <= columns <= 6, bus_id


# On sale ---------------------------------------------------------------------------------------


def test_every_leg_of_every_service_is_sold(rolled_back: Database) -> None:
    """Of the hotel, only the first 400 legs: the later ones repeat them."""
    sold = rolled_back.query(
        """
        SELECT api.book(a.bus_id, t.travel_date, from_stop => a.stop_no, to_stop => a.stop_no + 1, count => 1,
                        phone => %s) ->> 'status', count(*)
        FROM route_table a JOIN bus_info s USING (bus_id) CROSS JOIN LATERAL (
            SELECT min(t.travel_date) AS travel_date FROM trips t WHERE t.bus_id = a.bus_id
            AND api.instant(t.travel_date, a.departs + s.sells_until, s.time_zone) > api.now()
        ) AS t
        WHERE a.departs IS NOT NULL AND t.travel_date IS NOT NULL AND a.stop_no <= 400 GROUP BY 1""",
        ASHA,
    )
    assert [status for status, _ in sold] == ["booked"]
    assert audit(rolled_back.conn) == []


def test_every_bus_is_found_by_its_first_and_last_stop(seeded: Database, buses: list[Service]) -> None:
    first = "SELECT min(travel_date) FROM trips WHERE bus_id = %s AND travel_date >= %s"
    for bus in buses:
        day = seeded.value(first, bus.bus_id, DAY)
        ends = bus.stops[0][1].upper(), bus.stops[-1][1]
        found = seeded.value("SELECT api.search(%s, %s, %s)", *ends, day)
        assert bus.bus_id in [trip["bus_id"] for trip in found["trips"]]


# The hotel -------------------------------------------------------------------------------------

MONDAY = date(2026, 11, 30)
SEASONS = [MONDAY + timedelta(364 * n) for n in range(3)]
NIGHTS = "SELECT count(*) - 1 FROM route_table WHERE bus_id = 901"
TRIPS = "SELECT travel_date FROM trips WHERE bus_id = 901 ORDER BY 1"


def stays(database: Database, check_in: date, nights: int) -> list[Any]:
    """What a search for a stay finds."""
    found = database.value(
        "SELECT api.search('Hotel', 'Hotel', %s, %s)", check_in, check_in + timedelta(nights)
    )
    return list(found["trips"])


def book_stay(database: Database, check_in: date, nights: int) -> Any:
    (stay,) = stays(database, check_in, nights)
    return database.value(
        "SELECT api.book(901, %s, from_stop => %s, to_stop => %s, count => 1)",
        *(stay[name] for name in ("travel_date", "from_stop", "to_stop")),
    )


def make_seasons(database: Database) -> None:
    """Make the hotel as version 0.1.0 made it: a trip for each of three seasons of 52 weeks."""
    database.query("DELETE FROM route_table WHERE bus_id = 901 AND stop_no > 365")
    database.query("UPDATE route_table SET departs = NULL WHERE bus_id = 901 AND stop_no = 365")
    database.query("UPDATE bus_info SET repeat_legs = NULL, sales_days = 60 WHERE bus_id = 901")
    for day in SEASONS[1:]:
        database.query("SELECT api.add_trip(901, %s)", day)


def test_stay_across_the_weeks_and_years_is_one_booking(rolled_back: Database) -> None:
    assert rolled_back.query(TRIPS) == [MONDAY]
    for check_in in (SEASONS[1] - timedelta(1), SEASONS[2] - timedelta(1)):
        (stay,) = stays(rolled_back, check_in, 2)
        assert stay["fare"] == "4800.00"
        assert book_stay(rolled_back, check_in, 2)["status"] == "booked"


@pytest.mark.parametrize(
    ("booked", "trips", "nights"),
    [
        (None, SEASONS[:1], 1099),  # the whole weeks up to three years from today
        (SEASONS[0], SEASONS[:1], 1099),
        (SEASONS[1], SEASONS, 364),
        (SEASONS[2], [SEASONS[0], SEASONS[2]], 728),
    ],
)
def test_seasons_of_version_0_1_0_become_one_trip_up_to_the_first_later_ticket(
    rolled_back: Database, booked: date | None, trips: list[date], nights: int
) -> None:
    make_seasons(rolled_back)
    if booked:
        book_stay(rolled_back, booked + timedelta(7), 2)
    load(rolled_back, FILES[-1])
    assert rolled_back.query(TRIPS) == trips
    assert rolled_back.value(NIGHTS) == nights
    assert audit(rolled_back.conn) == []
    for day in (5, 363, 500, 900):
        assert len(stays(rolled_back, MONDAY + timedelta(day), 1)) == 1  # not in two trips
    assert len(stays(rolled_back, SEASONS[1] - timedelta(1), 2)) == (booked != SEASONS[1])


def test_season_is_added_to_a_hotel_whose_route_cannot_be_longer(rolled_back: Database) -> None:
    """The command is that of docs/upgrading.md."""
    make_seasons(rolled_back)
    book_stay(rolled_back, SEASONS[1] + timedelta(7), 2)
    load(rolled_back, FILES[-1])
    next_season = SEASONS[2] + timedelta(364)
    search = "SELECT api.search('Hotel', 'Hotel', %s)"
    assert rolled_back.value(search, next_season)["reason"] == "bad_request"  # not on sale
    rolled_back.query(
        "SELECT api.add_trip(901, max(t.travel_date) + (SELECT max(r.stop_no) - 1 FROM route_table r "
        "WHERE r.bus_id = 901)) FROM trips t WHERE t.bus_id = 901"
    )
    assert len(stays(rolled_back, next_season, 2)) == 1
    assert audit(rolled_back.conn) == []


def test_ended_hotel_is_on_sale_up_to_its_last_date(rolled_back: Database) -> None:
    rolled_back.query("SELECT api.end_service(901, %s)", MONDAY + timedelta(30))
    assert len(stays(rolled_back, MONDAY + timedelta(30), 1)) == 1
    assert stays(rolled_back, MONDAY + timedelta(30), 2) == []
    later = rolled_back.value("SELECT api.search('Hotel', 'Hotel', %s)", MONDAY + timedelta(31))
    assert later["message"] == "Sales are open up to 2026-12-30."


def test_service_901_of_an_operator_is_not_changed(rolled_back: Database) -> None:
    make_seasons(rolled_back)
    rolled_back.query("UPDATE bus_info SET kind = 'lodge' WHERE bus_id = 901")
    before = contents(rolled_back)
    load(rolled_back, FILES[-1])
    assert contents(rolled_back) == before


def test_flight_takes_the_same_time_on_every_date(seeded: Database) -> None:
    minutes = """
        SELECT a.bus_id, array_agg(DISTINCT extract(epoch FROM
            api.instant(day::date, b.arrives, time_zone)
            - api.instant(day::date, a.departs, time_zone))::int / 60)
        FROM bus_info s
        JOIN route_table a ON a.bus_id = s.bus_id AND a.stop_no = 1
        JOIN route_table b ON b.bus_id = s.bus_id AND b.stop_no = 2,
             generate_series('2027-01-01', '2027-12-31', interval '1 day') AS day
        WHERE s.bus_id IN (703, 705, 707) GROUP BY a.bus_id
    """
    assert dict(seeded.query(minutes)) == {703: [415], 705: [1020], 707: [520]}
