"""Put the services of a GTFS feed into the database in one transaction; a plan is rolled back.

A service belongs to a feed by its source_id, FEED:TRIP, and a place by table feed_stops. So the next import
of the feed edits the same services, and changes nothing if the feed has not changed. Services of the feed
that it no longer has are ended.
"""

import re
import time
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from busware.server.gtfs import extension
from busware.server.gtfs.archive import Archive, FeedError, Remarks
from busware.server.gtfs.fares import read_tariff
from busware.server.gtfs.feed import Feed, read_feed
from busware.server.gtfs.mapping import Mapper, Options, Service, format_minutes
from busware.server.gtfs.places import Place, new_places, served_stops
from busware.server.settings import Settings

_KNOWN_STOPS = "SELECT stop_id, place FROM feed_stops WHERE feed = %s"
_SAME_PLACES = """
    SELECT s.id, p.code FROM unnest(%s::text[], %s::text[]) AS s (id, name) JOIN places p ON p.code = s.id
    WHERE api.is_called(p, s.name)
"""
_CODES = "SELECT code FROM places"
_ADD_PLACE = """
    INSERT INTO places (code, name, part_of, time_zone, latitude, longitude) VALUES (%s, %s, %s, %s, %s, %s)
"""
_ADD_STOPS = """
    INSERT INTO feed_stops (feed, stop_id, place)
    SELECT %s, * FROM unnest(%s::text[], %s::text[]) ON CONFLICT DO NOTHING
"""
_SERVICES = """
    SELECT s.bus_id, s.operator, s.source_id, s.name, s.first_date, s.last_date,
           (api.now() AT TIME ZONE s.time_zone)::date
    FROM bus_info s WHERE starts_with(s.source_id, %s) OR s.bus_id = ANY (%s)
"""
_PUT = "SELECT refused, answer FROM api.put_service(NULL, %s, %s)"
_LIMIT = "SELECT set_config('lock_timeout', %s, true)"
_DAY = timedelta(days=1)

KINDS = ("new", "changed", "unchanged", "ended", "refused")  # what an import does to a service


@dataclass
class Content:
    """A feed that was read. unread: the files that are ignored."""

    name: str  # of the feed; the sources of its services begin with it
    options: Options
    feed: Feed
    services: list[Service]
    extensions: dict[str, extension.Extension]
    remarks: Remarks
    unread: list[str]


@dataclass(frozen=True)
class Outcome:
    """What an import does to a service. kind: one of KINDS. answer: what api.put_service answered.

    line: its line in trips.txt; 0 if the feed does not have the service any more.
    """

    kind: str
    name: str
    line: int
    answer: dict[str, Any]


@dataclass
class Changes:
    """What an import changes, or what its plan would change."""

    partial: bool  # whether the other services are changed if some are refused
    places: list[Place] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def is_refused(self) -> bool:
        """Whether nothing is changed, because services are refused."""
        return not self.partial and bool(self.of("refused"))

    @property
    def is_possible(self) -> bool:
        """Whether there is something to change, and it is not refused."""
        changed = self.places or self.of("new") or self.of("changed") or self.of("ended")
        return bool(changed) and not self.is_refused

    def of(self, kind: str) -> list[Outcome]:
        """The outcomes of one kind."""
        return [outcome for outcome in self.outcomes if outcome.kind == kind]


def read(path: Path, options: Options, settings: Settings) -> Content:
    """Read a feed. Raises FeedError if it cannot be read to its end; other faults are in its remarks."""
    remarks = Remarks()
    with Archive(path, settings) as archive:
        feed = read_feed(archive, remarks)
        tariff = None if options.fare_per_km is not None else read_tariff(archive, feed, remarks)
        extensions = extension.read_extensions(archive, remarks)
        unread = archive.unread
    services = [] if remarks.faults else Mapper(feed, tariff, options, remarks, extensions).services()
    name = options.name or re.sub(r"[\s:]+", "-", feed.name)[:60] or "feed"
    return Content(name, options, feed, services, extensions, remarks, unread)


def put(
    conn: psycopg.Connection[Any], content: Content, settings: Settings, *, plan: bool, partial: bool
) -> Changes:
    """Put a feed into the database; nothing is changed for a plan, and nothing if a service is refused.

    partial: change the other services even if some are refused. Raises FeedError.
    """
    changes = Changes(partial)
    ends_at = time.monotonic() + settings.gtfs_seconds

    def put_service(name: str, line: int, document: dict[str, Any]) -> None:
        if time.monotonic() >= ends_at:
            raise FeedError(
                f"The import takes longer than {settings.gtfs_seconds:g} seconds. Nothing is changed. "
                "Divide the feed, or set BUSWARE_GTFS_SECONDS to a higher number."
            )
        changes.outcomes.append(_put_service(conn, document, name, line, plan=plan))

    with conn.transaction(force_rollback=plan) as transaction:
        conn.execute(_LIMIT, [f"{settings.lock_wait_ms}ms"])
        places = _put_places(conn, content, changes)
        existing = _ExistingServices(conn, content)
        documents = list(_documents(content, places, existing))
        for name, line, document in documents:
            put_service(name, line, document)
        numbers = {document.get("bus_id") for _, _, document in documents}
        for name, document in existing.ends_of_missing(numbers, _first_date(content)):
            put_service(name, 0, document)
        if changes.is_refused:
            raise psycopg.Rollback(transaction)
    return changes


def _first_date(content: Content) -> date:
    """The date on which a feed begins."""
    dates = (day for service in content.services for c in service.calendars for day in c.dates)
    return content.feed.first_date or min(dates, default=date.min + _DAY)


class _ExistingServices:
    """The services of the database that may be those of a feed."""

    def __init__(self, conn: psycopg.Connection[Any], content: Content) -> None:
        numbers = [number for e in content.extensions.values() if (number := e.fields.get("bus_id"))]
        self._prefix = f"{content.name}:"
        self._rows = conn.execute(_SERVICES, [self._prefix, numbers]).fetchall()
        self._by_source = {(operator, source): bus_id for bus_id, operator, source, *_ in self._rows}
        self._by_number = {bus_id: (operator, source) for bus_id, operator, source, *_ in self._rows}

    def identity(self, operator: str, ids: list[str]) -> dict[str, Any]:
        """The number and the source_id of a service; no number if it is new. ids: of its trips.

        A number is given once: if trips of a service are now different services, the first one keeps it.
        """
        for source in (f"{self._prefix}{trip}" for trip in ids):
            if bus_id := self._by_source.pop((operator, source), None):
                return {"bus_id": bus_id, "source_id": source}
        return {"source_id": f"{self._prefix}{ids[0]}"}

    def belongs(self, bus_id: int, operator: str, source: str | None) -> bool:
        """Whether a service has this operator and source, or does not exist."""
        return self._by_number.get(bus_id, (operator, source)) == (operator, source)

    def ends_of_missing(
        self, present: Container[int | None], first: date
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Edits that end the missing services before the feed begins, but not in the past."""
        for bus_id, _, source, name, first_date, last_date, today in self._rows:
            last = max(today, first) - _DAY
            if (
                bus_id in present
                or not (source or "").startswith(self._prefix)
                or (last_date or date.max) <= last
            ):
                continue
            edit = {"bus_id": bus_id, "last_date": last.isoformat()}
            if first_date and first_date > last:
                edit["first_date"] = last.isoformat()
            yield f"{bus_id} {name}", edit


def _put_places(conn: psycopg.Connection[Any], content: Content, changes: Changes) -> dict[str, str]:
    """Add the places that are missing. Returns stop_id → code for the stops that are served."""
    feed, name = content.feed, content.name
    stops = list(feed.stops.values())
    same = conn.execute(_SAME_PLACES, [[s.id for s in stops], [s.name for s in stops]]).fetchall()
    known = dict(same) | dict(conn.execute(_KNOWN_STOPS, [name]).fetchall())
    changes.places = new_places(feed, known, (code for (code,) in conn.execute(_CODES)))
    codes = known | {place.stop.id: place.code for place in changes.places}
    with conn.cursor() as cursor:
        cursor.executemany(
            _ADD_PLACE,
            [
                (
                    p.code,
                    p.stop.name,
                    codes.get(p.part_of),
                    p.stop.time_zone,
                    p.stop.latitude,
                    p.stop.longitude,
                )
                for p in changes.places
            ],
        )
    ids = {stop.id for stop in served_stops(feed)} | {place.stop.id for place in changes.places}
    conn.execute(_ADD_STOPS, [name, sorted(ids), [codes[stop] for stop in sorted(ids)]])
    return codes


def _documents(
    content: Content, places: Mapping[str, str], existing: _ExistingServices
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """The name, the line of trips.txt and the document of each service. Raises FeedError."""
    for service in content.services:
        document = service.document(places, content.options)
        if found := content.extensions.get(service.ids[0]):
            dates = {day for calendar in service.calendars for day in calendar.dates}
            document = found.document(document, content.feed.first_date or min(dates), dates)
            bus_id, source = document["bus_id"], document["source_id"]
            if not existing.belongs(bus_id, document["operator"], source):
                raise FeedError(
                    f"{extension.FILE}:{found.line}: in this database, {bus_id} is the number of another "
                    "service. Without this file, the services of the feed get new numbers."
                )
        else:
            document |= existing.identity(document["operator"], service.ids)
        start = service.calls[0]
        name = f"{service.route.name}, {format_minutes(start.departs)} from {places[start.stop]}"
        yield f"{name} (trip {service.ids[0]})", service.line, document


def _put_service(
    conn: psycopg.Connection[Any], document: dict[str, Any], name: str, line: int, *, plan: bool
) -> Outcome:
    ((refused, answer),) = conn.execute(_PUT, [Jsonb(document), plan]).fetchall()
    if refused:
        kind = "refused"
    elif answer["created"]:
        kind = "new"
    elif not answer["changes"]:
        kind = "unchanged"
    else:
        kind = "changed" if line else "ended"
    return Outcome(kind, name, line, answer)
