"""A small GTFS feed for tests, and its archive with some of its files changed."""

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

from busware.server.gtfs.importing import Content, read
from busware.server.gtfs.mapping import Options
from busware.server.settings import Settings

FEED = {
    "agency.txt": """agency_id,agency_name,agency_url,agency_timezone
HC,Hill Coaches,https://example.org/,Asia/Kolkata
""",
    "stops.txt": """stop_id,stop_name,stop_lat,stop_lon,zone_id,location_type,parent_station
NORTH,North Gate,12.97,77.57,Z1,0,
HILL,Hill Road,12.52,76.89,Z2,0,
CENTRAL,Central,12.31,76.65,,1,
SOUTH,Central,12.31,76.65,Z3,0,CENTRAL
""",
    "routes.txt": """route_id,agency_id,route_short_name,route_long_name,route_type
R1,HC,7,North - Central,3
""",
    "calendar.txt": """service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
WK,1,1,1,1,1,0,0,20261201,20271130
WE,0,0,0,0,0,1,1,20261201,20271130
""",
    "calendar_dates.txt": "service_id,date,exception_type\nWK,20261225,2\n",
    "trips.txt": "route_id,service_id,trip_id\nR1,WK,t1\nR1,WK,t2\n",
    "stop_times.txt": """trip_id,arrival_time,departure_time,stop_id,stop_sequence,shape_dist_traveled
t1,08:00:00,08:00:00,NORTH,1,0
t1,09:30:00,09:35:00,HILL,2,100
t1,10:30:00,10:30:00,SOUTH,3,145
t2,22:30:00,22:30:00,NORTH,1,0
t2,24:10:00,24:15:00,HILL,2,100
t2,25:20:00,25:20:00,SOUTH,3,145
""",
    "fare_attributes.txt": """fare_id,price,currency_type,payment_method,transfers
a,100,INR,1,0
b,80,INR,1,0
c,180,INR,1,0
""",
    "fare_rules.txt": "fare_id,route_id,origin_id,destination_id\na,R1,Z1,Z2\nb,R1,Z2,Z3\nc,R1,Z1,Z3\n",
}
PER_KM = "fare_attributes.txt", "fare_rules.txt"  # without these files, a feed needs a fare per kilometre
UNLIMITED = Settings()


def archive(folder: Path, files: dict[str, Any] | None = None) -> Path:
    """The archive of FEED with other texts or bytes for some of its files; None: without the file."""
    path = folder / "feed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as feed:
        for name, content in (FEED | (files or {})).items():
            if content is not None:
                feed.writestr(name, content)
    return path


def changed(name: str, old: str, new: str) -> dict[str, str]:
    """A file of FEED in which a text is replaced by another one."""
    assert old in FEED[name]
    return {name: FEED[name].replace(old, new)}


def read_files(
    folder: Path, files: dict[str, Any] | None = None, options: Options | None = None, **limits: int
) -> Content:
    """Read FEED with other texts for some of its files. limits: settings."""
    return read(archive(folder, files), options or Options(), Settings(**limits))


def documents(content: Content, options: Options | None = None) -> list[dict[str, Any]]:
    """The documents of a feed's services, in which each place is called as its stop."""
    places = {stop: stop for stop in content.feed.stops}
    return [service.document(places, options or Options()) for service in content.services]


def dates(first: str, last: str) -> list[date]:
    """The dates from a date to another."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [date.fromordinal(n) for n in range(start.toordinal(), end.toordinal() + 1)]
