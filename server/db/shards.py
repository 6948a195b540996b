"""Prepares the databases of an installation with shards: docs/scaling.md, Shards.

The database of the proxy has what belongs to no service. The services are spread over 64 virtual shards by
their numbers; the map of the proxy has the database of each. BUSWARE_SHARDS lists these databases; their
numbers are their positions in the list, from 1.
"""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from busware.server.db.deadlines import connection_parameters
from busware.server.db.schema import (
    Part,
    SchemaError,
    Unreachable,
    is_prepared,
    prepare,
    prepare_tables,
)
from busware.server.settings import Settings

log = logging.getLogger("busware.shards")

VIRTUAL_SHARDS = 64
# The numbers of these sequences are keys or an order of rows that move with a virtual shard.
SEQUENCES = ("queue_no_seq", "event_no_seq", "message_id_seq", "outbox_outbox_no_seq")
_CONNECT_SECONDS = 2  # how long the proxy waits for a connection to a shard; the least that libpq permits

_PUT_DATABASE = """
INSERT INTO shards.databases AS d (database_no, url) VALUES (%s, %s)
ON CONFLICT (database_no) DO UPDATE SET url = excluded.url, away = false WHERE d.url <> excluded.url
RETURNING database_no
"""
_PUT_LIST_SECONDS = "UPDATE shards.version SET list_seconds = %s WHERE list_seconds <> %s RETURNING version"
_MAP = "SELECT virtual_shard, database_no FROM shards.map ORDER BY virtual_shard"
_NEW_VERSION = "UPDATE shards.version SET version = version + 1"
_PLACES = "SELECT coalesce(jsonb_agg(to_jsonb(p))::text, '[]') FROM places p"
_FLEET = """
SELECT (SELECT coalesce(jsonb_agg(to_jsonb(v))::text, '[]') FROM vehicles v),
       (SELECT coalesce(jsonb_agg(to_jsonb(d))::text, '[]') FROM drivers d)
"""
_COPY_LAYOUTS = """
INSERT INTO layouts AS l (name, drawing) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET drawing = excluded.drawing WHERE l.drawing <> excluded.drawing
"""


@dataclass(frozen=True)
class Shard:
    """The database of a shard. number: from 1. owner_url, server_url: for its owner, and for the server."""

    number: int
    owner_url: str
    server_url: str


def shards_of(settings: Settings, server_url: str) -> list[Shard]:
    """The databases of BUSWARE_SHARDS. The server's role has the same name and password in each.

    server_url: of the database of the proxy.
    """
    role = {name: conninfo_to_dict(server_url).get(name) for name in ("user", "password")}
    return [
        Shard(number, url, make_conninfo(url, **{name: value for name, value in role.items() if value}))
        for number, url in enumerate(settings.shards or (), 1)
    ]


def prepare_shards(owner_url: str, server_url: str, settings: Settings) -> None:
    """Bring all databases to this version: the tables of the proxy, the shards, the functions of the proxy.

    A breaking migration first stops all older servers, which are known in the database of the proxy. The
    older functions of the proxy work with the newer ones of the shards, as an older server does with a newer
    database. If the proxy has this version already, a shard that does not answer is left out: its
    services are busy until it is back. Raises SchemaError.
    """
    shards = shards_of(settings, server_url)
    may_be_away = _is_prepared(owner_url, settings)
    prepare_tables(owner_url, settings)
    reached = [shard for shard in shards if _prepare(shard, settings, may_be_away=may_be_away)]
    without_seeds = replace(settings, seed=False)
    prepare(owner_url, server_url, without_seeds, Part.PROXY)
    with _connect(owner_url, settings) as proxy:
        _put_map(proxy, shards, settings)
        owned = proxy.execute(_MAP).fetchall()
    for shard in reached:
        with _connect(shard.owner_url, settings) as conn:
            _put_owned(conn, shard.number, [virtual for virtual, number in owned if number == shard.number])
    if settings.seed:
        prepare(owner_url, server_url, settings, Part.PROXY)
        for shard in reached:
            prepare(shard.owner_url, shard.server_url, settings, Part.SHARD)
    with _connect(owner_url, settings) as proxy:
        for shard in reached:
            with _connect(shard.owner_url, settings) as conn:
                copy_shared(proxy, conn)


def _is_prepared(owner_url: str, settings: Settings) -> bool:
    """Whether the database of the proxy has this version already."""
    try:
        with _connect(owner_url, settings) as conn:
            return is_prepared(conn, Part.PROXY)
    except psycopg.Error:
        return False  # `prepare` reports it


def _prepare(shard: Shard, settings: Settings, *, may_be_away: bool) -> bool:
    """Prepare the database of a shard. Returns whether it was reached."""
    try:
        prepare(shard.owner_url, shard.server_url, replace(settings, seed=False), Part.SHARD)
    except Unreachable as error:
        if not may_be_away:
            raise SchemaError(f"Shard {shard.number}: {error}") from error
        log.warning("shard %d is left out, and its services are busy: %s", shard.number, error)
        return False
    except SchemaError as error:
        raise SchemaError(f"Shard {shard.number}: {error}") from error
    return True


def _put_map(proxy: psycopg.Connection[Any], shards: list[Shard], settings: Settings) -> None:
    """Write the databases into the map. A new map spreads the virtual shards evenly."""
    with proxy.transaction():
        proxy.execute("LOCK TABLE shards.version IN SHARE ROW EXCLUSIVE MODE")
        changed = [
            proxy.execute(_PUT_DATABASE, (shard.number, _proxy_url(shard, settings))).fetchone()
            for shard in shards
        ]
        changed.append(proxy.execute(_PUT_LIST_SECONDS, (settings.shard_list_seconds,) * 2).fetchone())
        if not proxy.execute(_MAP).fetchall():
            for virtual in range(VIRTUAL_SHARDS):
                number = shards[virtual % len(shards)].number
                proxy.execute("INSERT INTO shards.map VALUES (%s, %s)", (virtual, number))
        if any(changed):
            proxy.execute(_NEW_VERSION)


def _proxy_url(shard: Shard, settings: Settings) -> str:
    """How PL/Proxy connects to a shard. Statements have the limit that they have in a single database.

    The limit of waiting for locks, which only batches of writes have, is sent with each batch.
    """
    statement_ms = round(settings.statement_seconds * 1000)
    return make_conninfo(
        shard.server_url,
        connect_timeout=_CONNECT_SECONDS,
        application_name="busware proxy",
        options=f"-c statement_timeout={statement_ms}",
    )


def _put_owned(conn: psycopg.Connection[Any], number: int, virtual_shards: list[int]) -> None:
    """Tell a new database what it owns. What a database owns later changes by a move only.

    The numbers that its sequences give are `number` modulo 64, so two databases never give the same one, and
    rows with them can be moved.
    """
    if not conn.execute("SELECT FROM shards.owned LIMIT 1").fetchall() and not _services(conn):
        with conn.transaction():
            for sequence in SEQUENCES:
                ((last,),) = conn.execute(f"SELECT last_value FROM {sequence}".encode())  # noqa: S608 - ours
                start = last - last % VIRTUAL_SHARDS + VIRTUAL_SHARDS + number
                conn.execute(
                    f"ALTER SEQUENCE {sequence} INCREMENT BY {VIRTUAL_SHARDS} RESTART WITH {start}".encode()
                )
            for virtual in virtual_shards:
                conn.execute("INSERT INTO shards.owned VALUES (%s)", (virtual,))


def _services(conn: psycopg.Connection[Any]) -> list[Any]:
    return conn.execute("SELECT FROM bus_info LIMIT 1").fetchall()


def copy_shared(proxy: psycopg.Connection[Any], shard: psycopg.Connection[Any]) -> int:
    """Bring the copies of places, layouts, vehicles and drivers in a shard to those of the proxy.

    Returns how many differed.
    """
    with shard.transaction():
        ((places,),) = proxy.execute(_PLACES)
        ((differed,),) = shard.execute("SELECT api.copy_places(%s::jsonb)", (places,))
        ((vehicles, drivers),) = proxy.execute(_FLEET)
        ((written,),) = shard.execute("SELECT api.copy_fleet(%s::jsonb, %s::jsonb)", (vehicles, drivers))
        differed += written
        for layout in proxy.execute("SELECT name, drawing FROM layouts"):
            differed += shard.execute(_COPY_LAYOUTS, layout).rowcount
    return int(differed)


def audit_shards(owner_url: str, server_url: str, settings: Settings) -> Iterator[tuple[str, ...]]:
    """The findings of all databases, each with the name of the database: `proxy`, or `shard 1`.

    Raises psycopg.Error.
    """
    with _connect(owner_url, settings) as proxy:
        owned = dict(proxy.execute(_MAP).fetchall())
        yield from (("proxy", *map(str, row)) for row in proxy.execute("SELECT * FROM api.audit()"))
        for (finding,) in proxy.execute("SELECT * FROM shards.assigned_twice()"):
            yield "proxy", "assigned_twice", finding
        for shard in shards_of(settings, server_url):
            name = f"shard {shard.number}"
            with _connect(shard.owner_url, settings) as conn:
                yield from ((name, *map(str, row)) for row in conn.execute("SELECT * FROM api.audit()"))
                here = {virtual for (virtual,) in conn.execute("SELECT virtual_shard FROM shards.owned")}
                mapped = {virtual for virtual, number in owned.items() if number == shard.number}
                for virtual in sorted(here ^ mapped):
                    yield name, "virtual_shard", str(virtual), "the map of the proxy says otherwise"
                strangers = "SELECT bus_id FROM bus_info WHERE NOT api.keeps_service(bus_id) ORDER BY bus_id"
                for (bus_id,) in conn.execute(strangers):
                    yield name, "service", str(bus_id), "it belongs to another shard"
                with conn.transaction(force_rollback=True):
                    if differing := copy_shared(proxy, conn):
                        yield (
                            name,
                            "copies",
                            str(differing),
                            "places, layouts, vehicles or drivers differ from the proxy",
                        )


@contextmanager
def _connect(url: str, settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    parameters = connection_parameters(url, settings)
    with closing(psycopg.connect(url, autocommit=True, **parameters)) as conn:
        yield conn
