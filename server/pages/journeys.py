"""From the search to the trip: the search form, the trips that are found, the seats of a trip.

The address of each page has the whole search, so that pages can be shared, kept and opened in several tabs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from busware.server import protocol
from busware.server.http import problems
from busware.server.pages import kinds, seat_map
from busware.server.pages.kinds import N_, Kind
from busware.server.pages.seat_map import Choice
from busware.server.pages.visits import Page, Table, Visit, address
from busware.server.protocol import Place, PlaceList, Refusal, Seats, Trip, TripList

MAX_COUNT = 10  # seats in the search; a service may sell fewer in one booking
_DAYS_AROUND = 3  # dates that are offered before and after the chosen one
TIMES = {  # of departure: the first hour, and the hour after the last
    "night": (N_("Before 06:00"), 0, 6),
    "morning": (N_("06:00 to 12:00"), 6, 12),
    "afternoon": (N_("12:00 to 18:00"), 12, 18),
    "evening": (N_("After 18:00"), 18, 24),
}
_COOLING = {"ac": True, "non_ac": False}
_SORTS: dict[str, tuple[str, Callable[[Trip], Any]]] = {
    "departs": (N_("Departure"), lambda trip: trip.departs_at),
    "fare": (N_("Fare"), lambda trip: Decimal(trip.fare)),
    "duration": (N_("Duration"), lambda trip: trip.arrives_at - trip.departs_at),
}


@dataclass(frozen=True)
class Search:
    """What a traveller looks for, as the query of the pages has it."""

    kind: Kind
    origin: str
    destination: str
    date: str
    until: str
    seats: int

    @property
    def missing(self) -> dict[str, str]:
        """The fields that are needed and empty, each with what to do."""
        needed = {
            "origin": N_("Enter where you start.") if self.kind.destination else N_("Choose a place."),
            "destination": self.kind.destination and N_("Enter where you want to go."),
            "date": N_("Choose a date."),
            "until": self.kind.until and N_("Choose the date of the check-out."),
        }
        return {name: text for name, text in needed.items() if text and not self.query[name]}

    @property
    def query(self) -> dict[str, Any]:
        """The query."""
        return {
            "kind": self.kind.name,
            "origin": self.origin,
            "destination": self.destination if self.kind.destination else "",
            "date": self.date,
            "until": self.until,
            "seats": self.seats,
        }

    def find(self, visit: Visit, days_around: int = 0) -> TripList:
        """The trips that are found, and the numbers of those on the dates around. Raises Refusal."""
        found: TripList = visit.request(
            protocol.Search,
            kind=self.kind.name,
            origin=self.origin,
            destination=self.destination,
            date=self.date,
            until=self.until,
            days_around=days_around,
        )
        return found


def search_of(visit: Visit) -> Search:
    """The search in the query."""
    kind = kinds.kind_of(visit.value("kind", kinds.FIRST))
    origin = visit.value("origin")
    day = visit.value("date")
    return Search(
        kind=kind,
        origin=origin,
        destination=visit.value("destination") if kind.destination else origin,
        date=day,
        until=visit.value("until") if kind.until else "",
        seats=max(1, min(MAX_COUNT, visit.whole_number("seats", 1))),
    )


# The search form -------------------------------------------------------------------------------


def show_search(visit: Visit) -> Response:
    """The search form."""
    search = search_of(visit)
    refused = HTTPStatus.BAD_REQUEST if visit.missing else HTTPStatus.OK
    status = problems.of_refusal(visit.refusal).status if visit.refusal else refused
    listed = _places(visit, search)
    return visit.render("search.html", status, **_choices(visit, search, listed.places, listed))


def _places(visit: Visit, search: Search) -> PlaceList:
    """The places at which services of the kind stop."""
    listed: PlaceList = visit.request(protocol.Places, kind=search.kind.name)
    return listed


def _choices(
    visit: Visit, search: Search, places: list[Place], on_sale: PlaceList | TripList
) -> dict[str, Any]:
    """What the search form offers. on_sale: has the first and the last date."""
    first = on_sale.on_sale_from or visit.now.date()
    chosen = visit.day("date") or max(first, visit.tomorrow)
    return {
        "search": search,
        "kind": search.kind,
        "kinds": kinds.KINDS.values(),
        "places": places if search.kind.destination else [place for place in places if not place.part_of],
        "first": first,
        "last": on_sale.on_sale_until,
        "date": chosen,
        "until": visit.day("until") or chosen + timedelta(days=1),
        "counts": range(1, MAX_COUNT + 1),
    }


# The trips that are found ----------------------------------------------------------------------


def show_trips(visit: Visit) -> Response:
    """The trips that are found; if the search is incomplete or refused, the form with the reason."""
    search = search_of(visit)
    visit.missing = search.missing
    if visit.missing:
        return show_search(visit)
    try:
        found = search.find(visit, _DAYS_AROUND)
    except Refusal as refusal:
        visit.refusal = refusal
        return show_search(visit)
    trips = found.trips
    # The places of buses and flights are many: static/places.js reads them when the form is used.
    listed = _places(visit, search) if not (trips and search.kind.destination) else None
    places, on_sale = (listed.places, listed) if listed else ([], found)
    shown = _filtered(visit, trips)
    sort = visit.value("sort", "departs")
    _, key = _SORTS.get(sort, _SORTS["departs"])
    query = address("", search.query)  # encoded once for all trips
    return visit.render(
        "trips.html",
        trips=sorted(shown, key=key),
        found=len(trips),
        where=_where(search, trips, places),
        dates=_dates(search, on_sale),
        trips_on={one.date: one.trips for one in found.dates or []},
        filters=_filters(visit, trips),
        sorts={name: label for name, (label, _) in _SORTS.items()},
        sort=sort,
        address_of=lambda trip: f"/trips/{trip.bus_id}{query}",
        **_choices(visit, search, [] if search.kind.destination else places, on_sale),
    )


def _where(search: Search, trips: Sequence[Trip], places: Iterable[Place]) -> str:
    """The places of the search: as the trips name them if all name the same ones, else as typed."""
    names = {place.code: place.name for place in places}
    ends = {(trip.origin, trip.destination) for trip in trips} if search.kind.destination else set()
    typed = [names.get(text, text) for text in (search.origin, search.destination)]
    origin, destination = ends.pop() if len(ends) == 1 else typed
    return f"{origin} – {destination}" if search.kind.destination else origin


def _dates(search: Search, on_sale: PlaceList | TripList) -> list[tuple[date, str | None]]:
    """The dates around the chosen one that are on sale, each with its address; the chosen one without."""
    chosen = date.fromisoformat(search.date)
    first, last = on_sale.on_sale_from or chosen, on_sale.on_sale_until or chosen
    around = range(-_DAYS_AROUND, _DAYS_AROUND + 1)
    shifts = [n for n in around if n == 0 or first.toordinal() <= chosen.toordinal() + n <= last.toordinal()]
    return [
        (chosen + timedelta(n), address("/trips", search.query | _shifted(search, n)) if n else None)
        for n in shifts
    ]


def _shifted(search: Search, days: int) -> dict[str, str]:
    """The dates of a search, later by some days."""
    given = {"date": search.date, "until": search.until}
    return {
        name: (date.fromisoformat(text) + timedelta(days)).isoformat() for name, text in given.items() if text
    }


def _filters(visit: Visit, trips: Sequence[Trip]) -> dict[str, Any]:
    """The filters that can tell some trips from others, with their values."""
    bus_types = [name for name in kinds.BUS_TYPES if any(trip.bus_type == name for trip in trips)]
    times = [name for name in TIMES if any(_leaves(trip, name) for trip in trips)]
    cooling = {trip.ac for trip in trips if trip.ac is not None}
    classes = list(dict.fromkeys(name for trip in trips for name in _classes(trip)))
    fares = sorted({Decimal(trip.fare) for trip in trips})
    return {
        "type": {name: kinds.BUS_TYPES[name] for name in bus_types} if len(bus_types) > 1 else {},
        "class": {name: name.capitalize() for name in classes} if len(classes) > 1 else {},
        "ac": {"ac": N_("AC"), "non_ac": N_("Non-AC")} if len(cooling) > 1 else {},
        "time": {name: TIMES[name][0] for name in times} if len(times) > 1 else {},
        "fare": fares if len(fares) > 1 else [],
        "currency": trips[0].currency if trips else "",
        "count": sum(bool(visit.values(name, "")[0]) for name in ("type", "class", "ac", "time", "max_fare")),
    }


def _filtered(visit: Visit, trips: Iterable[Trip]) -> list[Trip]:
    """The trips that pass the filters in the query."""
    bus_types, classes, cooling, times = (
        [value for value in visit.values(name, "") if value] for name in ("type", "class", "ac", "time")
    )
    limit = visit.value("max_fare")
    most = Decimal(limit) if limit.replace(".", "", 1).isdecimal() and limit.isascii() else None
    return [
        trip
        for trip in trips
        if (not bus_types or trip.bus_type in bus_types)
        and (not classes or any(name in classes for name in _classes(trip)))
        and (not cooling or trip.ac in [_COOLING.get(value) for value in cooling])
        and (not times or any(_leaves(trip, name) for name in times))
        and (most is None or Decimal(trip.fare) <= most)
    ]


def _classes(trip: Trip) -> list[str]:
    """The names of the classes of a trip of which seats are free."""
    return [one.name for one in trip.classes or [] if one.name and one.seats_free]


def _leaves(trip: Trip, time: str) -> bool:
    """Whether a trip departs in a part of the day."""
    _, first, end = TIMES.get(time, ("", 0, 0))
    return first <= trip.departs_at.hour < end


# The seats of a trip ---------------------------------------------------------------------------


def show_trip(visit: Visit) -> Response:
    """A trip with its seats."""
    search, trip = found_trip(visit)
    shown = seat_map.view(
        seat_map_of(visit, trip), search.kind, visit.language, Choice(visit.whole_numbers("seat"))
    )
    return visit.render(
        "trip.html",
        search=search,
        kind=search.kind,
        trip=trip,
        seat_map=shown,
        instead=address(visit.here, visit.query | {"seat": shown.kept + shown.offered}),
        back=address("/trips", search.query),
    )


def found_trip(visit: Visit) -> tuple[Search, Trip]:
    """The search in the query, and the trip in the path. Raises Refusal (unknown_trip)."""
    search = search_of(visit)
    for trip in search.find(visit).trips:
        if str(trip.bus_id) == visit.path["bus_id"]:
            return search, trip
    raise Refusal("unknown_trip", "There is no such trip on this date, or it is no longer sold.")


def seat_map_of(visit: Visit, trip: Trip) -> Seats:
    """The seats of the segment of a trip. Raises Refusal."""
    seats: Seats = visit.request(
        protocol.SeatMap,
        bus_id=trip.bus_id,
        travel_date=trip.travel_date,
        from_stop=trip.from_stop,
        to_stop=trip.to_stop,
    )
    return seats


PAGES: Table = {
    "/": Page(show_search),
    "/trips": Page(show_trips),
    "/trips/{bus_id}": Page(show_trip),
}
