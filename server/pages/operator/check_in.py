"""Check-in by typed reference or by camera: of a trip, and perhaps of a stop, which stay chosen."""

from dataclasses import dataclass

from starlette.responses import Response

from busware.server import protocol
from busware.server.pages import kinds
from busware.server.pages.operator import frame, trips
from busware.server.pages.visits import HEADERS, Table, Visit
from busware.server.protocol import Booking, ManifestPassenger, TripManifest

PATH = "/operator/check-in"
_TRIP = ("bus_id", "travel_date")
_CHOICE = (*_TRIP, "at")  # the fields that stay chosen
_WITH_CAMERA = HEADERS["Permissions-Policy"].replace("camera=()", "camera=(self)")


@dataclass(frozen=True)
class Party:
    """The passengers of a booking, in the order of their seats. destination: of the last of them."""

    riders: list[ManifestPassenger]
    origin: str
    destination: str

    @property
    def is_checked_in(self) -> bool:
        """Whether all are checked in."""
        return all(rider.checked_in_at for rider in self.riders)


def show_check_in(visit: Visit) -> Response:
    """The form for check-in, and who was checked in last. Without a trip: the trips of a day."""
    if not visit.value("bus_id"):
        return trips.show_choice(visit, "operator_check_in_trips.html", PATH)
    manifest = _manifest(visit)
    at = visit.whole_number("at", 0)
    response = frame.render(
        visit,
        "operator_check_in.html",
        PATH,
        trip=manifest,
        kind=kinds.kind_of(manifest.kind),
        at=at,
        boarding=[rider for stop in manifest.stops if at in (0, stop.stop_no) for rider in stop.boards],
        party=None if visit.refusal else _party(manifest, visit.value("done")),
    )
    response.headers["Permissions-Policy"] = _WITH_CAMERA
    return response


def check_in(visit: Visit) -> Response:
    """Check the passengers of a booking in, or take that back."""
    undo = visit.value("undo")
    before = _manifest(visit)
    booking: Booking = visit.request(
        protocol.CheckIn,
        reference=undo or visit.value("reference"),
        undo=bool(undo),
        **_values(visit, _CHOICE),
    )
    party = _party(before, booking.reference)
    again = not undo and party is not None and party.is_checked_in
    done = {"done": booking.reference, "again": "yes" if again else ""}
    return visit.see(PATH, _values(visit, _CHOICE) | done)


def _manifest(visit: Visit) -> TripManifest:
    manifest: TripManifest = visit.request(protocol.Manifest, **_values(visit, _TRIP))
    return manifest


def _values(visit: Visit, names: tuple[str, ...]) -> dict[str, str]:
    return {name: visit.value(name) for name in names}


def _party(manifest: TripManifest, reference: str) -> Party | None:
    for stop in manifest.stops:
        riders = [rider for rider in stop.boards if rider.reference == reference]
        if riders:
            ends = [end.place for end in manifest.stops for one in end.alights if one.reference == reference]
            return Party(riders, stop.place, ends[-1] if ends else "")
    return None


PAGES: Table = {PATH: frame.operator_page(show_check_in, check_in)}
