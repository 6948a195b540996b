"""One trip: its load by leg."""

from starlette.responses import Response

from busware.server import protocol
from busware.server.pages.operator import charts, frame
from busware.server.pages.visits import Table, Visit
from busware.server.protocol import TripLoad

PATH = "/operator/trips/{bus_id}/{travel_date}"


def show_trip(visit: Visit) -> Response:
    """A trip with its load by leg."""
    trip: TripLoad = visit.request(protocol.Load, **visit.path)
    return frame.render(
        visit, "operator_trip.html", trip=trip, strip=charts.load_strip(trip.legs, trip.seats)
    )


PAGES: Table = {PATH: frame.operator_page(show_trip)}
