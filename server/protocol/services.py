"""The definition of a service: one struct for HTTP, JSON-RPC and the files from which timetables are loaded.

The types here say what a value is. The database says what is wrong in a document as a whole, and names every
wrong field.

To add a field: a line in ServiceFields here, a field in api.service, a row in api.service_fields, a column in
api.write_service (sql/22_*.sql).
"""

import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from busware.server.protocol.fields import BusId, BusType, Flag, PlaceName, SeatNo

_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)"


def _text(description: str, max_length: int = 80, *, lines: bool = False) -> Meta:
    pattern = None if lines else _PRINTABLE
    return Meta(min_length=1, max_length=max_length, pattern=pattern, description=description)


ServiceName = Annotated[str, _text("a name of up to 80 characters on one line")]
Layout = Annotated[
    str, _text("the name of a layout, or a drawing of the seats, a line for each row", 4000, lines=True)
]
Currency = Annotated[str, _text("a currency of ISO 4217, such as INR", 3)]
SourceId = Annotated[str, _text("the identity of the service in a foreign timetable", 200)]
Time = Annotated[
    str, _text("a time, hours and minutes since the travel date began, such as 24:25, or 5d 14:00", 16)
]
Kilometres = Annotated[str, _text("kilometres from the first stop, such as 102.5", 8)]
Length = Annotated[str, _text("a length in kilometres, such as 50", 8)]
Fare = Annotated[str, _text("an amount of money, such as 520.00", 13)]
Percent = Annotated[str, _text("a percentage, 0 to 100, such as 50", 6)]
FarePercent = Annotated[str, _text("a percentage, such as 20 or -12.5", 8)]
FareChange = Annotated[str, _text("an amount of money, such as 52.00 or -30", 14)]
RuleName = Annotated[str, _text("a name of up to 40 characters on one line", 40)]
Weekdays = Annotated[str, _text("daily, never, or weekdays such as Mon Wed Fri or Mon-Fri", 80)]
Duration = Annotated[str, _text("a duration, such as 30 minutes or 16 hours", 40)]
TimeZone = Annotated[str, _text("a time zone, such as Asia/Kolkata", 64)]
Noun = Annotated[str, _text("a noun, such as bus", 20)]
CalendarDate = Annotated[datetime.date, Meta(description="a date, YYYY-MM-DD")]


class Stop(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stop of a service. km, fare: from the first stop."""

    place: PlaceName
    arrives: Time | None = None
    departs: Time | None = None
    km: Kilometres
    fare: Fare


class SegmentFare(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fare of a segment, instead of the difference of the fares of its stops, numbered from 1."""

    from_stop: int
    to_stop: int
    fare: Fare


class Season(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Weekdays on which a service runs from a date to another, instead of those of the whole year."""

    first_date: CalendarDate
    last_date: CalendarDate
    runs_on: Weekdays


class ServiceNouns(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The words for the service and its seats in messages."""

    service: Noun
    seat: Noun


class _Surcharge(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A change of the fare, with a name that travellers read: a percentage of it, an amount, or both."""

    name: RuleName
    percent: FarePercent | None = None
    amount: FareChange | None = None


class SeatClassData(_Surcharge, frozen=True, kw_only=True):
    """A class of seats, and what is added to its fare. A seat is in one class at most."""

    seats: list[SeatNo]


class FareRuleData(_Surcharge, frozen=True, kw_only=True):
    """What is added to the fare on travel dates: on these weekdays from a date to another."""

    runs_on: Weekdays | None = None
    first_date: CalendarDate | None = None
    last_date: CalendarDate | None = None


class ConcessionData(_Surcharge, frozen=True, kw_only=True):
    """A discount for a passenger. min_age, max_age: whom it is for. seat: false for an infant on a lap."""

    min_age: int | None = None
    max_age: int | None = None
    seat: bool = True


class RefundTierData(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cancellation more than this number of hours before departure refunds this percentage of the fare."""

    hours: int
    percent: Percent


def _list(description: str) -> Meta:
    return Meta(max_length=10_000, description=f"a list of {description}")


Stops = Annotated[list[Stop], _list("stops, each with place, arrives, departs, km and fare as texts")]
SegmentFares = Annotated[list[SegmentFare], _list("fares, each with from_stop, to_stop and fare")]
Seasons = Annotated[list[Season], _list("seasons, each with first_date, last_date and runs_on")]
CalendarDates = Annotated[list[CalendarDate], _list("dates, YYYY-MM-DD")]
SeatClasses = Annotated[list[SeatClassData], _list("classes, each with name, seats, percent and amount")]
FareRules = Annotated[
    list[FareRuleData], _list("rules, each with name, runs_on, first_date, last_date, percent and amount")
]
Concessions = Annotated[
    list[ConcessionData], _list("concessions, each with name, percent, amount, min_age, max_age and seat")
]
RepeatLegs = Annotated[int, Meta(ge=1, le=1000, description="the number of last legs that repeat")]
SalesDays = Annotated[int, Meta(ge=1, le=730, description="a number of days, 1 to 730")]
MaxSeats = Annotated[int, Meta(ge=1, le=100, description="a number of seats, 1 to 100")]
MaxTransfers = Annotated[int, Meta(ge=0, le=999, description="a number of transfers, from 0 on")]
OfferHours = Annotated[int, Meta(ge=1, le=168, description="a number of hours, 1 to 168")]
AlternativeHours = Annotated[int, Meta(ge=0, le=168, description="a number of hours, 0 to 168")]
PaymentProvider = Annotated[
    Literal["none", "manual", "stripe"],
    Meta(description="none, manual or stripe: to whom a hold is paid before it is confirmed"),
]
PaymentMinutes = Annotated[int, Meta(ge=10, le=20_160, description="a number of minutes, 10 to 20,160")]
QueueLimit = Annotated[int, Meta(ge=0, le=999_999, description="a number of parties, from 0 on")]
Nouns = Annotated[ServiceNouns, Meta(description="the nouns service and seat")]
Kind = Annotated[str, _text("a kind of service: bus, flight, show, hotel", 20)]
RefundTiers = Annotated[list[RefundTierData], _list("tiers, each with hours and percent")]
ReservedSeats = Annotated[list[SeatNo], _list("seat numbers")]


class ServiceFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of a service but its number."""

    kind: Kind | UnsetType = UNSET
    name: ServiceName | UnsetType = UNSET
    operator: ServiceName | UnsetType = UNSET
    bus_type: BusType | UnsetType | None = UNSET
    ac: Flag | UnsetType | None = UNSET
    layout: Layout | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    source_id: SourceId | UnsetType | None = UNSET
    time_zone: TimeZone | UnsetType = UNSET
    stops: Stops | UnsetType = UNSET
    repeat_legs: RepeatLegs | UnsetType | None = UNSET
    segment_fares: SegmentFares | UnsetType = UNSET
    runs_on: Weekdays | UnsetType = UNSET
    first_date: CalendarDate | UnsetType | None = UNSET
    last_date: CalendarDate | UnsetType | None = UNSET
    seasons: Seasons | UnsetType = UNSET
    days_off: CalendarDates | UnsetType = UNSET
    extra_days: CalendarDates | UnsetType = UNSET
    sales_days: SalesDays | UnsetType = UNSET
    sells_until: Duration | UnsetType = UNSET
    refund_percent: Percent | UnsetType = UNSET
    refund_tiers: RefundTiers | UnsetType = UNSET
    alight_refund_percent: Percent | UnsetType = UNSET
    max_seats: MaxSeats | UnsetType = UNSET
    queue_limit: QueueLimit | UnsetType = UNSET
    phone_required: Flag | UnsetType = UNSET
    nouns: Nouns | UnsetType = UNSET
    seat_classes: SeatClasses | UnsetType = UNSET
    fare_rules: FareRules | UnsetType = UNSET
    concessions: Concessions | UnsetType = UNSET
    blocked_seats: ReservedSeats | UnsetType = UNSET
    women_seats: ReservedSeats | UnsetType = UNSET
    accessible_seats: ReservedSeats | UnsetType = UNSET
    shortest_segment_km: Length | UnsetType | None = UNSET
    short_segments_open: Duration | UnsetType | None = UNSET
    max_seats_per_account: MaxSeats | UnsetType | None = UNSET
    exchange_fee: Fare | UnsetType = UNSET
    exchange_until: Duration | UnsetType | None = UNSET
    max_transfers: MaxTransfers | UnsetType = UNSET
    no_show_sells: Flag | UnsetType = UNSET
    offer_hours: OfferHours | UnsetType = UNSET
    alternative_hours: AlternativeHours | UnsetType = UNSET
    whole_refund_delay: Duration | UnsetType | None = UNSET
    payment: PaymentProvider | UnsetType = UNSET
    payment_minutes: PaymentMinutes | UnsetType = UNSET


class ServiceData(ServiceFields, frozen=True, kw_only=True):
    """A service as a document.

    An edit keeps the fields that it does not name. A list replaces the whole list; null removes a value.
    """

    bus_id: BusId | UnsetType = UNSET


# Replies ---------------------------------------------------------------------------------------


class ServiceSummary(Struct, frozen=True, kw_only=True):
    """A service in a list. departs: from the origin. trips: the number of open trips from today on."""

    bus_id: BusId
    kind: str
    name: str
    operator: str
    source_id: str | None
    origin: str
    destination: str
    departs: str
    arrives: str
    runs_on: str
    first_date: datetime.date | None
    last_date: datetime.date | None
    seats: int
    trips: int


class ServiceList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of services by number. next: the value of `after` for the next page, if there may be one."""

    services: list[ServiceSummary]
    next: str | None = None


class Change(Struct, frozen=True, kw_only=True, rename={"before": "from", "after": "to"}):
    """A field that differs. field: its path, such as stops[2].fare; lists begin at 0."""

    field: str
    before: Any
    after: Any


class ChangedService(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a change of a service does, or what its plan would do.

    opened, removed: the travel dates of trips that are on sale from now on, and no longer. ended: what
    happens to the service that is succeeded.
    """

    bus_id: BusId
    created: bool
    changes: list[Change]
    opened: list[datetime.date]
    removed: list[datetime.date]
    ended: "ChangedService | None" = None


class ChangedPlace(Struct, frozen=True, kw_only=True):
    """A place with all its fields."""

    code: str
    name: str
    aliases: list[str]
    part_of: str | None
    time_zone: str
