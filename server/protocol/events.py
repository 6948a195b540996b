"""The log of events for other systems of an operator: its request and its reply."""

import datetime
import uuid
from typing import Any

from msgspec import Struct

from busware.server.protocol.fields import BusId, Cursor, Limit
from busware.server.protocol.replies import Instant
from busware.server.protocol.requests import Request, method


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to a booking or a trip. data: the booking or the trip after it, with `cause` and `why`.

    event_id: the same each time the event is read or sent. reference: missing if the event is of a trip.
    """

    event_id: uuid.UUID
    position: int
    type: str
    at: Instant
    bus_id: BusId | None = None
    travel_date: datetime.date | None = None
    reference: str | None = None
    data: dict[str, Any]


class EventList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Events in the order of their positions. next: the value of `after` for the later ones, also if there
    are no events. more: whether there may be later ones now.
    """

    events: list[Event]
    next: str
    more: bool = False


@method("events", EventList, "GET /v1/events")
class Events(Request, frozen=True, kw_only=True):
    """For operators: read what happened to the bookings and trips of your services, after a position."""

    after: Cursor | None = None
    limit: Limit | None = None
