"""The subcommand `outbox` of the server: lists what could not be sent, tries it again, or discards it.

It connects as the owner of the database, because the rows have addresses and names of travellers.
"""

import argparse
import json
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from busware.server.command_line import Parser, confirmed, on_terminal
from busware.server.embedded.data_folder import explained, find_urls
from busware.server.installation import subcommand
from busware.server.output import show_done
from busware.server.protocol import clean_text
from busware.server.settings import Settings

_HELP = """\
The mails, SMS, webhooks and refunds that Busware could not send. A row is waiting while the server tries it \
again, and dead when the server has given up. Exit status: 0 done, 1 not done, 2 the command line is wrong, \
4 done, but the output could not be written."""
_STATES = ("dead", "waiting", "done")
_KINDS = ("mail", "sms", "webhook", "refund")
_ERROR_CHARACTERS = 60  # of an error in the list

_COUNT = "SELECT kind, state, count, oldest FROM api.count_outbox()"
_LIST = (
    "SELECT outbox_no, kind, created_at, reference, attempts, error FROM outbox "
    "WHERE state = %s AND kind = coalesce(%s, kind) ORDER BY outbox_no LIMIT %s"
)
_SHOW = (
    "SELECT outbox_no, key, kind, ordered_by, event_no, bus_id, reference, payload, state, attempts, "
    "created_at, nullif(due_at, 'infinity') AS due_at, done_at, error FROM outbox WHERE outbox_no = %s"
)
_RETRY = "SELECT api.retry_outbox(%s)"
_DISCARD = "SELECT api.discard_outbox(%s)"
_NUMBERS = "SELECT outbox_no FROM outbox WHERE state = 'dead' AND kind = ANY (%s) ORDER BY outbox_no"


class UsageError(Exception):
    """The command cannot be executed. The message says why."""


def main(arguments: list[str]) -> None:
    """Run the subcommand. Raises SystemExit on an error."""
    options = _parser().parse_args(arguments or ["list"])
    settings = Settings.load()
    with (
        explained(UsageError),
        psycopg.connect(find_urls(settings).owner, autocommit=True, row_factory=namedtuple_row) as conn,
    ):
        done = options.run(conn, options)
    show_done(done, done if options.changes else "")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=subcommand("outbox"), description=_HELP)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    listing = commands.add_parser("list", help="list the rows, the oldest first; the default")
    listing.set_defaults(run=_list, changes=False)
    listing.add_argument("--state", choices=_STATES, default="dead", help="the rows in this state (dead)")
    listing.add_argument("--limit", type=int, default=50, metavar="N", help="the most rows (50)")
    showing = commands.add_parser("show", help="show all fields of a row")
    showing.set_defaults(run=_show, changes=False)
    showing.add_argument("number", type=int, metavar="NUMBER")
    retry = commands.add_parser("retry", help="try dead rows again")
    retry.set_defaults(run=_change, changes=True, statement=_RETRY, question="Try", done="tried again")
    discard = commands.add_parser("discard", help="delete dead rows; they are never sent")
    discard.set_defaults(run=_change, changes=True, statement=_DISCARD, question="Delete", done="deleted")
    for command in (retry, discard):
        command.add_argument("numbers", type=int, nargs="*", metavar="NUMBER", help="the rows")
        command.add_argument("--all", action="store_true", help="all dead rows; it asks before")
        command.add_argument("--yes", action="store_true", help="do not ask")
    for command in (listing, retry, discard):
        command.add_argument("--kind", choices=_KINDS, help="only the rows of this kind")
    return parser


def _list(conn: psycopg.Connection[Any], options: argparse.Namespace) -> str:
    rows = conn.execute(_LIST, (options.state, options.kind, options.limit)).fetchall()
    lines = [
        f"{row.outbox_no:>8}  {row.kind:8} {_time(row.created_at)}  {row.reference or '':8} "
        f"{row.attempts:>3} attempts  {_shortened(row.error)}".rstrip()
        for row in rows
    ]
    return "\n".join([*lines, _counts(conn)])


def _counts(conn: psycopg.Connection[Any]) -> str:
    """The numbers of rows that are not done, in a line."""
    counts = [
        f"{row.kind}: {row.count} {row.state}, the oldest of {_time(row.oldest)}"
        for row in conn.execute(_COUNT).fetchall()
    ]
    return "Not sent: " + ("; ".join(counts) or "nothing") + "."


def _show(conn: psycopg.Connection[Any], options: argparse.Namespace) -> str:
    row = conn.execute(_SHOW, (options.number,)).fetchone()
    if row is None:
        raise UsageError(f"There is no row {options.number}.")
    return "\n".join(
        f"{name:12} {_shown(value)}" for name, value in row._asdict().items() if value is not None
    )


def _change(conn: psycopg.Connection[Any], options: argparse.Namespace) -> str:
    """Retry or discard the named rows, or all dead ones."""
    if bool(options.numbers) == options.all:
        raise UsageError("Give the numbers of rows, or --all.")
    if options.numbers and options.kind:
        raise UsageError("Give --kind with --all, not with the numbers of rows.")
    numbers = options.numbers
    if options.all:
        kinds = [options.kind] if options.kind else list(_KINDS)
        numbers = [row.outbox_no for row in conn.execute(_NUMBERS, (kinds,)).fetchall()]
        if not numbers:
            return "No row is dead."
        if not options.yes and not _agreed(options.question, len(numbers)):
            return "Nothing was changed."
    changed = {number for number in numbers for row in conn.execute(options.statement, (number,)) if row[0]}
    if left := sorted(set(numbers) - changed):
        problem = f"Not dead, so not {options.done}: {', '.join(map(str, left))}."
        raise UsageError(f"{problem} Rows that were {options.done}: {len(changed)}.")
    return f"Rows that were {options.done}: {len(changed)}."


def _agreed(verb: str, count: int) -> bool:
    """Whether the person at the terminal agrees. Raises UsageError without one."""
    if not on_terminal():
        dead = "1 row is dead" if count == 1 else f"{count} rows are dead"
        raise UsageError(f"{dead}. Add --yes to change all of them.")
    return confirmed(f"{verb} {count} {'row' if count == 1 else 'rows'}?")


def _time(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def _shown(value: Any) -> str:
    """A field of a row, without characters that control the terminal."""
    match value:
        case datetime():
            return _time(value)
        case dict() | list():
            return clean_text(json.dumps(value, ensure_ascii=False))
        case _:
            return clean_text(str(value))


def _shortened(text: str | None) -> str:
    line = clean_text(" ".join((text or "").split()))
    return line if len(line) <= _ERROR_CHARACTERS else f"{line[:_ERROR_CHARACTERS]}…"
