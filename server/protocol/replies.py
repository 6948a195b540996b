"""The replies, as the client decodes them and tests check them. Schema `api` builds their JSON.

A reply of an older server may lack fields: a client needs a server of its own version or a newer one. So a
new field needs no default, unless the server may leave it out.
"""

import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from busware.server.protocol.fields import BusId, Gender

Money = Annotated[str, Meta(pattern=r"^\d+\.\d\d$", description="an amount, with two decimals")]
SignedMoney = Annotated[
    str, Meta(pattern=r"^-?\d+\.\d\d$", description="an amount, with two decimals; below 0, a discount")
]
Balance = Annotated[str, Meta(pattern=r"^-?\d+\.\d\d$", description="an amount, which may be negative")]
Instant = Annotated[datetime.datetime, Meta(tz=True, description="a time, RFC 3339 with its offset")]
Status = Literal["held", "booked", "pending", "cancelled", "expired"]
OPEN: tuple[Status, ...] = ("held", "booked", "pending")  # the statuses that can still change
Role = Literal["guest", "traveller", "operator", "admin"]


class Pong(Struct, frozen=True, kw_only=True):
    """The version and the time zone of the server."""

    server: str
    version: str
    time_zone: str  # in which "today" is interpreted


class Place(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place that a service calls at, or that contains such places."""

    code: str
    name: str
    aliases: list[str]
    kinds: list[str]
    part_of: str | None = None  # the code of the place that contains it, such as an airport's country


class PlaceList(Struct, frozen=True, kw_only=True):
    """Every place, sorted by name, and the first and the last date on sale, if a trip is on sale."""

    places: list[Place]
    on_sale_from: datetime.date | None  # today where it is earliest
    on_sale_until: datetime.date | None = None


class FarePart(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a fare. The parts of a fare add up to it. name: of the class, rule, concession or code."""

    part: Literal["segment", "class", "date", "concession", "infant", "promo"]
    amount: SignedMoney
    name: str | None = None


class SeatClass(Struct, frozen=True, kw_only=True):
    """A class of seats. name: null for the seats that no class names. fare: of one seat."""

    name: str | None
    fare: Money
    seats_free: int


class Concession(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A discount for a passenger: a percentage of the fare, or an amount.

    min_age, max_age: whom it is for, in years. seat: false for an infant on the lap of another passenger.
    """

    name: str
    percent: str | None = None
    amount: Money | None = None
    min_age: int | None = None
    max_age: int | None = None
    seat: bool = True


class _AnyTrip(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The fields that a trip, a booking and an operator's trip share."""

    bus_id: BusId
    kind: str
    name: str
    operator: str
    travel_date: datetime.date
    origin: str
    destination: str
    departs_at: Instant
    arrives_at: Instant


class Trip(_AnyTrip, frozen=True, kw_only=True):
    """A trip from an origin to a destination. fare: the lowest of a free seat.

    fare_parts: what it is made of, if it is more than the fare of the segment. classes: of the seats, if the
    service has them, the cheapest first. women_seats_free, accessible_seats_free: how many of seats_free are
    reserved, if the service reserves some.
    travel_date: the date at the first stop. boarding_date: the date at the origin.
    """

    boarding_date: datetime.date
    from_stop: int
    to_stop: int
    bus_type: str | None
    ac: bool | None
    fare: Money
    seats_free: int
    fare_parts: list[FarePart] | None = None
    classes: list[SeatClass] | None = None
    women_seats_free: int | None = None
    accessible_seats_free: int | None = None


class TripList(Struct, frozen=True, kw_only=True):
    """The trips found, sorted by departure."""

    trips: list[Trip]


class Seat(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A seat of a seat map. row: from the driver's end. column: from the left. Both begin with 1.

    seat_class: its class, if it has one. fare: its fare, if it is not the fare of the seat map.
    reserved_for: whom it is reserved for. blocked: shown to those who run the service.
    """

    seat_no: int
    deck: str
    row: int
    column: int
    kind: str
    state: Literal["free", "held", "taken"]
    seat_class: str | None = None
    fare: Money | None = None
    reserved_for: Literal["women", "accessible"] | None = None
    blocked: bool = False


class RefundTier(Struct, frozen=True, kw_only=True):
    """The percentage of its fare that a ticket refunds if it is cancelled before a time."""

    until: Instant
    percent: str


class Seats(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The seats of a trip on a segment, with the layout as text. fare: the lowest of a free seat.

    fare_parts, classes: as of a trip. concessions: of the service, if it has some. refund_tiers: those ahead,
    if the refund has tiers.
    """

    bus_id: BusId
    travel_date: datetime.date
    boarding_date: datetime.date
    from_stop: int
    to_stop: int
    layout: str
    fare: Money
    seats: list[Seat]
    max_seats: int  # of one booking
    fare_parts: list[FarePart] | None = None
    classes: list[SeatClass] | None = None
    concessions: list[Concession] | None = None
    refund_tiers: list[RefundTier] | None = None

    @property
    def free(self) -> list[int]:
        """The numbers of the free seats."""
        return [seat.seat_no for seat in self.seats if seat.state == "free"]


class Ticket(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A ticket of a booking. seat_no: null while pending.

    seated_at: when the ticket was booked, or held, or got its seat by `change_seat`; null if it has no seat.
    to_stop, destination, arrives_at: the end of a ticket that ends before its booking does; else missing.
    checked_in_at: when its passenger was checked in. no_show_at: when it became a no-show. Else missing.
    fare_parts: what the fare is made of, if it is more than the fare of the segment. infant: the name of the
    infant on the passenger's lap.
    """

    ticket_no: int
    seat_no: int | None
    name: str | None
    status: Status
    fare: Money
    refund: Money
    # Missing in answers that a server of 0.1.0 stored. A default_factory, so that null is not left out.
    seated_at: Instant | None = field(default_factory=lambda: None)
    to_stop: int | None = None
    destination: str | None = None
    arrives_at: Instant | None = None
    checked_in_at: Instant | None = None
    no_show_at: Instant | None = None
    fare_parts: list[FarePart] | None = None
    infant: str | None = None
    gender: Gender | None = None
    accessible: bool = False


class BookingWarning(Struct, frozen=True, kw_only=True):
    """What a caller may not have meant, although it was done. reference: of the other booking."""

    warning: Literal["same_passenger"]
    reference: str
    message: str


class Booking(_AnyTrip, frozen=True, kw_only=True):
    """A booking of a party on a trip. fare, refund: the sums of its tickets.

    travel_date: the date at the trip's first stop. boarding_date: the date at the origin.
    """

    reference: str
    status: Status
    boarding_date: datetime.date
    from_stop: int
    to_stop: int
    fare: Money
    refund: Money
    tickets: list[Ticket]
    expires_at: Instant | None = None  # while held
    position: int | None = None  # in the waitlist, from 1, while pending
    why: str | None = None  # the reason, if the cancellation of the trip ended one of its tickets
    vehicle: str | None = None  # the registration of the vehicle, while one is assigned
    refund_tiers: list[RefundTier] | None = None  # those ahead; missing if the refund has no tiers
    warnings: list[BookingWarning] | None = None  # in the reply to `book` and `hold`


class RefundAhead(Struct, frozen=True, kw_only=True):
    """What a cancellation would refund before a time, and after the `until` before it."""

    until: Instant
    refund: Money


class Quote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a cancellation would refund, and until when the quote is valid.

    refunds: only of tickets with refund tiers: the refunds from now on; after the last `until`, nothing.
    """

    refund: Money
    valid_until: Instant
    stands_until: Instant  # the previous name of valid_until
    refunds: list[RefundAhead] | None = None


class AlightingStop(Struct, frozen=True, kw_only=True):
    """A stop at which tickets may end early. refund: what the caller gets back for all of them."""

    stop_no: int
    place: str
    arrives_at: Instant
    refund: Money


class AlightingStops(Struct, frozen=True, kw_only=True):
    """The stops at which tickets may end early, in the order of the route."""

    stops: list[AlightingStop]


class References(Struct, frozen=True, kw_only=True):
    """The references of bookings."""

    references: list[str]


class PromoCode(Struct, frozen=True, kw_only=True):
    """A promo code of an operator: a percentage and an amount off each ticket. uses: tickets that have it.

    services: on which it is valid; null: all of the operator. first_date, last_date: of sale. A limit that is
    null does not apply.
    """

    operator: str
    code: str
    percent: str
    amount: Money
    services: list[BusId] | None
    first_date: datetime.date | None
    last_date: datetime.date | None
    max_uses: int | None
    max_uses_per_account: int | None
    uses: int


class PromoCodeList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of promo codes, by code. next: the value of `after` for the next page, if there is one."""

    promo_codes: list[PromoCode]
    next: str | None = None


class Done(Struct, frozen=True, kw_only=True):
    """Success, without fields."""


class BookingList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of bookings, newest first. next: the value of `after` for the next page, if there is one."""

    bookings: list[Booking]
    next: str | None = None


class Session(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A session, with the token that signs in again.

    operator: the operator whose services the account may change; only for role operator.
    """

    token: str
    username: str
    role: Role
    expires_at: Instant
    operator: str | None = None


class AssignedDriver(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A driver of a trip."""

    code: str
    name: str
    phone: str | None = None


class OperatedTrip(_AnyTrip, frozen=True, kw_only=True):
    """A trip as its operator sees it. booked, held, pending: numbers of tickets.

    load: the seats that are booked or held on the fullest leg.
    vehicle: its registration. vehicle, drivers: missing if none is assigned.
    """

    state: Literal["open", "cancelled"]
    seats: int
    booked: int
    held: int
    pending: int
    load: int
    why: str | None = None  # the reason, if it was cancelled
    vehicle: str | None = None
    drivers: list[AssignedDriver] = []


class OperatedTrips(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of trips, sorted by bus_id. next: the value of `after` for the next page, if there is one."""

    trips: list[OperatedTrip]
    next: str | None = None


class EarlierName(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A name that a ticket had before it was transferred.

    until: when it was transferred. account: that transferred it; missing if it was a guest.
    """

    name: str
    until: Instant
    account: str | None = None


class ManifestPassenger(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A passenger in a manifest. infant: the name of the infant on the passenger's lap."""

    reference: str
    ticket_no: int
    seat_no: int
    name: str | None
    phone: str | None
    seat_class: str | None = None
    concession: str | None = None
    infant: str | None = None
    gender: Gender | None = None
    accessible: bool = False
    checked_in_at: Instant | None = None
    no_show_at: Instant | None = None
    earlier_names: list[EarlierName] = []


class NoShow(Struct, frozen=True, kw_only=True):
    """A ticket whose passenger did not board. sells: whether its seat is for sale again."""

    reference: str
    ticket_no: int
    seat_no: int
    name: str | None
    sells: bool


class NoShows(Struct, frozen=True, kw_only=True):
    """The no-shows of a stop of a trip."""

    bus_id: BusId
    travel_date: datetime.date
    stop_no: int
    place: str
    tickets: list[NoShow]


class ManifestStop(Struct, frozen=True, kw_only=True):
    """A stop at which passengers board or alight.

    comes_free: the seats of the alighting passengers that no ticket has on the next leg.
    """

    stop_no: int
    place: str
    arrives_at: Instant | None
    departs_at: Instant | None
    boards: list[ManifestPassenger]
    alights: list[ManifestPassenger]
    comes_free: list[int]


class BlockedSegment(Struct, frozen=True, kw_only=True):
    """A segment of a seat that is not for sale. to_stop: null if it lasts to the end of the route."""

    seat_no: int
    from_stop: int
    to_stop: int | None
    reason: str | None


class BlockedSeats(Struct, frozen=True, kw_only=True):
    """The blocked segments of a trip, by seat number."""

    bus_id: BusId
    travel_date: datetime.date
    blocked: list[BlockedSegment]


class TripManifest(OperatedTrip, frozen=True, kw_only=True, omit_defaults=True):
    """A trip with its passengers, stop by stop. blocked: missing if no seat is blocked."""

    stops: list[ManifestStop]
    blocked: list[BlockedSegment] = []


class Leg(Struct, frozen=True, kw_only=True):
    """A leg of a trip. booked, held, free: numbers of seats. pending: the tickets that wait for a seat."""

    from_stop: int
    to_stop: int
    origin: str
    destination: str
    departs_at: Instant
    arrives_at: Instant
    booked: int
    held: int
    free: int
    pending: int


class TripLoad(OperatedTrip, frozen=True, kw_only=True):
    """A trip with its legs, in the order of the route."""

    legs: list[Leg]


class SeatTicket(Struct, frozen=True, kw_only=True):
    """A ticket that has a seat from one stop to another."""

    from_stop: int
    to_stop: int
    reference: str
    ticket_no: int
    name: str | None
    status: Literal["held", "booked"]


class OccupiedSeat(Struct, frozen=True, kw_only=True):
    """A seat with the tickets that have it, in the order of the route."""

    seat_no: int
    deck: str
    tickets: list[SeatTicket]


class TripOccupancy(TripLoad, frozen=True, kw_only=True):
    """A trip with its legs, and with the tickets of each seat."""

    occupancy: list[OccupiedSeat]


class SalesRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The sales of a service, a date or a segment of a service. income: charges without refunds.

    occupancy: the part of the seats on offer that is booked, in percent, weighted by kilometres;
    missing by date of payment.
    """

    tickets: int
    charges: Money
    refunds: Money
    income: Balance
    occupancy: str | None = None
    bus_id: BusId | None = None
    name: str | None = None
    date: datetime.date | None = None
    from_stop: int | None = None
    to_stop: int | None = None
    origin: str | None = None
    destination: str | None = None


class SalesReport(Struct, frozen=True, kw_only=True):
    """The sales of an operator's services. tickets, charges, refunds, income: the sums of the rows."""

    rows: list[SalesRow]
    tickets: int
    charges: Money
    refunds: Money
    income: Balance


class CancelledTrip(Struct, frozen=True, kw_only=True):
    """A cancelled trip. tickets: how many were cancelled with it. refund: the sum of their refunds."""

    bus_id: BusId
    travel_date: datetime.date
    state: Literal["cancelled"]
    tickets: int
    refund: Money


class SentNotice(Struct, frozen=True, kw_only=True):
    """A notice that was sent. bookings, tickets: how many it reaches, of journeys that have not ended."""

    bookings: int
    tickets: int


class OpenedSales(Struct, frozen=True, kw_only=True):
    """The number of trips that went on sale."""

    opened: int


class Vehicle(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A vehicle of an operator. layout: a drawing. seats: their number."""

    operator: str
    registration: str
    layout: str
    seats: int
    in_service: bool
    name: str | None = None
    notes: str | None = None


class VehicleList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of vehicles, sorted by registration. next: the value of `after` for the next page."""

    vehicles: list[Vehicle]
    next: str | None = None


class Driver(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A driver of an operator."""

    operator: str
    code: str
    name: str
    active: bool
    phone: str | None = None
    licence_no: str | None = None


class DriverList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of drivers, sorted by code. next: the value of `after` for the next page."""

    drivers: list[Driver]
    next: str | None = None


class Assignment(Struct, frozen=True, kw_only=True):
    """What was assigned. assigned: the number of trips. trip: the first of them."""

    assigned: int
    trip: OperatedTrip
