"""One trip: its load by leg, its seat occupancy chart, and its event stream."""

from starlette.responses import Response

from busware.server import protocol
from busware.server.pages import kinds
from busware.server.pages.operator import frame, occupancy
from busware.server.pages.visits import Table, Visit
from busware.server.protocol import TripOccupancy

PATH = "/operator/trips/{bus_id}/{travel_date}"
EVENTS = f"{PATH}/events"  # the event stream of a trip


def show_trip(visit: Visit) -> Response:
    """A trip with its load by leg and its seat occupancy chart."""
    trip: TripOccupancy = visit.request(protocol.Occupancy, **visit.path)
    return frame.render(
        visit,
        "operator_trip.html",
        trip=trip,
        kind=kinds.kind_of(trip.kind),
        decks=occupancy.decks(trip, visit.language),
        at_one_place=occupancy.is_at_one_place(trip),
    )


def read_event(visit: Visit) -> bytes:
    """The event of a trip. A page of the trip then loads its live parts again."""
    return visit.perform(protocol.Occupancy, **visit.path)


PAGES: Table = {PATH: frame.operator_page(show_trip)}
