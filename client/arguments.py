"""The arguments of the commands, and how each is read from the command line.

The help text of an argument is the description of its field in the request, unless ARGUMENTS has another one.
"""

import argparse
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, get_args

import msgspec
from msgspec import Meta

from busware.server import protocol
from busware.server.conversation import InvalidInput, parse_date
from busware.server.conversation.words import BUS
from busware.service_files import read_numbered_service, read_service


def converter(read: Callable[[str], object], kind: Any, expected: str) -> Callable[[str], Any]:
    """A type for argparse: applies `read`, which may raise ValueError, then the limits of `kind`.

    expected: how the error message describes a valid argument.
    """

    def convert(text: str) -> Any:
        try:
            return msgspec.convert(read(text), kind)
        except (ValueError, msgspec.ValidationError):
            raise argparse.ArgumentTypeError(f"'{text}' is not {expected}") from None

    return convert


_Number = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]  # larger ones cannot be sent
_number = converter(int, _Number, "a number; write one such as 7")
_numbers = converter(
    lambda text: [int(number) for number in text.replace(",", " ").split()],
    Annotated[list[_Number], Meta(min_length=1)],
    "a list of numbers; write one such as 7,8",
)


def _date(text: str) -> str:
    """Check a date, and return it as typed. `request` converts it, with the server's date for "today"."""
    try:
        parse_date(text, date.today())
    except InvalidInput as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _optional_date(text: str) -> str | None:
    """A date, as `_date`, or `none`."""
    return None if text == "none" else _date(text)


def _stop(text: str) -> str | int:
    """A place, or a stop number."""
    stop: str | int = _number(text) if text.isdecimal() else text
    return stop


def _instant(text: str) -> datetime:
    """A time; without an offset, in the time zone of this machine."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a time; write one such as 2026-12-01T09:00"
        ) from None


_GENDERS = get_args(get_args(protocol.Gender)[0])  # Gender is an Annotated[Literal]


def _passenger(text: str) -> protocol.Passenger:
    """A passenger: NAME, NAME/female or NAME/accessible, then :CONCESSION, then +INFANT."""
    ticket, _, infant = text.partition("+")
    name, _, concession = ticket.partition(":")
    marks: dict[str, Any] = {}
    while (mark := name.rpartition("/")[2].strip()) in ("accessible", *_GENDERS):
        marks |= {"accessible": True} if mark == "accessible" else {"gender": mark}
        name = name.rpartition("/")[0]
    fields = {"name": name, "concession": concession, "infant": infant}
    marks |= {field: text.strip() for field, text in fields.items() if text.strip()}
    return protocol.Passenger(**marks)


def _removable(text: str) -> str | None:
    """A value that the word `none` removes."""
    return None if text == "none" else text


def _quota(text: str) -> protocol.Quota | str:
    """A quota, BUS:SEATS, or `none`."""
    if text == "none":
        return text
    bus_id, _, seats = text.partition(":")
    try:
        return protocol.Quota(bus_id=int(bus_id), seats=int(seats))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not BUS:N; write one such as 101:6") from None


def _tax(text: str) -> protocol.Tax | None:
    """A tax, NAME PERCENT NUMBER, or `none`."""
    if text == "none":
        return None
    words = text.split()
    if len(words) < 3 or not words[-2].replace(".", "", 1).isdecimal():
        raise argparse.ArgumentTypeError(
            f"'{text}' is not NAME PERCENT NUMBER; write one such as 'GST 5 29AAACK1234A1Z5'"
        )
    return protocol.Tax(name=" ".join(words[:-2]), percent=words[-2], number=words[-1])


def _vehicle_class(text: str) -> protocol.VehicleClass | str:
    """A class of a vehicle: CLASS=1,2; or `none`."""
    name, _, seats = text.rpartition("=")
    return text if text == "none" else protocol.VehicleClass(name=name.strip(), seats=_numbers(seats))


def _seats_or_none(text: str) -> list[int]:
    """A list of seats, which the word `none` empties."""
    return [] if text == "none" else _numbers(text)


class _RepeatedValues(argparse.Action):
    """Collects the values of a repeated option in a list, which the word `none` empties."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option: Any = None) -> None:
        earlier = getattr(namespace, self.dest, [])
        setattr(namespace, self.dest, [] if values == "none" else [*earlier, values])


class _Words(argparse.Action):
    """Stores the words of an argument as one text, so that a text needs no quotes."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option: Any = None) -> None:
        setattr(namespace, self.dest, " ".join(values))


ARGUMENTS: dict[str, dict[str, Any]] = {
    "origin": {"metavar": "ORIGIN", "type": _stop},
    "destination": {"metavar": "DESTINATION", "type": _stop},
    "date": {
        "metavar": "DATE",
        "type": _date,
        "help": "the date on which the passenger boards, such as 5 dec",
    },
    "place": {"metavar": "PLACE", "help": "the place where the passenger boards"},
    "bus_id": {"metavar": "BUS", "type": _number},
    "boarding_date": {
        "metavar": "DATE",
        "type": _date,
        "help": "the date on which the passenger boards, as search prints it",
    },
    "travel_date": {
        "metavar": "DATE",
        "type": _date,
        "help": "the travel date: on which the trip leaves its first stop",
    },
    "trips_date": {"dest": "date", "metavar": "DATE", "type": _date, "help": "the travel date of the trips"},
    "reference": {"metavar": "REFERENCE"},
    "ticket_no": {"metavar": "TICKET", "type": _number},
    "--offer": {
        "dest": "offer_no",
        "metavar": "N",
        "type": _number,
        "help": "the number of the offer; else the open one",
    },
    "seat_no": {"metavar": "SEAT", "type": _number},
    "at": {"metavar": "AT", "type": _stop},
    "--at": {"metavar": "AT", "type": _stop, "help": "only this stop: a place, or the number of a stop"},
    "text": {"metavar": "TEXT", "nargs": "+", "action": _Words, "help": "the message"},
    "username": {"metavar": "USERNAME"},
    "reason": {
        "metavar": "REASON",
        "nargs": "+",
        "action": _Words,
        "help": "the reason that the passengers read",
    },
    "seats": {"metavar": "N,N…", "type": _numbers},
    "--stop": {
        "dest": "at",
        "metavar": "STOP",
        "type": _stop,
        "help": "the first stop that is late; else the first that the trip has not left",
    },
    "minutes": {"metavar": "MINUTES", "type": _number},
    "--from-stop": {
        "metavar": "N",
        "type": _number,
        "help": "the first stop; else that of the route",
    },
    "--to-stop": {"metavar": "N", "type": _number, "help": "the last stop; else that of the route"},
    "--reason": {"metavar": "REASON"},
    "from_date": {"metavar": "FROM", "type": _date, "help": "the first travel date"},
    "to_date": {"metavar": "TO", "type": _date, "help": "the last travel date"},
    "--everywhere": {"action": "store_true", "help": "revoke every token of the account"},
    "--current": {"action": "store_true", "help": "only bookings with a journey that has not ended"},
    "--operator": {"metavar": "OPERATOR"},
    "code": {"metavar": "CODE"},
    "--percent": {"metavar": "PERCENT"},
    "--amount": {"metavar": "AMOUNT", "help": "the amount that it takes off each ticket"},
    "--currency": {"metavar": "CODE", "help": "the currency of --amount or --credit, such as INR"},
    "--service": {
        "dest": "services",
        "metavar": "BUS",
        "action": "append",
        "type": _number,
        "help": "a service on which it is valid; repeat it for others; without it, all of the operator",
    },
    "--first-date": {
        "dest": "first_date",
        "metavar": "DATE",
        "type": _date,
        "help": "the first day on which tickets are sold with it",
    },
    "--last-date": {
        "dest": "last_date",
        "metavar": "DATE",
        "type": _date,
        "help": "the last day on which tickets are sold with it",
    },
    "--uses": {
        "dest": "max_uses",
        "metavar": "N",
        "type": _number,
        "help": "the largest number of tickets that may have it",
    },
    "--uses-per-account": {
        "dest": "max_uses_per_account",
        "metavar": "N",
        "type": _number,
        "help": "the largest number of tickets of an account or a phone number that may have it",
    },
    "--limit": {"metavar": "N", "type": _number},
    "--after": {"metavar": "NEXT"},
    "--until": {"metavar": "DATE", "type": _date, "help": "the date of arrival at DESTINATION"},
    "--kind": {"metavar": "KIND"},
    "--from": {
        "dest": "origin",
        "metavar": "PLACE",
        "help": "only the places that passengers can reach from PLACE",
    },
    "--type": {
        "dest": "bus_type",
        "type": lambda text: text.upper().replace("-", "_"),
        "metavar": "TYPE",
        "choices": BUS.types,
    },
    "--ac": {"action": argparse.BooleanOptionalAction, "help": "with or without air conditioning"},
    "--free": {
        "dest": "seats",
        "metavar": "N",
        "type": _number,
        "help": "only trips with N or more free seats",
    },
    "--seats": {"metavar": "N,N…", "type": _numbers},
    "--count": {"metavar": "N", "type": _number, "help": "the number of seats; the server chooses them"},
    "phone": {"metavar": "PHONE", "nargs": "*", "action": _Words, "default": argparse.SUPPRESS},
    "--phone": {"metavar": "PHONE"},
    "--name": {
        "dest": "passengers",
        "metavar": "NAME",
        "action": "append",
        "type": _passenger,
        "help": "the name of a passenger; repeat it for each ticket. With a concession: Ravi:child, or "
        ":child without a name. With an infant: Asha+Devi. For a reserved seat: Asha/female, or "
        "Asha/accessible",
    },
    "--class": {"dest": "seat_class", "metavar": "CLASS"},
    "--promo": {"dest": "promo_code", "metavar": "CODE"},
    "file": {
        "dest": "service",
        "metavar": "FILE",
        "type": read_service,
        "help": "a file with the service as JSON; - for the standard input",
    },
    "numbered_file": {
        "dest": "service",
        "metavar": "FILE",
        "type": read_numbered_service,
        "help": "a file with the bus_id of the service and its fields, as JSON; - for the standard input",
    },
    "--changes": {
        "dest": "service",
        "metavar": "FILE",
        "type": read_service,
        "help": "a file with the fields that differ in the successor, as JSON",
    },
    "last_date": {
        "metavar": "DATE",
        "type": _optional_date,
        "help": "the last travel date; none removes it, and opens the later trips again",
    },
    "--plan": {"action": "store_true", "help": "show what would happen, and change nothing"},
    "--place-name": {"dest": "name", "metavar": "NAME"},
    "--alias": {
        "dest": "aliases",
        "metavar": "NAME",
        "action": _RepeatedValues,
        "help": "another name of the place; repeat it for several; none removes all",
    },
    "--part-of": {
        "dest": "part_of",
        "metavar": "CODE",
        "type": _removable,
        "help": "the code of the place that contains it; none removes it",
    },
    "--zone": {"dest": "time_zone", "metavar": "ZONE"},
    "--bus": {
        "dest": "bus_id",
        "metavar": "BUS",
        "type": _number,
        "help": "another bus of the same operator",
    },
    "--date": {
        "dest": "boarding_date",
        "metavar": "DATE",
        "type": _date,
        "help": "the date on which the passenger boards instead",
    },
    "--origin": {"metavar": "ORIGIN", "type": _stop, "help": "where the passenger boards instead"},
    "--destination": {
        "metavar": "DESTINATION",
        "type": _stop,
        "help": "where the passenger gets off instead",
    },
    "--due": {"metavar": "AMOUNT", "help": "the most that you accept to pay; without it, nothing"},
    "--least-refund": {
        "dest": "refund",
        "metavar": "AMOUNT",
        "help": "the least that you expect to get back",
    },
    "registration": {"metavar": "REGISTRATION"},
    "--layout": {"metavar": "LAYOUT"},
    "--class-seats": {
        "dest": "seat_classes",
        "metavar": "CLASS=N,N…",
        "type": _vehicle_class,
        "action": _RepeatedValues,
        "help": "a class and its seats; repeat it for several; none removes all",
    },
    "--women-seats": {
        "metavar": "N,N…",
        "type": _seats_or_none,
        "help": "seats for women; none removes them",
    },
    "--accessible-seats": {
        "metavar": "N,N…",
        "type": _seats_or_none,
        "help": "seats for passengers who ask for an accessible one; none removes them",
    },
    "--model": {"dest": "name", "metavar": "NAME", "type": _removable},
    "--notes": {"metavar": "TEXT", "type": _removable},
    "--in-service": {"action": argparse.BooleanOptionalAction, "help": "whether trips may be assigned to it"},
    "--full-name": {"dest": "name", "metavar": "NAME"},
    "--licence": {"dest": "licence_no", "metavar": "NUMBER", "type": _removable},
    "--active": {"action": argparse.BooleanOptionalAction, "help": "whether trips may be assigned to them"},
    "vehicle": {"metavar": "REGISTRATION"},
    "--plan-version": {
        "dest": "version",
        "metavar": "VERSION",
        "help": "execute only the plan with this version, which --plan --json prints",
    },
    "--vehicle": {
        "metavar": "REGISTRATION",
        "type": _removable,
        "help": "the registration of the vehicle; none removes it",
    },
    "--driver": {
        "dest": "drivers",
        "metavar": "CODE",
        "action": _RepeatedValues,
        "help": "the code of a driver; repeat it for a second one; none removes both",
    },
    "--to": {
        "dest": "until",
        "metavar": "DATE",
        "type": _date,
        "help": "the last travel date: all open trips up to it are assigned",
    },
    "--waitlist": {
        "action": "store_true",
        "help": "join the waitlist if too few seats are free",
    },
    "--email": {"metavar": "ADDRESS", "help": "where the ticket and later messages are sent"},
    "email": {"metavar": "ADDRESS", "type": _removable, "help": "an e-mail address; none removes it"},
    "--language": {"choices": protocol.LANGUAGES, "help": "of the messages: English, Hindi or Kannada"},
    "--sms": {"action": "store_true", "help": "send short messages to the phone number too"},
    "account": {"metavar": "ACCOUNT"},
    "reset_token": {"metavar": "TOKEN"},
    "--fare": {"metavar": "AMOUNT", "help": "the fare that you accept if the hold has expired"},
    "--seconds": {"metavar": "N", "type": _number, "help": "how long to hold the seats: 10 to 1,800 seconds"},
    "--tickets": {"metavar": "N,N…", "type": _numbers, "help": "only these tickets of the booking"},
    "name": {"metavar": "NAME", "nargs": "+", "action": _Words},
    "--trip-bus": {
        "dest": "bus_id",
        "metavar": "BUS",
        "type": _number,
        "help": "only on a trip of this service",
    },
    "--trip-date": {
        "dest": "travel_date",
        "metavar": "DATE",
        "type": _date,
        "help": "only on the trip of this travel date",
    },
    "--undo": {"action": "store_const", "const": True, "help": "they are not checked in any more"},
    "--gender": {
        "choices": ("female", "male", "other"),
        "help": "of the new passenger; a seat for women needs it",
    },
    "--concession": {
        "metavar": "NAME",
        "help": "of the new passenger; a ticket with a concession needs the same one",
    },
    "--release": {
        "action": argparse.BooleanOptionalAction,
        "help": "whether their seats are for sale again; the default is that of the service",
    },
    "--group": {
        "choices": ("service", "date", "segment", "agent"),
        "help": "what a row is; the default is service",
    },
    "--by": {
        "choices": ("travel", "payment"),
        "help": "whether the dates are travel dates or dates of payment; the default is travel",
    },
    "agent": {"metavar": "AGENT"},
    "--agent": {"metavar": "AGENT", "help": "the username of the agent; an agent need not give it"},
    "--commission": {
        "dest": "commission_percent",
        "metavar": "PERCENT",
        "help": "the percentage of what the agent sells that it keeps",
    },
    "--credit": {
        "dest": "credit_limit",
        "metavar": "AMOUNT",
        "type": _removable,
        "help": "the most cash that the agent may have taken and not handed over; none removes the limit",
    },
    "--selling": {
        "dest": "active",
        "action": argparse.BooleanOptionalAction,
        "help": "whether the agent may sell",
    },
    "--quota": {
        "dest": "quotas",
        "metavar": "BUS:N",
        "action": _RepeatedValues,
        "type": _quota,
        "help": "the most seats on each trip of a service, such as 101:6; repeat it for others; none removes "
        "all; those that are not given are removed",
    },
    "--prefix": {
        "metavar": "PREFIX",
        "help": "1 to 8 letters and digits, such as KA for KA-2026-000001; it stays after the first invoice",
    },
    "--year-begins": {
        "metavar": "MONTH",
        "type": int,
        "help": "the month in which your financial year begins, 1 to 12, such as 4 for April; it stays after "
        "the first invoice",
    },
    "--seller": {
        "metavar": "TEXT",
        "type": _removable,
        "help": "your name and address on invoices, with commas; none: the name of the operator",
    },
    "--tax": {
        "metavar": "TAX",
        "type": _tax,
        "help": "the tax that is included in the fares, such as 'GST 5 29AAACK1234A1Z5': its name, the rate "
        "in percent and the number under which you are registered; none: no tax",
    },
    "--tax-from": {
        "metavar": "DATE",
        "type": _date,
        "help": "tickets that are booked from this date on have the tax; the default is now",
    },
    "--settlement": {
        "dest": "settlement_no",
        "metavar": "N",
        "type": _number,
        "help": "the number of a settlement; without it, what it would be now",
    },
    "settlement_no": {
        "metavar": "N",
        "type": _number,
        "help": "the number of the open settlement, as settlement prints it",
    },
    "handed_over": {"metavar": "AMOUNT", "help": "what the agent hands over, such as 4200.00"},
    "--role": {
        "choices": ("agent", "operator", "admin"),
        "help": "sells for the operator, runs its services, or runs all services; a new account needs it",
    },
    "--signs-in": {
        "dest": "active",
        "action": argparse.BooleanOptionalAction,
        "help": "whether the account may sign in; a new one may",
    },
    "--reset-password": {
        "action": "store_true",
        "help": "the account loses its password; the token that is printed sets a new one",
    },
    "webhook": {"metavar": "WEBHOOK"},
    "--url": {"metavar": "URL"},
    "--event": {
        "dest": "types",
        "metavar": "TYPE",
        "action": _RepeatedValues,
        "help": "a type of events that the webhook gets, such as booking.booked or booking.*; repeat it for "
        "others; the default is all",
    },
    "--sending": {
        "dest": "active",
        "action": argparse.BooleanOptionalAction,
        "help": "whether the webhook gets events",
    },
    "--state": {"metavar": "STATE", "choices": get_args(get_args(protocol.DeliveryState)[0])},
    "--payment-state": {
        "dest": "state",
        "metavar": "STATE",
        "choices": get_args(get_args(protocol.PaymentState)[0]),
        "help": "only payments in this state: created, pending, succeeded, failed or cancelled",
    },
    "--since": {"metavar": "AT", "type": _instant},
    "--delivery": {"dest": "delivery_no", "metavar": "N", "type": _number},
    "payment": {"metavar": "PAYMENT", "help": "the reference on the transfer, such as DTYV9P9"},
    "amount": {"metavar": "AMOUNT", "help": "the amount that has arrived, such as 520.00"},
    "currency": {"metavar": "CURRENCY", "help": "its currency, such as INR"},
    "--receipt": {
        "metavar": "TEXT",
        "help": "what tells this receipt from others, such as the number that the bank gave it",
    },
    "--fee": {"metavar": "AMOUNT", "help": "what the bank charged for it, such as 5.90"},
    "refund_id": {"metavar": "REFUND", "help": "the id of the refund, as refunds prints it"},
    "--csv": {"metavar": "FILE", "help": "write the reply to this file, as CSV for spreadsheets"},
    "--pdf": {"metavar": "FILE", "help": "write the reply to this file, as PDF"},
    "--yes": {"action": "store_true", "help": "do not ask before the change"},
    "--key": {"metavar": "KEY", "help": "an idempotency key: requests with the same key are executed once"},
}
DATE_TYPES = (_date, _optional_date)
# The fields that are dates.
DATES = {
    settings.get("dest", name.removeprefix("--"))
    for name, settings in ARGUMENTS.items()
    if settings.get("type") in DATE_TYPES
}
