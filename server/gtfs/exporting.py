"""Write services as a GTFS feed: the trips on sale from today on, with their times and fares."""

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import IO, Any

import msgspec
import psycopg
from psycopg.rows import class_row

from busware.server.gtfs import extension
from busware.server.gtfs.calendars import usual_period
from busware.server.gtfs.feed import WEEKDAYS
from busware.server.gtfs.mapping import NOUNS

_ROUTE_TYPES = {noun: kind for kind, noun in reversed(NOUNS.items())} | {"flight": 1100}
_SERVICES = """
    SELECT s.bus_id, s.operator, s.name, s.time_zone, s.nouns ->> 'service' AS noun, s.repeat_legs, s.layout,
           api.service(s.bus_id) AS document,
           ARRAY(SELECT r.place FROM route_table r WHERE r.bus_id = s.bus_id ORDER BY r.stop_no) AS places,
           (api.now() AT TIME ZONE s.time_zone)::date AS today,
           ARRAY(SELECT t.travel_date FROM trips t WHERE t.bus_id = s.bus_id AND t.state = 'open'
                 AND t.travel_date >= (api.now() AT TIME ZONE s.time_zone)::date ORDER BY 1) AS dates,
           (SELECT max(t.travel_date) FROM trips t WHERE t.bus_id = s.bus_id) AS until
    FROM bus_info s WHERE %(operator)s::text IS NULL OR s.operator = %(operator)s ORDER BY s.bus_id
"""
_PLACES = """
    SELECT code, name, part_of, time_zone, latitude, longitude FROM places
    WHERE code = ANY (%(served)s)
       OR code IN (SELECT p.part_of FROM places p WHERE p.code = ANY (%(served)s))
    ORDER BY code
"""
_COLUMNS = {
    "agency.txt": ("agency_id", "agency_name", "agency_url", "agency_timezone"),
    "feed_info.txt": (
        "feed_publisher_name", "feed_publisher_url", "feed_lang", "feed_start_date", "feed_end_date",
    ),
    "stops.txt": (
        "stop_id", "stop_name", "stop_lat", "stop_lon", "zone_id", "location_type", "parent_station",
        "stop_timezone",
    ),
    "routes.txt": ("route_id", "agency_id", "route_long_name", "route_type"),
    "trips.txt": ("route_id", "service_id", "trip_id", "trip_headsign"),
    "stop_times.txt": (
        "trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "pickup_type",
        "drop_off_type", "shape_dist_traveled",
    ),
    "calendar.txt": ("service_id", *WEEKDAYS, "start_date", "end_date"),
    "calendar_dates.txt": ("service_id", "date", "exception_type"),
    "fare_attributes.txt": (
        "fare_id", "price", "currency_type", "payment_method", "transfers", "agency_id",
    ),
    "fare_rules.txt": ("fare_id", "route_id", "origin_id", "destination_id"),
    extension.FILE: extension.COLUMNS,
}  # fmt: skip


@dataclass(frozen=True)
class _Service:
    """A row of _SERVICES. document: what api.service returns. places: their codes.

    dates: the travel dates of the trips on sale.
    """

    bus_id: int
    operator: str
    name: str
    time_zone: str
    noun: str
    repeat_legs: int | None
    layout: str  # a drawing
    document: dict[str, Any]
    places: list[str]
    today: date
    dates: list[date]
    until: date


@dataclass
class Export:
    """The tables of a feed, and what is left out of it, each with the reason."""

    tables: dict[str, list[Sequence[Any]]] = field(default_factory=lambda: {name: [] for name in _COLUMNS})
    left_out: list[str] = field(default_factory=list)

    def write(self, file: IO[bytes]) -> None:
        """Write the feed as a zip archive. The same tables give the same bytes."""
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, rows in self.tables.items():
                text = io.StringIO()
                csv.writer(text, lineterminator="\n").writerows([_COLUMNS[name], *rows])
                archive.writestr(zipfile.ZipInfo(name), text.getvalue(), zipfile.ZIP_DEFLATED)


def export(conn: psycopg.Connection[Any], operator: str | None, url: str) -> Export:
    """The services of an operator, or of all, as a feed. url: the web page of the operators.

    A feed has one time zone: the one that most services have.
    """
    with conn.cursor(row_factory=class_row(_Service)) as cursor:
        services = cursor.execute(_SERVICES, {"operator": operator}).fetchall()
    done = Export()
    zones = Counter(service.time_zone for service in services if not _unfit(service))
    zone = max(zones, key=lambda name: zones[name], default="")
    included = []
    for service in services:
        why = _unfit(service) or (
            f"its time zone is {service.time_zone}, and a feed has one" if service.time_zone != zone else ""
        )
        if why:
            done.left_out.append(f"service {service.bus_id} ({service.name}): {why}.")
        else:
            included.append(service)
    if included:
        _add_stops(done, conn, included)
        _add_services(done, included)
        today, last = min(s.today for s in included), max(s.dates[-1] for s in included)
        done.tables["feed_info.txt"] = [("Busware", url, "en", _day(today), _day(last))]
        operators = sorted({service.operator for service in included})
        done.tables["agency.txt"] = [(name, name, url, zone) for name in operators]
    return done


def _unfit(service: _Service) -> str:
    """Why a service cannot be in a feed; empty if it can."""
    if service.noun not in _ROUTE_TYPES:
        return f"GTFS has no type of route for a {service.noun}"
    if service.repeat_legs is not None:
        return "its route repeats"
    if any("d " in (stop["arrives"] or "") + (stop["departs"] or "") for stop in service.document["stops"]):
        return "its times are written with a day, such as 1d 14:00"
    if not service.dates:
        return "no trip is on sale"
    return ""


def _add_stops(done: Export, conn: psycopg.Connection[Any], services: Iterable[_Service]) -> None:
    """Add a stop with its own zone for each place at which services stop, and the stations around them."""
    served = {place for service in services for place in service.places}
    unknown = []
    for code, name, part_of, zone, *position in conn.execute(_PLACES, {"served": sorted(served)}).fetchall():
        if None in position:
            unknown.append(code)
        is_served = code in served
        parent = part_of if is_served and part_of not in served else ""
        row = (code, name, *position, code if is_served else "", "" if is_served else 1, parent, zone)
        done.tables["stops.txt"].append(row)
    if unknown:
        done.left_out.append(
            f"the coordinates of {len(unknown)} places, which GTFS requires; they are not known: "
            f"{', '.join(unknown)}."
        )


def _add_services(done: Export, services: Iterable[_Service]) -> None:
    tables = done.tables
    routes: dict[Any, int] = {}  # what the trips of a route have in common → its id
    fares: set[Any] = set()
    for service in services:
        prices = _prices(service)
        common = (service.operator, service.name, service.noun, service.document["currency"], *prices.items())
        if common not in routes:
            routes[common] = service.bus_id
            _add_route(done, service, prices, fares)
        service_id = trip_id = service.bus_id
        tables["trips.txt"].append((routes[common], service_id, trip_id, _headsign(service)))
        tables["stop_times.txt"] += _stop_times(service)
        _add_calendar(done, service_id, set(service.dates))
        fields = {k: v for k, v in service.document.items() if k not in extension.FIELDS_OF_GTFS}
        fields["layout"] = service.layout
        if len(set(service.places)) < len(service.places):  # zones cannot express its fares
            fields[extension.FARES] = [stop["fare"] for stop in service.document["stops"]]
            fields["segment_fares"] = service.document["segment_fares"]
        text = msgspec.json.encode(fields).decode()
        tables[extension.FILE].append((trip_id, _day(service.until), text))


def _add_route(
    done: Export, service: _Service, prices: dict[tuple[str, str], Decimal], fares: set[Any]
) -> None:
    tables, route = done.tables, service.bus_id
    tables["routes.txt"].append((route, service.operator, service.name, _ROUTE_TYPES[service.noun]))
    for (origin, destination), price in prices.items():
        fare_id = f"{service.operator} {price} {service.document['currency']}"
        if fare_id not in fares:
            fares.add(fare_id)
            currency = service.document["currency"]
            tables["fare_attributes.txt"].append((fare_id, price, currency, 1, 0, service.operator))
        tables["fare_rules.txt"].append((fare_id, route, origin, destination))


def _prices(service: _Service) -> dict[tuple[str, str], Decimal]:
    """The fare of each pair of places; the lowest if the route passes one of them twice."""
    stops = [Decimal(stop["fare"]) for stop in service.document["stops"]]
    own = {(f["from_stop"], f["to_stop"]): Decimal(f["fare"]) for f in service.document["segment_fares"]}
    prices: dict[tuple[str, str], Decimal] = {}
    for start, end in combinations(range(1, len(stops) + 1), 2):
        fare = own.get((start, end), stops[end - 1] - stops[start - 1])
        pair = (service.places[start - 1], service.places[end - 1])
        prices[pair] = min(fare, prices.get(pair, fare))
    return prices


def _stop_times(service: _Service) -> list[Sequence[Any]]:
    return [
        (
            service.bus_id,
            f"{stop['arrives'] or stop['departs']}:00",
            f"{stop['departs'] or stop['arrives']}:00",
            place,
            number,
            0 if stop["departs"] else 1,
            0 if stop["arrives"] else 1,
            stop["km"],
        )
        for number, (place, stop) in enumerate(zip(service.places, service.document["stops"], strict=True), 1)
    ]


def _add_calendar(done: Export, service_id: int, dates: set[date]) -> None:
    usual = usual_period(dates)
    regular = usual.dates()
    flags = (int(day in usual.days) for day in range(1, 8))
    done.tables["calendar.txt"].append((service_id, *flags, _day(usual.first), _day(usual.last)))
    for day in sorted(regular ^ dates):
        done.tables["calendar_dates.txt"].append((service_id, _day(day), 1 if day in dates else 2))


def _headsign(service: _Service) -> str:
    """The name of the last stop."""
    return str(service.document["stops"][-1]["place"])


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"
