"""The requests: what they share, then a class for each method with its reply and its HTTP resource."""

from typing import ClassVar, get_args

import msgspec
from msgspec import Struct

from busware.server.protocol.fields import (
    BusId,
    BusType,
    Count,
    Cursor,
    Date,
    Flag,
    HoldSeconds,
    Key,
    KindName,
    Limit,
    Message,
    Passengers,
    Password,
    Phone,
    PlaceName,
    PlaceOrStop,
    Reason,
    Reference,
    SeatNo,
    SeatNos,
    StopNo,
    TicketNo,
    TicketNos,
    Token,
    Username,
)
from busware.server.protocol.refusals import Refusal
from busware.server.protocol.replies import (
    Booking,
    BookingList,
    CancelledTrip,
    Done,
    OpenedSales,
    OperatedTrips,
    PlaceList,
    Pong,
    Quote,
    References,
    Seats,
    Session,
    TripList,
    TripManifest,
)

# What requests share --------------------------------------------------------------------------


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


class SegmentRequest(Request, frozen=True, kw_only=True):
    """One trip, from a stop of it to a later one: by places, or by positions."""

    bus_id: BusId
    travel_date: Date
    origin: PlaceName | None = None
    destination: PlaceName | None = None
    from_stop: StopNo | None = None
    to_stop: StopNo | None = None


class Party(SegmentRequest, frozen=True, kw_only=True):
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


# A class for each method ------------------------------------------------------------------------


class Ping(Request, frozen=True, kw_only=True):
    """Ask whether the server is there, and which version it is."""

    method = "ping"
    reply = Pong
    resource = "GET /v1/ping"


class Places(Request, frozen=True, kw_only=True):
    """List the places that services call at."""

    method = "places"
    reply = PlaceList
    resource = "GET /v1/places"
    kind: KindName | None = None


class Search(Request, frozen=True, kw_only=True):
    """Find trips that leave the origin on a date (and, with `until`, reach the destination then)."""

    method = "search"
    reply = TripList
    resource = "GET /v1/trips"
    origin: PlaceName
    destination: PlaceName
    date: Date
    until: Date | None = None
    kind: KindName | None = None
    bus_type: BusType | None = None
    ac: Flag | None = None
    seats: Count | None = None


class SeatMap(SegmentRequest, frozen=True, kw_only=True):
    """Show the seats of a trip over a stretch."""

    method = "seat_map"
    reply = Seats
    resource = "GET /v1/trips/{bus_id}/{travel_date}/seats"


class Book(Party, frozen=True, kw_only=True):
    """Book named seats, or any seats by count: all of them or none."""

    method = "book"
    reply = Booking
    resource = "POST /v1/bookings"
    status = 201
    writes = True


class Hold(Party, frozen=True, kw_only=True):
    """Keep seats for a while, to be confirmed or released."""

    method = "hold"
    reply = Booking
    resource = "POST /v1/holds"
    status = 201
    writes = True
    seconds: HoldSeconds | None = None


class Confirm(AboutBooking, frozen=True, kw_only=True):
    """Turn a hold into a booking."""

    method = "confirm"
    reply = Booking
    resource = "POST /v1/bookings/{reference}/confirm"
    writes = True
    key: Key | None = None


class Release(AboutBooking, frozen=True, kw_only=True):
    """Give a hold up."""

    method = "release"
    reply = Booking
    resource = "POST /v1/bookings/{reference}/release"
    writes = True
    key: Key | None = None


class GetBooking(AboutBooking, frozen=True, kw_only=True):
    """Show a booking."""

    method = "booking"
    reply = Booking
    resource = "GET /v1/bookings/{reference}"


class Find(Request, frozen=True, kw_only=True):
    """Find the references of a guest's bookings by phone, date and boarding place; a few tries only."""

    method = "find"
    reply = References
    resource = "GET /v1/references"
    phone: Phone
    date: Date
    place: PlaceName


class Say(Request, frozen=True, kw_only=True):
    """Say something to the operators; their answers come as `message` notifications."""

    method = "say"
    reply = Done
    resource = "POST /v1/messages"
    text: Message


class CancelQuote(AboutBooking, frozen=True, kw_only=True):
    """Tell what a cancellation would give back."""

    method = "cancel_quote"
    reply = Quote
    resource = "GET /v1/bookings/{reference}/cancel-quote"
    tickets: TicketNos | None = None


class Cancel(AboutBooking, frozen=True, kw_only=True):
    """Cancel a booking, or some of its tickets."""

    method = "cancel"
    reply = Booking
    resource = "POST /v1/bookings/{reference}/cancel"
    writes = True
    tickets: TicketNos | None = None
    key: Key | None = None


class ChangeSeat(AboutBooking, frozen=True, kw_only=True):
    """Move a ticket to another free seat of the same trip."""

    method = "change_seat"
    reply = Booking
    resource = "POST /v1/bookings/{reference}/change-seat"
    writes = True
    ticket_no: TicketNo
    seat_no: SeatNo
    key: Key | None = None


class Alight(AboutBooking, frozen=True, kw_only=True):
    """Get down early: the rest of the stretch is for sale again."""

    method = "alight"
    reply = Booking
    resource = "POST /v1/bookings/{reference}/alight"
    writes = True
    tickets: TicketNos | None = None
    at: PlaceOrStop
    key: Key | None = None


class Bookings(Request, frozen=True, kw_only=True):
    """List your own bookings, newest first; `current`: only those with a ride that has not ended."""

    method = "bookings"
    reply = BookingList
    resource = "GET /v1/bookings"
    kind: KindName | None = None
    current: Flag = False
    limit: Limit | None = None
    after: Cursor | None = None


class Register(Request, frozen=True, kw_only=True):
    """Open an account, and sign in."""

    method = "register"
    reply = Session
    resource = "POST /v1/accounts"
    status = 201
    username: Username
    password: Password
    phone: Phone | None = None


class Login(Request, frozen=True, kw_only=True):
    """Sign in by username and password, or again by the token that this gave."""

    method = "login"
    reply = Session
    resource = "POST /v1/sessions"
    status = 201
    username: Username | None = None
    password: Password | None = None
    token: Token | None = None


class Logout(Request, frozen=True, kw_only=True):
    """Sign out: the token is worth nothing any more. `everywhere`: nor is any other of the account."""

    method = "logout"
    reply = Done
    resource = "DELETE /v1/sessions"
    everywhere: Flag = False


class OperatorTrips(Request, frozen=True, kw_only=True):
    """For operators: list your trips of a travel date."""

    method = "trips"
    reply = OperatedTrips
    resource = "GET /v1/operator/trips"
    date: Date
    limit: Limit | None = None
    after: Cursor | None = None


class Manifest(Request, frozen=True, kw_only=True):
    """For operators: who boards and who alights at each stop of a trip."""

    method = "manifest"
    reply = TripManifest
    resource = "GET /v1/trips/{bus_id}/{travel_date}/manifest"
    bus_id: BusId
    travel_date: Date


class CancelTrip(Request, frozen=True, kw_only=True):
    """For operators: cancel a trip; everybody on it gets the whole fare back."""

    method = "cancel_trip"
    reply = CancelledTrip
    resource = "POST /v1/trips/{bus_id}/{travel_date}/cancel"
    writes = True
    bus_id: BusId
    travel_date: Date
    reason: Reason
    key: Key | None = None


class OpenSales(Request, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}):
    """For operators: put the trips of a bus on sale, from one date to another."""

    method = "open_sales"
    reply = OpenedSales
    resource = "POST /v1/services/{bus_id}/sales"
    bus_id: BusId
    from_date: Date
    to_date: Date


class Notice(Request, frozen=True, kw_only=True):
    """For operators: say something to all passengers of a trip, those who are away when they come back."""

    method = "notice"
    reply = Done
    resource = "POST /v1/trips/{bus_id}/{travel_date}/notice"
    bus_id: BusId
    travel_date: Date
    text: Message


METHODS: dict[str, type[Request]] = {
    cls.method: cls
    for cls in (
        Ping, Places, Search, SeatMap, Book, Hold, Confirm, Release,
        GetBooking, Find, CancelQuote, Cancel, ChangeSeat, Alight, Bookings, Register, Login, Logout,
        OperatorTrips, Manifest, CancelTrip, OpenSales, Say, Notice,
    )
}  # fmt: skip
