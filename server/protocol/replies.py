"""The replies: what the functions of schema `api` build, as the client decodes it and the tests check it."""

import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

Money = Annotated[str, Meta(pattern=r"^\d+\.\d\d$", description="an amount, with two decimals")]
Instant = Annotated[datetime.datetime, Meta(tz=True, description="a time, RFC 3339 with its offset")]
Status = Literal["held", "booked", "pending", "cancelled", "expired"]
OPEN: tuple[Status, ...] = ("held", "booked", "pending")  # the others are ends


class Pong(Struct, frozen=True, kw_only=True):
    """The server is there."""

    server: str
    version: str
    time_zone: str  # in which it is today, when somebody says so


class Place(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place that some service calls at, or that contains such places."""

    code: str
    name: str
    aliases: list[str]
    kinds: list[str]
    part_of: str | None = None  # the code of what contains it: the country of an airport


class PlaceList(Struct, frozen=True, kw_only=True):
    """Every place, by name; and the last date on which anything leaves one of them, if anything does."""

    places: list[Place]
    on_sale_until: datetime.date | None = None


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
    """The seats of a trip over a stretch, with the drawing they come from; fare is for one of them."""

    layout: str
    fare: Money
    seats: list[Seat]
    max_seats: int  # of one booking

    @property
    def free(self) -> list[int]:
        """The numbers of the free ones."""
        return [seat.seat_no for seat in self.seats if seat.state == "free"]


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
    why: str | None = None  # the operator cancelled the trip


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
