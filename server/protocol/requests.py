"""The requests: a class for each method, with its reply and its HTTP resource."""

from collections.abc import Callable
from typing import ClassVar, TypeVar, get_args

import msgspec
from msgspec import Struct

from busware.server.protocol.fields import (
    Amount,
    BusId,
    BusType,
    ClassName,
    ConcessionName,
    Count,
    Cursor,
    Date,
    DaysAround,
    Email,
    Flag,
    Gender,
    HoldSeconds,
    Key,
    KindName,
    Language,
    Limit,
    Message,
    NewName,
    OfferNo,
    Passengers,
    Password,
    Phone,
    PlaceName,
    PlaceOrStop,
    PromoCodeText,
    Reference,
    ResetToken,
    SeatNo,
    SeatNos,
    StopNo,
    TicketNo,
    TicketNos,
    Token,
    Username,
    UsernameOrEmail,
)
from busware.server.protocol.refusals import Refusal
from busware.server.protocol.replies import (
    AlightingStops,
    Booking,
    BookingList,
    Done,
    ExchangeTerms,
    OfferList,
    PlaceList,
    Pong,
    Quote,
    References,
    Seats,
    Session,
    TripList,
)

# What requests share --------------------------------------------------------------------------


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A request. An unknown field is refused, because it may be a misspelt one."""

    method: ClassVar[str]
    reply: ClassVar[type[Struct]]
    resources: ClassVar[dict[str, str]]  # HTTP method and path, by the name of the operation
    either: ClassVar[tuple[str, ...]] = ()  # fields of which a request has exactly one
    status: ClassVar[int]  # the HTTP status of a reply that is not a refusal
    writes: ClassVar[bool]  # changes bookings or trips, and takes an idempotency key

    @classmethod
    def takes(cls, field: str) -> str:
        """What a field takes: the description in its type."""
        (kind,) = (f.type for f in msgspec.structs.fields(cls) if field in (f.name, f.encode_name))
        metas = (m for part in (kind, *get_args(kind)) for m in getattr(part, "__metadata__", ()))
        return next(str(meta.description) for meta in metas if meta.description)

    @classmethod
    def wrong(cls, field: str, problem: str | None = None) -> Refusal:
        """The refusal (bad_request) of a wrong field. problem: a sentence to begin the message with."""
        takes = cls.takes(field)
        message = f"{problem} Expected: {takes}." if problem else f"{field} takes {takes}."
        return Refusal("bad_request", message, field=field, takes=takes)


METHODS: dict[str, type[Request]] = {}
R = TypeVar("R", bound=Request)


def method(
    name: str, reply: type[Struct], resource: str, *, status: int = 200, writes: bool = False, **others: str
) -> Callable[[type[R]], type[R]]:
    """Register a class of requests in METHODS. others: its other resources, by the name of the operation."""

    def register(kind: type[R]) -> type[R]:
        kind.method, kind.reply, kind.resources = name, reply, {name: resource} | others
        kind.status, kind.writes = status, writes
        METHODS[name] = kind
        return kind

    return register


class TripRequest(Request, frozen=True, kw_only=True):
    """A request about a trip."""

    bus_id: BusId
    travel_date: Date


class SegmentRequest(Request, frozen=True, kw_only=True):
    """A request about a segment of a trip.

    The segment is given by two places or by two stop numbers, the trip by its travel date or by the date at
    the boarding stop.
    """

    either = ("travel_date", "boarding_date")

    bus_id: BusId
    travel_date: Date | None = None
    boarding_date: Date | None = None
    origin: PlaceName | None = None
    destination: PlaceName | None = None
    from_stop: StopNo | None = None
    to_stop: StopNo | None = None


class PartyRequest(SegmentRequest, frozen=True, kw_only=True):
    """A request for a party: given seats, or any seats of a class by count."""

    seats: SeatNos | None = None
    count: Count | None = None
    phone: Phone | None = None
    passengers: Passengers | None = None
    seat_class: ClassName | None = None
    promo_code: PromoCodeText | None = None
    waitlist: Flag = False
    email: Email | None = None
    language: Language | None = None
    sms: Flag = False
    key: Key | None = None


class BookingRequest(Request, frozen=True, kw_only=True):
    """A request about a booking: its reference, and its phone number if it has one."""

    reference: Reference
    phone: Phone | None = None


# The methods ----------------------------------------------------------------------------------


@method("ping", Pong, "GET /v1/ping")
class Ping(Request, frozen=True, kw_only=True):
    """Return the version of the server."""


@method("places", PlaceList, "GET /v1/places")
class Places(Request, frozen=True, kw_only=True):
    """List the places that services call at, or that services on sale from an origin go to."""

    kind: KindName | None = None
    origin: PlaceName | None = None


@method("search", TripList, "GET /v1/trips")
class Search(Request, frozen=True, kw_only=True):
    """Find trips by origin, destination, date of departure, and optionally date of arrival.

    days_around: count the trips on this number of dates before and after the date too.
    """

    origin: PlaceName
    destination: PlaceName
    date: Date
    until: Date | None = None
    kind: KindName | None = None
    bus_type: BusType | None = None
    ac: Flag | None = None
    seats: Count | None = None
    days_around: DaysAround | None = None


@method(
    "seat_map",
    Seats,
    "GET /v1/trips/{bus_id}/{travel_date}/seats",
    seat_map_by_query="GET /v1/trips/{bus_id}/seats",
)
class SeatMap(SegmentRequest, frozen=True, kw_only=True):
    """Show the seats of a trip on a segment."""


@method("book", Booking, "POST /v1/bookings", status=201, writes=True)
class Book(PartyRequest, frozen=True, kw_only=True):
    """Book given seats, or any seats by count: all of them or none."""


@method("hold", Booking, "POST /v1/holds", status=201, writes=True)
class Hold(PartyRequest, frozen=True, kw_only=True):
    """Hold seats for a time, until they are confirmed or released."""

    seconds: HoldSeconds | None = None


@method("confirm", Booking, "POST /v1/bookings/{reference}/confirm", writes=True)
class Confirm(BookingRequest, frozen=True, kw_only=True):
    """Turn a hold into a booking. fare: the fare that you accept if the hold has expired."""

    fare: Amount | None = None
    key: Key | None = None


@method("release", Booking, "POST /v1/bookings/{reference}/release", writes=True)
class Release(BookingRequest, frozen=True, kw_only=True):
    """Release a hold."""

    key: Key | None = None


@method("booking", Booking, "GET /v1/bookings/{reference}")
class GetBooking(BookingRequest, frozen=True, kw_only=True):
    """Show a booking."""


@method("find", References, "GET /v1/references")
class Find(Request, frozen=True, kw_only=True):
    """Find the references of bookings by phone number, date and boarding place. Attempts are limited."""

    phone: Phone
    date: Date
    place: PlaceName


@method("cancel_quote", Quote, "GET /v1/bookings/{reference}/cancel-quote")
class CancelQuote(BookingRequest, frozen=True, kw_only=True):
    """Show what a cancellation would refund."""

    tickets: TicketNos | None = None


@method("cancel", Booking, "POST /v1/bookings/{reference}/cancel", writes=True)
class Cancel(BookingRequest, frozen=True, kw_only=True):
    """Cancel a booking, or some of its tickets."""

    tickets: TicketNos | None = None
    key: Key | None = None


@method("change_seat", Booking, "POST /v1/bookings/{reference}/change-seat", writes=True)
class ChangeSeat(BookingRequest, frozen=True, kw_only=True):
    """Move a ticket to another free seat of the same trip."""

    ticket_no: TicketNo
    seat_no: SeatNo
    key: Key | None = None


@method("alight_quote", AlightingStops, "GET /v1/bookings/{reference}/alight-quote")
class AlightQuote(BookingRequest, frozen=True, kw_only=True):
    """Show at which stops tickets may end early, and what would be refunded."""

    tickets: TicketNos | None = None
    at: PlaceOrStop | None = None


@method("alight", Booking, "POST /v1/bookings/{reference}/alight", writes=True)
class Alight(BookingRequest, frozen=True, kw_only=True):
    """End tickets at an earlier stop; the rest of the segment is for sale again."""

    tickets: TicketNos | None = None
    at: PlaceOrStop
    key: Key | None = None


class ExchangeRequest(BookingRequest, frozen=True, kw_only=True):
    """A request about an exchange of a booking. What is not named stays."""

    bus_id: BusId | None = None
    travel_date: Date | None = None
    boarding_date: Date | None = None
    origin: PlaceName | None = None
    destination: PlaceName | None = None
    from_stop: StopNo | None = None
    to_stop: StopNo | None = None
    seats: SeatNos | None = None
    seat_class: ClassName | None = None


@method("exchange_quote", ExchangeTerms, "GET /v1/bookings/{reference}/exchange-quote")
class ExchangeQuote(ExchangeRequest, frozen=True, kw_only=True):
    """Show what an exchange of a booking for another trip, stops, class or seats would cost."""


@method("exchange", Booking, "POST /v1/bookings/{reference}/exchange", writes=True)
class Exchange(ExchangeRequest, frozen=True, kw_only=True):
    """Exchange a booking for another trip of the operator, or for other stops, another class or other seats.

    due: the most that you accept to pay; without it, nothing. refund: the least that you expect.
    """

    due: Amount | None = None
    refund: Amount | None = None
    key: Key | None = None


@method("transfer", Booking, "POST /v1/bookings/{reference}/transfer", writes=True)
class Transfer(BookingRequest, frozen=True, kw_only=True):
    """Transfer a ticket to another name, until the trip has left the boarding stop.

    The new passenger must be allowed the seat and the fare: a seat for women requires `gender`, and a ticket
    with a concession requires the same concession.
    """

    ticket_no: TicketNo
    name: NewName
    gender: Gender | None = None
    concession: ConcessionName | None = None
    key: Key | None = None


@method("set_contact", Booking, "PUT /v1/bookings/{reference}/contact", writes=True)
class SetContact(BookingRequest, frozen=True, kw_only=True):
    """Set where the messages of a booking go, and send its ticket there. What is not given is removed.

    sms: short messages to the phone number of the booking.
    """

    email: Email | None = None
    language: Language | None = None
    sms: Flag = False
    key: Key | None = None


@method("offers", OfferList, "GET /v1/bookings/{reference}/offers")
class Offers(BookingRequest, frozen=True, kw_only=True):
    """List all offers that were made to a booking because its trip was changed."""


@method("accept", Booking, "POST /v1/bookings/{reference}/offers/{offer_no}/accept", writes=True)
class Accept(BookingRequest, frozen=True, kw_only=True):
    """Accept an offer, by default the open one: the booking moves to the seats of the other trip."""

    offer_no: OfferNo | None = None
    key: Key | None = None


@method("decline", Booking, "POST /v1/bookings/{reference}/offers/{offer_no}/decline", writes=True)
class Decline(BookingRequest, frozen=True, kw_only=True):
    """Decline an offer, by default the open one: the booking is cancelled, and its whole fare refunded."""

    offer_no: OfferNo | None = None
    key: Key | None = None


@method("bookings", BookingList, "GET /v1/bookings")
class Bookings(Request, frozen=True, kw_only=True):
    """List the bookings of your account, newest first; optionally only those not yet travelled."""

    kind: KindName | None = None
    current: Flag = False
    limit: Limit | None = None
    after: Cursor | None = None


@method("register", Session, "POST /v1/accounts", status=201)
class Register(Request, frozen=True, kw_only=True):
    """Create an account, and sign in."""

    username: Username
    password: Password
    phone: Phone | None = None
    email: Email | None = None
    language: Language | None = None


@method("login", Session, "POST /v1/sessions", status=201)
class Login(Request, frozen=True, kw_only=True):
    """Sign in by username and password, or by a token."""

    username: Username | None = None
    password: Password | None = None
    token: Token | None = None


@method("logout", Done, "DELETE /v1/sessions")
class Logout(Request, frozen=True, kw_only=True):
    """Sign out and revoke the token, or all tokens of the account."""

    everywhere: Flag = False


@method("set_email", Done, "PUT /v1/accounts/email")
class SetEmail(Request, frozen=True, kw_only=True):
    """Set the e-mail address of your account, or remove it. password: of the account, again."""

    password: Password
    email: Email | None = None
    language: Language | None = None


@method("request_reset", Done, "POST /v1/password-resets", status=202)
class RequestReset(Request, frozen=True, kw_only=True):
    """Request a mail with a token that sets a new password. The reply does not say whether one is sent."""

    account: UsernameOrEmail


@method("reset_password", Session, "PUT /v1/accounts/password")
class ResetPassword(Request, frozen=True, kw_only=True):
    """Set a new password by a token from a mail, and sign in. Other sessions of the account end."""

    reset_token: ResetToken
    password: Password


@method("say", Done, "POST /v1/messages")
class Say(Request, frozen=True, kw_only=True):
    """Send a message to the operators. Their replies are `message` notifications."""

    text: Message
    key: Key | None = None
