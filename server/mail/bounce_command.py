"""The subcommand `bounce` of the server, to which a mail server pipes the mails that have come back."""

import argparse
import sys

import psycopg

from busware.server.command_line import Parser
from busware.server.embedded.data_folder import PostgresError, find_urls
from busware.server.installation import subcommand
from busware.server.mail.bounces import read_bounce
from busware.server.output import show_done
from busware.server.settings import Settings

EXIT_TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: the mail server keeps the mail and tries again
_HELP = """\
Read a mail that has come back (RFC 3464) from standard input, and send no more mail to its address. \
Any other mail changes nothing. Exit status: 0 done, 1 the option failed, 2 the command line is wrong, \
75 the database is not available: try again."""

_RECORD = "SELECT api.record_bounce(%s, %s, %s)"
_LIST = "SELECT at, address, reason FROM api.list_bounces()"
_FORGET = "SELECT api.forget_bounce(%s)"


def main(arguments: list[str]) -> None:
    """Run the subcommand. Raises SystemExit on an error."""
    parser = Parser(prog=subcommand("bounce"), description=_HELP)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="list the addresses that get no mail")
    what.add_argument("--forget", metavar="ADDRESS", help="send mail to an address again")
    options = parser.parse_args(arguments)
    settings = Settings.load()
    try:
        with psycopg.connect(find_urls(settings).owner, autocommit=True) as conn:
            done = _run(conn, options, settings)
    except (PostgresError, psycopg.Error) as error:
        print(f"busware: the database: {str(error).strip()}", file=sys.stderr)
        raise SystemExit(EXIT_TRY_AGAIN) from None
    show_done(done, done)


def _run(conn: psycopg.Connection, options: argparse.Namespace, settings: Settings) -> str:
    if options.list:
        rows = conn.execute(_LIST).fetchall()
        return "\n".join(f"{at:%Y-%m-%d} {address}: {reason}" for at, address, reason in rows) or (
            "No address has bounced."
        )
    if options.forget:
        if conn.execute(_FORGET, (options.forget,)).fetchone() != (True,):
            raise SystemExit(f"busware: {options.forget} has not bounced.")
        return f"{options.forget} gets mail again."
    bounce = read_bounce(sys.stdin.buffer.read(settings.bounce_bytes))
    if bounce is None:
        return "The mail reports no failed mail of this server. Nothing was changed."
    if conn.execute(_RECORD, bounce).fetchone() != (True,):
        return f"This server did not send that mail to {bounce.address}. Nothing was changed."
    return f"{bounce.address} gets no more mail: {bounce.reason}"
