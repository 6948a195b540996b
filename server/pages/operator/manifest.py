"""The manifest of a trip by stop: check-in in place, no-shows, and the files for paper and spreadsheets."""

from functools import partial
from typing import NamedTuple

from starlette.responses import Response

from busware.server import protocol
from busware.server.documents.formats import FORMATS
from busware.server.pages import kinds
from busware.server.pages.operator import frame
from busware.server.pages.operator.trip import PATH as TRIP_PATH
from busware.server.pages.visits import Table, Visit, address
from busware.server.protocol import ManifestPassenger, ManifestStop, NoShows, TripManifest

PATH = f"{TRIP_PATH}/manifest"


class Absent(NamedTuple):
    """The passengers of a stop who would become no-shows. is_new: they differ from those shown before."""

    stop: ManifestStop
    riders: list[ManifestPassenger]
    is_new: bool = False

    @property
    def tickets(self) -> str:
        """Their tickets, such as DT7VKKK/1, for the form that confirms."""
        return " ".join(f"{rider.reference}/{rider.ticket_no}" for rider in self.riders)


def show_manifest(visit: Visit, absent: Absent | None = None) -> Response:
    """The manifest of a trip, stop by stop. absent: the passengers who would become no-shows."""
    manifest = _manifest(visit)
    return frame.render(
        visit,
        "operator_manifest.html",
        trip=manifest,
        kind=kinds.kind_of(manifest.kind),
        ends={(one.reference, one.ticket_no): stop for stop in manifest.stops for one in stop.alights},
        done=_done(visit, manifest),
        absent=absent,
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
    """Show the passengers of a stop who did not come, or mark those who were shown."""
    at = visit.whole_number("at", 0)
    absent = _absent(visit, at)
    if absent and (visit.value("do") != "apply" or absent.is_new):
        return show_manifest(visit, absent)
    marked: NoShows = visit.request(
        protocol.MarkNoShows,
        at=at,
        release=visit.value("release") == "on",
        key=visit.key(),
        **visit.path,
    )
    return visit.see(_address(visit), {"no_shows": len(marked.tickets)})


def send_file(extension: str, visit: Visit) -> Response:
    """The manifest as a file."""
    manifest = _manifest(visit)
    form = FORMATS[protocol.Manifest][extension]
    name = f"manifest-{manifest.bus_id}-{manifest.travel_date}.{extension}"
    return visit.send_file(form.encode(manifest), form.mime_type, name)


def _manifest(visit: Visit) -> TripManifest:
    manifest: TripManifest = visit.request(protocol.Manifest, **visit.path)
    return manifest


def _absent(visit: Visit, at: int) -> Absent | None:
    """The passengers who board at a stop and are neither checked in nor no-shows; None if there are none."""
    for stop in _manifest(visit).stops:
        riders = [rider for rider in stop.boards if not (rider.checked_in_at or rider.no_show_at)]
        if stop.stop_no == at and riders:
            absent = Absent(stop, riders)
            is_new = visit.value("do") == "apply" and visit.value("tickets") != absent.tickets
            return absent._replace(is_new=is_new)
    return None


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
