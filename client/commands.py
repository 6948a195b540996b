"""The command line: from arguments to a request.

Each command sends one request of server/protocol. COMMANDS lists the arguments of each command,
client/arguments.py says how each argument is read.
"""

import argparse
import os
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta

from busware.arguments import ARGUMENTS, DATE_TYPES, DATES, converter
from busware.dates import parse_typed_date, words_of_date
from busware.retries import HOST, PORT, TIMEOUT_SECONDS, segment_fields, service_fields
from busware.server import installation, protocol
from busware.server.command_line import Parser, similar_command
from busware.server.conversation.dates import EXAMPLES

PROG = installation.CLIENT
LIST_COMMANDS = f"{PROG} --help lists the commands."
HTTP_PORT = 8000
SHELLS = ("bash", "zsh")

USAGE = """\
%(prog)s [HOST [PORT]]                    the terminal client
       %(prog)s [--host HOST] [--port PORT] [--json] COMMAND ..."""
DESCRIPTION = "Search trips and book seats on a Busware server."
EPILOG = f"""\
A DATE: {EXAMPLES}, 5/12 (day first), +3 (in
3 days). Today is the date in the server's time zone.
A place: its name, code or alias, or the beginning of one, such as beng; or the
number of a stop on the route.

examples:
  %(prog)s search bengaluru mysuru tomorrow
  %(prog)s seats 101 tomorrow bengaluru mandya
  %(prog)s book 101 tomorrow bengaluru mandya --seats 7 --phone 9845012345
  %(prog)s cancel DTYV9P9 --phone 9845012345 --tickets 2
  %(prog)s search bengaluru mysuru sat --json | jq '.trips[0].bus_id'
  eval "$(%(prog)s completion bash)"

On a terminal, cancel, decline, alight, cancel-trip and the commands that change
a service show what they change, and ask.
--yes skips the question.

exit status:
  0  done
  1  refused, or answered no: nothing was changed; the message says why
  2  the command line is wrong
  3  no answer: the server cannot be reached, or the outcome is unknown
  4  done, but the reply could not be written: the error names the booking
  5  nothing was changed, and the reply could not be written
  130  interrupted with Ctrl-C: the error says whether the server may have
       executed the request

environment:
  BUSWARE_HOST, BUSWARE_PORT  the server, unless --host and --port are given
  BUSWARE_TOKEN               the token to sign in with, unless --token is
                              given; register and login print it
  BUSWARE_AUTHORITY           certificates to verify the server with, unless
                              --authority is given
  BUSWARE_LANGUAGE            how amounts are shown, such as en_IN; C: without
                              symbols. By default as the system (LANG)
  NO_COLOR                    no colours
"""

_EXCHANGE = "--phone --bus --date --origin --destination --seats --class"  # options of two commands

# Command → its request, and its arguments: names of fields, or options. Of two arguments with | between them,
# one is given.
COMMANDS: dict[str, tuple[type[protocol.Request], str]] = {
    "search": (protocol.Search, "origin destination date --until --kind --type --ac --free"),
    "places": (protocol.Places, "--kind --from"),
    "seats": (protocol.SeatMap, "bus_id boarding_date origin destination"),
    "book": (
        protocol.Book,
        "bus_id boarding_date origin destination --seats --count --class --phone --name --promo --waitlist "
        "--email --language --sms --key",
    ),
    "hold": (
        protocol.Hold,
        "bus_id boarding_date origin destination --seats --count --class --phone --name --promo --seconds "
        "--email --language --sms --key",
    ),
    "confirm": (protocol.Confirm, "reference --phone --fare --key"),
    "pay": (protocol.Pay, f"reference {_EXCHANGE} --key"),
    "payments": (protocol.Payments, "reference --phone"),
    "invoice": (protocol.GetInvoice, "reference --phone --csv --pdf"),
    "release": (protocol.Release, "reference --phone --key"),
    "booking": (protocol.GetBooking, "reference --phone"),
    "find": (protocol.Find, "date place phone|--phone"),
    "quote": (protocol.CancelQuote, "reference --phone --tickets"),
    "cancel": (protocol.Cancel, "reference --phone --tickets --key --yes"),
    "change-seat": (protocol.ChangeSeat, "reference ticket_no seat_no --phone --key"),
    "transfer": (protocol.Transfer, "reference ticket_no name --gender --concession --phone --key"),
    "email": (protocol.SetContact, "reference email --language --sms --phone --key"),
    "offers": (protocol.Offers, "reference --phone"),
    "messages": (protocol.GetMessages, "reference --phone"),
    "accept": (protocol.Accept, "reference --offer --phone --key"),
    "decline": (protocol.Decline, "reference --offer --phone --key --yes"),
    "exchange-quote": (protocol.ExchangeQuote, "reference " + _EXCHANGE),
    "exchange": (protocol.Exchange, f"reference {_EXCHANGE} --due --least-refund --key --yes"),
    "alight-quote": (protocol.AlightQuote, "reference --at --phone --tickets"),
    "alight": (protocol.Alight, "reference at --phone --tickets --key --yes"),
    "register": (protocol.Register, "username --phone --email --language"),
    "login": (protocol.Login, "username"),
    "set-email": (protocol.SetEmail, "email --language"),
    "forgot-password": (protocol.RequestReset, "account"),
    "reset-password": (protocol.ResetPassword, "reset_token"),
    "logout": (protocol.Logout, "--everywhere"),
    "bookings": (protocol.Bookings, "--kind --current --limit --after"),
    "trips": (protocol.OperatorTrips, "trips_date --limit --after"),
    "manifest": (protocol.Manifest, "bus_id travel_date --csv --pdf"),
    "check-in": (protocol.CheckIn, "reference --tickets --at --trip-bus --trip-date --undo --key"),
    "no-shows": (protocol.MarkNoShows, "bus_id travel_date at --release --key"),
    "sales": (protocol.Sales, "from_date to_date --group --by --csv"),
    "load": (protocol.Load, "bus_id travel_date"),
    "chart": (protocol.Occupancy, "bus_id travel_date"),
    "trip-offers": (protocol.TripOffers, "bus_id travel_date"),
    "cancel-trip": (protocol.CancelTrip, "bus_id travel_date reason --plan --key --yes"),
    "delay-trip": (protocol.DelayTrip, "bus_id travel_date minutes --stop --reason --plan --yes --key"),
    "skip-stop": (protocol.SkipStop, "bus_id travel_date at --reason --plan --yes --key"),
    "serve-stop": (protocol.ServeStop, "bus_id travel_date at --key"),
    "block-seats": (
        protocol.BlockSeats,
        "bus_id travel_date seats --from-stop --to-stop --reason --key",
    ),
    "unblock-seats": (protocol.UnblockSeats, "bus_id travel_date seats --from-stop --to-stop --key"),
    "events": (protocol.Events, "--after --limit"),
    "open-sales": (protocol.OpenSales, "bus_id from_date to_date"),
    "services": (protocol.Services, "--limit --after"),
    "service": (protocol.GetService, "bus_id"),
    "add-service": (protocol.AddService, "file --plan --yes --key"),
    "put-service": (protocol.PutService, "numbered_file --plan --yes"),
    "end-service": (protocol.EndService, "bus_id last_date --plan --yes"),
    "succeed-service": (protocol.SucceedService, "bus_id from_date --changes --plan --yes --key"),
    "open-trip": (protocol.OpenTrip, "bus_id travel_date"),
    "put-place": (protocol.PutPlace, "code --place-name --alias --part-of --zone"),
    "vehicles": (protocol.Vehicles, "--operator --limit --after"),
    "put-vehicle": (
        protocol.PutVehicle,
        "registration --layout --class-seats --women-seats --accessible-seats --model --notes --in-service "
        "--operator",
    ),
    "drivers": (protocol.Drivers, "--operator --limit --after"),
    "put-driver": (protocol.PutDriver, "code --full-name --phone --licence --active --operator"),
    "assign": (protocol.Assign, "bus_id travel_date --vehicle --driver --to"),
    "exchange-vehicle": (
        protocol.ExchangeVehicle,
        "bus_id travel_date vehicle --reason --plan --plan-version --yes --key",
    ),
    "promo-codes": (protocol.PromoCodes, "--operator --limit --after"),
    "put-promo-code": (
        protocol.PutPromoCode,
        "code --percent --amount --currency --service --first-date --last-date --uses --uses-per-account "
        "--operator",
    ),
    "invoicing": (protocol.GetInvoicing, "--operator"),
    "put-invoicing": (protocol.PutInvoicing, "--prefix --year-begins --seller --tax --tax-from --operator"),
    "invoices": (protocol.Invoices, "from_date to_date --operator --limit --after --csv"),
    "accounts": (protocol.AccountsOfMoney, "from_date to_date --operator --csv"),
    "agents": (protocol.Agents, "--operator --limit --after"),
    "put-agent": (protocol.PutAgent, "agent --commission --credit --currency --selling --quota --operator"),
    "settlement": (protocol.GetSettlement, "--agent --settlement --operator --csv"),
    "settle-agent": (protocol.SettleAgent, "agent settlement_no handed_over --operator"),
    "staff": (protocol.Staff, "--operator --limit --after"),
    "put-staff": (protocol.PutStaff, "username --role --operator --signs-in --reset-password"),
    "webhooks": (protocol.Webhooks, "--operator"),
    "put-webhook": (protocol.PutWebhook, "webhook --url --event --sending --operator --key"),
    "delete-webhook": (protocol.DeleteWebhook, "webhook --operator --yes --key"),
    "rotate-webhook-secret": (protocol.RotateWebhookSecret, "webhook --operator --key"),
    "test-webhook": (protocol.TestWebhook, "webhook --operator --key"),
    "webhook-deliveries": (protocol.WebhookDeliveries, "webhook --state --limit --after --operator"),
    "replay-webhook": (
        protocol.ReplayWebhook,
        "webhook --after|--since|--delivery --limit --operator --key",
    ),
    "settle-payment": (protocol.SettlePayment, "payment amount currency --receipt --fee --plan --yes --key"),
    "operator-payments": (protocol.OperatorPayments, "--payment-state --limit --after"),
    "refunds": (protocol.Refunds, "--limit --after"),
    "settle-refund": (protocol.SettleRefund, "reference refund_id --fee"),
    "say": (protocol.Say, "text --key"),
    "notice": (protocol.Notice, "bus_id travel_date text --key"),
    "ping": (protocol.Ping, ""),
}

OTHER_COMMANDS = ("hotel", "bank-file", "completion")  # commands that send no request or several
ALIASES = {"status": "booking", "change": "change-seat"}  # the names of these commands in the terminal client
TERMINAL_COMMANDS = ("bus", "flight", "show")  # its dialogues, which have no command of the same name


_port = converter(int, Annotated[int, Meta(ge=1, le=65535)], "a port; write a number from 1 to 65535")
_seconds = converter(
    float, Annotated[float, Meta(gt=0, le=3600)], "a time; write a number of seconds, such as 30"
)
# What to write if the value of an option was written as several arguments.
_ONE_ARGUMENT = {
    "--phone": "Put quotes around a number with a space: --phone '98450 12345'",
    "--name": "Put quotes around a name with a space: --name 'Asha Rao'",
    "--seats": "Put a comma between two numbers: --seats 9,10",
    "--tickets": "Put a comma between two numbers: --tickets 1,2",
}
SERVER_OPTIONS: dict[str, dict[str, Any]] = {
    "--host": {"metavar": "HOST", "help": f"the server's host name or address; the default is {HOST}"},
    "--port": {"metavar": "PORT", "type": _port, "help": f"the server's port; the default is {PORT}"},
    "--token": {"metavar": "TOKEN", "help": "the token to sign in with"},
    "--tls": {
        "action": argparse.BooleanOptionalAction,
        "help": "use TLS; the default is to use it for every host but this machine",
    },
    "--authority": {"metavar": "FILE", "help": "certificates to verify the server with"},
    "--timeout": {"metavar": "SECONDS", "type": _seconds, "help": "how long to wait for an answer"},
    "--json": {"action": "store_true", "help": "print the reply as the server sent it, JSON on one line"},
}


class _ClientParser(Parser):
    """The parser of the command line and of each command."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As in Parser; where a date is expected, it may be several arguments, such as 5 dec."""
        return super().parse_known_args(args and self._with_dates(args), namespace)

    def _with_dates(self, args: Sequence[str]) -> list[str]:
        """The arguments, with the words of each date as one argument."""
        positionals = iter(self._get_positional_actions())
        joined, remaining = [], list(args)
        while remaining:
            expected: argparse.Action | None
            if remaining[0].startswith("-"):
                option = remaining.pop(0)
                joined.append(option)
                expected = self._option_string_actions.get(option)
                if expected is None or expected.nargs == 0:
                    continue
            else:
                expected = next(positionals, None)
            is_date = expected is not None and expected.type in DATE_TYPES
            count = words_of_date(remaining, date.today()) if is_date else 1
            joined += [" ".join(remaining[:count])] if remaining else []
            del remaining[:count]
        return joined

    def hint_about(self, unknown: str, option: str) -> str:
        """As in Parser; or what to write if the value of the option was written as several arguments."""
        if unknown.startswith("-"):
            return super().hint_about(unknown, option)
        if not option and "--phone" in self._option_string_actions and re.fullmatch(r"\+?\d{6,}", unknown):
            return f"Did you mean --phone {unknown}?"
        return _ONE_ARGUMENT.get(option.partition("=")[0], "")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """As in Parser; the error for a command of the terminal client says so."""
        if isinstance(action.choices, dict) and value in TERMINAL_COMMANDS:
            raise argparse.ArgumentError(None, terminal_command(value))
        super()._check_value(action, value)


def command_line(environment: Mapping[str, str] = os.environ, prog: str = PROG) -> argparse.ArgumentParser:
    """The parser for the whole command line. An empty variable counts as one that is not set."""
    parser = _ClientParser(
        prog=prog, usage=USAGE, description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    _add_server_options(parser)
    host, port = environment.get("BUSWARE_HOST") or HOST, environment.get("BUSWARE_PORT") or str(PORT)
    parser.set_defaults(
        host=host, port=port, timeout=TIMEOUT_SECONDS, json=False, request_type=protocol.Ping, tls=None,
        token=environment.get("BUSWARE_TOKEN") or None,
        authority=environment.get("BUSWARE_AUTHORITY") or None,
    )  # fmt: skip
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", prog=prog)
    for name, (request_type, arguments) in COMMANDS.items():
        about = " ".join((request_type.__doc__ or "").partition("\n\n")[0].split())
        command = commands.add_parser(
            name, aliases=[alias for alias, command in ALIASES.items() if command == name],
            help=about, description=about, allow_abbrev=False,
        )  # fmt: skip
        command.set_defaults(request_type=request_type)
        for argument in arguments.split():
            _add_argument(command, request_type, argument)
        command.usage = command.format_usage().removeprefix("usage: ")  # without the options of the server
        _add_server_options(command)
    about = "Book hotel rooms in a dialogue, with a username and a password."
    hotel = commands.add_parser("hotel", help=about, description=about)
    hotel.add_argument("--url", metavar="URL", help="the hotel API, unless it is /hotel at the server")
    for name in ("--host", "--tls", "--authority"):
        hotel.add_argument(name, **SERVER_OPTIONS[name], default=argparse.SUPPRESS)
    about = "For operators: settle the manual payments in a bank's file of transfers."
    bank_file = commands.add_parser("bank-file", help=about, description=about, allow_abbrev=False)
    columns = "reference, amount, currency and date"
    bank_file.add_argument("file", metavar="FILE", help=f"the file, as CSV with the columns {columns}")
    bank_file.add_argument("--plan", **ARGUMENTS["--plan"])
    bank_file.add_argument("--yes", **ARGUMENTS["--yes"])
    bank_file.usage = bank_file.format_usage().removeprefix("usage: ")
    _add_server_options(bank_file)
    about = f"Print the script with which a shell completes the commands of {PROG}."
    completion = commands.add_parser("completion", help=about, description=about)
    completion.add_argument("shell", metavar="SHELL", choices=SHELLS, help=" or ".join(SHELLS))
    return parser


def hotel_url(parsed: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> str:
    """The URL of the hotel API: --url, or /hotel at the server."""
    if parsed.url:
        return str(parsed.url)
    if "://" in parsed.host:
        return f"{parsed.host.rstrip('/')}/hotel"
    return f"http://{parsed.host}:{environment.get('BUSWARE_HTTP_PORT') or HTTP_PORT}/hotel"


def request(parsed: argparse.Namespace, today: Callable[[], date]) -> protocol.Request:
    """The request of a parsed command. Calls `today` only if a date depends on it."""
    request_type: type[protocol.Request] = parsed.request_type
    given = (
        (field, getattr(parsed, field.name, UNSET))
        for field in msgspec.structs.fields(request_type)
        if f"--{field.name}" not in SERVER_OPTIONS  # else `login` sends the token of another session too
    )
    fields = {
        field.name: value
        for field, value in given
        if value is not UNSET and (value is not None or field.default is UNSET or field.required)
    }
    for field in DATES & set(fields):
        fields[field] = fields[field] and parse_typed_date(fields[field], today)
    if service := getattr(parsed, "service", None):
        fields |= service_fields(service)
        if request_type is protocol.PutService:
            fields["bus_id"] = service.bus_id
    if issubclass(request_type, protocol.SegmentRequest | protocol.ExchangeRequest):
        fields |= segment_fields(fields.pop("origin", None), fields.pop("destination", None))
    return request_type(**fields)


def parse(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    """Parse a command, or HOST [PORT], for which the command is None. Exits if the arguments are wrong."""
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:], "--help"]
    if (
        not arguments
        or arguments[0].startswith("-")
        or arguments[0] in (*COMMANDS, *ALIASES, *OTHER_COMMANDS)
    ):
        return parser.parse_args(arguments)
    if arguments[0] in TERMINAL_COMMANDS:
        parser.error(terminal_command(arguments[0]))
    similar = similar_command(arguments[0], COMMANDS)
    if similar or len(arguments) > 2:
        hint = f"Did you mean {similar}?" if similar else LIST_COMMANDS
        parser.error(f"'{arguments[0]}' is not a command. {hint}")
    return parser.parse_args(["--host", arguments[0], *(f"--port={port}" for port in arguments[1:])])


def terminal_command(name: str) -> str:
    """The error for a command of the terminal client."""
    return f"'{name}' is a command of the terminal client: start {PROG}, and type it. To search here: search."


def _add_server_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that may stand before or after the command. They have no defaults."""
    group = parser.add_argument_group("server")
    for name, settings in SERVER_OPTIONS.items():
        group.add_argument(name, **settings, default=argparse.SUPPRESS)


def _add_argument(
    command: argparse.ArgumentParser, request_type: type[protocol.Request], argument: str
) -> None:
    if "|" in argument:
        group = command.add_mutually_exclusive_group(required=True)
        for name in argument.split("|"):
            group.add_argument(name, **_settings(request_type, name))
        return
    settings = _settings(request_type, argument)
    if argument.startswith("--"):
        name = _field_of(argument, settings)
        for field in msgspec.structs.fields(request_type):
            if field.name == name:
                settings["required"] = field.required
                if field.default is UNSET:  # then null has a meaning of its own
                    settings["default"] = argparse.SUPPRESS
    else:
        argument = settings.pop("dest", argument)
    command.add_argument(argument, **settings)


def _field_of(argument: str, settings: dict[str, Any]) -> str:
    """The field of the request that an argument gives."""
    return str(settings.get("dest", argument.removeprefix("--").replace("-", "_")))


def _settings(request_type: type[protocol.Request], argument: str) -> dict[str, Any]:
    """The settings of an argument. Its help is the description of the request's field, unless it has one."""
    settings = dict(ARGUMENTS[argument])
    if "help" not in settings:
        settings["help"] = request_type.takes(_field_of(argument, settings))
    return settings
