"""The replies, as the client decodes them and tests check them. Schema `api` builds their JSON.

A reply of an older server may lack fields: a client needs a server of its own version or a newer one. So a
new field needs no default, unless the server may leave it out.
"""

import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from busware.server.protocol.fields import BusId, CurrencyCode, Gender, Language

Money = Annotated[
    str, Meta(pattern=r"^\d+(\.\d{2,4})?$", description="an amount, with the decimals of its currency")
]
SignedMoney = Annotated[
    str,
    Meta(
        pattern=r"^-?\d+(\.\d{2,4})?$",
        description="an amount, with the decimals of its currency; below 0, a discount",
    ),
]
Balance = Annotated[str, Meta(pattern=r"^-?\d+(\.\d{2,4})?$", description="an amount, which may be negative")]
Instant = Annotated[datetime.datetime, Meta(tz=True, description="a time, RFC 3339 with its offset")]
Status = Literal["held", "booked", "pending", "displaced", "cancelled", "expired"]
OPEN: tuple[Status, ...] = ("held", "booked", "pending", "displaced")  # the statuses that can still change
Role = Literal["guest", "traveller", "agent", "operator", "admin"]
PaymentKind = Literal["charge", "refund"]
# Missing in answers that were stored before replies had a currency. A default_factory, so that INR is not
# left out.
PREVIOUS_CURRENCY: Any = field(default_factory=lambda: "INR")


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
    """A class of seats. name: null for the seats that are in no class. fare: of one seat."""

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


class AnyTrip(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The fields that a trip, a booking and an operator's trip share.

    departs_at, arrives_at: the expected times. scheduled_departs_at, scheduled_arrives_at: those of the
    timetable; missing if they are the same.
    """

    bus_id: BusId
    kind: str
    name: str
    operator: str
    travel_date: datetime.date
    origin: str
    destination: str
    departs_at: Instant
    arrives_at: Instant
    scheduled_departs_at: Instant | None = None
    scheduled_arrives_at: Instant | None = None


class Trip(AnyTrip, frozen=True, kw_only=True):
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
    currency: CurrencyCode
    fare: Money
    seats_free: int
    fare_parts: list[FarePart] | None = None
    classes: list[SeatClass] | None = None
    women_seats_free: int | None = None
    accessible_seats_free: int | None = None


class DateTrips(Struct, frozen=True, kw_only=True):
    """The number of trips on sale on a date."""

    date: datetime.date
    trips: int


class TripList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The trips found, sorted by departure.

    If the dates around were requested: dates: their numbers of trips; on_sale_from, on_sale_until: the first
    and the last date on which trips from the origin can be on sale.
    """

    trips: list[Trip]
    dates: list[DateTrips] | None = None
    on_sale_from: datetime.date | None = None
    on_sale_until: datetime.date | None = None


class Seat(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A seat of a seat map. row: from the driver's end. column: from the left. Both begin with 1.

    seat_class: its class, if it has one. fare: its fare, if it is not the fare of the seat map.
    reserved_for: whom it is reserved for. blocked: shown only to the service's operator.
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

    fare_parts, classes: as in a trip. concessions: of the service, if it has some. promo_codes: true if a
    promo code is valid on the service today. refund_tiers: those that have not ended, if the refund has
    tiers; else refund_percent: of the fare that a cancellation refunds until refund_until, when the boarding
    stop is no longer on sale; later it refunds nothing.
    """

    bus_id: BusId
    travel_date: datetime.date
    boarding_date: datetime.date
    from_stop: int
    to_stop: int
    layout: str
    currency: CurrencyCode
    fare: Money
    seats: list[Seat]
    max_seats: int  # of one booking
    fare_parts: list[FarePart] | None = None
    classes: list[SeatClass] | None = None
    concessions: list[Concession] | None = None
    promo_codes: bool = False
    refund_tiers: list[RefundTier] | None = None
    refund_percent: str | None = None
    refund_until: Instant | None = None

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


class BookingWarning(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A possible mistake in a request that was executed.

    reference: of the other booking, if the caller's account made it; else missing.
    """

    warning: Literal["same_passenger"]
    message: str
    reference: str | None = None


class OfferedTrip(AnyTrip, frozen=True, kw_only=True):
    """The other trip of an offer, and the seats that are held there."""

    boarding_date: datetime.date
    from_stop: int
    to_stop: int
    seats: list[int]


class Offer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An offer to a booking whose journey the operator has changed. cause: what was changed.

    unanswered: what happens without an answer until valid_until: the fare is refunded, or the booking is
    kept as it is. trip: the other trip that is offered. refund: what is refunded if the offer is declined.
    """

    reference: str
    offer_no: int
    state: Literal["open", "accepted", "declined", "expired", "withdrawn"]
    cause: str
    unanswered: Literal["refund", "keep"]
    valid_until: Instant
    trip: OfferedTrip | None = None
    currency: CurrencyCode | None = None  # of the refund
    refund: Money | None = None  # while it is open
    decided_at: Instant | None = None  # once it is not open


class OfferList(Struct, frozen=True, kw_only=True):
    """Offers, in the order in which they were made to each booking."""

    offers: list[Offer]


class ExchangeAmounts(Struct, frozen=True, kw_only=True):
    """What an exchange of a booking costs. due: what it charges. refund: what it refunds. One is 0.00.

    fare: what its tickets cost afterwards. paid: what was paid for them so far. fee: for the exchange.
    withheld: the part of a lower fare that is not refunded.
    """

    fare: Money
    paid: Money
    fee: Money
    withheld: Money
    due: Money
    refund: Money
    currency: CurrencyCode = PREVIOUS_CURRENCY


class Contact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the messages of a booking go. email: masked, such as a***@example.org.

    language: missing for that of the server. bounced_at: since when no mail is sent, because the address
    does not work. bounce: the answer of its mail server.
    """

    email: str | None = None
    language: Language | None = None
    sms: bool = False
    bounced_at: Instant | None = None
    bounce: str | None = None


class BookingPayment(Struct, frozen=True, kw_only=True):
    """What is paid to a provider for a booking, or is to be paid before it is confirmed.

    state: due, before the payment was asked for; created, pending, failed: see `payments`; succeeded;
    returned: it arrived and booked nothing, so it is given back.
    """

    provider: Literal["manual", "stripe"]
    state: Literal["due", "created", "pending", "failed", "succeeded", "returned"]
    amount: Money
    currency: CurrencyCode


class IncludedTax(Struct, frozen=True, kw_only=True):
    """The tax that is included in an amount. percent: of the amount without the tax."""

    name: str
    percent: str
    number: str
    amount: Money


class Booking(AnyTrip, frozen=True, kw_only=True):
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
    never_booked: bool = False  # whether it was cancelled before any of its tickets was booked
    vehicle: str | None = None  # the registration of the vehicle, while one is assigned
    refund_tiers: list[RefundTier] | None = None  # those that have not ended; missing if there are none
    warnings: list[BookingWarning] | None = None  # in the reply to `book` and `hold`
    offers: list[Offer] | None = None  # those that can be accepted or declined; missing if there is none
    exchange: ExchangeAmounts | None = None  # in the reply to `exchange`
    currency: CurrencyCode = PREVIOUS_CURRENCY
    contact: Contact | None = None  # missing if it gets no messages
    payment: BookingPayment | None = None  # of a service that is paid to a provider
    tax: IncludedTax | None = None  # in the fare; missing if the operator has none


class RefundAhead(Struct, frozen=True, kw_only=True):
    """What a cancellation would refund in the period that ends at `until`, when the next one begins."""

    until: Instant
    refund: Money


class Quote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a cancellation would refund, and until when the quote is valid.

    refunds: only for tickets with refund tiers: the refunds by period, from now on; after the last, nothing.
    refund_percent: for tickets without, if it is the same for all.
    """

    currency: CurrencyCode
    refund: Money
    valid_until: Instant
    stands_until: Instant  # the previous name of valid_until
    refunds: list[RefundAhead] | None = None
    refund_percent: str | None = None


class Journey(AnyTrip, frozen=True, kw_only=True):
    """A segment of a trip. travel_date: the date at its first stop. boarding_date: the date at the origin."""

    boarding_date: datetime.date
    from_stop: int
    to_stop: int


class ExchangedTicket(Struct, frozen=True, kw_only=True):
    """A ticket after an exchange."""

    ticket_no: int
    seat_no: int
    fare: Money


class ExchangeTerms(ExchangeAmounts, frozen=True, kw_only=True):
    """What an exchange of a booking costs, where it leads, and until when the quote is valid.

    payment: the provider to which `due` is paid before the exchange: see `pay`.
    """

    valid_until: Instant
    journey: Journey
    tickets: list[ExchangedTicket]
    payment: str | UnsetType = UNSET


class AlightingStop(Struct, frozen=True, kw_only=True):
    """A stop at which tickets may end early. refund: what the caller gets back for all of them."""

    stop_no: int
    place: str
    arrives_at: Instant
    refund: Money


class AlightingStops(Struct, frozen=True, kw_only=True):
    """The stops at which tickets may end early, in the order of the route."""

    currency: CurrencyCode
    stops: list[AlightingStop]


class References(Struct, frozen=True, kw_only=True):
    """The references of bookings."""

    references: list[str]


class Done(Struct, frozen=True, kw_only=True):
    """Success, without fields."""


class BookingList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of bookings, newest first. next: the value of `after` for the next page, if there is one."""

    bookings: list[Booking]
    next: str | None = None


class Session(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A session, with the token that signs in again.

    operator: whose services the account may change or, with role agent, sell; missing for other roles.
    """

    token: str
    username: str
    role: Role
    expires_at: Instant
    operator: str | None = None
