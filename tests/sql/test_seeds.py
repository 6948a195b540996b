"""The timetables of sql/9*.sql: they load, once and again, spare an operator's edits, and make sense."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

from busware.server.db import schema
from busware.server.settings import Settings
from tests.conftest import NOW, Database, Running, stop_clock
from tests.support.schema_api import ASHA, DAY, audit

FILES = sorted(schema.FOLDER.glob("9*.sql"))
CITIES = (
    "Bengaluru", "Mysuru", "Chennai", "Hyderabad", "Kochi",
    "Coimbatore", "Madurai", "Tirupati", "Goa", "Vijayawada",
)  # fmt: skip
KMH = (15, 95)  # between the wheels' turning at one stop and their standing at the next
RUPEES_A_KM = (0.7, 6.0)
LONGEST_HALT = 75 * 60  # seconds


class Service(NamedTuple):
    """A bus, and its calls: stop_no, place, arrives, departs (seconds since midnight), km, fare."""

    bus_id: int
    bus_type: str
    ac: bool
    operator: str
    stops: list[Any]


@pytest.fixture(scope="module")
def seeded(cluster: Running) -> Iterator[Database]:
    """A database with the timetables loaded at NOW, as a server's start loads them. No test changes it."""
    urls = cluster.urls("seeded")
    with cluster.database("seeded"):
        schema.prepare(*urls, Settings(seed=False))
        with psycopg.connect(urls[0], autocommit=True) as conn:
            stop_clock(conn, NOW)
            schema.prepare(*urls)
            yield Database(*urls, conn)


@pytest.fixture
def undone(seeded: Database) -> Iterator[Database]:
    """The same in a transaction that is rolled back."""
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
    """A digest of every table but the time at which a file was loaded."""
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


def test_a_second_load_changes_nothing(undone: Database) -> None:
    before = contents(undone)
    assert before["seats"] and before["route_table"]
    for file in FILES:
        load(undone, file)
    assert contents(undone) == before


def test_an_operators_edits_survive_a_load(undone: Database) -> None:
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
        undone.query(edit)
    before = contents(undone)
    for file in FILES:
        load(undone, file)
    assert contents(undone) == before


def test_what_is_missing_is_loaded(undone: Database) -> None:
    before = contents(undone)
    undone.query("SELECT api.delete_service(101)")
    undone.query("DELETE FROM layouts WHERE name = '2+2 pushback 40'")
    for file in FILES:
        load(undone, file)
    assert contents(undone) == before


def test_every_seat_of_the_drawing_is_on_sale_on_every_trip(seeded: Database) -> None:
    others = """
        SELECT t.bus_id, t.travel_date FROM trips t
        WHERE ARRAY(SELECT p.seat_no FROM seat_plan p WHERE p.bus_id = t.bus_id ORDER BY 1)
           <> ARRAY(SELECT s.seat_no FROM seats s
                    WHERE s.bus_id = t.bus_id AND s.travel_date = t.travel_date ORDER BY 1)"""
    assert seeded.query(others) == []
    idle = "SELECT bus_id FROM bus_info s WHERE NOT EXISTS (SELECT FROM trips t WHERE t.bus_id = s.bus_id)"
    assert seeded.query(idle) == []


# Sense, for every kind of service ---------------------------------------------------------------


def test_every_stretch_takes_time_and_costs_money(seeded: Database) -> None:
    wrong = """
        SELECT a.bus_id, a.stop_no, b.stop_no FROM route_table a
        JOIN route_table b ON b.bus_id = a.bus_id AND b.stop_no > a.stop_no
        WHERE NOT (b.arrives > a.departs AND b.fare > a.fare AND b.km >= a.km)"""
    assert seeded.query(wrong) == []


def test_a_route_begins_with_a_departure_and_ends_with_an_arrival(seeded: Database) -> None:
    ends = """
        SELECT bus_id FROM (SELECT *, max(stop_no) OVER (PARTITION BY bus_id) AS last FROM route_table) AS r
        WHERE (stop_no > 1) <> (arrives IS NOT NULL) OR (stop_no < last) <> (departs IS NOT NULL)
           OR stop_no = 1 AND (km, fare, departs >= interval '24 hours') <> (0, 0, false)"""
    assert seeded.query(ends) == []


def test_no_two_places_go_by_one_name(seeded: Database) -> None:
    names = seeded.query("""
        SELECT lower(name), array_agg(DISTINCT code) FROM (
            SELECT code, unnest(ARRAY[code, name] || aliases) FROM places) AS word (code, name)
        GROUP BY 1 HAVING count(DISTINCT code) > 1""")
    assert names == []


def test_every_place_is_called_at_or_contains_one_that_is(seeded: Database) -> None:
    called = {place["code"] for place in seeded.value("SELECT api.places()")["places"]}
    assert called == set(seeded.query("SELECT code FROM places"))


# Sense, for the buses of South India ------------------------------------------------------------


def test_there_is_enough_of_everything(buses: list[Service]) -> None:
    assert len(buses) >= 40
    assert all(5 <= len(bus.stops) <= 14 for bus in buses)
    assert len({bus.operator for bus in buses}) >= 5
    kinds = Counter((bus.bus_type, bus.ac) for bus in buses)
    assert {bus_type for bus_type, _ in kinds} == {"SLEEPER", "SEMI_SLEEPER", "SEATER"}
    assert {ac for _, ac in kinds} == {True, False}
    overnight = [bus for bus in buses if bus.stops[-1][2] > 24 * 3600]
    assert 10 <= len(overnight) <= len(buses) - 10


def test_every_city_is_served_and_every_road_both_ways(seeded: Database, buses: list[Service]) -> None:
    ends = {(bus.stops[0][1], bus.stops[-1][1]) for bus in buses}
    assert {(there, back) for back, there in ends} == ends
    codes = {city: set(seeded.value("SELECT api.place_codes(%s)", city)) for city in CITIES}
    names = dict(seeded.query("SELECT name, code FROM places"))
    called = {names[stop[1]] for bus in buses for stop in bus.stops}
    assert [city for city in CITIES if not codes[city] & called] == []
    roads = [[stop[1] for stop in bus.stops] for bus in buses]
    assert any({"Bengaluru", "Mandya", "Mysuru"} <= set(road) for road in roads)


def test_times_distances_and_fares_are_believable(buses: list[Service]) -> None:
    strange = []
    for bus in buses:
        for (_, here, arrived, departs, km, fare), (_, there, arrives, _, next_km, next_fare) in pairwise(
            bus.stops
        ):
            speed = (next_km - km) / ((arrives - departs) / 3600)
            rate = (next_fare - fare) / (next_km - km)
            halt = departs - (arrived or departs)
            if not (
                KMH[0] <= speed <= KMH[1]
                and RUPEES_A_KM[0] <= rate <= RUPEES_A_KM[1]
                and halt <= LONGEST_HALT
            ):
                strange.append(f"{bus.bus_id} {here} – {there}: {speed:.0f} km/h, {rate:.2f} ₹/km, {halt} s")
    assert strange == []


def test_a_bus_calls_at_a_town_once(buses: list[Service]) -> None:
    for bus in buses:
        assert len({stop[1] for stop in bus.stops}) == len(bus.stops), bus.bus_id


def test_a_layout_fits_its_bus(seeded: Database) -> None:
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


def test_every_leg_of_every_service_is_sold(undone: Database) -> None:
    sold = undone.query(
        """
        SELECT api.book(a.bus_id, t.travel_date, from_stop => a.stop_no, to_stop => a.stop_no + 1, count => 1,
                        phone => %s) ->> 'status', count(*)
        FROM route_table a CROSS JOIN LATERAL (
            SELECT min(travel_date) AS travel_date FROM trips WHERE bus_id = a.bus_id AND travel_date >= %s
        ) AS t
        WHERE a.departs IS NOT NULL GROUP BY 1""",
        ASHA,
        DAY,
    )
    assert [status for status, _ in sold] == ["booked"]
    assert audit(undone.conn) == []


def test_every_bus_is_found_by_the_names_of_its_ends(seeded: Database, buses: list[Service]) -> None:
    first = "SELECT min(travel_date) FROM trips WHERE bus_id = %s AND travel_date >= %s"
    for bus in buses:
        day = seeded.value(first, bus.bus_id, DAY)
        ends = bus.stops[0][1].upper(), bus.stops[-1][1]
        found = seeded.value("SELECT api.search(%s, %s, %s)", *ends, day)
        assert bus.bus_id in [trip["bus_id"] for trip in found["trips"]]
