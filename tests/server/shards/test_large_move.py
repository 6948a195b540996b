"""A virtual shard with many rows moves while clients book its service: no booking fails.

BUSWARE_TEST_MOVE_TICKETS sets the number of its tickets (1000). With `pytest -s` the test prints the pause.
"""

import os

import pytest

from busware.server.db.shard_move import PUBLISH_LOCK
from tests.support.booking_load import BookingLoad
from tests.support.processes import start
from tests.support.shards import FIRST_BUS, Machine, ShardedInstallation

pytestmark = pytest.mark.system

TICKETS = int(os.environ.get("BUSWARE_TEST_MOVE_TICKETS", "1000"))
BOOKINGS = 30
VIRTUAL_SHARD = FIRST_BUS % 64
TABLES = {  # with the columns that make a copy of a row another one
    "passengers": "'reference', (b).reference || n, 'status', 'cancelled'",
    "payments": "'reference', (b).reference || n",
    "events": "'reference', (b).reference || n, 'event_no', nextval('event_no_seq'), 'event_id', "
    "gen_random_uuid(), 'position', n + (SELECT max(position) FROM events)",
    "idempotency_keys": "'key', (b).key || n",
}
LENGTHS = {  # of the column in the rows that are no copies
    "passengers": ("reference", 7),
    "payments": ("reference", 7),
    "events": ("reference", 7),
    "idempotency_keys": ("key", 36),
}


def add_tickets(database: Machine) -> None:
    """Copy one booking of the service, as cancelled ones, with its payment, event and idempotency key."""
    with database.connect() as conn:
        conn.execute("SELECT pg_advisory_lock(%s, %s)", PUBLISH_LOCK)  # no other event gets a position
        with conn.transaction():
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")  # the same booking in each table
            for (table, changed), (column, _) in zip(TABLES.items(), LENGTHS.values(), strict=True):
                conn.execute(
                    f"INSERT INTO {table} SELECT r.* FROM generate_series(1, %s) AS n, "
                    f"(SELECT t AS b FROM {table} AS t WHERE bus_id = %s ORDER BY {column} LIMIT 1) AS one, "
                    f"jsonb_populate_record(b, jsonb_build_object({changed})) AS r".encode(),
                    (TICKETS, FIRST_BUS),
                )


def delete_tickets(database: Machine) -> int:
    """Delete the copies. Returns the number of tickets."""
    deleted = 0
    with database.connect() as conn:
        for table, (column, length) in reversed(LENGTHS.items()):
            copies = f"DELETE FROM {table} WHERE bus_id = %s AND length({column}) > %s"
            deleted = conn.execute(copies.encode(), (FIRST_BUS, length)).rowcount
    return deleted


def move(sharded: ShardedInstallation, number: int) -> str:
    process = start("shards", "move", str(VIRTUAL_SHARD), str(number), **sharded.settings)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    return output


def test_no_booking_fails_while_many_rows_move(sharded: ShardedInstallation) -> None:
    with sharded.proxy.connect() as conn:
        home = "SELECT database_no FROM shards.map WHERE virtual_shard = %s"
        ((first,),) = conn.execute(home, [VIRTUAL_SHARD])
    old, new = sharded.shards[first - 1], sharded.shards[2 - first]
    trips = [trip for trip in sharded.trips(old) if trip[0] == FIRST_BUS]
    before = sharded.references()
    with sharded.server() as server, BookingLoad([server.port], trips) as load:
        load.wait_for(BOOKINGS)
        add_tickets(old)
        output = move(sharded, 3 - first)
        load.wait_for(BOOKINGS)
    print(f"\n{TICKETS} tickets: {output}")
    assert not load.errors
    assert (delete_tickets(old), delete_tickets(new)) == (0, TICKETS)
    assert sharded.references() - before == load.acknowledged.keys()
    move(sharded, first)
    assert sharded.audit() == []
