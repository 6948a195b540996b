"""The subcommand `gtfs` of the server: imports services from GTFS feeds, and exports them.

It connects as the owner of the database, so it may change the services of every operator.
"""

import argparse
import os
import re
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path

import msgspec
import psycopg

from busware.server.command_line import Parser, confirmed, on_terminal
from busware.server.embedded.data_folder import explained, find_urls
from busware.server.gtfs.archive import FeedError
from busware.server.gtfs.exporting import Export, export
from busware.server.gtfs.importing import KINDS, Changes, Content, Outcome, put, read
from busware.server.gtfs.mapping import Options
from busware.server.installation import subcommand
from busware.server.output import complain, show, show_done
from busware.server.settings import Settings

MAX_FIELDS = 3  # shown fields of a changed service
MAX_VALUE = 30  # characters of a changed value that are shown

_HELP = """\
Import services from a GTFS feed, or export them as one. docs/timetables.md says what is imported. \
Exit status: 0 done, or nothing to do; 1 faults or refusals, so nothing is changed; \
2 the command line is wrong; 4 done, but the output could not be written."""
_IMPORT_HELP = """\
Import the services of a feed. It shows what would change. On a terminal, it then asks whether to change \
this. Elsewhere, it changes nothing without --apply."""
_EXPORT_HELP = """\
Export the trips that are on sale, with their times and fares, as a feed."""


def main(arguments: list[str]) -> None:
    """Run the subcommand. Raises SystemExit on an error."""
    options = _parser().parse_args(arguments)
    settings = Settings.load()
    with explained(FeedError):
        try:
            options.run(options, settings)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            raise SystemExit(
                "busware: Another session changes the same services. Nothing is changed. Try again."
            ) from None


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=subcommand("gtfs"), description=_HELP)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    importing = commands.add_parser("import", help="import services from a feed", description=_IMPORT_HELP)
    importing.set_defaults(run=_import)
    add = importing.add_argument
    add("file", metavar="FEED.zip", type=Path, help="the feed")
    add("--operator", metavar="NAME", help="the operator of all services; else the agency of each")
    add("--name", type=_feed_name, help="the name of the feed, the same at each import; else its publisher")
    add("--layout", help="the layout of all services: its name, or a drawing; a new service needs one")
    add("--bus-type", choices=("SEATER", "SEMI_SLEEPER", "SLEEPER"), help="the type of the buses")
    add("--ac", action=argparse.BooleanOptionalAction, help="whether the buses have air conditioning")
    add("--sales-days", type=int, metavar="DAYS", help="how many days ahead trips are on sale")
    add(
        "--fare-per-km",
        type=_amount,
        metavar="AMOUNT",
        help="the fare for a kilometre, instead of the feed's",
    )
    add("--currency", metavar="CODE", help="the currency of --fare-per-km, such as INR")
    add("--apply", action="store_true", help="change what it shows, and do not ask")
    add(
        "--partial",
        action="store_true",
        help="leave out the services that are refused, and change the others",
    )
    exporting = commands.add_parser("export", help="export services as a feed", description=_EXPORT_HELP)
    exporting.set_defaults(run=_export)
    exporting.add_argument("file", metavar="FILE.zip", type=Path, help="the file to write")
    exporting.add_argument("--operator", metavar="NAME", help="only the services of this operator")
    exporting.add_argument(
        "--url", default="https://example.org/", help="the web page of the operators, which a feed must name"
    )
    return parser


def _amount(text: str) -> Decimal:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,4})?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount such as 1.50")
    return Decimal(text)


def _feed_name(text: str) -> str:
    if not re.fullmatch(r"[^\s:]{1,60}", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a name of up to 60 characters without spaces and colons"
        )
    return text


# Import ----------------------------------------------------------------------------------------


def _import(arguments: argparse.Namespace, settings: Settings) -> None:
    fields = {
        name: value
        for name in ("layout", "bus_type", "ac", "sales_days")
        if (value := getattr(arguments, name)) is not None
    }
    options = Options(
        arguments.name, arguments.operator, arguments.fare_per_km, arguments.currency, fields
    )  # fmt: skip
    content = read(arguments.file, options, settings)
    limit = settings.gtfs_lines
    if faults := content.remarks.faults:
        complain(*_listed(sorted(faults), limit))
        raise SystemExit(f"busware: The feed has {_count(len(faults), 'fault')}. Nothing is changed.")
    show(_describe(content, limit))
    with psycopg.connect(find_urls(settings).owner, autocommit=True) as conn:
        put_feed = partial(put, conn, content, settings, partial=arguments.partial)
        changes, is_applied = put_feed(plan=not arguments.apply), arguments.apply
        text = _describe_changes(changes, limit)
        if changes.is_possible and not is_applied and on_terminal():
            if not confirmed("Change this?", text):
                return
            changes, is_applied = put_feed(plan=False), True
            text = "" if changes.is_possible else _describe_changes(changes, limit)
    if changes.is_refused:
        show(text)
        hint = "--partial leaves these services as they are, and changes the others."
        raise SystemExit(f"busware: Nothing is changed. {hint}")
    if not changes.is_possible:
        _show_done(text, "Nothing to change.")
    elif is_applied:
        _show_done(text, "Done.", is_change=True)
    else:
        _show_done(text, "Nothing is changed. Add --apply to change this.")


def _describe(content: Content, limit: int) -> str:
    """What a feed has, and what is not imported."""
    feed = content.feed
    counts = (
        _count(len(feed.agencies), "agency", "agencies"), _count(len(feed.stops), "stop"),
        _count(len(feed.routes), "route"), _count(len(feed.trips), "trip"),
    )  # fmt: skip
    lines = [f"Feed {content.name}: {', '.join(counts)}; {_count(len(content.services), 'service')}."]
    if content.unread:
        lines.append(f"Ignored files: {', '.join(content.unread)}.")
    if left_out := sorted(content.remarks.left_out):
        lines += [f"Not imported ({len(left_out)}):", *_listed(left_out, limit)]
    return "\n".join(lines)


def _describe_changes(changes: Changes, limit: int) -> str:
    """How many places and services change in which way, and the first ones of each kind."""
    lines = [f"Places: {len(changes.places)} new."]
    lines += _listed([f"new: {place.stop.name} ({place.code})" for place in changes.places], limit)
    lines.append(f"Services: {', '.join(f'{len(changes.of(kind))} {kind}' for kind in KINDS)}.")
    for kind in KINDS:
        if kind != "unchanged":
            lines += _listed([f"{kind}: {_describe_outcome(o)}" for o in changes.of(kind)], limit)
    return "\n".join(lines)


def _describe_outcome(outcome: Outcome) -> str:
    """A service and what changes in it, or why it is refused."""
    if outcome.kind == "refused":
        where = f"trips.txt:{outcome.line}: " if outcome.line else "not in the feed any more: "
        return f"{where}{outcome.name}: {outcome.answer['message'].replace(chr(10), ' ')}"
    if outcome.kind == "new":
        return outcome.name
    changes = [f"{c['field']} {_shown(c['from'])} → {_shown(c['to'])}" for c in outcome.answer["changes"]]
    more = [f"{len(changes) - MAX_FIELDS} more"] if len(changes) > MAX_FIELDS else []
    return f"{outcome.name}: {'; '.join(changes[:MAX_FIELDS] + more)}"


def _shown(value: object) -> str:
    """A value of a document as text, in a few words."""
    text = (
        "none" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()
    )
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"


def _listed(items: Sequence[object], limit: int) -> list[str]:
    """A line for each item up to a limit, and the number of the others."""
    lines = [f"  {item}" for item in items[:limit]]
    return lines + ([f"  … and {len(items) - limit} more"] if len(items) > limit else [])


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def _show_done(text: str, done: str, *, is_change: bool = False) -> None:
    """Show what was found and done. Raises SystemExit if the output cannot be written."""
    show_done("\n".join(filter(None, (text, done))), done if is_change else "")


# Export ----------------------------------------------------------------------------------------


def _export(arguments: argparse.Namespace, settings: Settings) -> None:
    with psycopg.connect(find_urls(settings).owner) as conn:
        exported = export(conn, arguments.operator, arguments.url)
    count = len(exported.tables["trips.txt"])
    if not count:
        reasons = "".join(f"\n{line}" for line in _listed(exported.left_out, settings.gtfs_lines))
        raise SystemExit(f"busware: No service can be exported.{reasons}")
    _write(arguments.file, exported)
    done = f"{arguments.file}: {_count(count, 'service')}."
    left_out = exported.left_out and ["Left out:", *_listed(exported.left_out, settings.gtfs_lines)]
    _show_done("\n".join(left_out), done, is_change=True)


def _write(path: Path, exported: Export) -> None:
    """Write a feed beside the file, then replace it, so that the file is always whole. Raises SystemExit."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            exported.write(file)
        unfinished.replace(path)
    except OSError as error:
        raise SystemExit(f"busware: {path} cannot be written: {error.strerror or error}.") from None
    finally:
        unfinished.unlink(missing_ok=True)
