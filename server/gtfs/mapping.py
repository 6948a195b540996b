"""The services of a feed: trips with the same route, stops and times, of which no two share a date.

A trip of frequencies.txt is a service for each of its departures. What a service cannot have is left out, and
reported.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import pairwise
from typing import Any

from busware.server.gtfs import calendars
from busware.server.gtfs.archive import Remarks
from busware.server.gtfs.distances import Distances
from busware.server.gtfs.fares import FareError, FareTable, Segment, Tariff, cheapest, table_of, table_per_km
from busware.server.gtfs.feed import Calendar, Feed, Route, StopTime, Trip
from busware.server.protocol.currencies import round_amount

MINUTE = 60
MAX_DEPARTURES = 1440  # of a row of frequencies.txt: one a minute
_TENTH = Decimal("0.1")
NOUNS = {  # basic types of routes → the word for such a service in messages
    0: "tram", 1: "train", 2: "train", 3: "bus", 4: "ferry", 5: "tram", 6: "cable car", 7: "train", 11: "bus",
    12: "train",
}  # fmt: skip
_HUNDREDS = {  # extended types of routes, by their hundreds → one of NOUNS, or a flight
    1: "train", 2: "bus", 4: "train", 7: "bus", 8: "bus", 9: "tram", 10: "ferry", 11: "flight", 12: "ferry",
    13: "cable car", 14: "train",
}  # fmt: skip
_KINDS = {"flight": "flight"}  # noun → kind; the others are sold as buses are


@dataclass(frozen=True)
class Options:
    """What the command line says about all services of a feed. None: the feed or the service decides."""

    name: str | None = None  # of the feed
    operator: str | None = None
    fare_per_km: Decimal | None = None
    currency: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)  # further fields of each document, such as layout


@dataclass(frozen=True, slots=True)
class Call:
    """A stop of a service. Minutes since the travel date began; None: no alighting, or no boarding."""

    stop: str
    arrives: int | None
    departs: int | None


@dataclass
class Service:
    """Trips that are one service. ids: the names of its trips in the feed, the first trip first."""

    line: int  # of trips.txt
    route: Route
    calls: tuple[Call, ...]
    km: list[Decimal]
    fares: FareTable
    ids: list[str] = field(default_factory=list)
    calendars: list[Calendar] = field(default_factory=list)

    @property
    def first_departure(self) -> int:
        """When it departs at its first stop, in minutes."""
        return self.calls[0].departs or 0

    def document(self, places: Mapping[str, str], options: Options) -> dict[str, Any]:
        """The fields of protocol.ServiceData that the feed has. places: stop_id → code of its place."""
        stops = [
            {
                "place": places[call.stop],
                "arrives": format_minutes(call.arrives),
                "departs": format_minutes(call.departs),
                "km": str(km),
                "fare": f"{round_amount(fare, self.fares.currency):f}",
            }
            for call, km, fare in zip(self.calls, self.km, self.fares.stop_fares, strict=True)
        ]
        segment_fares = [
            {
                "from_stop": start + 1,
                "to_stop": end + 1,
                "fare": f"{round_amount(fare, self.fares.currency):f}",
            }
            for (start, end), fare in sorted(self.fares.segment_fares.items())
        ]
        noun = noun_of(self.route.type)
        return {
            "kind": _KINDS.get(noun, "bus"),
            "nouns": {"service": noun, "seat": "seat"},
            "name": self.route.name[:80],
            "operator": (options.operator or self.route.agency.name)[:80],
            "time_zone": self.route.agency.time_zone,
            "currency": self.fares.currency,
            "stops": stops,
            "segment_fares": segment_fares,
            **calendars.document_of(tuple(self.calendars)),
            **options.fields,
        }


class Mapper:
    """Makes the services of a feed. apart: the ids of trips that are a service of their own."""

    def __init__(
        self,
        feed: Feed,
        tariff: Tariff | None,
        options: Options,
        remarks: Remarks,
        apart: Container[str] = (),
    ) -> None:
        self._feed = feed
        self._apart = apart
        self._options = options
        self._tariff = tariff
        self._remarks = remarks
        self._distances = Distances(feed)
        self._prices: dict[tuple[str, tuple[str, ...]], Any] = {}
        self._left_out: set[str] = set()
        self._share_dates = cache(lambda a, b: bool(a.dates & b.dates))

    def services(self) -> list[Service]:
        """The services, in the order of the feed."""
        services: dict[Any, list[Service]] = {}
        for trip in self._feed.trips.values():
            if not trip.calendar.dates:
                self._leave_out(trip, "it runs on no date")
            elif len(trip.stop_times) < 2:
                self._leave_out(trip, "it has fewer than two stops")
            else:
                for suffix, shift in self._departures(trip):
                    self._add(services, trip, f"{trip.id}{suffix}", shift)
        return [service for same in services.values() for service in same]

    def _add(self, services: dict[Any, list[Service]], trip: Trip, name: str, shift: int) -> None:
        """Add a departure to the first service that has its stops and times, and none of its dates."""
        calls, km = self._calls(trip, shift)
        if len(calls) < 2:
            self._leave_out(trip, "no passenger may travel on it")
            return
        own = trip.id if trip.id in self._apart else None
        same = services.setdefault((trip.route.id, calls, own), [])
        for service in same:
            if not any(self._share_dates(trip.calendar, calendar) for calendar in service.calendars):
                break
        else:
            try:
                fares = self._fares(trip.route, calls, km)
            except FareError as error:
                self._leave_out(trip, str(error))
                return
            service = Service(trip.line, trip.route, calls, km, fares)
            same.append(service)
        service.ids.append(name)
        service.calendars.append(trip.calendar)

    def _departures(self, trip: Trip) -> Iterator[tuple[str, int]]:
        """Each departure of a trip: the end of its id, and by how many seconds its times move."""
        if not trip.frequencies:
            yield "", 0
            return
        first = trip.stop_times[0].departs or 0
        for frequency in sorted(trip.frequencies, key=lambda f: f.start):
            if (frequency.end - frequency.start) / frequency.headway > MAX_DEPARTURES:
                self._remarks.leave_out(
                    "frequencies.txt", frequency.line, "it departs more than once a minute."
                )
                continue
            if not frequency.is_exact:
                self._remarks.leave_out(
                    "frequencies.txt", frequency.line,
                    "the trips have no exact times; each departure becomes a service with a fixed time.",
                )  # fmt: skip
            for start in range(frequency.start, frequency.end, frequency.headway):
                seconds = f":{start % MINUTE:02}" if start % MINUTE else ""
                yield f"@{format_minutes(start // MINUTE)}{seconds}", start - first

    def _calls(self, trip: Trip, shift: int) -> tuple[tuple[Call, ...], list[Decimal]]:
        """The stops at which passengers board or alight, with their kilometres. Seconds are rounded down."""
        stop_times = trip.stop_times
        distances = self._distances.of(stop_times)
        calls: list[Call] = []
        km: list[Decimal] = []
        for call, (arrives, departs), distance in zip(
            stop_times, _times(stop_times, distances), distances, strict=True
        ):
            boards = call.boards and call is not stop_times[-1]
            alights = call.alights and bool(calls)
            if not boards and not alights:
                continue
            arrival = int(arrives + shift) // MINUTE if alights else None
            departure = int(departs + shift) // MINUTE if boards else None
            if calls and calls[-1].stop == call.stop:  # it waits there: one stop
                last = calls[-1]
                calls[-1] = Call(call.stop, last.arrives, last.departs if departure is None else departure)
            else:
                calls.append(Call(call.stop, arrival, departure))
                km.append(Decimal(distance).quantize(_TENTH, ROUND_HALF_UP))
        while calls and calls[-1].arrives is None:  # nobody alights after it
            calls.pop()
            km.pop()
        if calls:
            calls[-1] = Call(calls[-1].stop, calls[-1].arrives, None)
        return tuple(calls), [distance - km[0] for distance in km]

    def _fares(self, route: Route, calls: tuple[Call, ...], km: list[Decimal]) -> FareTable:
        """The fares of a service. Raises FareError."""
        options = self._options
        if options.fare_per_km is not None:
            return table_per_km(options.fare_per_km, options.currency or "INR", km)
        if self._tariff is None:
            raise FareError("the feed has no fares: give --fare-per-km")
        stops = tuple(call.stop for call in calls)
        if (route.id, stops) not in self._prices:
            self._prices[route.id, stops] = cheapest(self._tariff, route, stops)
        return table_of(self._prices[route.id, stops], _sold(calls), len(calls))

    def _leave_out(self, trip: Trip, why: str) -> None:
        if trip.id not in self._left_out:  # once for all its departures
            self._left_out.add(trip.id)
            self._remarks.leave_out("trips.txt", trip.line, f"trip {trip.id} is left out: {why}.")


def noun_of(route_type: int) -> str:
    """The word for a service of a type of route."""
    nouns = _HUNDREDS if route_type >= 100 else NOUNS
    return nouns.get(route_type // 100 if route_type >= 100 else route_type, "bus")


def format_minutes(minutes: int | None) -> str | None:
    """Minutes as a time of a document, such as 24:25."""
    return None if minutes is None else f"{minutes // 60:02}:{minutes % 60:02}"


def _sold(calls: tuple[Call, ...]) -> list[Segment]:
    """The segments on which a passenger may travel."""
    return [
        (start, end)
        for start, a in enumerate(calls)
        for end, b in enumerate(calls)
        if start < end and a.departs is not None and b.arrives is not None
    ]


def _times(calls: list[StopTime], km: list[float]) -> list[tuple[float, float]]:
    """Arrival and departure of each stop in seconds; missing ones are interpolated by distance, or evenly."""
    times: list[tuple[float, float]] = [(0.0, 0.0)] * len(calls)
    known = [n for n, call in enumerate(calls) if call.arrives is not None and call.departs is not None]
    for n in known:
        times[n] = (float(calls[n].arrives or 0), float(calls[n].departs or 0))
    for a, b in pairwise(known):
        start, end = times[a][1], times[b][0]
        for n in range(a + 1, b):
            share = (km[n] - km[a]) / (km[b] - km[a]) if km[b] > km[a] else (n - a) / (b - a)
            times[n] = (start + (end - start) * share,) * 2
    return times
