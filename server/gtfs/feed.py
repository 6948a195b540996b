"""A GTFS feed as Python values, checked row by row: every fault is reported with its file and line."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import TypeVar
from zoneinfo import ZoneInfo

from busware.server.gtfs.archive import Archive, FeedError, Remarks, Row

REQUIRED = ("agency.txt", "stops.txt", "routes.txt", "trips.txt", "stop_times.txt")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_TIME = re.compile(r"(\d{1,4}):([0-5]\d):([0-5]\d)", re.ASCII)
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_YEARS = range(1900, 2101)
_STATION = "1"
_NOT_SERVED = ("2", "3", "4")  # location types: entrances, nodes, boarding areas

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Agency:
    """An operator. The times of stop_times.txt are in its time zone."""

    id: str
    name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop, or a station that contains stops."""

    line: int
    id: str
    name: str
    latitude: float | None
    longitude: float | None
    zone: str
    parent: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Route:
    """A route, whose trips have the same name."""

    line: int
    id: str
    agency: Agency
    name: str
    type: int
    network: str


@dataclass(slots=True)
class StopTime:
    """A call of a trip at a stop. Times in seconds since noon minus 12 hours; None: not given."""

    line: int
    stop: str
    sequence: int
    arrives: int | None
    departs: int | None
    boards: bool
    alights: bool
    distance: float | None


@dataclass(slots=True)
class Trip:
    """A trip, which runs on the dates of its calendar. stop_times: in the order of the route."""

    line: int
    id: str
    route: Route
    calendar: "Calendar"
    stop_times: list[StopTime] = field(default_factory=list)
    frequencies: list["Frequency"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frequency:
    """A period in which a trip departs again and again. Seconds; `end` is excluded."""

    line: int
    start: int
    end: int
    headway: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Period:
    """Weekdays on which a calendar runs from a date to another. days: ISO weekdays, 1 = Monday."""

    first: date
    last: date
    days: frozenset[int]

    def dates(self) -> set[date]:
        """The dates on which it runs."""
        count = (self.last - self.first).days + 1
        days = (self.first + timedelta(days=n) for n in range(count))
        return {day for day in days if day.isoweekday() in self.days}


@dataclass(eq=False)
class Calendar:
    """A row of calendar.txt, if there is one, and the exceptions of calendar_dates.txt."""

    id: str
    period: Period | None = None
    added: set[date] = field(default_factory=set)
    removed: set[date] = field(default_factory=set)

    @cached_property
    def dates(self) -> frozenset[date]:
        """The dates on which it runs. The calendar does not change any more."""
        regular = self.period.dates() if self.period else set()
        return frozenset((regular | self.added) - self.removed)


@dataclass(slots=True)
class Feed:
    """A whole feed. Ids are keys."""

    agencies: dict[str, Agency]
    stops: dict[str, Stop]
    routes: dict[str, Route]
    trips: dict[str, Trip]
    name: str  # of its publisher
    first_date: date | None
    last_date: date | None


def read_feed(archive: Archive, remarks: Remarks) -> Feed:
    """Read and check a feed. Raises FeedError if a file cannot be read; other faults are in `remarks`."""
    for name in REQUIRED:
        if name not in archive:
            raise FeedError(archive.missing(name))
    if "calendar.txt" not in archive and "calendar_dates.txt" not in archive:
        raise FeedError(archive.missing("calendar.txt"))
    return _Reader(archive, remarks).read()


class _Reader:
    """Reads the tables in the order in which they refer to each other."""

    def __init__(self, archive: Archive, remarks: Remarks) -> None:
        self.archive = archive
        self.remarks = remarks

    def read(self) -> Feed:
        agencies = self._agencies()
        stops = self._stops(next(iter(agencies.values()), None))
        routes = self._routes(agencies)
        calendars = self._calendars()
        trips = self._trips(routes, calendars)
        self._stop_times(trips, stops)
        self._frequencies(trips)
        name, first, last = self._feed_info(agencies)
        return Feed(agencies, stops, routes, trips, name, first, last)

    # Tables ------------------------------------------------------------------------------------

    def _agencies(self) -> dict[str, Agency]:
        agencies: dict[str, Agency] = {}
        for row in self._rows("agency.txt", "agency_name", "agency_timezone"):
            zone = self._zone("agency.txt", row, "agency_timezone")
            if others := [a for a in agencies.values() if zone and a.time_zone != zone]:
                self.remarks.fault(
                    "agency.txt", row.line,
                    f"agency_timezone is {zone}, and {others[0].time_zone} before. "
                    "All agencies of a feed have the same.",
                )  # fmt: skip
            self._add(
                "agency.txt", row, agencies, Agency(row["agency_id"], row["agency_name"], zone or "UTC")
            )
        return agencies

    def _stops(self, agency: Agency | None) -> dict[str, Stop]:
        stops: dict[str, Stop] = {}
        stations: set[str] = set()
        for row in self._rows("stops.txt", "stop_id"):
            kind = row["location_type"] or "0"
            if kind in _NOT_SERVED:
                continue
            if not row["stop_name"]:
                self.remarks.fault("stops.txt", row.line, "stop_name has no value.")
                continue
            if kind == _STATION:
                stations.add(row["stop_id"])
            stop = Stop(
                row.line, row["stop_id"], row["stop_name"],
                self._number("stops.txt", row, "stop_lat", 90),
                self._number("stops.txt", row, "stop_lon", 180),
                row["zone_id"], row["parent_station"], self._zone("stops.txt", row, "stop_timezone"),
            )  # fmt: skip
            self._add("stops.txt", row, stops, stop)
        for stop in stops.values():
            if stop.parent and stop.id in stations:
                self.remarks.fault("stops.txt", stop.line, "a station has no parent_station.")
            elif stop.parent and stop.parent not in stations:
                self._unknown("stops.txt", stop.line, "parent_station", stop.parent, "a station of stops.txt")
        return {
            stop.id: stop
            if stop.time_zone
            else _with_zone(stop, _zone_of_parent(stop, stops) or (agency.time_zone if agency else "UTC"))
            for stop in stops.values()
        }

    def _routes(self, agencies: dict[str, Agency]) -> dict[str, Route]:
        routes: dict[str, Route] = {}
        networks: dict[str, str] = {}
        for row in self._rows("route_networks.txt", "network_id", "route_id"):
            networks[row["route_id"]] = row["network_id"]
        only = next(iter(agencies.values())) if len(agencies) == 1 else None
        for row in self._rows("routes.txt", "route_id", "route_type"):
            agency = agencies.get(row["agency_id"]) or (only if not row["agency_id"] else None)
            if agency is None:
                self._unknown("routes.txt", row.line, "agency_id", row["agency_id"], "in agency.txt")
                continue
            if not re.fullmatch(r"\d{1,4}", row["route_type"], re.ASCII):
                self._wrong(
                    "routes.txt", row, "route_type", "a number of a type of route, such as 3 for buses"
                )
                continue
            name = " ".join(filter(None, (row["route_short_name"], row["route_long_name"])))
            if not name:
                self.remarks.fault("routes.txt", row.line, "the route has neither a short nor a long name.")
                continue
            network = row["network_id"] or networks.get(row["route_id"], "")
            route = Route(row.line, row["route_id"], agency, name, int(row["route_type"]), network)
            self._add("routes.txt", row, routes, route)
        return routes

    def _calendars(self) -> dict[str, Calendar]:
        calendars: dict[str, Calendar] = {}
        for row in self._rows("calendar.txt", "service_id", *WEEKDAYS, "start_date", "end_date"):
            first = self._date("calendar.txt", row, "start_date")
            last = self._date("calendar.txt", row, "end_date")
            days = {n for n, name in enumerate(WEEKDAYS, 1) if self._flag("calendar.txt", row, name)}
            if not first or not last:
                continue
            if last < first:
                self.remarks.fault("calendar.txt", row.line, f"end_date {last} is before start_date {first}.")
                continue
            calendar = Calendar(row["service_id"], Period(first, last, frozenset(days)))
            self._add("calendar.txt", row, calendars, calendar)
        for row in self._rows("calendar_dates.txt", "service_id", "date", "exception_type"):
            day = self._date("calendar_dates.txt", row, "date")
            if row["exception_type"] not in ("1", "2"):
                self._wrong("calendar_dates.txt", row, "exception_type", "1 (runs) or 2 (does not run)")
                continue
            calendar = calendars.setdefault(row["service_id"], Calendar(row["service_id"]))
            days_of = calendar.added if row["exception_type"] == "1" else calendar.removed
            if day and day in calendar.added | calendar.removed:
                self.remarks.fault(
                    "calendar_dates.txt", row.line, f"{day} is there twice for this service_id."
                )
            elif day:
                days_of.add(day)
        return calendars

    def _trips(self, routes: dict[str, Route], calendars: dict[str, Calendar]) -> dict[str, Trip]:
        trips: dict[str, Trip] = {}
        for row in self._rows("trips.txt", "route_id", "service_id", "trip_id"):
            route, calendar = routes.get(row["route_id"]), calendars.get(row["service_id"])
            if route is None:
                self._unknown("trips.txt", row.line, "route_id", row["route_id"], "in routes.txt")
            elif calendar is None:
                where = "in calendar.txt or calendar_dates.txt"
                self._unknown("trips.txt", row.line, "service_id", row["service_id"], where)
            else:
                self._add("trips.txt", row, trips, Trip(row.line, row["trip_id"], route, calendar))
        return trips

    def _stop_times(self, trips: dict[str, Trip], stops: dict[str, Stop]) -> None:
        file = "stop_times.txt"
        flexible: set[str] = set()
        for row in self._rows(file, "trip_id", "stop_sequence"):
            trip = trips.get(row["trip_id"])
            if trip is None:
                self._unknown(file, row.line, "trip_id", row["trip_id"], "in trips.txt")
                continue
            if not row["stop_id"] and (row["location_id"] or row["location_group_id"]):
                if trip.id not in flexible:
                    self.remarks.leave_out(file, row.line, f"trip {trip.id} serves a zone instead of a stop.")
                flexible.add(trip.id)
            elif row["stop_id"] not in stops:
                self._unknown(file, row.line, "stop_id", row["stop_id"], "a stop of stops.txt")
            elif not re.fullmatch(r"\d{1,9}", row["stop_sequence"], re.ASCII):
                self._wrong(file, row, "stop_sequence", "a whole number, 0 or more")
            else:
                trip.stop_times.append(self._stop_time(file, row))
        for trip in trips.values():
            trip.stop_times.sort(key=lambda call: call.sequence)
            self._check_order(file, trip)
            if trip.id in flexible:
                trip.stop_times.clear()

    def _stop_time(self, file: str, row: Row) -> StopTime:
        arrives = self._time(file, row, "arrival_time")
        departs = self._time(file, row, "departure_time")
        return StopTime(
            row.line,
            row["stop_id"],
            int(row["stop_sequence"]),
            departs if arrives is None else arrives,
            arrives if departs is None else departs,
            row["pickup_type"] != "1",
            row["drop_off_type"] != "1",
            self._number(file, row, "shape_dist_traveled"),
        )

    def _check_order(self, file: str, trip: Trip) -> None:
        """Report times that are missing or go backwards, and equal numbers."""
        calls = trip.stop_times
        for a, b in pairwise(calls):
            if a.sequence == b.sequence:
                self.remarks.fault(file, b.line, f"trip {trip.id} has stop_sequence {b.sequence} twice.")
        for call in (calls[0], calls[-1]) if calls else ():
            if call.arrives is None:
                self.remarks.fault(file, call.line, "the first and the last stop of a trip need a time.")
        last = 0
        for call in calls:
            if call.arrives is None or call.departs is None:
                continue
            if call.arrives < last or call.departs < call.arrives:
                self.remarks.fault(
                    file, call.line,
                    f"the times of trip {trip.id} go backwards. "
                    "A time after midnight is written as 24:10:00.",
                )  # fmt: skip
            last = max(last, call.departs)

    def _frequencies(self, trips: dict[str, Trip]) -> None:
        file = "frequencies.txt"
        for row in self._rows(file, "trip_id", "start_time", "end_time", "headway_secs"):
            trip = trips.get(row["trip_id"])
            start, end = self._time(file, row, "start_time"), self._time(file, row, "end_time")
            if trip is None:
                self._unknown(file, row.line, "trip_id", row["trip_id"], "in trips.txt")
            elif not re.fullmatch(r"[1-9]\d{0,5}", row["headway_secs"], re.ASCII):
                self._wrong(file, row, "headway_secs", "a number of seconds, 1 or more")
            elif start is not None and end is not None:
                if end <= start:
                    self.remarks.fault(file, row.line, "end_time is not after start_time.")
                exact = row["exact_times"] == "1"
                frequency = Frequency(row.line, start, end, int(row["headway_secs"]), exact)
                if any(start < other.end and other.start < end for other in trip.frequencies):
                    self.remarks.fault(file, row.line, f"the period overlaps another one of trip {trip.id}.")
                trip.frequencies.append(frequency)

    def _feed_info(self, agencies: dict[str, Agency]) -> tuple[str, date | None, date | None]:
        file = "feed_info.txt"
        for row in self._rows(file, "feed_publisher_name"):
            dates = [
                self._date(file, row, name) if row[name] else None
                for name in ("feed_start_date", "feed_end_date")
            ]
            return row["feed_id"] or row["feed_publisher_name"], dates[0], dates[1]
        return next((agency.id or agency.name for agency in agencies.values()), ""), None, None

    # Values ------------------------------------------------------------------------------------

    def _rows(self, name: str, *columns: str) -> Iterator[Row]:
        return self.archive.rows(name, columns, self.remarks)

    def _add(self, file: str, row: Row, table: dict[str, T], value: T) -> None:
        """Add a value under its id, unless the id is there already."""
        key: str = value.id  # type: ignore[attr-defined]
        if key in table:
            self.remarks.fault(file, row.line, f"the id {key!r} is there twice.")
        else:
            table[key] = value

    def _wrong(self, file: str, row: Row, column: str, takes: str) -> None:
        self.remarks.fault(file, row.line, f"{column} is {row[column]!r}; it takes {takes}.")

    def _unknown(self, file: str, line: int, column: str, value: str, where: str) -> None:
        self.remarks.fault(file, line, f"{column} is {value!r}, which is not {where}.")

    def _value(self, file: str, row: Row, column: str, convert: Callable[[str], T], takes: str) -> T | None:
        if not row[column]:
            return None
        try:
            return convert(row[column])
        except (ValueError, KeyError, OSError):
            self._wrong(file, row, column, takes)
            return None

    def _time(self, file: str, row: Row, column: str) -> int | None:
        return self._value(file, row, column, parse_time, "a time such as 8:05:00 or 24:10:00")

    def _date(self, file: str, row: Row, column: str) -> date | None:
        return self._value(file, row, column, parse_date, "a date such as 20261231")

    def _zone(self, file: str, row: Row, column: str) -> str:
        takes = "a time zone such as Asia/Kolkata"
        return self._value(file, row, column, lambda text: ZoneInfo(text).key, takes) or ""

    def _flag(self, file: str, row: Row, column: str) -> bool:
        if row[column] not in ("0", "1"):
            self._wrong(file, row, column, "0 or 1")
        return row[column] == "1"

    def _number(self, file: str, row: Row, column: str, limit: float = 1e9) -> float | None:
        def number(text: str) -> float:
            if not re.fullmatch(r"[+-]?\d{0,12}\.?\d{0,18}", text, re.ASCII) or abs(float(text)) > limit:
                raise ValueError
            return float(text)

        return self._value(
            file, row, column, number, "a number" if limit > 180 else f"a number up to {limit}"
        )


def parse_time(text: str) -> int:
    """The seconds of a time H:MM:SS, which may be above 24 hours. Raises ValueError."""
    if not (found := _TIME.fullmatch(text)):
        raise ValueError
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600 + minutes * 60 + seconds


def parse_date(text: str) -> date:
    """A date YYYYMMDD of the years 1900 to 2100. Raises ValueError."""
    if not (found := _DATE.fullmatch(text)):
        raise ValueError
    year, month, day = map(int, found.groups())
    if year not in _YEARS:
        raise ValueError
    return date(year, month, day)


def _zone_of_parent(stop: Stop, stops: dict[str, Stop]) -> str:
    parent = stops.get(stop.parent)
    return parent.time_zone if parent else ""


def _with_zone(stop: Stop, zone: str) -> Stop:
    return Stop(
        stop.line, stop.id, stop.name, stop.latitude, stop.longitude, stop.zone, stop.parent, zone
    )  # fmt: skip
