"""The command `busware`: sends one request, prints its reply as text or JSON, and sets an exit status.

Replies go to stdout, errors to stderr. With --json, a refusal goes to stdout instead, as {"error": …}. If a
request was executed and its reply cannot be written, the exit status says so (server/output.py). rich and
shtab are imported where they are used, because they would delay --help.
"""

import argparse
import contextlib
import getpass
import os
import ssl
import sys
from pathlib import Path
from typing import Any

import msgspec

from busware import bank_file, commands
from busware.factory import new_client
from busware.locales import LANGUAGE, locale_of
from busware.preview import Plan, Report, plan
from busware.retries import ConnectionLost, tls_context, with_key
from busware.sdk import Client
from busware.server import installation, output, protocol
from busware.server.command_line import ask_new_password, confirmed, on_terminal
from busware.server.conversation.answers import PlaceNames
from busware.server.conversation.words import AmountStyle, is_locale, listed
from busware.server.output import DONE, INTERRUPTED, NotShown, complain, report_not_shown, show
from busware.server.protocol import Refusal, clean_text
from busware.server.protocol.jsonrpc import RpcError

REFUSED, USAGE, NO_ANSWER = 1, 2, 3  # argparse exits with 2 too; server/output.py has the other statuses
COMMAND_TRIES = 3  # fewer than DEFAULT_TRIES, because a person waits and can repeat the command
SHOW_HINT = "To see the reply, repeat the command with the same arguments and --key "
RETRY_HINT = "The server may have executed the request. Repeat the command with the same arguments and --key "
START_HINT = f"Is the server running? {installation.SERVER} starts it."
SIGN_IN_HINT = f"{installation.CLIENT} login USERNAME prints a token. Add it: --token TOKEN."
AUTHORITY_HINT = "--authority FILE gives the certificates to verify the server with."
OPTION_HINTS = {  # for a field in a refusal's data
    "seats": "--seats 7,8, or --count 2 for any two seats",
    "count": "--count 2, or --seats 7,8",
    "passengers": "--name NAME, at most once for each seat",
    "phone": "--phone '98450 12345'",
}
FILE_OPTIONS = ("csv", "pdf")  # a file to write the reply to, in this format
COMPLETE_HINTS = ("seats", "count")  # fields whose hints say what the field takes


def main(arguments: list[str]) -> int:
    """Run a command line; return the exit status. Raises SystemExit."""
    installation.require("terminal", "babel", "prompt_toolkit", "rich", "segno", "shtab")
    AmountStyle.locale = locale_of(os.environ)
    if os.environ.get(LANGUAGE) and AmountStyle.locale and not is_locale(AmountStyle.locale):
        complain(f"{LANGUAGE}={os.environ[LANGUAGE]} is no locale. Give one such as en_IN, or C.")
        return USAGE
    parsed = commands.parse(commands.command_line(), arguments)
    if parsed.command == "completion":
        import shtab

        # A shell completes scripts/client by the last part of its path.
        show(shtab.complete(commands.command_line(prog=commands.PROG.rpartition("/")[2]), parsed.shell))
        return DONE
    url = commands.hotel_url(parsed) if parsed.command == "hotel" else parsed.host
    try:
        tls = tls_context(url, parsed.tls, parsed.authority)
    except OSError as error:
        complain(f"{parsed.authority} has no certificates to verify the server with: {error}")
        return USAGE
    if parsed.command == "hotel":
        from busware import hotel

        return hotel.run(url, tls)
    if parsed.command is None:
        from busware import terminal

        hint = START_HINT
        if arguments[:1] == [parsed.host] and parsed.host.isalpha():  # not 127.0.0.1, not a domain name
            reason = f"'{parsed.host}' is read as a host name, because it is not a command."
            hint = f"{reason} {commands.LIST_COMMANDS}"
        return terminal.run(parsed.host, parsed.port, tls, parsed.token, hint)
    return send_request(parsed, tls)


def send_request(parsed: argparse.Namespace, tls: ssl.SSLContext | None) -> int:
    """Send the request of a command and print the reply; return the exit status."""
    if "password" in parsed.request_type.__struct_fields__:
        parsed.password = _read_password(parsed)
    request: protocol.Request = protocol.Ping()
    with new_client(
        parsed.host, parsed.port, timeout_seconds=parsed.timeout, tries=COMMAND_TRIES, tls=tls,
        token=parsed.token, on_notification=_print_message,
    ) as client:  # fmt: skip
        try:
            if parsed.command == "bank-file":
                asks = on_terminal() and not parsed.yes
                return bank_file.run(Path(parsed.file), client, plan=parsed.plan, asks=asks)
            request = commands.request(parsed, client.today)
            asks = on_terminal() and not getattr(parsed, "yes", True)
            repeated = getattr(request, "key", None) is not None  # it was confirmed when it was first sent
            planned = plan(request, client) if not repeated and (asks or not parsed.json) else Plan()
            if asks:
                if (confirmed_plan := _confirm(request, planned, client)) is None:
                    return REFUSED
                planned = confirmed_plan
                request = planned.accepted or request
            done = None if parsed.json else planned.report
            request = with_key(request)
            return _send(parsed, request, client, done)
        except (Refusal, RpcError) as error:
            if parsed.json:
                _show_error(error_json(error))
            else:
                _print_refusal(error, request, client)
            return NO_ANSWER if _reason(error) == "outcome_unknown" else REFUSED
        except ConnectionLost as lost:
            hint = AUTHORITY_HINT if isinstance(lost.__cause__, ssl.SSLCertVerificationError) else START_HINT
            complain(f"{lost}.", RETRY_HINT + lost.key if lost.key else hint)
            return NO_ANSWER
        except KeyboardInterrupt:
            key = getattr(request, "key", None)  # None before it is sent
            complain("Interrupted.", RETRY_HINT + key if key else "")
            return INTERRUPTED


def _confirm(request: protocol.Request, planned: Plan, client: Client) -> Plan | None:
    """Ask for confirmation, again if the plan has changed meanwhile. The confirmed plan; None: declined."""
    seen = None
    while planned.preview and planned.preview != seen:
        if seen:
            complain("This has changed meanwhile.")
        seen = planned.preview
        if not confirmed(seen.question, seen.facts):
            complain("Nothing was changed.")
            return None
        planned = plan(request, client)
    return planned


def _send(parsed: argparse.Namespace, request: protocol.Request, client: Client, done: Report | None) -> int:
    """Send a request, and print its reply or write it to files; return the exit status."""
    if files := {name: path for name in FILE_OPTIONS if (path := getattr(parsed, name, None))}:
        return _write_files(request, client.call(request, request.reply), files)
    reply = client.call(request, msgspec.Raw if parsed.json else request.reply)
    status = _show_reply(request, reply, done)
    if isinstance(reply, protocol.TripList) and not reply.trips:
        _explain_codes(request, client)
    return status


def _write_files(request: protocol.Request, reply: object, files: dict[str, str]) -> int:
    """Write a reply to files, by format; return the exit status."""
    from busware.server.documents.formats import FORMATS

    for name, path in files.items():
        content = FORMATS[type(request)][name].encode(reply)
        try:
            Path(path).write_bytes(content)
        except OSError as error:
            return report_not_shown(NotShown(str(error)))
        show(f"Written: {path}")
    return DONE


def _read_password(parsed: argparse.Namespace) -> str:
    """The password from the terminal, twice if it is new, or the first line of a pipe. Raises SystemExit."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    if parsed.request_type is protocol.Register:
        return ask_new_password(parsed.username)
    if parsed.request_type is protocol.ResetPassword:
        return ask_new_password("your account")
    return getpass.getpass()


def _print_refusal(error: Refusal | RpcError, request: protocol.Request, client: Client) -> None:
    """Print a refusal, and what to change in the command."""
    from busware import render

    field = error.data.get("field")
    with contextlib.suppress(NotShown):  # the exit status stays true
        shown: Refusal | RpcError = error
        if field in COMPLETE_HINTS and isinstance(error, Refusal):
            shown = _without_expected(error)
        complain(render.text(render.console(stderr=True), render.error(shown)))
    if isinstance(request, protocol.SegmentRequest) and _reason(error) in ("seat_taken", "unknown_seat"):
        segment = {field: getattr(request, field) for field in protocol.SegmentRequest.__struct_fields__}
        with contextlib.suppress(Refusal, RpcError, ConnectionLost):
            free = client.call(protocol.SeatMap(**segment), protocol.Seats).free
            complain(f"Free seats on this segment: {', '.join(map(str, free)) or 'none'}.")
    if _reason(error) == "not_on_route":
        _explain_codes(request, client)
    if _reason(error) == "unknown_booking" and getattr(request, "phone", None) is None:
        complain("If the booking was made with a phone number, add it: --phone.")
    if isinstance(request, protocol.Book) and not request.waitlist and _reason(error) == "sold_out":
        complain("To join the waitlist, add --waitlist.")
    if _reason(error) == "not_signed_in":
        complain(SIGN_IN_HINT)
    if option := OPTION_HINTS.get(str(field)):
        complain(f"Use {option}.")


def _explain_codes(request: protocol.Request, client: Client) -> None:
    """Print the place of each code in a request that may mean another place: BLR an airport, BLRU a city."""
    typed = [text for field in ("origin", "destination") if (text := getattr(request, field, None))]
    with contextlib.suppress(Refusal, RpcError, ConnectionLost):
        names = PlaceNames(client.call(protocol.Places(), protocol.PlaceList).places)
        for text in typed:
            place, others = names.named(text), names.other_meanings(text)
            if place and others:
                instead = listed((f"{other.name}, type {other.code}" for other in others), "or for")
                complain(f"{text} is the code of {place.name}. For {instead}.")


def _without_expected(error: Refusal) -> Refusal:
    """A refusal without the sentence on what a field takes, because the hint for the command says it."""
    data = {name: value for name, value in error.data.items() if name != "takes"}
    return Refusal(error.reason, error.message.removesuffix(f" Expected: {error.data.get('takes')}."), **data)


def error_json(error: Refusal | RpcError) -> str:
    """The error object of a JSON-RPC reply, on one line."""
    data = {"reason": error.reason, **error.data} if isinstance(error, Refusal) else error.data
    members = {"code": error.code, "message": error.message, "data": data}
    return msgspec.json.encode({"error": members}).decode()


def _reason(error: Refusal | RpcError) -> str | None:
    return error.reason if isinstance(error, Refusal) else None


def _show_reply(request: protocol.Request, reply: object, done: Report | None) -> int:
    """Print a reply; return the exit status. A request that was executed is reported as done in any case.

    done: makes a sentence of the reply, if the reply does not say what was done.
    """
    try:
        if isinstance(reply, msgspec.Raw):
            show(bytes(reply).decode())
        else:
            from busware import render

            out = render.console()
            shown = done(reply) if done else ""
            show(render.text(out, render.reply(reply, out.width, request, shown)))
        return DONE
    except NotShown as error:
        return report_not_shown(error, _done(request, reply))
    except KeyboardInterrupt:
        return report_not_shown(NotShown("interrupted"), _done(request, reply))
    except Exception as error:  # noqa: BLE001 - the request was executed, whatever is wrong with its reply
        return report_not_shown(NotShown(repr(error)), _done(request, reply))


def _done(request: protocol.Request, reply: object) -> str:
    """What a request changed, and how to see its reply; empty for a request that only reads."""
    if all(resource.startswith("GET ") for resource in request.resources.values()):
        return ""
    fields = msgspec.json.decode(msgspec.json.encode(reply))
    key = getattr(request, "key", None)
    reference = f"Reference: {fields['reference']}. " if "reference" in fields else ""
    return f"{reference}{SHOW_HINT}{key}" if key else f"The method {request.method} was executed."


def _show_error(text: str) -> None:
    """Print an error to stdout; if that is impossible, to stderr. The exit status stays that of the error."""
    try:
        show(text)
    except NotShown:
        complain(text)


def _print_message(method: str, params: dict[str, Any]) -> None:
    """Print a message from an operator. The server sends the unread ones once, at the next connection."""
    if method == "message":
        complain(clean_text(f"Message from the operator: {params['text']}"))


def run() -> None:
    """The entry point of the command `busware`."""
    output.run(main)


if __name__ == "__main__":
    run()
