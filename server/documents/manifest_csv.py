"""A manifest as CSV: a row for each passenger who boards or alights at a stop, in the order of the route."""

from collections.abc import Iterator
from datetime import datetime

from busware.server.documents import csv_table
from busware.server.protocol import TripManifest

_HEADER = (
    "stop_no",
    "stop",
    "arrives_at",
    "departs_at",
    "action",
    "seat_no",
    "name",
    "phone",
    "reference",
    "ticket_no",
    "checked_in_at",
    "no_show_at",
    "scheduled_arrives_at",
    "scheduled_departs_at",
    "sold_by",
    "email",
)


def encode(manifest: TripManifest) -> bytes:
    """The manifest as CSV."""
    return csv_table.encode(_HEADER, _rows(manifest))


def _rows(manifest: TripManifest) -> Iterator[tuple[csv_table.Cell, ...]]:
    for stop in manifest.stops:
        at = (stop.stop_no, stop.place, _time(stop.arrives_at), _time(stop.departs_at))
        scheduled = (_time(stop.scheduled_arrives_at), _time(stop.scheduled_departs_at))
        for action, riders in (("alights", stop.alights), ("boards", stop.boards)):
            for rider in riders:
                ticket = (rider.reference, rider.ticket_no)
                seen = (_time(rider.checked_in_at), _time(rider.no_show_at))
                person = (rider.seat_no, rider.name, rider.phone)
                yield *at, action, *person, *ticket, *seen, *scheduled, rider.sold_by, rider.email


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
