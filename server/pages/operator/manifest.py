"""The manifest of a trip by stop: check-in in place, no-shows, and the files for paper and spreadsheets."""

from functools import partial

from starlette.responses import Response

from busware.server import protocol
from busware.server.documents.formats import FORMATS
from busware.server.pages import kinds
from busware.server.pages.operator import frame
from busware.server.pages.operator.trip import PATH as TRIP_PATH
from busware.server.pages.visits import Table, Visit, address
from busware.server.protocol import ManifestPassenger, NoShows, TripManifest

PATH = f"{TRIP_PATH}/manifest"


def show_manifest(visit: Visit) -> Response:
    """The manifest of a trip, stop by stop."""
    manifest: TripManifest = visit.request(protocol.Manifest, **visit.path)
    return frame.render(
        visit,
        "operator_manifest.html",
        trip=manifest,
        kind=kinds.kind_of(manifest.kind),
        ends={(one.reference, one.ticket_no): stop for stop in manifest.stops for one in stop.alights},
        done=_done(visit, manifest),
        here=_address(visit),
    )


def check_in(visit: Visit) -> Response:
    """Check a passenger in, or take that back. A button names the ticket, such as DT7VKKK/1."""
    undo = visit.value("undo")
    ticket = undo or visit.value("ticket")
    reference, _, number = ticket.partition("/")
    visit.request(protocol.CheckIn, reference=reference, tickets=number, undo=bool(undo), **visit.path)
    return visit.see(f"{address(_address(visit), {'done': ticket})}#p-{ticket.replace('/', '-')}")


def mark_no_shows(visit: Visit) -> Response:
    """Mark the passengers of a stop who did not come."""
    marked: NoShows = visit.request(
        protocol.MarkNoShows,
        at=visit.whole_number("at", 0),
        release=visit.value("release") == "on",
        key=visit.key(),
        **visit.path,
    )
    return visit.see(_address(visit), {"no_shows": len(marked.tickets)})


def send_file(extension: str, visit: Visit) -> Response:
    """The manifest as a file."""
    manifest: TripManifest = visit.request(protocol.Manifest, **visit.path)
    form = FORMATS[protocol.Manifest][extension]
    name = f"manifest-{manifest.bus_id}-{manifest.travel_date}.{extension}"
    return visit.send_file(form.encode(manifest), form.mime_type, name)


def _done(visit: Visit, manifest: TripManifest) -> ManifestPassenger | None:
    """The passenger of the ticket in the query, who has just been checked in."""
    riders = (rider for stop in manifest.stops for rider in stop.boards)
    return next(
        (rider for rider in riders if f"{rider.reference}/{rider.ticket_no}" == visit.value("done")), None
    )


def _address(visit: Visit) -> str:
    return PATH.format(**visit.path)


PAGES: Table = {
    PATH: frame.operator_page(show_manifest),
    f"{PATH}/check-in": frame.operator_page(show_manifest, check_in),
    f"{PATH}/no-shows": frame.operator_page(show_manifest, mark_no_shows),
    f"{PATH}.csv": frame.operator_page(partial(send_file, "csv")),
    f"{PATH}.pdf": frame.operator_page(partial(send_file, "pdf")),
}
