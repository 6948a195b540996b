"""The trips of a day, each with its load by leg, and their event stream."""

from datetime import timedelta
from operator import attrgetter
from typing import Any

from starlette.responses import Response

from busware.server import protocol
from busware.server.pages.operator import charts, frame
from busware.server.pages.visits import Table, Visit, address
from busware.server.protocol import OperatedTrips

PATH = "/operator"
EVENTS = f"{PATH}/events"  # the event stream of the trips of a day
_LIMIT = 50  # trips of a page
_DAY = timedelta(days=1)


def _fields(visit: Visit) -> dict[str, Any]:
    """The trips that the page shows. Without a date, they are those of today."""
    return {"date": visit.day("date"), "limit": _LIMIT, "after": visit.value("after")}


def show_trips(visit: Visit) -> Response:
    """The trips of a travel date with their load by leg, which a script keeps up to date."""
    listed: OperatedTrips = visit.request(protocol.OperatorTrips, **_fields(visit), legs=True)
    strips = {trip.bus_id: charts.load_strip(trip.legs, trip.seats) for trip in listed.trips}
    query = {"date": listed.date, "after": visit.value("after")}  # the same trips after midnight, too
    here, events = address(PATH, query), address(EVENTS, query)
    return render(visit, "operator_trips.html", PATH, listed, strips=strips, here=here, events=events)


def show_choice(visit: Visit, template: str, path: str) -> Response:
    """The trips of a travel date, of which one is to be chosen. path: of the page."""
    return render(visit, template, path, visit.request(protocol.OperatorTrips, **_fields(visit)))


def render(visit: Visit, template: str, path: str, listed: OperatedTrips, **values: Any) -> Response:
    """A page with trips of a day, in the order of their departures. path: of the page."""
    return frame.render(
        visit,
        template,
        path,
        date=listed.date,
        day=_DAY,
        more=address(path, {"date": listed.date, "after": listed.next}) if listed.next else "",
        trips=sorted(listed.trips, key=attrgetter("departs_at")),
        **values,
    )


def read_event(visit: Visit) -> bytes:
    """The trips of the page of a day. The page then loads its live parts again."""
    return visit.perform(protocol.OperatorTrips, **_fields(visit), legs=True)


PAGES: Table = {PATH: frame.operator_page(show_trips)}
