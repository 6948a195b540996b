"""Exports: a feed that gtfs-kit reads, and that makes the same services in another database."""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from busware.server.db import schema
from busware.server.gtfs.exporting import Export, export
from busware.server.gtfs.importing import Changes, put, read
from busware.server.gtfs.mapping import Options
from busware.server.settings import Settings
from tests.conftest import NOW, Cluster, Database, stop_clock
from tests.support.schema_api import audit


@pytest.fixture(scope="module")
def seeded(cluster: Cluster) -> Iterator[Database]:
    """A database with the timetables of sql/9*.sql. No test changes it."""
    urls = cluster.urls("seeded_for_gtfs")
    with cluster.database("seeded_for_gtfs"):
        schema.prepare(*urls, Settings(seed=False))
        with psycopg.connect(urls[0], autocommit=True) as conn:
            stop_clock(conn, NOW)
            schema.prepare(*urls)
            yield Database(*urls, conn)


@pytest.fixture(scope="module")
def exported(seeded: Database) -> Export:
    return export(seeded.conn, None, "https://example.org/")


@pytest.fixture(scope="module")
def archive(exported: Export, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("feed") / "exported.zip"
    with path.open("wb") as file:
        exported.write(file)
    return path


def import_feed(database: Database, path: Path, **options: Any) -> Changes:
    given = Options(**options)
    content = read(path, given, Settings())
    assert content.remarks.faults == content.remarks.left_out == []
    return put(database.conn, content, Settings(), plan=False, partial=False)


def documents(database: Database, numbers: list[int]) -> dict[int, Any]:
    return dict(database.query("SELECT b, api.service(b) FROM unnest(%s::bigint[]) AS b", numbers))


def numbers_of(exported: Export) -> list[int]:
    return [int(trip[2]) for trip in exported.tables["trips.txt"]]


def test_what_is_left_out_is_reported(exported: Export) -> None:
    assert len(exported.tables["trips.txt"]) >= 50
    reasons = {line.partition("): ")[2] for line in exported.left_out}
    assert "GTFS has no type of route for a show." in reasons
    assert "GTFS has no type of route for a hotel." in reasons
    assert any(reason.endswith("and a feed has one.") for reason in reasons)


def test_import_into_the_same_database_changes_nothing(seeded: Database, archive: Path) -> None:
    changes = import_feed(seeded, archive)
    assert {outcome.kind for outcome in changes.outcomes} == {"unchanged"}
    assert not changes.is_possible


def test_import_into_another_database_makes_the_same_services(
    seeded: Database, archive: Path, exported: Export, empty_database: Database
) -> None:
    schema.prepare(empty_database.owner, empty_database.server, Settings(seed=False))
    stop_clock(empty_database.conn, NOW)
    for table in ("places", "layouts"):
        rows = Jsonb(seeded.query(f"SELECT to_jsonb(t) FROM {table} t ORDER BY t"))
        insert = f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s)"
        empty_database.query(insert, rows)
    changes = import_feed(empty_database, archive)
    assert [outcome for outcome in changes.outcomes if outcome.kind != "new"] == []
    numbers = numbers_of(exported)
    assert documents(empty_database, numbers) == documents(seeded, numbers)
    trips = "SELECT bus_id, travel_date FROM trips WHERE bus_id = ANY (%s) ORDER BY 1, 2"
    assert empty_database.query(trips, numbers) == seeded.query(trips, numbers)
    assert audit(empty_database.conn) == []


def test_gtfs_kit_reads_the_same_trips(seeded: Database, archive: Path) -> None:
    import gtfs_kit

    feed = gtfs_kit.read_feed(archive, dist_units="km")
    for day in feed.get_dates()[:40]:
        on_sale = seeded.query(
            "SELECT bus_id::text FROM trips WHERE travel_date = %s AND state = 'open' AND bus_id = ANY (%s)",
            day,
            [int(trip) for trip in feed.trips.trip_id],
        )
        assert sorted(feed.get_trips(date=day).trip_id) == sorted(on_sale)
    fares = feed.fare_rules.merge(feed.fare_attributes, on="fare_id")
    route = feed.trips.set_index("trip_id").route_id["101"]
    of_route = fares[fares.route_id == route].set_index(["origin_id", "destination_id"]).price
    assert of_route["BLRU", "MYSU"] == 260
    assert of_route["MNDY", "SRPT"] == 50


# Single services -------------------------------------------------------------------------------


@pytest.fixture
def export_of(database: Database, clock: Any, tmp_path: Path) -> Callable[[str], dict[str, list[str]]]:
    """A function that exports after a statement, and returns the lines of each file."""

    def run(statement: str) -> dict[str, list[str]]:
        database.query(statement)
        path = tmp_path / "exported.zip"
        with path.open("wb") as file:
            export(database.conn, "KSRTC", "https://example.org/").write(file)
        with zipfile.ZipFile(path) as feed:
            return {name: feed.read(name).decode().splitlines() for name in feed.namelist()}

    return run


def test_cancelled_and_extra_trips_are_exceptions(export_of: Any, database: Database, tmp_path: Path) -> None:
    database.query('SELECT api.put_service(NULL, \'{"bus_id": 1, "runs_on": "Mon-Fri", "sales_days": 30}\')')
    files = export_of("SELECT api.cancel_trip(1, '2026-12-03', 'Strike.'), api.add_trip(1, '2026-12-06')")
    assert files["calendar.txt"][1:] == ["1,1,1,1,1,1,0,0,20261201,20261231"]
    assert files["calendar_dates.txt"][1:] == ["1,20261203,2", "1,20261206,1"]
    import_feed(database, tmp_path / "exported.zip")
    document = database.value("SELECT api.service(1)")
    assert (document["runs_on"], document["first_date"], document["last_date"]) == ("Mon-Fri", None, None)
    assert (document["days_off"], document["extra_days"]) == (["2026-12-03"], ["2026-12-06"])


def test_fares_of_segments_are_exported(export_of: Any) -> None:
    files = export_of("UPDATE route_table SET fares[1] = 55 WHERE bus_id = 1 AND stop_no = 2")
    assert "KSRTC 55.00 INR,1,RMNG,MNDY" in files["fare_rules.txt"]
    assert "KSRTC 260.00 INR,260.00,INR,1,0,KSRTC" in files["fare_attributes.txt"]


def test_stop_without_boarding_is_exported(export_of: Any) -> None:
    files = export_of("UPDATE route_table SET departs = NULL WHERE bus_id = 1 AND stop_no = 3")
    assert files["stop_times.txt"][1:6] == [
        "1,10:00:00,10:00:00,BLRU,1,0,1,0",
        "1,10:50:00,10:55:00,RMNG,2,0,0,50",
        "1,11:45:00,11:45:00,MNDY,3,1,0,100",
        "1,12:20:00,12:25:00,SRPT,4,0,0,128",
        "1,12:45:00,12:45:00,MYSU,5,1,0,145",
    ]


def test_coordinates_are_exported(export_of: Any) -> None:
    files = export_of("UPDATE places SET latitude = 12.97, longitude = 77.57 WHERE code = 'BLRU'")
    assert "BLRU,Bengaluru,12.97,77.57,BLRU,,KA,Asia/Kolkata" in files["stops.txt"]
    assert "KA,Karnataka,,,,1,,Asia/Kolkata" in files["stops.txt"]


CURRENCIES = {
    "JPY": ["0", "900", "1801", "2300", "12600"],
    "KWD": ["0.000", "0.905", "1.800", "2.305", "12.125"],
}


@pytest.mark.parametrize("currency", CURRENCIES)
def test_fares_keep_the_decimals_of_their_currency(
    export_of: Any, database: Database, tmp_path: Path, currency: str
) -> None:
    """Out and in again: the same document."""
    fares = CURRENCIES[currency]
    database.query("UPDATE bus_info SET currency = %s WHERE bus_id = 1", currency)
    for stop_no, fare in enumerate(fares, start=1):
        database.query("UPDATE route_table SET fare = %s WHERE bus_id = 1 AND stop_no = %s", fare, stop_no)
    before = documents(database, [1])
    files = export_of("SELECT")
    assert f"KSRTC {fares[-1]} {currency},{fares[-1]},{currency},1,0,KSRTC" in files["fare_attributes.txt"]
    database.query("TRUNCATE bus_info CASCADE")
    import_feed(database, tmp_path / "exported.zip")
    assert documents(database, [1]) == before
    assert [stop["fare"] for stop in before[1]["stops"]] == fares
