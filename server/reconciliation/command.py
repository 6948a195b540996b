"""The subcommand `reconcile` of the server: compares the provider's payments with ours, and changes nothing.

It connects as the owner of the database, in a transaction that only reads.
"""

import argparse
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from busware.server.command_line import Parser
from busware.server.documents import csv_table
from busware.server.documents.bank_transfers import FaultyFile, read
from busware.server.embedded.data_folder import PostgresError, find_urls
from busware.server.installation import subcommand
from busware.server.output import complain, show_done
from busware.server.payments.providers import ProviderRefused, ProviderUnavailable
from busware.server.protocol import clean_text
from busware.server.reconciliation import bank_side, database_side
from busware.server.reconciliation.records import Difference, Record, compare
from busware.server.settings import Settings

EQUAL, DIFFERENT, NOT_READ = 0, 1, 3  # exit statuses
LONGEST_DAYS = 366
DEFAULT_DAYS = 30
_FIRST, _LAST = date(2000, 1, 1), date(2999, 12, 31)  # of --from and --to
_HELP = """\
Compare the payments and refunds of a provider with those of the database, and print each difference: what \
only one side has, a different amount, a different state. Nothing is changed. Exit status: 0 both \
sides are equal, 1 they differ, 2 the command line is wrong, 3 a side could not be read."""
_HEADER = (
    "problem",
    "kind",
    "reference",
    "id",
    "at_provider",
    "amount",
    "currency",
    "state",
    "amount_there",
    "currency_there",
    "state_there",
)

Sides = tuple[list[Record], list[Record]]  # ours and theirs


def main(arguments: list[str]) -> None:
    """Run the subcommand. Raises SystemExit with the status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    settings = Settings.load()
    since, until = _period(parser, options, ZoneInfo(settings.time_zone))
    if (options.provider == "manual") != bool(options.bank_file or options.paid_file):
        parser.error("Give --bank-file or --paid-file with --provider manual, and neither with stripe.")
    if options.provider == "stripe" and settings.stripe_key is None:
        parser.error("BUSWARE_STRIPE_KEY is not set.")
    try:
        with psycopg.connect(find_urls(settings).owner) as conn:
            conn.read_only = True
            if options.provider == "stripe":
                ours, theirs = _at_stripe(conn, settings, since, until)
            else:
                ours, theirs = _at_the_bank(conn, options, since, until)
    except FaultyFile as error:
        complain(*error.faults)
        raise SystemExit(NOT_READ) from None
    except (PostgresError, psycopg.Error, ProviderUnavailable, ProviderRefused) as error:
        complain(f"busware: {str(error).strip()}")
        raise SystemExit(NOT_READ) from None
    differences = list(compare(ours, theirs))
    show_done(_as_csv(differences) if options.csv else "\n".join(_lines(differences, ours, theirs)))
    raise SystemExit(DIFFERENT if differences else EQUAL)


def _parser() -> Parser:
    parser = Parser(prog=subcommand("reconcile"), description=_HELP)
    parser.add_argument(
        "--provider",
        choices=("stripe", "manual"),
        default="stripe",
        help="the provider to compare with (stripe)",
    )
    dates = "in the time zone BUSWARE_TIME_ZONE"
    parser.add_argument(
        "--from",
        dest="from_date",
        metavar="DATE",
        type=_date,
        help=f"the first date, {dates} (the 30th day before the last one)",
    )
    parser.add_argument("--to", dest="to_date", metavar="DATE", type=_date, help="the last date (today)")
    parser.add_argument(
        "--bank-file",
        metavar="FILE",
        help="for manual payments: the bank's file of incoming transfers, as for the command bank-file",
    )
    parser.add_argument(
        "--paid-file",
        metavar="FILE",
        help="for refunds by hand: the bank's file of outgoing transfers, in the same form",
    )
    parser.add_argument("--csv", action="store_true", help="print the differences as CSV")
    return parser


def _date(text: str) -> date:
    try:
        read = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a date, YYYY-MM-DD") from None
    if not _FIRST <= read <= _LAST:
        raise argparse.ArgumentTypeError(f"'{text}' is not a date from {_FIRST} to {_LAST}")
    return read


def _period(
    parser: argparse.ArgumentParser, options: argparse.Namespace, zone: ZoneInfo
) -> tuple[datetime, datetime]:
    """When the period begins, and when it has ended."""
    last = options.to_date or datetime.now(zone).date()
    first = options.from_date or last - timedelta(days=DEFAULT_DAYS)
    if not 0 <= (last - first).days < LONGEST_DAYS:
        parser.error(f"--to must be a date from --from on, at most {LONGEST_DAYS} days in all.")
    return datetime.combine(first, time(), zone), datetime.combine(last + timedelta(days=1), time(), zone)


def _at_stripe(conn: psycopg.Connection[Any], settings: Settings, since: datetime, until: datetime) -> Sides:
    """The records of both sides in a period. A counterpart is read too if its time is not in the period."""
    from busware.server.reconciliation.stripe_side import StripeSide  # it loads the library of Stripe

    side = StripeSide(settings)
    theirs = side.records(since, until)
    known = [record.id for record in theirs if record.id]
    ours = database_side.payments_and_refunds(conn, "stripe", since, until, known)
    listed = {record.at_provider for record in theirs}
    return ours, [*theirs, *side.find([record for record in ours if record.at_provider not in listed])]


def _at_the_bank(
    conn: psycopg.Connection[Any], options: argparse.Namespace, since: datetime, until: datetime
) -> Sides:
    """The records of both sides: payments if --bank-file is given, refunds if --paid-file is given."""
    ours: list[Record] = []
    theirs: list[Record] = []
    if options.bank_file:
        theirs = list(bank_side.records(read(Path(options.bank_file))))
        known = database_side.receipts(conn, since, until, [record.id for record in theirs if record.id])
        ours = bank_side.with_receipts(known, theirs)
    if options.paid_file:
        paid = list(bank_side.paid_out(read(Path(options.paid_file))))
        ours += bank_side.with_receipts(database_side.paid_back(conn, since, until), paid)
        theirs += paid
    return ours, theirs


def _lines(differences: list[Difference], ours: list[Record], theirs: list[Record]) -> Iterator[str]:
    for difference in differences:
        known = difference.known
        names = [known.reference, known.id, known.at_provider]
        shown = clean_text(" ".join(name for name in names if name))
        yield (
            f"{difference.problem}: {known.kind} {shown}; "
            f"here {difference.ours or 'nothing'}; there {difference.theirs or 'nothing'}"
        )
    sides = f"{len(ours)} here, {len(theirs)} there"
    yield f"{sides}: {'equal' if not differences else f'{len(differences)} differences'}."


def _as_csv(differences: list[Difference]) -> str:
    rows = [
        (
            difference.problem,
            difference.known.kind,
            difference.known.reference,
            difference.known.id,
            difference.known.at_provider,
            *_cells(difference.ours),
            *_cells(difference.theirs),
        )
        for difference in differences
    ]
    return csv_table.encode(_HEADER, rows).decode()


def _cells(record: Record | None) -> tuple[csv_table.Cell, ...]:
    return (record.full_amount, record.currency, record.state) if record else (None, None, None)
