"""The command line: arguments in, a request out.

A command is one request of server/protocol with some of its fields: COMMANDS says which, in order,
ARGUMENTS how each is typed. A field is described in the words of its type, which are the server's.
"""

import argparse
import difflib
import os
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NoReturn

import msgspec

from busware.dates import day
from busware.retries import HOST, PORT, TIMEOUT_SECONDS
from busware.sdk import stretch
from busware.server import installation, protocol
from busware.server.conversation import InvalidInput, parse_date
from busware.server.conversation.dates import EXAMPLES
from busware.server.conversation.words import BUS

PROG = installation.CLIENT
HTTP_PORT = 8000
SHELLS = ("bash", "zsh")

USAGE = """\
%(prog)s [HOST [PORT]]
       %(prog)s [--host HOST] [--port PORT] [--json] COMMAND ..."""
DESCRIPTION = "Search, book and look after seats, on a Busware server."
EPILOG = f"""\
A DATE: {EXAMPLES}, 5/12 (day first), +3 (in 3 days); today is the date where the server is.
A place: its name, code or alias, or the position of the stop on the route.

examples:
  %(prog)s search bengaluru mysuru tomorrow
  %(prog)s seats 101 tomorrow bengaluru mandya
  %(prog)s book 101 tomorrow bengaluru mandya --seats 7,8 --phone '98450 12345'
  %(prog)s cancel DTYV9P9 --phone 9845012345 --tickets 2
  %(prog)s search bengaluru mysuru sat --json | jq '.trips[0].bus_id'
  eval "$(%(prog)s completion bash)"

exit status:
  0  done
  1  refused: nothing was changed, and the message says why
  2  the command line is wrong
  3  no answer: the server is out of reach, or cannot tell whether it was done

environment:
  BUSWARE_HOST, BUSWARE_PORT  the server, unless --host and --port name one
  BUSWARE_TOKEN               signs in, unless --token does; register and login print one
  BUSWARE_AUTHORITY           verifies the server, unless --authority does
  NO_COLOR                    no colours
"""

# What each command asks, and its arguments: field names, and options.
COMMANDS: dict[str, tuple[type[protocol.Request], str]] = {
    "search": (protocol.Search, "origin destination date --until --kind --type --ac --free"),
    "places": (protocol.Places, "--kind"),
    "seats": (protocol.SeatMap, "bus_id travel_date origin destination"),
    "book": (
        protocol.Book,
        "bus_id travel_date origin destination --seats --count --phone --name --waitlist --key",
    ),
    "hold": (
        protocol.Hold,
        "bus_id travel_date origin destination --seats --count --phone --name --seconds --key",
    ),
    "confirm": (protocol.Confirm, "reference --phone --key"),
    "release": (protocol.Release, "reference --phone --key"),
    "booking": (protocol.GetBooking, "reference --phone"),
    "find": (protocol.Find, "date place --phone"),
    "quote": (protocol.CancelQuote, "reference --phone --tickets"),
    "cancel": (protocol.Cancel, "reference --phone --tickets --key"),
    "change-seat": (protocol.ChangeSeat, "reference ticket_no seat_no --phone --key"),
    "alight": (protocol.Alight, "reference at --phone --tickets --key"),
    "register": (protocol.Register, "username --phone"),
    "login": (protocol.Login, "username"),
    "logout": (protocol.Logout, "--everywhere"),
    "bookings": (protocol.Bookings, "--kind --current --limit --after"),
    "trips": (protocol.OperatorTrips, "date --limit --after"),
    "manifest": (protocol.Manifest, "bus_id travel_date"),
    "cancel-trip": (protocol.CancelTrip, "bus_id travel_date reason --key"),
    "open-sales": (protocol.OpenSales, "bus_id from_date to_date"),
    "say": (protocol.Say, "text"),
    "notice": (protocol.Notice, "bus_id travel_date text"),
    "ping": (protocol.Ping, ""),
}


MORE = ("hotel", "completion")  # which are no single request
ALSO = {"status": "booking", "change": "change-seat"}  # as the terminal calls them


def _date(text: str) -> str:
    """A date as it is typed: which day that is, the server's clock decides (`request`)."""
    try:
        parse_date(text, date.today())
    except InvalidInput as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _stop(text: str) -> str | int:
    """A place, or the position of a stop."""
    return int(text) if text.isdecimal() else text


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is no number; write one such as 7")
    return int(text)


def _numbers(text: str) -> list[int]:
    parts = text.replace(",", " ").split()
    if not parts or not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"'{text}' is no list of numbers; write one such as 7,8")
    return [int(part) for part in parts]


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is no port; write a number from 1 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"'{text}' is no time to wait; write seconds, such as 30")
    return seconds


def _bus_type(text: str) -> str:
    return text.upper().replace("-", "_")


def _passenger(text: str) -> protocol.Passenger:
    return protocol.Passenger(name=text)


ARGUMENTS: dict[str, dict[str, Any]] = {
    "origin": {"metavar": "ORIGIN", "type": _stop},
    "destination": {"metavar": "DESTINATION", "type": _stop},
    "date": {"metavar": "DATE", "type": _date, "help": "the date it leaves there, such as 5 dec"},
    "place": {"metavar": "PLACE", "help": "the place where the passenger boards"},
    "bus_id": {"metavar": "BUS", "type": _number},
    "travel_date": {"metavar": "DATE", "type": _date, "help": "the date of the trip, as search shows it"},
    "reference": {"metavar": "REFERENCE"},
    "ticket_no": {"metavar": "TICKET", "type": _number},
    "seat_no": {"metavar": "SEAT", "type": _number},
    "at": {"metavar": "AT", "type": _stop},
    "text": {"metavar": "TEXT", "help": "the message, in quotes"},
    "username": {"metavar": "USERNAME"},
    "reason": {"metavar": "REASON", "help": "what travellers are told, in quotes"},
    "from_date": {"metavar": "FROM", "type": _date, "help": "the first date"},
    "to_date": {"metavar": "TO", "type": _date, "help": "the last date"},
    "--everywhere": {"action": "store_true", "help": "and so is every other token of the account"},
    "--current": {"action": "store_true", "help": "only those with a ride that has not ended"},
    "--limit": {"metavar": "N", "type": _number},
    "--after": {"metavar": "NEXT"},
    "--until": {"metavar": "DATE", "type": _date, "help": "the date it reaches DESTINATION"},
    "--kind": {"metavar": "KIND"},
    "--type": {
        "dest": "bus_type",
        "type": _bus_type,
        "metavar": "TYPE",
        "choices": BUS.types,
    },
    "--ac": {"action": argparse.BooleanOptionalAction, "help": "with, or without, air conditioning"},
    "--free": {"dest": "seats", "metavar": "N", "type": _number, "help": "only with so many seats free"},
    "--seats": {"metavar": "N,N…", "type": _numbers},
    "--count": {"metavar": "N", "type": _number, "help": "how many seats, whichever they are"},
    "--phone": {"metavar": "PHONE"},
    "--name": {
        "dest": "passengers",
        "metavar": "NAME",
        "action": "append",
        "type": _passenger,
        "help": "who rides, once for each ticket",
    },
    "--waitlist": {"action": "store_true", "help": "with --count: wait for seats when too few are free"},
    "--seconds": {"metavar": "N", "type": _number},
    "--tickets": {"metavar": "N,N…", "type": _numbers, "help": "only these tickets of the booking"},
    "--key": {"metavar": "KEY", "help": "an idempotency key: whatever has the same is done once"},
}


_DATES = {name.removeprefix("--") for name, settings in ARGUMENTS.items() if settings.get("type") is _date}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """What is wrong, in a line, and where to read what would be right."""
        self.exit(2, f"{self.prog}: {message}\n{self.prog} --help says how it is written.\n")


def command_line(environment: Mapping[str, str] = os.environ, prog: str = PROG) -> argparse.ArgumentParser:
    """The parser of a command; `request` makes a request of what it parsed."""
    parser = _Parser(
        prog=prog, usage=USAGE, description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter, parents=[_server_options()],
    )  # fmt: skip
    host, port = environment.get("BUSWARE_HOST", HOST), environment.get("BUSWARE_PORT", str(PORT))
    parser.set_defaults(
        host=host, port=port, timeout=TIMEOUT_SECONDS, json=False, asks=protocol.Ping, tls=None,
        token=environment.get("BUSWARE_TOKEN"), authority=environment.get("BUSWARE_AUTHORITY"),
    )  # fmt: skip
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", prog=prog)
    for name, (asks, arguments) in COMMANDS.items():
        about = (asks.__doc__ or "").splitlines()[0]
        command = commands.add_parser(
            name, aliases=[also for also, of in ALSO.items() if of == name],
            help=about, description=about, allow_abbrev=False, parents=[_server_options()],
        )  # fmt: skip
        command.set_defaults(asks=asks)
        for argument in arguments.split():
            _add_argument(command, asks, argument)
    about = "Be a guest of the hotel: username and password, then rooms, book, query, update, checkout."
    hotel = commands.add_parser("hotel", help=about, description=about)
    hotel.add_argument("--url", metavar="URL", help="the hotel's door, if it is not the server's /hotel")
    hotel.add_argument("--authority", metavar="FILE", help="certificates to verify the server by")
    about = f"Print what teaches a shell to complete {PROG}."
    completion = commands.add_parser("completion", help=about, description=about)
    completion.add_argument("shell", metavar="SHELL", choices=SHELLS, help=" or ".join(SHELLS))
    return parser


def hotel_url(parsed: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> str:
    """Where the hotel's door is: at the server, unless told."""
    if parsed.url:
        return str(parsed.url)
    if "://" in parsed.host:
        return f"{parsed.host.rstrip('/')}/hotel"
    return f"http://{parsed.host}:{environment.get('BUSWARE_HTTP_PORT', HTTP_PORT)}/hotel"


def request(parsed: argparse.Namespace, today: Callable[[], date]) -> protocol.Request:
    """The request of a parsed command. today: asked only where a date depends on it."""
    asks: type[protocol.Request] = parsed.asks
    given = ((field, getattr(parsed, field, None)) for field in asks.__struct_fields__)
    fields = {field: value for field, value in given if value is not None}
    for field in _DATES & set(fields):
        fields[field] = day(fields[field], today)
    if issubclass(asks, protocol.SegmentRequest):
        fields |= stretch(fields.pop("origin"), fields.pop("destination"))
    return asks(**fields)


def parse(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    """The arguments of a command, or of HOST [PORT]: then the command is None. Exits when they are wrong."""
    if not arguments or arguments[0].startswith("-") or arguments[0] in (*COMMANDS, *ALSO, *MORE):
        return parser.parse_args(arguments)
    meant = difflib.get_close_matches(arguments[0], COMMANDS, 1)
    if meant or len(arguments) > 2:
        parser.error(f"there is no command '{arguments[0]}'; did you mean {' or '.join(meant or COMMANDS)}?")
    return parser.parse_args(["--host", arguments[0], *(f"--port={port}" for port in arguments[1:])])


def _server_options() -> _Parser:
    """Options that may stand before the command and after it; those who write none get the defaults."""
    parser = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    server = parser.add_argument_group("server")
    server.add_argument("--host", metavar="HOST", help=f"where the server is, {HOST} by default")
    server.add_argument("--port", metavar="PORT", type=_port, help=f"its port, {PORT} by default")
    server.add_argument("--token", metavar="TOKEN", help="sign in by it")
    server.add_argument(
        "--tls", action=argparse.BooleanOptionalAction, help="speak TLS, as with every machine but this one"
    )
    server.add_argument("--authority", metavar="FILE", help="certificates to verify the server by")
    server.add_argument("--timeout", metavar="SECONDS", type=_seconds, help="how long to wait for an answer")
    server.add_argument("--json", action="store_true", help="print the reply as it came, JSON on one line")
    return parser


def _add_argument(command: argparse.ArgumentParser, asks: type[protocol.Request], argument: str) -> None:
    settings = dict(ARGUMENTS[argument])
    field = settings.get("dest", argument.removeprefix("--"))
    settings.setdefault("help", asks.takes(field))
    if argument.startswith("--"):
        settings["required"] = any(f.required for f in msgspec.structs.fields(asks) if f.name == field)
    command.add_argument(argument, **settings)
