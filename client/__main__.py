"""The client as a command: one request, its reply as a table or as JSON, an exit status.

Replies go to stdout, whatever is wrong to stderr; with --json a refusal goes to stdout, as
{"error": …}, for the script that reads it. rich and shtab are loaded only by what needs them, since
somebody waits for --help.
"""

import argparse
import contextlib
import getpass
import io
import os
import ssl
import sys
from typing import Any

import msgspec

from busware import commands
from busware.factory import new_client
from busware.retries import ConnectionLost, tls_context, with_key
from busware.sdk import Client
from busware.server import installation, protocol
from busware.server.conversation import clean_text
from busware.server.protocol import Refusal
from busware.server.protocol.jsonrpc import RpcError

DONE, REFUSED, USAGE, NO_ANSWER, INTERRUPTED = 0, 1, 2, 3, 130  # 2 is argparse's, too
COMMAND_TRIES = 3  # fewer than a program's: somebody waits, and can ask again
RETRY_HINT = "It may have been done. Ask again with the same arguments and, so that it is done once, --key "
START_HINT = f"Is the server running? {installation.SERVER} starts one."
OPTION_HINTS = {  # for what a refusal calls a field
    "seats": "--seats 7,8, or --count 2 for any two",
    "count": "--count 2, or --seats 7,8",
    "passengers": "--name NAME, for each seat at most one",
    "phone": "--phone '98450 12345'",
}
AUTHORITY_HINT = "--authority FILE names the certificates of whoever vouches for it."


def main(arguments: list[str]) -> int:
    """Do what the arguments say; return the exit status. Raises SystemExit."""
    installation.require("terminal", "prompt_toolkit", "rich", "segno", "shtab")
    parser = commands.command_line()
    parsed = commands.parse(parser, arguments)
    if parsed.command == "completion":
        print(completion(parsed.shell))
        return DONE
    if parsed.command is None:
        from busware import terminal

        return terminal.run(parsed.host, parsed.port, tls_of(parsed, parsed.host), parsed.token)
    if parsed.command == "hotel":
        from busware import hotel

        url = commands.hotel_url(parsed)
        return hotel.run(url, tls_of(parsed, url))
    return ask(parsed)


def completion(shell: str) -> str:
    """The script that teaches a shell the commands. A shell completes scripts/client by its last part."""
    import shtab

    return str(shtab.complete(commands.command_line(prog=commands.PROG.rpartition("/")[2]), shell))


def ask(parsed: argparse.Namespace) -> int:
    """Send the request of a parsed command, show what comes of it, and return the exit status."""
    if parsed.asks in (protocol.Register, protocol.Login):
        parsed.password = ask_password()
    request: protocol.Request = protocol.Ping()
    with open_client(parsed) as client:
        try:
            request = with_key(commands.request(parsed, client.today))
            show(client.call(request, msgspec.Raw if parsed.json else request.reply))
            return DONE
        except (Refusal, RpcError) as error:
            if parsed.json:
                print(error_json(error))
            else:
                explain(error, request, client)
            return NO_ANSWER if reason(error) == "outcome_unknown" else REFUSED
        except ConnectionLost as lost:
            hint = AUTHORITY_HINT if isinstance(lost.__cause__, ssl.SSLCertVerificationError) else START_HINT
            complain(f"There is {lost}.", RETRY_HINT + lost.key if lost.key else hint)
            return NO_ANSWER
        except KeyboardInterrupt:
            complain("Interrupted.", RETRY_HINT + getattr(request, "key", "") if request.writes else "")
            return INTERRUPTED


def open_client(parsed: argparse.Namespace) -> Client:
    """A client of the server that is named, over TCP or HTTP. Exits when it cannot be verified."""
    tls = tls_of(parsed, parsed.host)
    return new_client(
        parsed.host, parsed.port, timeout_seconds=parsed.timeout, tries=COMMAND_TRIES, tls=tls,
        token=parsed.token,
        on_notification=show_notification,
    )  # fmt: skip


def show_notification(method: str, params: dict[str, Any]) -> None:
    """Show what an operator said while the traveller was away: it comes once, to whoever comes back."""
    if method == "message":
        complain(clean_text(f"Server: {params['text']}"))


def tls_of(parsed: argparse.Namespace, host: str) -> ssl.SSLContext | None:
    """The TLS to speak with a host, or at a URL. Exits when there is nothing to verify it by."""
    try:
        return tls_context(host, parsed.tls, parsed.authority)
    except OSError as error:
        complain(f"{parsed.authority} holds no certificates to verify the server by: {error}")
        raise SystemExit(USAGE) from None


def ask_password() -> str:
    """The password, typed unseen; or the first line of what is no terminal."""
    if sys.stdin.isatty():
        return getpass.getpass()
    return sys.stdin.readline().removesuffix("\n")


def show(reply: object) -> None:
    """A reply, as it came or for people."""
    if isinstance(reply, msgspec.Raw):
        print(bytes(reply).decode())
    else:
        from busware import render

        render.console().print(render.reply(reply))


def explain(error: Refusal | RpcError, request: protocol.Request, client: Client) -> None:
    """What is wrong, and what would be right, for people."""
    from busware import render

    out = render.console(stderr=True)
    out.print(render.error(error))
    if isinstance(request, protocol.SegmentRequest) and reason(error) in ("seat_taken", "unknown_seat"):
        segment = {field: getattr(request, field) for field in protocol.SegmentRequest.__struct_fields__}
        with contextlib.suppress(Refusal, RpcError, ConnectionLost):  # the message alone will do
            out.print(render.free_seats(client.call(protocol.SeatMap(**segment), protocol.Seats)))
    if reason(error) == "unknown_booking" and getattr(request, "phone", None) is None:
        out.print("Where a phone number was given with the booking, so it must be here: --phone.")
    if isinstance(request, protocol.Book) and not request.waitlist and reason(error) == "sold_out":
        out.print("With --waitlist, the booking waits until enough come free.")
    if option := OPTION_HINTS.get(str(error.data.get("field"))):
        out.print(f"Here: {option}.", markup=False)


def error_json(error: Refusal | RpcError) -> str:
    """The error object of the reply, as it came, on one line."""
    data = {"reason": error.reason, **error.data} if isinstance(error, Refusal) else error.data
    members = {"code": error.code, "message": error.message, "data": data}
    return msgspec.json.encode({"error": members}).decode()


def reason(error: Refusal | RpcError) -> str | None:
    """Which refusal it is; None for a fault."""
    return error.reason if isinstance(error, Refusal) else None


def complain(*lines: str) -> None:
    """Lines on stderr."""
    print(*filter(None, lines), sep="\n", file=sys.stderr)


def run() -> None:
    """The command busware."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # on a terminal of few letters
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:  # the reader of the output has ended, such as head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    run()
