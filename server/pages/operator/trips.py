"""The trips of a day, each with its load by leg."""

from datetime import timedelta
from operator import attrgetter

from starlette.responses import Response

from busware.server import protocol
from busware.server.pages.operator import charts, frame
from busware.server.pages.visits import Table, Visit, address
from busware.server.protocol import OperatedTrip, OperatedTrips, TripLoad

PATH = "/operator"
_LIMIT = 50  # trips of a page: each needs a request for its load


def show_trips(visit: Visit, template: str = "operator_trips.html", path: str = PATH) -> Response:
    """The trips of a travel date. path: of the page."""
    date = visit.day("date") or visit.now.date()
    listed: OperatedTrips = visit.request(
        protocol.OperatorTrips, date=date, limit=_LIMIT, after=visit.value("after")
    )
    return frame.render(
        visit,
        template,
        path,
        date=date,
        day=timedelta(days=1),
        more=address(path, {"date": date, "after": listed.next}) if listed.next else "",
        trips=[(trip, _strip(visit, trip)) for trip in sorted(listed.trips, key=attrgetter("departs_at"))],
    )


def _strip(visit: Visit, trip: OperatedTrip) -> charts.LoadStrip:
    load: TripLoad = visit.request(protocol.Load, bus_id=trip.bus_id, travel_date=trip.travel_date)
    return charts.load_strip(load.legs, load.seats)


PAGES: Table = {PATH: frame.operator_page(show_trips)}
