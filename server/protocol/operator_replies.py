"""The replies to the requests of operators (see replies.py)."""

import datetime
from typing import Literal

from msgspec import Struct, field

from busware.server.protocol.fields import BusId, CurrencyCode, Gender, VehicleClass
from busware.server.protocol.replies import PREVIOUS_CURRENCY, AnyTrip, Balance, Instant, Money


class PromoCode(Struct, frozen=True, kw_only=True):
    """A promo code of an operator: a percentage and an amount off each ticket. uses: tickets that have it.

    services: those on which it is valid; null: all of the operator's. first_date, last_date: the dates of
    sale on which it is valid. A limit that is null does not apply.
    """

    operator: str
    code: str
    percent: str
    amount: Money
    currency: CurrencyCode
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


class AssignedDriver(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A driver of a trip."""

    code: str
    name: str
    phone: str | None = None


class StopOfTrip(Struct, frozen=True, kw_only=True):
    """A stop by its number and place."""

    stop_no: int
    place: str


class OperatedTrip(AnyTrip, frozen=True, kw_only=True):
    """A trip as its operator sees it. booked, held, pending: numbers of tickets.

    load: the seats that are booked or held on the fullest leg.
    vehicle: its registration. vehicle, drivers: missing if none is assigned. skipped_stops: missing if the
    trip skips none.
    """

    state: Literal["open", "cancelled"]
    seats: int
    booked: int
    held: int
    pending: int
    load: int
    why: str | None = None  # the reason, if it was cancelled
    vehicle: str | None = None
    drivers: list[AssignedDriver] = field(default_factory=list)
    skipped_stops: list[StopOfTrip] = field(default_factory=list)


class EarlierName(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A name that a ticket had before it was transferred.

    until: when it was transferred. account: the account that transferred it; missing if it was a guest.
    """

    name: str
    until: Instant
    account: str | None = None


class ManifestPassenger(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A passenger in a manifest. infant: the name of the infant on the passenger's lap.

    sold_by: the agent who sold the ticket; missing if none did. email: of the booking; missing if it has
    none. email_bounced: mail cannot be delivered there.
    """

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
    sold_by: str | None = None
    email: str | None = None
    email_bounced: bool = False
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


class ManifestStop(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stop at which passengers board or alight.

    comes_free: the seats of the alighting passengers that no ticket has on the next leg. arrives_at,
    departs_at: the expected times. scheduled_arrives_at, scheduled_departs_at: as in a trip. departed:
    whether the trip has left the stop.
    """

    stop_no: int
    place: str
    arrives_at: Instant | None
    departs_at: Instant | None
    boards: list[ManifestPassenger]
    alights: list[ManifestPassenger]
    comes_free: list[int]
    scheduled_arrives_at: Instant | None = None
    scheduled_departs_at: Instant | None = None
    departed: bool = False


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
    blocked: list[BlockedSegment] = field(default_factory=list)


class Leg(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A leg of a trip. booked, held, free: numbers of seats. pending: the tickets that wait for a seat.

    departs_at, arrives_at: the expected times. scheduled_departs_at, scheduled_arrives_at: as in a trip.
    """

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
    scheduled_departs_at: Instant | None = None
    scheduled_arrives_at: Instant | None = None


class TripLoad(OperatedTrip, frozen=True, kw_only=True):
    """A trip with its legs, in the order of the route.

    bookings: the number of bookings that a notice reaches: held, booked or on the waitlist, with a journey
    that has not ended.
    """

    legs: list[Leg]
    bookings: int


class TripOfDay(OperatedTrip, frozen=True, kw_only=True, omit_defaults=True):
    """A trip in the list of a day. legs: missing unless the request asks for them."""

    legs: list[Leg] = field(default_factory=list)


class OperatedTrips(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of the trips of a travel date, sorted by bus_id.

    date: the travel date; missing from servers of version 0.1. next: the value of `after` for the next page,
    if there is one.
    """

    trips: list[TripOfDay]
    date: datetime.date | None = None
    next: str | None = None


class SeatTicket(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A ticket that has a seat from one stop to another. checked_in_at, no_show_at: as in a ticket."""

    from_stop: int
    to_stop: int
    reference: str
    ticket_no: int
    name: str | None
    status: Literal["held", "booked"]
    checked_in_at: Instant | None = None
    no_show_at: Instant | None = None


class OccupiedSeat(Struct, frozen=True, kw_only=True):
    """A seat with the tickets that have it, in the order of the route."""

    seat_no: int
    deck: str
    tickets: list[SeatTicket]


class TripOccupancy(TripLoad, frozen=True, kw_only=True, omit_defaults=True):
    """A trip with its legs, and with the tickets of each seat. blocked: missing if no seat is blocked."""

    occupancy: list[OccupiedSeat]
    blocked: list[BlockedSegment] = field(default_factory=list)


class SalesSums(Struct, frozen=True, kw_only=True):
    """Sums of payments in one currency. income: charges less refunds."""

    currency: CurrencyCode
    tickets: int
    charges: Money
    refunds: Money
    income: Balance


class SalesRow(SalesSums, frozen=True, kw_only=True, omit_defaults=True):
    """The sales of a service, a date, a segment of a service or an agent, in one currency.

    occupancy: the part of the seats on offer that is booked, in percent, weighted by kilometres;
    missing by date of payment and by agent. agent: missing for the tickets that no agent has sold.
    """

    occupancy: str | None = None
    bus_id: BusId | None = None
    name: str | None = None
    date: datetime.date | None = None
    from_stop: int | None = None
    to_stop: int | None = None
    origin: str | None = None
    destination: str | None = None
    agent: str | None = None


class SalesReport(SalesSums, frozen=True, kw_only=True):
    """The sales of an operator's services. totals: the sums of the rows, one of each currency.

    The first of them has the most tickets. The report has its fields too.
    """

    rows: list[SalesRow]
    totals: list[SalesSums]


class CancelledTrip(Struct, frozen=True, kw_only=True):
    """A cancelled trip. tickets: how many were cancelled with it. refund: the sum of their refunds."""

    bus_id: BusId
    travel_date: datetime.date
    state: Literal["cancelled"]
    tickets: int
    refund: Money
    currency: CurrencyCode = PREVIOUS_CURRENCY


class NextTrip(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A trip that a vehicle or a driver is assigned to. vehicle: its registration. driver: the code."""

    bus_id: BusId
    travel_date: datetime.date
    name: str
    departs_at: Instant
    vehicle: str | None = None
    driver: str | None = None


class DelayedTrip(Struct, frozen=True, kw_only=True):
    """The delay of a trip at a stop, and at all later ones.

    expected_at, scheduled_at: the departure from the stop; from the last stop, the arrival. bookings,
    tickets: how many were informed, because their times have changed. offers: how many of these bookings may
    be cancelled for the whole fare. next_trips: those of the vehicle and the drivers that begin before the
    delayed trip ends.
    """

    bus_id: BusId
    travel_date: datetime.date
    stop_no: int
    place: str
    minutes: int
    expected_at: Instant
    scheduled_at: Instant
    bookings: int
    tickets: int
    offers: int
    next_trips: list[NextTrip]


class ServedStop(Struct, frozen=True, kw_only=True):
    """A stop of a trip. served: whether passengers may board and alight there."""

    bus_id: BusId
    travel_date: datetime.date
    stop_no: int
    place: str
    served: bool


class SkippedStop(ServedStop, frozen=True, kw_only=True):
    """A stop that a trip skips, and the bookings that boarded or alighted there.

    bookings: their number, all informed. moved: the tickets that board or alight elsewhere now. displaced:
    the bookings of which no journey is left. ended: the tickets that were held or on the waitlist.
    """

    bookings: int
    moved: int
    displaced: int
    ended: int


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
    seat_classes: list[VehicleClass] = field(default_factory=list)
    women_seats: list[int] = field(default_factory=list)
    accessible_seats: list[int] = field(default_factory=list)


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


class ReseatedTicket(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A ticket that has another seat in the new vehicle, or a seat of another class than was paid.

    from_class: the class that was paid. seat_class: that of the new seat. refund: the difference of the
    fares, if the new class costs less.
    """

    reference: str
    ticket_no: int
    status: Literal["held", "booked"]
    from_seat_no: int
    seat_no: int
    refund: Money
    name: str | None = None
    from_class: str | None = None
    seat_class: str | None = None


class LeftOverParty(Struct, frozen=True, kw_only=True):
    """A booking for which the new vehicle has no seats. tickets: their number."""

    reference: str
    tickets: int


class VehicleExchange(Struct, frozen=True, kw_only=True):
    """An exchange of the vehicle of a trip, or the plan of one. version: of the plan.

    tickets: how many had to be seated. seated: how many of them have a seat. same_class: how many of these
    have the class that was paid, and an accessible seat if the passenger asked for one. together: the
    parties that sit together, as they did before. moved: the tickets with another seat number. moves: the
    tickets that have another seat or class. left_over: the bookings without seats. Those that were booked
    get an offer, the holds end. refund: the sum of the refunds because of other classes. trip: after the
    exchange.
    """

    version: str
    tickets: int
    seated: int
    same_class: int
    together: int
    moved: int
    moves: list[ReseatedTicket]
    left_over: list[LeftOverParty]
    currency: CurrencyCode
    refund: Money
    trip: OperatedTrip
