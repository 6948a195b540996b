"""The vocabulary of the wire: every request, every reply, every reason for a refusal.

A request is a frozen struct; its class says its method, what answers it, whether it writes, and which
resource it is over HTTP (what its path does not name is the query of a GET or DELETE, else the body).
A reply is built by the function of schema `api` that decides it and passes through the server as
the JSON it already is; the reply structs below document it, check it in tests, and are what the
client decodes. Each field's type carries, as its description, what the field takes: the same words
serve error messages, server/PROTOCOL.md and the HTTP description. Imports nothing of the house.
"""

import datetime
from typing import Annotated, Any, ClassVar, Literal, get_args

import msgspec
from msgspec import Meta, Struct

JSONRPC = "2.0"
SERVER = "busware"
VERSION = "0.1.0"  # that of pyproject.toml


# What fields take ------------------------------------------------------------------------------

# No control characters: they could not be stored, or would move a cursor. `$` alone lets a last \n by.
_PLAIN = r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)"
_MAX_BIGINT = 2**63 - 1

BusId = Annotated[int, Meta(ge=1, le=_MAX_BIGINT, description="the number of a bus, as `search` gives it")]
Date = Annotated[datetime.date, Meta(description="a date, YYYY-MM-DD")]
PlaceName = Annotated[
    str, Meta(min_length=1, max_length=80, pattern=_PLAIN, description="the name, code or alias of a place")
]
StopNo = Annotated[int, Meta(ge=1, le=10_000, description="the position of a stop, as `search` gives it")]
SeatNo = Annotated[int, Meta(ge=1, le=10_000, description="the number of a seat in the map, from 1")]
SeatNos = Annotated[
    list[SeatNo], Meta(min_length=1, max_length=100, description="a list of different seat numbers, from 1")
]
Count = Annotated[int, Meta(ge=1, le=100, description="how many seats, 1 to 100")]
TicketNo = Annotated[int, Meta(ge=1, le=100, description="the number of a ticket of the booking, from 1")]
TicketNos = Annotated[
    list[TicketNo],
    Meta(min_length=1, max_length=100, description="a list of ticket numbers, from 1"),
]
Reference = Annotated[
    str, Meta(min_length=1, max_length=32, pattern=_PLAIN, description="the reference of a booking")
]
Phone = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=32,
        pattern=_PLAIN,
        description="a phone number, such as 98450 12345 or +44 20 7946 0958",
    ),
]
PersonName = Annotated[
    str, Meta(max_length=80, pattern=_PLAIN, description="a name of up to 80 characters on one line")
]
Key = Annotated[
    str,
    Meta(
        min_length=1, max_length=255, pattern=_PLAIN, description="an idempotency key, up to 255 characters"
    ),
]
HoldSeconds = Annotated[int, Meta(ge=10, le=1800, description="how long to hold, 10 to 1,800 seconds")]
KindName = Annotated[
    str,
    Meta(
        min_length=1, max_length=20, pattern=_PLAIN, description="a kind of service: bus, flight, show, hotel"
    ),
]
BusType = Annotated[
    Literal["SLEEPER", "SEMI_SLEEPER", "SEATER"], Meta(description="SLEEPER, SEMI_SLEEPER or SEATER")
]
Flag = Annotated[bool, Meta(description="true or false")]
Username = Annotated[
    str,
    Meta(min_length=1, max_length=64, pattern=_PLAIN, description="a username of up to 64 characters"),
]
Password = Annotated[
    str, Meta(min_length=1, max_length=256, description="a password of up to 256 characters")
]
Token = Annotated[
    str, Meta(min_length=1, max_length=128, pattern=_PLAIN, description="a token, as `login` gives it")
]
Limit = Annotated[int, Meta(ge=1, le=100, description="how many to a page, 1 to 100")]
Cursor = Annotated[
    str, Meta(min_length=1, max_length=32, pattern=_PLAIN, description="the `next` of the page before")
]
Reason = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=_PLAIN, description="a reason, to be told to travellers")
]
Message = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2000,
        pattern=_PLAIN,
        description="a message of up to 2000 characters on one line",
    ),
]
PlaceOrStop = Annotated[
    PlaceName | StopNo, Meta(description="a place on the route, or the position of a stop")
]


# Requests --------------------------------------------------------------------------------------


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
    def wrong(cls, field: str, problem: str | None = None) -> "Refusal":
        """The refusal of a request for one of its fields; problem: a sentence about it, if need be."""
        takes = cls.takes(field)
        message = f"{problem} It takes {takes}." if problem else f"{field} takes {takes}."
        return Refusal("bad_request", message, field=field, takes=takes)


class Passenger(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who rides on one ticket."""

    name: PersonName | None = None


Passengers = Annotated[
    list[Passenger], Meta(max_length=100, description='a list of passengers, such as [{"name": "Asha"}]')
]


class Stretch(Request, frozen=True, kw_only=True):
    """One trip, from a stop of it to a later one: by places, or by positions."""

    bus_id: BusId
    travel_date: Date
    origin: PlaceName | None = None
    destination: PlaceName | None = None
    from_stop: StopNo | None = None
    to_stop: StopNo | None = None


class Held(Request, frozen=True, kw_only=True):
    """A booking, opened by its reference and, where the guest left one, the phone."""

    reference: Reference
    phone: Phone | None = None


# Replies ---------------------------------------------------------------------------------------

Money = Annotated[str, Meta(pattern=r"^\d+\.\d\d$", description="an amount, with two decimals")]
Instant = Annotated[datetime.datetime, Meta(tz=True, description="a time, RFC 3339 with its offset")]
Status = Literal["held", "booked", "pending", "cancelled", "expired"]


class Pong(Struct, frozen=True, kw_only=True):
    """The server is there."""

    server: str
    version: str


class Place(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place that some service calls at, or that contains such places."""

    code: str
    name: str
    aliases: list[str]
    kinds: list[str]
    part_of: str | None = None  # the code of what contains it: the country of an airport


class PlaceList(Struct, frozen=True, kw_only=True):
    """Every place, by name."""

    places: list[Place]


class Trip(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A departure that goes from the one place to the other; fare is for one seat."""

    bus_id: int
    kind: str
    name: str
    operator: str
    bus_type: str | None
    ac: bool | None
    travel_date: datetime.date
    origin: str
    destination: str
    from_stop: int
    to_stop: int
    departs_at: Instant
    arrives_at: Instant
    fare: Money
    seats_free: int


class TripList(Struct, frozen=True, kw_only=True):
    """The trips found, by departure."""

    trips: list[Trip]


class Seat(Struct, frozen=True, kw_only=True):
    """One seat of a map. Rows count from the driver's end, columns from the left, both from 1."""

    seat_no: int
    deck: str
    row: int
    column: int
    kind: str
    state: Literal["free", "held", "taken"]


class Seats(Struct, frozen=True, kw_only=True):
    """The seats of a trip over a stretch, with the drawing they come from."""

    layout: str
    fare: Money
    seats: list[Seat]


class Ticket(Struct, frozen=True, kw_only=True):
    """One passenger of a booking. seat_no is null while pending."""

    ticket_no: int
    seat_no: int | None
    name: str | None
    status: Status
    fare: Money
    refund: Money


class Booking(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A party on a trip. fare and refund are sums over its tickets."""

    reference: str
    status: Status
    kind: str
    name: str
    operator: str
    bus_id: int
    travel_date: datetime.date
    origin: str
    destination: str
    from_stop: int
    to_stop: int
    departs_at: Instant
    arrives_at: Instant
    fare: Money
    refund: Money
    tickets: list[Ticket]
    expires_at: Instant | None = None  # while held
    position: int | None = None  # in the queue, from 1, while pending


class Quote(Struct, frozen=True, kw_only=True):
    """What a cancellation would give back, and until when."""

    refund: Money
    stands_until: Instant


class References(Struct, frozen=True, kw_only=True):
    """The references of bookings."""

    references: list[str]


class Done(Struct, frozen=True, kw_only=True):
    """It is done; there is nothing to tell."""


class BookingList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of bookings, newest first. next: what the page after it is asked for with, if there is one."""

    bookings: list[Booking]
    next: str | None = None


Role = Literal["guest", "traveller", "operator", "admin"]


class Session(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who is signed in, and the token by which they sign in again. operator: whose services they run."""

    token: str
    username: str
    role: Role
    expires_at: Instant
    operator: str | None = None


class OperatedTrip(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A trip as its operator sees it; booked, held and pending count tickets."""

    bus_id: int
    kind: str
    name: str
    operator: str
    travel_date: datetime.date
    state: Literal["open", "cancelled"]
    origin: str
    destination: str
    departs_at: Instant
    arrives_at: Instant
    seats: int
    booked: int
    held: int
    pending: int
    why: str | None = None  # it was cancelled


class OperatedTrips(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of trips, by bus. next: what the page after it is asked for with, if there is one."""

    trips: list[OperatedTrip]
    next: str | None = None


class Rider(Struct, frozen=True, kw_only=True):
    """A passenger on the conductor's list."""

    reference: str
    ticket_no: int
    seat_no: int
    name: str | None
    phone: str | None


class ManifestStop(Struct, frozen=True, kw_only=True):
    """A stop at which somebody boards or alights. comes_free: the seats that nobody has from there on."""

    stop_no: int
    place: str
    arrives_at: Instant | None
    departs_at: Instant | None
    boards: list[Rider]
    alights: list[Rider]
    comes_free: list[int]


class TripManifest(OperatedTrip, frozen=True, kw_only=True):
    """A trip with everybody who rides on it, stop by stop."""

    stops: list[ManifestStop]


class CancelledTrip(Struct, frozen=True, kw_only=True):
    """A trip that does not run: how many tickets that ended, and what was given back in all."""

    bus_id: int
    travel_date: datetime.date
    state: Literal["cancelled"]
    tickets: int
    refund: Money


class OpenedSales(Struct, frozen=True, kw_only=True):
    """How many trips went on sale that were not before."""

    opened: int


# The methods -----------------------------------------------------------------------------------


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


class SeatMap(Stretch, frozen=True, kw_only=True):
    """Show the seats of a trip over a stretch."""

    method = "seat_map"
    reply = Seats
    resource = "GET /v1/trips/{bus_id}/{travel_date}/seats"


class Book(Stretch, frozen=True, kw_only=True):
    """Book named seats, or any seats by count: all of them or none."""

    method = "book"
    reply = Booking
    resource = "POST /v1/bookings"
    status = 201
    writes = True
    seats: SeatNos | None = None
    count: Count | None = None
    phone: Phone | None = None
    passengers: Passengers | None = None
    waitlist: Flag = False
    key: Key | None = None


class Hold(Stretch, frozen=True, kw_only=True):
    """Keep seats for a while, to be confirmed or released."""

    method = "hold"
    reply = Booking
    resource = "POST /v1/holds"
    status = 201
    writes = True
    seats: SeatNos | None = None
    count: Count | None = None
    phone: Phone | None = None
    passengers: Passengers | None = None
    waitlist: Flag = False
    seconds: HoldSeconds | None = None
    key: Key | None = None


class Confirm(Held, frozen=True, kw_only=True):
    """Turn a hold into a booking."""

    method = "confirm"
    reply = Booking
    resource = "POST /v1/bookings/{reference}/confirm"
    writes = True
    key: Key | None = None


class Release(Held, frozen=True, kw_only=True):
    """Give a hold up."""

    method = "release"
    reply = Booking
    resource = "POST /v1/bookings/{reference}/release"
    writes = True
    key: Key | None = None


class GetBooking(Held, frozen=True, kw_only=True):
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


class CancelQuote(Held, frozen=True, kw_only=True):
    """Tell what a cancellation would give back."""

    method = "cancel_quote"
    reply = Quote
    resource = "GET /v1/bookings/{reference}/cancel-quote"
    tickets: TicketNos | None = None


class Cancel(Held, frozen=True, kw_only=True):
    """Cancel a booking, or some of its tickets."""

    method = "cancel"
    reply = Booking
    resource = "POST /v1/bookings/{reference}/cancel"
    writes = True
    tickets: TicketNos | None = None
    key: Key | None = None


class ChangeSeat(Held, frozen=True, kw_only=True):
    """Move a ticket to another free seat of the same trip."""

    method = "change_seat"
    reply = Booking
    resource = "POST /v1/bookings/{reference}/change-seat"
    writes = True
    ticket_no: TicketNo
    seat_no: SeatNo
    key: Key | None = None


class Alight(Held, frozen=True, kw_only=True):
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


# Refusals --------------------------------------------------------------------------------------

PARSE_ERROR = -32700  # JSON-RPC 2.0, section 5.1
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
REFUSED = -32001  # every refusal of the house but bad_request; `reason` says which

REASONS: dict[str, str] = {
    "unknown_place": "no place has that name, code or alias; `nearest` names some that are like it",
    "unknown_trip": "the bus does not exist, or does not run on that date; `dates` names the nearest ones",
    "unknown_seat": "the bus has no such seat; `seats` says which, `seat_count` how many it has",
    "unknown_booking": "no booking has that reference and phone, or no such ticket",
    "not_on_route": "the bus does not go from there to there; `stops` names its stops in order",
    "departed": "it no longer sells from that stop, or has passed it",
    "trip_cancelled": "the trip does not run",
    "seat_taken": "somebody has the seat over part of the stretch; `seats` says which are gone",
    "sold_out": "fewer seats are free than asked for; `seats_free` says how many",
    "too_many_seats": "more seats than one booking may have; `limit` says how many",
    "queue_full": "the waiting list of the trip is full; `limit` says how long it may be",
    "hold_expired": "the hold ran out; on confirm, the seats went to somebody else",
    "not_held": "the booking is no hold that could be confirmed or released",
    "already_booked": "the booking is confirmed already",
    "already_cancelled": "the booking, or the ticket, is cancelled already",
    "key_reused": "the idempotency key was used with other content",
    "bad_request": "a field is missing or wrong; `field` says which, `takes` what it takes",
    "wrong_password": "no account has that username and password, or the token is worth nothing any more",
    "username_taken": "somebody has that username already",
    "not_signed_in": "this is for those who are signed in, and the caller is not, or not any more",
    "not_yours": "the service is somebody else's to run",
    "not_allowed": "this is not for the caller to do; or too often wrong: `retry_after` says how many "
    "seconds to wait, `limit` how often is too often",
    "busy": "a limit is reached: nothing was done, try again",
    "draining": "the server is going down: nothing was done, try again",
    "outcome_unknown": "the database went away during the commit: ask again with the same key",
}


class Refusal(Exception):
    """A request that is not carried out, for a reason the caller can act on.

    reason: one of REASONS. message: a sentence for people. data: more fields for programs.
    """

    def __init__(self, reason: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.data = data

    @property
    def code(self) -> int:
        """The JSON-RPC error code of the reason."""
        return INVALID_PARAMS if self.reason == "bad_request" else REFUSED


class Connected(Struct, frozen=True, kw_only=True):
    """The line that a caller keeps open, by which they can be answered later."""

    process_no: int | None  # of the server, among those on the database
    connection_no: int  # the process's own number of it
    line: str  # address and port
    face: str  # text or json
    reference: str | None  # of the booking it made or opened last


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks. address: from where. session: what the token is known by that they are signed in with.

    connected: with a message, where its sender can be answered.
    """

    address: str = ""
    account: str | None = None
    role: Role = "guest"
    operator: str | None = None  # whose services an operator runs
    session: bytes | None = None
    connected: Connected | None = None


class Answer(Struct, frozen=True):
    """What an `api` function decided: `body` is a reply's JSON, or a refusal's when `refused`.

    caller: who is asking from now on, where the request has changed that.
    """

    body: msgspec.Raw
    refused: bool
    caller: Caller | None = None

    def refusal(self) -> Refusal:
        """The refusal that the body of a refused answer tells."""
        told = msgspec.json.decode(self.body, type=dict[str, Any])
        return Refusal(told.pop("reason"), told.pop("message"), **told)
