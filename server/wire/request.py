"""What every request has, and what those about a stretch and those about a booking share."""

from typing import ClassVar, get_args

import msgspec
from msgspec import Struct

from server.wire.fields import (
    BusId,
    Count,
    Date,
    Flag,
    Key,
    Passengers,
    Phone,
    PlaceName,
    Reference,
    SeatNos,
    StopNo,
)
from server.wire.refusals import Refusal


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What every request has. An unknown field is refused, since it is a misspelt one."""

    method: ClassVar[str]
    reply: ClassVar[type[Struct]]
    resource: ClassVar[str]  # over HTTP: method and path
    status: ClassVar[int] = 200  # of the answer over HTTP
    writes: ClassVar[bool] = False

    @classmethod
    def takes(cls, field: str) -> str:
        """What one of the fields takes: the description in its type."""
        (kind,) = (f.type for f in msgspec.structs.fields(cls) if field in (f.name, f.encode_name))
        metas = (m for part in (kind, *get_args(kind)) for m in getattr(part, "__metadata__", ()))
        return next(str(meta.description) for meta in metas if meta.description)

    @classmethod
    def wrong(cls, field: str, problem: str | None = None) -> Refusal:
        """The refusal of a request for one of its fields; problem: a sentence about it, if need be."""
        takes = cls.takes(field)
        message = f"{problem} It takes {takes}." if problem else f"{field} takes {takes}."
        return Refusal("bad_request", message, field=field, takes=takes)


class Stretch(Request, frozen=True, kw_only=True):
    """One trip, from a stop of it to a later one: by places, or by positions."""

    bus_id: BusId
    travel_date: Date
    origin: PlaceName | None = None
    destination: PlaceName | None = None
    from_stop: StopNo | None = None
    to_stop: StopNo | None = None


class Party(Stretch, frozen=True, kw_only=True):
    """Who wants seats over a stretch: named seats, or any so many."""

    seats: SeatNos | None = None
    count: Count | None = None
    phone: Phone | None = None
    passengers: Passengers | None = None
    waitlist: Flag = False
    key: Key | None = None


class AboutBooking(Request, frozen=True, kw_only=True):
    """A booking, opened by its reference and, where the guest left one, the phone."""

    reference: Reference
    phone: Phone | None = None
