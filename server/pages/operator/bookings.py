"""One booking as its operator sees it: its trip, its tickets, and how to reach its passengers."""

from starlette.responses import Response

from busware.server import protocol
from busware.server.pages import kinds
from busware.server.pages.operator import frame
from busware.server.pages.visits import Table, Visit
from busware.server.protocol import Booking, TripManifest

PATH = "/operator/bookings/{reference}"


def show_booking(visit: Visit) -> Response:
    """A booking, with the phone numbers of its booked passengers."""
    booking: Booking = visit.request(protocol.GetBooking, **visit.path)
    trip = {"bus_id": booking.bus_id, "travel_date": booking.travel_date}
    manifest: TripManifest = visit.request(protocol.Manifest, **trip)
    riders = [rider for stop in manifest.stops for rider in stop.boards]
    booked = [rider for rider in riders if rider.reference == booking.reference]
    return frame.render(
        visit,
        "operator_booking.html",
        booking=booking,
        kind=kinds.kind_of(booking.kind),
        phones=list(dict.fromkeys(rider.phone for rider in booked if rider.phone)),
        is_booked=bool(booked),
    )


PAGES: Table = {PATH: frame.operator_page(show_booking)}
