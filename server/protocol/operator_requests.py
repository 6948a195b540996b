"""The requests of operators: their trips, their day, their vehicles and drivers; a class for each method."""

from msgspec import UNSET, UnsetType

from busware.server.protocol.fields import (
    BlockReason,
    BusId,
    CurrencyCode,
    Cursor,
    Date,
    Discount,
    DriverCode,
    DriverCodes,
    DriverName,
    Flag,
    Key,
    LicenceNo,
    Limit,
    MaxUses,
    Message,
    Minutes,
    Notes,
    OperatorName,
    Percent,
    Phone,
    PlaceOrStop,
    PlanVersion,
    PromoCodeText,
    Reason,
    ReferenceOrCode,
    Registration,
    SalesDates,
    SalesGroup,
    SeatNos,
    ServiceNos,
    StopNo,
    TicketNos,
    VehicleClasses,
    VehicleLayout,
    VehicleName,
    VehicleSeats,
)
from busware.server.protocol.operator_replies import (
    Assignment,
    BlockedSeats,
    CancelledTrip,
    DelayedTrip,
    Driver,
    DriverList,
    NoShows,
    OpenedSales,
    OperatedTrips,
    PromoCode,
    PromoCodeList,
    SalesReport,
    SentNotice,
    ServedStop,
    SkippedStop,
    TripLoad,
    TripManifest,
    TripOccupancy,
    Vehicle,
    VehicleExchange,
    VehicleList,
)
from busware.server.protocol.replies import Booking, OfferList
from busware.server.protocol.requests import Request, TripRequest, method


@method("trips", OperatedTrips, "GET /v1/operator/trips")
class OperatorTrips(Request, frozen=True, kw_only=True):
    """For operators: list your trips of a travel date. date: by default today. legs: each with its legs."""

    date: Date | None = None
    legs: Flag | None = None
    limit: Limit | None = None
    after: Cursor | None = None


@method("manifest", TripManifest, "GET /v1/trips/{bus_id}/{travel_date}/manifest")
class Manifest(TripRequest, frozen=True, kw_only=True):
    """For operators: list the passengers who board and alight at each stop of a trip."""


@method("load", TripLoad, "GET /v1/trips/{bus_id}/{travel_date}/load")
class Load(TripRequest, frozen=True, kw_only=True):
    """For operators: count the booked, held and free seats on each leg of a trip."""


@method("occupancy", TripOccupancy, "GET /v1/trips/{bus_id}/{travel_date}/occupancy")
class Occupancy(TripRequest, frozen=True, kw_only=True):
    """For operators: show which tickets have each seat of a trip, leg by leg."""


@method("check_in", Booking, "POST /v1/bookings/{reference}/check-in", writes=True)
class CheckIn(Request, frozen=True, kw_only=True):
    """For operators: check in the passengers of a booking at their stop. A repetition changes nothing.

    With bus_id or travel_date, a booking of another service or date is refused. Without travel_date, the
    booking must be for today. With undo, the check-in is removed.
    """

    reference: ReferenceOrCode
    tickets: TicketNos | None = None
    at: PlaceOrStop | None = None
    bus_id: BusId | None = None
    travel_date: Date | None = None
    undo: Flag | None = None
    key: Key | None = None


@method("no_shows", NoShows, "POST /v1/trips/{bus_id}/{travel_date}/no-shows", writes=True)
class MarkNoShows(TripRequest, frozen=True, kw_only=True):
    """For operators: after a departure, mark its passengers who are not checked in as no-shows."""

    at: PlaceOrStop
    release: Flag | None = None
    key: Key | None = None


@method("sales", SalesReport, "GET /v1/operator/sales")
class Sales(Request, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}):
    """For operators: add up the sales of your services, by service, date, segment or agent."""

    from_date: Date
    to_date: Date
    group: SalesGroup | None = None
    by: SalesDates | None = None


@method("cancel_trip", CancelledTrip, "POST /v1/trips/{bus_id}/{travel_date}/cancel", writes=True)
class CancelTrip(TripRequest, frozen=True, kw_only=True):
    """For operators: cancel a trip and refund all its passengers."""

    reason: Reason
    plan: Flag = False
    key: Key | None = None


@method("skip_stop", SkippedStop, "POST /v1/trips/{bus_id}/{travel_date}/skip", writes=True)
class SkipStop(TripRequest, frozen=True, kw_only=True):
    """For operators: skip a stop of a trip, and offer its passengers a refund."""

    at: PlaceOrStop
    reason: Reason | None = None
    plan: Flag = False
    key: Key | None = None


@method("serve_stop", ServedStop, "POST /v1/trips/{bus_id}/{travel_date}/serve", writes=True)
class ServeStop(TripRequest, frozen=True, kw_only=True):
    """For operators: serve a stop again that a trip skips. Tickets stay as they are."""

    at: PlaceOrStop
    key: Key | None = None


@method("trip_offers", OfferList, "GET /v1/trips/{bus_id}/{travel_date}/offers")
class TripOffers(TripRequest, frozen=True, kw_only=True):
    """For operators: list all offers that were made to the bookings of a trip."""


@method("delay_trip", DelayedTrip, "POST /v1/trips/{bus_id}/{travel_date}/delay", writes=True)
class DelayTrip(TripRequest, frozen=True, kw_only=True):
    """For operators: delay a trip from a stop on, and inform its passengers. A repetition changes nothing."""

    minutes: Minutes
    at: PlaceOrStop | None = None
    reason: Reason | None = None
    plan: Flag = False
    key: Key | None = None


@method("block_seats", BlockedSeats, "POST /v1/trips/{bus_id}/{travel_date}/blocks", writes=True)
class BlockSeats(TripRequest, frozen=True, kw_only=True):
    """For operators: take seats of a trip out of sale, from one stop to another or on the whole route."""

    seats: SeatNos
    from_stop: StopNo | None = None
    to_stop: StopNo | None = None
    reason: BlockReason | None = None
    key: Key | None = None


@method("unblock_seats", BlockedSeats, "POST /v1/trips/{bus_id}/{travel_date}/unblock", writes=True)
class UnblockSeats(TripRequest, frozen=True, kw_only=True):
    """For operators: put blocked seats of a trip on sale again."""

    seats: SeatNos
    from_stop: StopNo | None = None
    to_stop: StopNo | None = None
    key: Key | None = None


@method("open_sales", OpenedSales, "POST /v1/services/{bus_id}/sales")
class OpenSales(Request, frozen=True, kw_only=True, rename={"from_date": "from", "to_date": "to"}):
    """For operators: put the trips of a service on sale for a range of dates."""

    bus_id: BusId
    from_date: Date
    to_date: Date


@method("promo_codes", PromoCodeList, "GET /v1/promo-codes")
class PromoCodes(Request, frozen=True, kw_only=True):
    """For operators: list your promo codes, with their uses."""

    operator: OperatorName | None = None
    limit: Limit | None = None
    after: Cursor | None = None


@method("put_promo_code", PromoCode, "PUT /v1/promo-codes/{code}")
class PutPromoCode(Request, frozen=True, kw_only=True):
    """For operators: create a promo code, or replace what it gives. Sold tickets keep their fares."""

    code: PromoCodeText
    operator: OperatorName | None = None
    percent: Percent | None = None
    amount: Discount | None = None
    currency: CurrencyCode | None = None
    services: ServiceNos | None = None
    first_date: Date | None = None
    last_date: Date | None = None
    max_uses: MaxUses | None = None
    max_uses_per_account: MaxUses | None = None


@method("notice", SentNotice, "POST /v1/trips/{bus_id}/{travel_date}/notice")
class Notice(TripRequest, frozen=True, kw_only=True):
    """For operators: send a notice to all passengers of a trip."""

    text: Message
    key: Key | None = None


class FleetRequest(Request, frozen=True, kw_only=True):
    """A request about vehicles or drivers. operator: only an admin needs to name it."""

    operator: OperatorName | None = None


@method("vehicles", VehicleList, "GET /v1/vehicles")
class Vehicles(FleetRequest, frozen=True, kw_only=True):
    """For operators: list your vehicles."""

    limit: Limit | None = None
    after: Cursor | None = None


@method("put_vehicle", Vehicle, "PUT /v1/vehicles/{registration}")
class PutVehicle(FleetRequest, frozen=True, kw_only=True):
    """For operators: add a vehicle, or edit it. A field that is not given stays as it is."""

    registration: Registration
    layout: VehicleLayout | UnsetType = UNSET
    name: VehicleName | UnsetType | None = UNSET
    notes: Notes | UnsetType | None = UNSET
    seat_classes: VehicleClasses | UnsetType = UNSET
    women_seats: VehicleSeats | UnsetType = UNSET
    accessible_seats: VehicleSeats | UnsetType = UNSET
    in_service: Flag | UnsetType = UNSET


@method("drivers", DriverList, "GET /v1/drivers")
class Drivers(FleetRequest, frozen=True, kw_only=True):
    """For operators: list your drivers."""

    limit: Limit | None = None
    after: Cursor | None = None


@method("put_driver", Driver, "PUT /v1/drivers/{code}")
class PutDriver(FleetRequest, frozen=True, kw_only=True):
    """For operators: add a driver, or edit one. A field that is not given stays as it is."""

    code: DriverCode
    name: DriverName | UnsetType = UNSET
    phone: Phone | UnsetType | None = UNSET
    licence_no: LicenceNo | UnsetType | None = UNSET
    active: Flag | UnsetType = UNSET


@method("assign", Assignment, "POST /v1/trips/{bus_id}/{travel_date}/assignment")
class Assign(TripRequest, frozen=True, kw_only=True):
    """For operators: assign a vehicle and drivers to a trip, or to all trips up to a date. null removes."""

    vehicle: Registration | UnsetType | None = UNSET
    drivers: DriverCodes | UnsetType | None = UNSET
    until: Date | None = None
    plan: Flag = False


@method("exchange_vehicle", VehicleExchange, "POST /v1/trips/{bus_id}/{travel_date}/vehicle")
class ExchangeVehicle(TripRequest, frozen=True, kw_only=True):
    """For operators: exchange the vehicle of a trip for any other vehicle, and plan all seats again."""

    vehicle: Registration
    plan: Flag = False
    version: PlanVersion | None = None
    reason: Reason | None = None
    key: Key | None = None
