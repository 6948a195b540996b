"""The types of request fields. Error messages and the OpenAPI document contain their descriptions."""

import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

# No control characters: PostgreSQL cannot store \0, and others move a terminal's cursor. `$` alone accepts a
# final \n.
_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)"
_MAX_BIGINT = 2**63 - 1

BusId = Annotated[
    int,
    Meta(
        ge=1,
        le=_MAX_BIGINT,
        description="the number of a service, as `search` returns it",
        extra_json_schema={"format": "int64"},
    ),
]
Date = Annotated[datetime.date, Meta(description="a date, YYYY-MM-DD")]
PlaceName = Annotated[
    str,
    Meta(min_length=1, max_length=80, pattern=_PRINTABLE, description="the name, code or alias of a place"),
]
StopNo = Annotated[int, Meta(ge=1, le=10_000, description="the position of a stop, as `search` returns it")]
SeatNo = Annotated[int, Meta(ge=1, le=10_000, description="the number of a seat, from 1")]
SeatNos = Annotated[
    list[SeatNo], Meta(min_length=1, max_length=100, description="a list of different seat numbers, from 1")
]
Count = Annotated[int, Meta(ge=1, le=100, description="a number of seats, 1 to 100")]
DaysAround = Annotated[
    int, Meta(ge=1, le=7, description="how many dates before and after the date of the search, 1 to 7")
]
TicketNo = Annotated[int, Meta(ge=1, le=100, description="the number of a ticket of the booking, from 1")]
TicketNos = Annotated[
    list[TicketNo],
    Meta(min_length=1, max_length=100, description="a list of ticket numbers, from 1"),
]
OfferNo = Annotated[int, Meta(ge=1, le=10_000, description="the number of an offer to the booking, from 1")]
Reference = Annotated[
    str, Meta(min_length=1, max_length=32, pattern=_PRINTABLE, description="the reference of a booking")
]
CODE_PREFIX = "BUSWARE:"  # before the reference, in the QR code of a ticket
ReferenceOrCode = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=32,
        pattern=_PRINTABLE,
        description="the reference of a booking, or the text of the QR code of its ticket",
    ),
]
Phone = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=32,
        pattern=_PRINTABLE,
        description="a phone number, such as 98450 12345 or +44 20 7946 0958",
    ),
]
Email = Annotated[
    str,
    Meta(
        max_length=254,
        # The atoms of RFC 5322, and letters of other scripts (RFC 6531); no quoted form, and no encoded
        # word (RFC 2047), which Python's email decodes in an address.
        pattern=r"^(?!.*=\?)[^\x00-\x20\x7f-\xa0()<>\[\]:;@\\,\x22.]{1,64}(\.[^\x00-\x20\x7f-\xa0()<>\[\]:;@\\,\x22.]{1,64}){0,31}"
        r"@[^\x00-,/:-@\[-`{-\xa0.]{1,63}(\.[^\x00-,/:-@\[-`{-\xa0.]{1,63}){1,31}$(?!\n)",
        description="an e-mail address, such as asha@example.org",
    ),
]
LANGUAGES = ("en", "hi", "kn")
Language = Annotated[Literal["en", "hi", "kn"], Meta(description="en, hi or kn: English, Hindi, Kannada")]
PersonName = Annotated[
    str, Meta(max_length=80, pattern=_PRINTABLE, description="a name of up to 80 characters on one line")
]
NewName = Annotated[
    str,
    Meta(min_length=1, max_length=80, pattern=_PRINTABLE, description="the new name, of up to 80 characters"),
]
Key = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        pattern=_PRINTABLE,
        description="an idempotency key, up to 255 characters",
    ),
]
CurrencyCode = Annotated[
    str, Meta(pattern=r"^[A-Z]{3}$(?!\n)", description="a currency of ISO 4217, such as INR")
]
Amount = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,10}(\.[0-9]{1,4})?$(?!\n)",
        description="an amount of money, such as 520.00",
    ),
]
HoldSeconds = Annotated[int, Meta(ge=10, le=1800, description="a number of seconds, 10 to 1,800")]
KindName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=20,
        pattern=_PRINTABLE,
        description="a kind of service: bus, flight, show, hotel",
    ),
]
BusType = Annotated[
    Literal["SLEEPER", "SEMI_SLEEPER", "SEATER"], Meta(description="SLEEPER, SEMI_SLEEPER or SEATER")
]
Flag = Annotated[bool, Meta(description="true or false")]
Username = Annotated[
    str,
    Meta(min_length=1, max_length=64, pattern=_PRINTABLE, description="a username of up to 64 characters"),
]
UsernameOrEmail = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=254,
        pattern=_PRINTABLE,
        description="a username, or the e-mail address of an account",
    ),
]
AgentName = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=_PRINTABLE, description="the username of an agent")
]
Password = Annotated[
    str, Meta(min_length=1, max_length=256, description="a password of up to 256 characters")
]
Token = Annotated[
    str, Meta(min_length=1, max_length=128, pattern=_PRINTABLE, description="a token, as `login` returns it")
]
ResetToken = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        pattern=_PRINTABLE,
        description="the token of a mail or of put_staff, which sets a password",
    ),
]
Limit = Annotated[int, Meta(ge=1, le=100, description="a page size, 1 to 100")]
Cursor = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=_PRINTABLE, description="the `next` of the previous page")
]
Reason = Annotated[
    str,
    Meta(min_length=1, max_length=200, pattern=_PRINTABLE, description="a reason, which passengers can read"),
]
Minutes = Annotated[
    int,
    Meta(
        ge=-1440,
        le=1440,
        description="a number of minutes after the timetable, below 0 before it; 0: on time",
    ),
]
BlockReason = Annotated[
    str,
    Meta(min_length=1, max_length=200, pattern=_PRINTABLE, description="a reason, which operators can read"),
]
Message = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2000,
        pattern=_PRINTABLE,
        description="a message of up to 2000 characters on one line",
    ),
]
SalesGroup = Annotated[
    Literal["service", "date", "segment", "agent"],
    Meta(description="service, date, segment or agent: what a row is"),
]
SalesDates = Annotated[
    Literal["travel", "payment"], Meta(description="travel or payment: what the dates are dates of")
]
PlaceOrStop = Annotated[
    PlaceName | StopNo, Meta(description="a place on the route, or the position of a stop")
]
ClassName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        pattern=_PRINTABLE,
        description="a class of seats, as `search` returns it; without it, the cheapest class",
    ),
]
ConcessionName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        pattern=_PRINTABLE,
        description="a concession of the service, such as child",
    ),
]
OperatorName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=80,
        pattern=_PRINTABLE,
        description="the name of an operator; only an admin has to give it",
    ),
]
PromoCodeText = Annotated[
    str,
    Meta(min_length=1, max_length=20, pattern=_PRINTABLE, description="a promo code of the operator"),
]
Percent = Annotated[
    str,
    Meta(
        pattern=r"^(100(\.0{1,2})?|[0-9]{1,2}(\.[0-9]{1,2})?)$(?!\n)",
        description="a percentage of the fare, 0 to 100, such as 12.5",
    ),
]
Discount = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,8}(\.[0-9]{1,4})?$(?!\n)",
        description="an amount of money below 100,000,000, such as 50.00",
    ),
]
MaxUses = Annotated[int, Meta(ge=0, le=2**31 - 1, description="a number of tickets")]
ServiceNos = Annotated[
    list[BusId], Meta(min_length=1, max_length=1000, description="a list of numbers of services")
]

Registration = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=24,
        pattern=_PRINTABLE,
        description="the registration of a vehicle, such as KA09F1234 or KA 09 F 1234",
    ),
]
VehicleLayout = Annotated[
    str,
    Meta(min_length=1, max_length=5000, description="the name of a layout, or a drawing of the seats"),
]
PlanVersion = Annotated[
    str,
    Meta(min_length=1, max_length=64, pattern=_PRINTABLE, description="the version of a plan"),
]
VehicleName = Annotated[
    str,
    Meta(min_length=1, max_length=80, pattern=_PRINTABLE, description="the make, the model or a name"),
]
Notes = Annotated[
    str,
    Meta(min_length=1, max_length=500, pattern=_PRINTABLE, description="notes for the operator's staff"),
]
DriverCode = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=16,
        pattern=_PRINTABLE,
        description="the operator's code of a driver, such as D17",
    ),
]
DriverCodes = Annotated[
    list[DriverCode], Meta(max_length=2, description="a list of the codes of at most two drivers")
]
DriverName = Annotated[
    str,
    Meta(min_length=1, max_length=80, pattern=_PRINTABLE, description="the name of a driver"),
]
LicenceNo = Annotated[
    str,
    Meta(min_length=1, max_length=32, pattern=_PRINTABLE, description="the number of a driving licence"),
]


class VehicleClass(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A class of the seats of a vehicle. Its fare is that of the service's class with this name."""

    name: ClassName
    seats: SeatNos


VehicleClasses = Annotated[
    list[VehicleClass], Meta(max_length=100, description="a list of classes, each with name and seats")
]
VehicleSeats = Annotated[list[SeatNo], Meta(max_length=1000, description="a list of seat numbers, from 1")]


Gender = Annotated[Literal["female", "male", "other"], Meta(description="female, male or other")]


class Passenger(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The passenger of a ticket."""

    name: PersonName | None = None
    concession: ConcessionName | None = None
    infant: PersonName | None = None
    gender: Gender | None = None
    accessible: Flag = False


Passengers = Annotated[
    list[Passenger], Meta(max_length=100, description='a list of passengers, such as [{"name": "Asha"}]')
]
