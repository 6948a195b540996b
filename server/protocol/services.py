"""The definition of a service: one struct for HTTP, JSON-RPC and the files from which timetables are loaded.

The types here say what a value is. The database says what is wrong in a document as a whole, and names every
wrong field.

To add a field: a line in _ServiceFields here, and in sql/22_service.sql.
"""

import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from busware.server.protocol.fields import BusId, PlaceName, SeatNo

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
    km: Kilometres = "0"
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


class _ServiceFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of a service but its number."""

    kind: Annotated[str, _text("a kind of service: bus, flight, show, hotel", 20)] | UnsetType = UNSET
    name: ServiceName | UnsetType = UNSET
    operator: ServiceName | UnsetType = UNSET
    bus_type: Literal["SLEEPER", "SEMI_SLEEPER", "SEATER"] | UnsetType | None = UNSET
    ac: bool | UnsetType | None = UNSET
    layout: Layout | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    source_id: SourceId | UnsetType | None = UNSET
    time_zone: TimeZone | UnsetType = UNSET
    stops: list[Stop] | UnsetType = UNSET
    repeat_legs: int | UnsetType | None = UNSET
    segment_fares: list[SegmentFare] | UnsetType = UNSET
    runs_on: Weekdays | UnsetType = UNSET
    first_date: CalendarDate | UnsetType | None = UNSET
    last_date: CalendarDate | UnsetType | None = UNSET
    seasons: list[Season] | UnsetType = UNSET
    days_off: list[CalendarDate] | UnsetType = UNSET
    extra_days: list[CalendarDate] | UnsetType = UNSET
    sales_days: int | UnsetType = UNSET
    sells_until: Duration | UnsetType = UNSET
    refund_percent: Percent | UnsetType = UNSET
    refund_tiers: list[RefundTierData] | UnsetType = UNSET
    alight_refund_percent: Percent | UnsetType = UNSET
    max_seats: int | UnsetType = UNSET
    queue_limit: int | UnsetType = UNSET
    phone_required: bool | UnsetType = UNSET
    nouns: ServiceNouns | UnsetType = UNSET
    seat_classes: list[SeatClassData] | UnsetType = UNSET
    fare_rules: list[FareRuleData] | UnsetType = UNSET
    concessions: list[ConcessionData] | UnsetType = UNSET
    blocked_seats: list[SeatNo] | UnsetType = UNSET
    women_seats: list[SeatNo] | UnsetType = UNSET
    accessible_seats: list[SeatNo] | UnsetType = UNSET
    shortest_segment_km: Length | UnsetType | None = UNSET
    short_segments_open: Duration | UnsetType | None = UNSET
    max_seats_per_account: int | UnsetType | None = UNSET


class ServiceData(_ServiceFields, frozen=True, kw_only=True):
    """A service as a document.

    An edit keeps the fields that it does not name. A list replaces the whole list; null removes a value.
    """

    bus_id: BusId | UnsetType = UNSET
