"""Imports into a database: places, services and their ends, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from busware.server.gtfs.archive import FeedError
from busware.server.gtfs.importing import Changes, put
from busware.server.gtfs.mapping import Options
from busware.server.settings import Settings
from tests.conftest import Database
from tests.support.gtfs import FEED, changed, read_files
from tests.support.schema_api import ASHA, audit

LAYOUT = {"layout": "ss.ss\nss.ss"}
SERVICES = """
    SELECT bus_id, source_id, name, operator, last_date::text FROM bus_info
    WHERE source_id IS NOT NULL ORDER BY 1
"""


@pytest.fixture
def importing(database: Database, tmp_path: Path) -> Any:
    """A function that imports FEED with changed files: `importing(files, plan=…, partial=…, **options)`."""

    def run(
        files: dict[str, Any] | None = None, *, plan: bool = False, partial: bool = False, **options: Any
    ) -> Changes:
        given = Options(**{"fields": LAYOUT, "name": "hill"} | options)
        content = read_files(tmp_path, files, given)
        assert content.remarks.faults == []
        changes = put(database.conn, content, Settings(), plan=plan, partial=partial)
        assert audit(database.conn) == []
        return changes

    return run


def kinds(changes: Changes) -> list[str]:
    return [outcome.kind for outcome in changes.outcomes]


def trips(database: Database, bus_id: int) -> list[str]:
    return database.query(
        "SELECT travel_date::text FROM trips WHERE bus_id = %s AND state = 'open' ORDER BY 1", bus_id
    )


# Services --------------------------------------------------------------------------------------


def test_import_adds_places_and_services(database: Database, clock: Any, importing: Any) -> None:
    changes = importing()
    assert [(place.code, place.stop.name) for place in changes.places] == [
        ("NORTH", "North Gate"), ("HILL", "Hill Road"), ("CENTRAL", "Central"), ("SOUTH", "Central"),
    ]  # fmt: skip
    assert kinds(changes) == ["new", "new"]
    (day, night) = database.query(SERVICES)
    assert day[1:] == ("hill:t1", "7 North - Central", "Hill Coaches", "2027-11-30")
    assert night[1] == "hill:t2"
    assert database.query("SELECT code, part_of, latitude, longitude FROM places WHERE code = 'SOUTH'") == [
        ("SOUTH", "CENTRAL", 12.31, 76.65)
    ]
    assert trips(database, day[0])[:6] == [
        "2026-12-01", "2026-12-02", "2026-12-03", "2026-12-04", "2026-12-07", "2026-12-08",
    ]  # fmt: skip
    assert "2026-12-25" not in trips(database, day[0])
    found = database.value("SELECT api.search('North Gate', 'Central', '2026-12-03')")["trips"]
    assert [(trip["bus_id"], trip["fare"]) for trip in found] == [(day[0], "180.00"), (night[0], "180.00")]


def test_second_import_changes_nothing(database: Database, importing: Any) -> None:
    importing()
    before = database.query(SERVICES)
    changes = importing()
    assert not changes.is_possible
    assert kinds(changes) == ["unchanged", "unchanged"]
    assert database.query(SERVICES) == before


def test_plan_changes_nothing(database: Database, importing: Any) -> None:
    changes = importing(plan=True)
    assert kinds(changes) == ["new", "new"]
    assert len(changes.places) == 4
    assert database.query(SERVICES) == []
    assert database.query("SELECT * FROM feed_stops") == []
    assert database.query("SELECT code FROM places WHERE code = 'NORTH'") == []


def test_changed_feed_changes_the_same_service(database: Database, importing: Any) -> None:
    importing()
    (before, _) = database.query(SERVICES)
    changes = importing(changed("routes.txt", "North - Central", "Express"), fields={})
    assert kinds(changes) == ["changed", "changed"]
    assert changes.outcomes[0].answer["changes"] == [
        {"field": "name", "from": "7 North - Central", "to": "7 Express"}
    ]
    assert database.query(SERVICES)[0][:2] == before[:2]


def test_service_is_found_by_each_of_its_trips(database: Database, importing: Any) -> None:
    """The first trip of a service may not be in the next feed."""
    importing()
    (before, _) = database.query(SERVICES)
    renamed = {name: FEED[name].replace("t1", "t9") for name in ("trips.txt", "stop_times.txt")}
    both = {
        "trips.txt": FEED["trips.txt"] + "R1,WE,t9\n",
        "stop_times.txt": FEED["stop_times.txt"] + "".join(
            line.replace("t1", "t9") + "\n" for line in FEED["stop_times.txt"].splitlines() if "t1," in line
        ),
    }  # fmt: skip
    assert kinds(importing(both)) == ["changed", "unchanged"]
    assert kinds(importing(renamed)) == ["new", "unchanged", "ended"]
    assert before[0] in [row[0] for row in database.query(SERVICES)]


def test_service_that_the_feed_no_longer_has_is_ended(database: Database, importing: Any) -> None:
    importing()
    (_, night) = database.query(SERVICES)
    without = {
        "trips.txt": FEED["trips.txt"].replace("R1,WK,t2\n", ""),
        "stop_times.txt": "".join(
            line + "\n" for line in FEED["stop_times.txt"].splitlines() if "t2," not in line
        ),
    }
    changes = importing(without)
    assert kinds(changes) == ["unchanged", "ended"]
    assert trips(database, night[0]) == []
    assert kinds(importing(without)) == ["unchanged"]
    assert kinds(importing()) == ["unchanged", "changed"]
    assert trips(database, night[0])[0] == "2026-12-01"


def test_feed_that_begins_later_ends_services_the_day_before(database: Database, importing: Any) -> None:
    importing()
    renamed = {
        name: FEED[name].replace("t1", "t8").replace("t2", "t9") for name in ("trips.txt", "stop_times.txt")
    }
    later = {"calendar.txt": FEED["calendar.txt"].replace("20261201", "20270101")}
    assert kinds(importing(renamed | later)) == ["new", "new", "ended", "ended"]
    assert [row[4] for row in database.query(SERVICES)][:2] == ["2026-12-31", "2026-12-31"]


# Refusals --------------------------------------------------------------------------------------


def test_refused_service_leaves_everything_as_it_is(database: Database, importing: Any) -> None:
    changes = importing(fields={})
    assert kinds(changes) == ["refused", "refused"]
    assert "layout" in changes.outcomes[0].answer["message"]
    assert database.query("SELECT code FROM places WHERE code = 'NORTH'") == []


def test_tickets_keep_their_service(database: Database, importing: Any) -> None:
    importing()
    (day, night) = database.query(SERVICES)
    sold = database.value(
        "SELECT api.book(%s, '2026-12-03', 'NORTH', 'SOUTH', count => 1, phone => %s)", day[0], ASHA
    )
    assert sold["status"] == "booked"
    later = {"stop_times.txt": FEED["stop_times.txt"].replace("08:00", "08:05").replace("22:30", "22:35")}
    changes = importing(later)
    assert kinds(changes) == ["refused", "changed"]
    assert changes.outcomes[0].answer["reason"] == "service_in_use"
    document = "SELECT api.service(%s) -> 'stops' -> 0 ->> 'departs'"
    assert database.value(document, night[0]) == "22:30"
    assert kinds(importing(later, partial=True)) == ["refused", "changed"]
    assert [database.value(document, bus_id) for bus_id in (day[0], night[0])] == ["08:00", "22:35"]


def test_service_with_passengers_is_not_ended(database: Database, importing: Any) -> None:
    importing()
    (day, night) = database.query(SERVICES)
    database.query(
        "SELECT api.book(%s, '2026-12-03', 'NORTH', 'SOUTH', count => 1, phone => %s)", day[0], ASHA
    )
    renamed = {
        name: FEED[name].replace("t1", "t8").replace("t2", "t9") for name in ("trips.txt", "stop_times.txt")
    }
    changes = importing(renamed, partial=True)
    assert kinds(changes) == ["new", "new", "refused", "ended"]
    assert "2026-12-03" in changes.outcomes[2].answer["message"]
    assert trips(database, night[0]) == []


# Places ----------------------------------------------------------------------------------------


def test_place_with_the_code_and_the_name_of_a_stop_is_that_stop(database: Database, importing: Any) -> None:
    stops = FEED["stops.txt"].replace("HILL,Hill Road", "MNDY,Mandya")
    files = {"stops.txt": stops, "stop_times.txt": FEED["stop_times.txt"].replace("HILL", "MNDY")}
    changes = importing(files)
    assert [place.code for place in changes.places] == ["NORTH", "CENTRAL", "SOUTH"]


def test_place_that_has_the_code_of_another_place_gets_a_new_one(database: Database, importing: Any) -> None:
    stops = FEED["stops.txt"].replace("HILL,Hill", "MNDY,Hill").replace("NORTH", "north/1")
    stop_times = FEED["stop_times.txt"].replace("HILL", "MNDY").replace("NORTH", "north/1")
    files = {"stops.txt": stops, "stop_times.txt": stop_times}
    assert [place.code for place in importing(files).places] == ["NORTH-1", "MNDY-2", "CENTRAL", "SOUTH"]
    assert not importing(files).is_possible


def test_stops_of_one_name_near_each_other_are_one_place_in_a_search(
    database: Database, clock: Any, importing: Any
) -> None:
    stops = """stop_id,stop_name,stop_lat,stop_lon,zone_id
NORTH,Market,12.97,77.57,Z1
HILL,Hill Road,12.5201,76.89,Z2
ACROSS,Hill Road,12.5204,76.89,Z2
SOUTH,Market,12.31,76.65,Z3
"""
    stop_times = FEED["stop_times.txt"].replace("24:15:00,HILL", "24:15:00,ACROSS")
    importing({"stops.txt": stops, "stop_times.txt": stop_times})
    named = "SELECT code, part_of FROM places WHERE name IN ('Hill Road', 'Market') ORDER BY 1"
    assert database.query(named) == [
        ("ACROSS", "HILL"), ("HILL", None), ("NORTH", None), ("SOUTH", None),
    ]  # fmt: skip
    found = database.value("SELECT api.search('Hill Road', 'SOUTH', '2026-12-03')")["trips"]
    assert len(found) == 2


# An exported feed ------------------------------------------------------------------------------


def test_service_of_another_operator_is_not_edited(database: Database, importing: Any) -> None:
    document = database.value("SELECT (api.service(1) - '{stops,segment_fares,name,operator}'::text[])::text")
    quoted = document.replace('"', '""')
    extension = f'trip_id,on_sale_until,service\nt1,20261214,"{quoted}"\n'
    with pytest.raises(
        FeedError, match=r"^busware_services\.txt:2: in this database, 1 is the number of another "
    ):
        importing({"busware_services.txt": extension})
    assert database.query(SERVICES) == []


def test_slow_import_changes_nothing(database: Database, tmp_path: Path) -> None:
    content = read_files(tmp_path, {}, Options(fields=LAYOUT, name="hill"))
    with pytest.raises(FeedError, match=r"The import takes longer than 1e-06 seconds\. Nothing is changed\."):
        put(database.conn, content, Settings(gtfs_seconds=1e-6), plan=False, partial=False)
    assert database.query(SERVICES) == []
    assert database.value("SELECT count(*) FROM places WHERE code = 'SOUTH'") == 0
