"""Feeds inside PyPI packages are imported, exported, and read by gtfs-kit: the same trips on each date.

The feeds are a sample, the buses of Cairns and the subway of New York, in the source package of gtfs-kit.
They are downloaded, because the project does not own them. Of the large ones, a part is imported. The clock
is stopped while the feed is valid.
"""

import sys
import tarfile
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from busware.server.gtfs.exporting import export
from busware.server.gtfs.importing import put, read
from busware.server.gtfs.mapping import Options
from busware.server.settings import Settings
from tests.conftest import Clock, Database
from tests.support import node
from tests.support.gtfs import dates
from tests.support.schema_api import audit

DAYS = 8  # on sale
ROUTES = ["110-423", "131-423"]  # of Cairns


class Case(NamedTuple):
    """A feed in the source package, the first day on sale, and how many of its trips are imported."""

    file: str
    today: date
    trips: int | None = None


CASES = {
    "sample": Case("sample_gtfs.zip", date(2007, 6, 1)),
    "cairns": Case("cairns_gtfs.zip", date(2014, 6, 2), trips=20),
    "subway": Case("nyc_subway_gtfs.zip", date(2024, 12, 20), trips=10),
}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source package of gtfs-kit."""
    folder = tmp_path_factory.mktemp("gtfs_kit")
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:")
    node.run_installation(folder, *pip, f"gtfs-kit=={version('gtfs-kit')}")
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as package:
        package.extractall(folder, filter="data")
    return folder


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture
def feed(case: Case, package: Path, tmp_path: Path) -> Path:
    """The archive of the feed, or of a part of it."""
    import gtfs_kit

    (found,) = package.glob(f"*/data/{case.file}")
    if not case.trips:
        return found
    path = tmp_path / "feed.zip"
    whole = gtfs_kit.read_feed(found, dist_units="km")
    whole.restrict_to_trips(list(whole.trips.trip_id[:: len(whole.trips) // case.trips])).to_file(path)
    return path


def minutes(time: str) -> int:
    hours, minutes, _ = time.split(":")
    return int(hours) * 60 + int(minutes)


def read_by_gtfs_kit(path: Path) -> Any:
    """A feed with a trip for each departure."""
    import gtfs_kit

    feed = gtfs_kit.read_feed(path, dist_units="km")
    return feed if feed.frequencies is None else feed.expand_frequencies()


def trips_of_feed(feed: Any, day: date) -> "Counter[Any]":
    """The trips of a feed on a date, as gtfs-kit reads them: the stops of each, with times in minutes."""
    trips = feed.get_trips(date=f"{day:%Y%m%d}").trip_id
    names = {stop.stop_id: " ".join(stop.stop_name.split()) for stop in feed.stops.itertuples()}
    calls = feed.stop_times[feed.stop_times.trip_id.isin(trips)].sort_values(["trip_id", "stop_sequence"])
    if "pickup_type" in calls:
        boards, alights = (calls[column].fillna(0) != 1 for column in ("pickup_type", "drop_off_type"))
        calls.departure_time = calls.departure_time.where(boards, calls.arrival_time)
        calls.arrival_time = calls.arrival_time.where(alights, calls.departure_time)
        calls = calls[boards | alights]
    trips_with_times: Counter[Any] = Counter()
    for _, of_trip in calls.groupby("trip_id"):
        arrivals = [minutes(time) for time in of_trip.arrival_time]
        departures = [minutes(time) for time in of_trip.departure_time]
        arrivals[0], departures[-1] = departures[0], arrivals[-1]  # where nobody alights, or boards
        stops = (names[stop] for stop in of_trip.stop_id)
        trips_with_times[tuple(zip(stops, arrivals, departures, strict=True))] += 1
    return trips_with_times


def trips_on_sale(database: Database, day: date) -> "Counter[Any]":
    """The trips of a database on a date, in the same form."""
    rows = database.query(
        """
        SELECT array_agg(ARRAY[p.name, (extract(epoch FROM coalesce(r.arrives, r.departs))::int / 60)::text,
                               (extract(epoch FROM coalesce(r.departs, r.arrives))::int / 60)::text]
                         ORDER BY r.stop_no)
        FROM trips t JOIN bus_info s USING (bus_id) JOIN route_table r USING (bus_id)
        JOIN places p ON p.code = r.place
        WHERE t.travel_date = %s AND t.state = 'open' AND s.source_id IS NOT NULL GROUP BY t.bus_id""",
        day,
    )
    return Counter(tuple((name, int(a), int(d)) for name, a, d in row) for row in rows)


def import_feed(database: Database, path: Path, case: Case | None = None) -> Any:
    per_km = Decimal("0.50") if case else None
    fields = {"layout": "ss", "sales_days": DAYS} if case else {}
    options = Options("feed", None, per_km, "USD" if per_km else None, fields)
    content = read(path, options, Settings())
    assert content.remarks.faults == []
    changes = put(database.conn, content, Settings(), plan=False, partial=False)
    assert changes.of("refused") == []
    return changes


def export_feed(database: Database, path: Path) -> Path:
    with path.open("wb") as file:
        export(database.conn, None, "https://example.org/").write(file)
    return path


def test_feed_is_imported_and_exported_with_the_same_trips(
    database: Database, clock: Clock, feed: Path, case: Case, tmp_path: Path
) -> None:
    database.query("SELECT api.end_service(bus_id, '2000-01-01') FROM bus_info")
    clock.set(f"{case.today}T09:00:00+00:00")
    changes = import_feed(database, feed, case)
    assert changes.of("new")
    assert not import_feed(database, feed, case).is_possible
    archive = export_feed(database, tmp_path / "exported.zip")
    original, exported = read_by_gtfs_kit(feed), read_by_gtfs_kit(archive)
    last = case.today + timedelta(DAYS)
    for day in dates(case.today.isoformat(), last.isoformat()):
        on_sale = trips_on_sale(database, day)
        assert on_sale == trips_of_feed(original, day), day
        assert on_sale == trips_of_feed(exported, day), day
    assert not import_feed(database, archive).is_possible
    assert audit(database.conn) == []
