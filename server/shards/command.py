"""The subcommand `shards` of the server: lists the shards, adds new ones, and moves a virtual shard.

It connects to all databases as their owners.
"""

import argparse
from collections import Counter
from contextlib import ExitStack, closing
from typing import Any

import psycopg

from busware.server.command_line import Parser
from busware.server.db.schema import SchemaError
from busware.server.db.shard_move import MoveError, delete_left, move
from busware.server.db.shards import VIRTUAL_SHARDS, Shard, prepare_shards, shards_of
from busware.server.embedded.data_folder import Urls, explained, find_urls
from busware.server.installation import subcommand
from busware.server.output import show_done
from busware.server.settings import Settings

_HELP = """\
The databases of BUSWARE_SHARDS, and which of them has which of the 64 virtual shards. A service is in the \
virtual shard with its number modulo 64. Exit status: 0 done, 1 not done, 2 the command line is wrong, 4 \
done, but the output could not be written."""

_MAP = "SELECT virtual_shard, database_no, moves FROM shards.map ORDER BY virtual_shard"
_LEFT = "SELECT virtual_shard, database_no FROM shards.leaving"
_AWAY = "SELECT database_no FROM shards.databases WHERE away"
_SERVICES = "SELECT shards.virtual_shard(bus_id), count(*) FROM bus_info GROUP BY 1"


def main(arguments: list[str]) -> None:
    """Run the subcommand. Raises SystemExit on an error."""
    options = _parser().parse_args(arguments or ["list"])
    settings = Settings.load()
    if not settings.shards:
        raise SystemExit("busware: BUSWARE_SHARDS is not set: one database has everything.")
    with explained(MoveError, SchemaError):
        done = options.run(find_urls(settings), settings, options)
    show_done(done, done if options.changes else "")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=subcommand("shards"), description=_HELP)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    listing = commands.add_parser("list", help="list the databases; the default")
    listing.set_defaults(run=_list, changes=False)
    adding = commands.add_parser("add", help="prepare the databases that are new in BUSWARE_SHARDS")
    adding.set_defaults(run=_add, changes=True)
    moving = commands.add_parser("move", help="move a virtual shard to another database, while servers sell")
    moving.set_defaults(run=_move, changes=True)
    moving.add_argument("virtual_shard", type=int, choices=range(VIRTUAL_SHARDS), metavar="VIRTUAL_SHARD")
    moving.add_argument("database", type=int, metavar="DATABASE", help="its position in BUSWARE_SHARDS")
    return parser


def _connect(url: str) -> "closing[psycopg.Connection[Any]]":
    return closing(psycopg.connect(url, autocommit=True))


def _list(urls: Urls, settings: Settings, options: argparse.Namespace) -> str:
    with _connect(urls.owner) as proxy:
        shard_map = proxy.execute(_MAP).fetchall()
        left = proxy.execute(_LEFT).fetchall()
        away = {number for (number,) in proxy.execute(_AWAY)}
    lines = ["shard  services  virtual shards"]
    for shard in shards_of(settings, urls.server):
        virtual = [number for number, database, _ in shard_map if database == shard.number]
        moving = [number for number, database, moves in shard_map if database == shard.number and moves]
        state = " (does not answer)" if shard.number in away else ""
        state += f" (being moved: {_ranges(moving)})" if moving else ""
        deleting = sorted(number for number, database in left if database == shard.number)
        state += f" (rows to delete: {_ranges(deleting)})" if deleting else ""
        lines.append(f"{shard.number:>5}  {_count(shard, virtual):>8}  {_ranges(virtual) or 'none'}{state}")
    return "\n".join(lines)


def _count(shard: Shard, virtual_shards: list[int]) -> str:
    """The number of the services of a shard; ? if it does not answer."""
    try:
        with _connect(shard.owner_url) as conn:
            counts = Counter(dict(conn.execute(_SERVICES).fetchall()))
    except psycopg.OperationalError:
        return "?"
    return str(sum(counts[virtual] for virtual in virtual_shards))


def _ranges(numbers: list[int]) -> str:
    """Numbers in order, as ranges: 0-3 5."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][-1] == number - 1:
            ranges[-1].append(number)
        else:
            ranges.append([number])
    return " ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in ranges)


def _add(urls: Urls, settings: Settings, options: argparse.Namespace) -> str:
    prepare_shards(urls.owner, urls.server, settings)
    return _list(urls, settings, options) + (
        "\nStart all servers again, one by one, with this BUSWARE_SHARDS. Then move virtual shards."
    )


def _move(urls: Urls, settings: Settings, options: argparse.Namespace) -> str:
    shards = {shard.number: shard for shard in shards_of(settings, urls.server)}
    if options.database not in shards:
        raise MoveError(f"There is no shard {options.database}: BUSWARE_SHARDS has {len(shards)}.")
    with ExitStack() as stack:
        proxy = stack.enter_context(_connect(urls.owner))
        for virtual, number in proxy.execute(_LEFT).fetchall():  # by an earlier move
            with _connect(shards[number].owner_url) as old:
                delete_left(proxy, old, virtual)
        numbers = {virtual: number for virtual, number, _ in proxy.execute(_MAP)}
        number = numbers[options.virtual_shard]
        if number == options.database:
            return f"The virtual shard {options.virtual_shard} is in shard {number} already."
        old = stack.enter_context(_connect(shards[number].owner_url))
        new = stack.enter_context(_connect(shards[options.database].owner_url))
        moved = move(proxy, old, new, options.virtual_shard, options.database)
    return (
        f"The virtual shard {options.virtual_shard} is in shard {options.database} now: "
        f"{moved.services} services, {moved.rows} rows. The copy took {moved.copy_seconds:.1f} s, "
        f"the pause of its services {moved.pause_seconds:.2f} s."
    )
