"""Moves a virtual shard to another database while servers sell: copy, pause, switch.

copy    all rows of its services, in one transaction of the new database, which nobody sees yet
pause   calls for its services wait, in the queues of the servers. Then the rows that have changed since the
        copy began are copied, and those that were deleted are deleted
switch  the new database commits, and owns the virtual shard; the old one deletes what its lists and timers
        find the services by; the map of the proxy names the new database. The calls go on there
delete  the old database deletes the other rows. Sums over all services wait for this

If a move ends before the switch, nothing has changed. If it ends during the switch, the virtual shard waits
until the same move is run again, which completes it. The next move deletes what an earlier one has left.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from busware.server.db.shards import SEQUENCES

Connection = psycopg.Connection[Any]

# The tables with rows of services, in the order of their foreign keys, and their primary keys. The rows of
# IN_PAUSE are copied during the pause only: an upsert may not change the states of payments, and an earlier
# copy may have a vehicle on two trips.
TABLES: dict[str, tuple[str, ...]] = {
    "bus_info": ("bus_id",),
    "seat_plan": ("bus_id", "seat_no"),
    "route_table": ("bus_id", "stop_no"),
    "seasons": ("bus_id", "first_date"),
    "calendar_dates": ("bus_id", "travel_date"),
    "trips": ("bus_id", "travel_date"),
    "seats": ("bus_id", "travel_date", "seat_no"),
    "passengers": ("bus_id", "reference", "ticket_no"),
    "payments": ("bus_id", "reference", "ticket_no", "payment_no"),
    "exchanges": ("bus_id", "reference", "ticket_no", "exchange_no"),
    "transfers": ("bus_id", "reference", "ticket_no", "transfer_no"),
    "moved_bookings": ("bus_id", "reference"),
    "contacts": ("bus_id", "reference"),
    "holders": ("bus_id", "reference", "ticket_no", "subject"),
    "offers": ("bus_id", "reference", "offer_no"),
    "idempotency_keys": ("bus_id", "caller", "key"),
    "messages": ("message_id",),
    "events": ("event_no",),
    "outbox": ("outbox_no",),
    "payment_intents": ("bus_id", "payment_id"),
    "refunds": ("bus_id", "refund_id"),
    "provider_fees": ("bus_id", "payment_id", "transaction_id"),
    "assignments": ("bus_id", "travel_date", "assignment_no"),
}
IN_PAUSE = ("payment_intents", "refunds", "provider_fees", "assignments")
# The tables of what shards refuse: they have no rows.
UNSUPPORTED = ("agent_quotas", "invoice_lines", "invoices")
_MOVE_LOCK = 1936220515  # one move at a time, in the database of the proxy
_SHARD_LOCK = 1936220514  # of api.enter_shard
PUBLISH_LOCK = (1702257010, 0)  # of api.publish_events

_SERVICES = "SELECT bus_id FROM bus_info WHERE shards.virtual_shard(bus_id) = %s"
_SNAPSHOT = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint % 4294967296"
_OWNS = "SELECT EXISTS (SELECT FROM shards.owned WHERE virtual_shard = %s)"
_LISTED = (  # of the old database: by these, its lists and timers find the services
    "DELETE FROM route_table WHERE bus_id = ANY (%s)",
    "DELETE FROM offers WHERE bus_id = ANY (%s)",
    "DELETE FROM assignments WHERE bus_id = ANY (%s)",
    "DELETE FROM outbox WHERE bus_id = ANY (%s) AND state = 'waiting'",
    "UPDATE trips SET settle_at = NULL WHERE bus_id = ANY (%s) AND settle_at IS NOT NULL",
    "UPDATE payment_intents SET checked_at = 'infinity' "
    "WHERE bus_id = ANY (%s) AND state IN ('created', 'pending', 'failed')",
    "UPDATE refunds SET checked_at = 'infinity' WHERE bus_id = ANY (%s) AND state = 'sent'",
)
_LEAVE = (
    "INSERT INTO shards.leaving SELECT virtual_shard, database_no FROM shards.map WHERE virtual_shard = %s"
)
_ACCOUNTS = (
    "SELECT coalesce(jsonb_agg(to_jsonb(a) - 'password_hash'), '[]')::text FROM accounts a "
    "WHERE a.username IN (SELECT p.account FROM passengers p WHERE p.bus_id = ANY (%s))"
)
_PUBLISH_MOVED = """
UPDATE events e SET position = n.last + n.n FROM (
    SELECT m.event_no, row_number() OVER (ORDER BY m.position) AS n,
           (SELECT coalesce(max(l.position), 0) FROM events l WHERE l.position IS NOT NULL) AS last
    FROM moved_events m
) AS n WHERE e.event_no = n.event_no
"""

# The log of the proxy may have some of them; it knows these by their numbers.
_COLLECT_MOVED = (
    "INSERT INTO shards.uncollected SELECT event_no FROM moved_events ON CONFLICT (event_no) DO NOTHING"
)


class MoveError(Exception):
    """A virtual shard cannot be moved. The message says why."""


@dataclass(frozen=True)
class Moved:
    """What a move did. pause_seconds: how long calls for the services had to wait."""

    services: int
    rows: int
    copy_seconds: float
    pause_seconds: float


def move(proxy: Connection, old: Connection, new: Connection, virtual_shard: int, number: int) -> Moved:
    """Move a virtual shard from the database `old` to `new`, which has the number in the map of the proxy.

    The connections are in autocommit mode, as the owners of the databases. Raises MoveError or psycopg.Error.
    """
    ((is_alone,),) = proxy.execute("SELECT pg_try_advisory_lock(%s)", (_MOVE_LOCK,))
    if not is_alone:
        raise MoveError("Another virtual shard is being moved.")
    try:
        return _Move(proxy, old, new, virtual_shard, number).run()
    finally:
        proxy.execute("SELECT pg_advisory_unlock(%s)", (_MOVE_LOCK,))


def delete_left(proxy: Connection, old: Connection, virtual_shard: int) -> None:
    """Delete the rows of a virtual shard that was moved from the database `old`. Raises psycopg.Error.

    Each table is a transaction of its own, so that the checks of the next ones find no deleted rows.
    """
    services = _services_of(old, virtual_shard)
    for table in reversed(TABLES):
        old.execute(
            sql.SQL("DELETE FROM {} WHERE bus_id = ANY (%s)").format(sql.Identifier(table)), (services,)
        )
    proxy.execute("DELETE FROM shards.leaving WHERE virtual_shard = %s", (virtual_shard,))


def _services_of(database: Connection, virtual_shard: int) -> list[int]:
    """The numbers of the services. Keys of new services, under number 0, are also in the proxy."""
    return [bus_id for (bus_id,) in database.execute(_SERVICES, (virtual_shard,))]


class _Move:
    """One move."""

    def __init__(
        self, proxy: Connection, old: Connection, new: Connection, virtual_shard: int, number: int
    ) -> None:
        self._proxy, self._old, self._new = proxy, old, new
        self._virtual_shard, self._number = virtual_shard, number
        self._services: list[int] = []
        self._rows = 0

    def run(self) -> Moved:
        began = time.monotonic()
        if self._owns(self._new):  # an earlier move ended during the switch
            with self._paused():
                self._switch()
            paused = time.monotonic()
            self._delete_left()
            return Moved(len(self._services), 0, 0.0, paused - began)
        self._check()
        self._new.execute("BEGIN")
        try:
            self._new.execute("SET LOCAL shards.is_moving = on")
            # There are no statistics of what this transaction has copied. JIT would compile each such plan.
            self._new.execute("SET LOCAL enable_nestloop = off")
            self._new.execute("SET LOCAL jit = off")
            snapshot = self._copy_all()
            copied = time.monotonic()
            with self._paused():
                self._copy_changes(snapshot)
                self._new.execute("INSERT INTO shards.owned VALUES (%s)", (self._virtual_shard,))
                self._new.execute("COMMIT")
                self._switch()
            paused = time.monotonic()
        finally:
            self._new.execute("ROLLBACK")  # of a move that failed; else there is no transaction
        self._delete_left()
        return Moved(len(self._services), self._rows, copied - began, paused - copied)

    def _owns(self, database: Connection) -> bool:
        ((owns,),) = database.execute(_OWNS, (self._virtual_shard,))
        return bool(owns)

    def _check(self) -> None:
        """Raise MoveError if the old database does not own the virtual shard, or has what cannot be moved."""
        if not self._owns(self._old):
            raise MoveError(f"Its database does not own the virtual shard {self._virtual_shard}.")
        self._read_services()
        for table in UNSUPPORTED:
            if self._count(self._old, table):
                raise MoveError(f"Table {table} has rows of its services, which cannot be moved.")

    def _read_services(self) -> None:
        self._services = _services_of(self._old, self._virtual_shard)

    # Copy --------------------------------------------------------------------------------------

    def _copy_all(self) -> int:
        """Copy the rows of the services. Returns the first transaction that the copy may not have."""
        self._new.execute("CREATE TEMP TABLE moved_events (event_no bigint, position bigint) ON COMMIT DROP")
        with self._old.transaction():
            self._old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            ((snapshot,),) = self._old.execute(_SNAPSHOT)
            for table in TABLES:
                if table not in IN_PAUSE:
                    self._copy(table, sql.SQL("true"))
        return int(snapshot)

    def _copy_changes(self, snapshot: int) -> None:
        """Copy the rows that have changed, and delete those that are no more. The services are paused."""
        self._read_services()
        changed = sql.SQL("age(t.xmin) <= age({}::text::xid)").format(sql.Literal(str(snapshot)))
        with self._old.transaction():
            self._old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            for table in TABLES:
                self._copy(table, sql.SQL("true") if table in IN_PAUSE else changed)
            for table in reversed(TABLES):
                if table not in IN_PAUSE and self._count(self._new, table) != self._count(self._old, table):
                    self._delete_missing(table)
            ((accounts,),) = self._old.execute(_ACCOUNTS, (self._services,))
            bounces = self._old.execute("SELECT address, at, reason FROM bounces").fetchall()
        self._new.execute("SELECT api.copy_accounts(%s::jsonb)", (accounts,))
        for bounce in bounces:
            self._new.execute("INSERT INTO bounces VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", bounce)
        self._new.execute("SELECT pg_advisory_xact_lock(%s, %s)", PUBLISH_LOCK)
        self._new.execute(_PUBLISH_MOVED)
        self._new.execute(_COLLECT_MOVED)
        for sequence in SEQUENCES:
            self._continue_sequence(sequence)

    def _copy(self, table: str, where: sql.Composable) -> None:
        """Copy the rows of the services for which a condition on t is true; they may be there already."""
        columns = self._columns(table)
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        arriving = sql.Identifier(f"arriving_{table}")
        key = sql.SQL(", ").join(map(sql.Identifier, TABLES[table]))
        self._new.execute(
            sql.SQL("CREATE TEMP TABLE {} AS SELECT {} FROM {} WITH NO DATA").format(
                arriving, names, sql.Identifier(table)
            )
        )
        self._transfer(
            sql.SQL("SELECT {} FROM {} AS t WHERE bus_id = ANY ({}) AND {}").format(
                names, sql.Identifier(table), sql.Literal(self._services), where
            ),
            sql.SQL("COPY {} FROM STDIN").format(arriving),
        )
        if table == "events":  # positions are given by each database
            self._new.execute(
                sql.SQL("DELETE FROM moved_events m USING {} a WHERE a.event_no = m.event_no").format(
                    arriving
                )
            )
            self._new.execute(
                sql.SQL(
                    "INSERT INTO moved_events SELECT event_no, position FROM {} WHERE position IS NOT NULL"
                ).format(arriving)
            )
            self._new.execute(sql.SQL("UPDATE {} SET position = NULL").format(arriving))
        if table == "passengers":  # two tickets may have exchanged seats; the constraint checks one at a time
            self._new.execute(
                sql.SQL("UPDATE passengers p SET status = 'cancelled' FROM {} a WHERE {}").format(
                    arriving, _same(TABLES[table], "p", "a")
                )
            )
        others = [name for name in columns if name not in TABLES[table]]
        update = (
            sql.SQL("DO UPDATE SET {}").format(
                sql.SQL(", ").join(
                    sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in others
                )
            )
            if others
            else sql.SQL("DO NOTHING")
        )
        done = self._new.execute(
            sql.SQL(
                "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {} ON CONFLICT ({}) {}"
            ).format(sql.Identifier(table), names, names, arriving, key, update)
        )
        self._rows += done.rowcount
        self._new.execute(sql.SQL("DROP TABLE {}").format(arriving))

    def _count(self, database: Connection, table: str) -> int:
        """The number of rows of the services."""
        count = sql.SQL("SELECT count(*) FROM {} WHERE bus_id = ANY (%s)").format(sql.Identifier(table))
        ((rows,),) = database.execute(count, (self._services,))
        return int(rows)

    def _delete_missing(self, table: str) -> None:
        """Delete the rows that the old database does not have any more. The others are all copied."""
        key = sql.SQL(", ").join(map(sql.Identifier, TABLES[table]))
        self._new.execute(
            sql.SQL("CREATE TEMP TABLE present AS SELECT {} FROM {} WITH NO DATA").format(
                key, sql.Identifier(table)
            )
        )
        of_services = sql.SQL("SELECT {} FROM {} WHERE bus_id = ANY ({})").format(
            key, sql.Identifier(table), sql.Literal(self._services)
        )
        self._transfer(of_services, sql.SQL("COPY present FROM STDIN"))
        self._new.execute("ANALYZE present")
        self._new.execute(
            sql.SQL(
                "DELETE FROM {} t WHERE bus_id = ANY (%s) AND NOT EXISTS (SELECT FROM present p WHERE {})"
            ).format(sql.Identifier(table), _same(TABLES[table], "t", "p")),
            (self._services,),
        )
        self._new.execute("DROP TABLE present")

    def _transfer(self, query: sql.Composed, into: sql.Composed | sql.SQL) -> None:
        """Copy the rows of a query of the old database."""
        reading = sql.SQL("COPY ({}) TO STDOUT").format(query)
        with self._old.cursor().copy(reading) as rows, self._new.cursor().copy(into) as arriving:
            for data in rows:
                arriving.write(data)

    def _columns(self, table: str) -> list[str]:
        """The columns of a table that are stored and not computed, in both databases."""
        query = (
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
            "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"
        )
        old, new = ([name for (name,) in conn.execute(query, (table,))] for conn in (self._old, self._new))
        if set(old) != set(new):
            raise MoveError(f"Table {table} has other columns in the new database. Upgrade both.")
        return old

    def _continue_sequence(self, sequence: str) -> None:
        """Let a sequence of the new database continue after that of the old one."""
        name = sql.Identifier(sequence)
        ((old,),) = self._old.execute(sql.SQL("SELECT last_value FROM {}").format(name))
        ((new, step),) = self._new.execute(
            sql.SQL(
                "SELECT s.last_value, p.seqincrement FROM {} s, pg_sequence p WHERE p.seqrelid = {}::regclass"
            ).format(name, sql.Literal(sequence))
        )
        if old > new:
            steps = -(-(old - new) // step)
            self._new.execute("SELECT setval(%s, %s)", (sequence, new + steps * step))

    # Pause and switch --------------------------------------------------------------------------

    @contextmanager
    def _paused(self) -> Iterator[None]:
        """Context in which no call for the services is executed: they wait, or are sent again."""
        pause = "UPDATE shards.map SET moves = %s WHERE virtual_shard = %s"
        self._proxy.execute(pause, (True, self._virtual_shard))
        self._old.execute("SELECT pg_advisory_lock(%s, %s)", (_SHARD_LOCK, self._virtual_shard))
        self._old.execute("SELECT pg_advisory_lock(%s, %s)", PUBLISH_LOCK)
        try:
            yield
        except BaseException:
            if not self._new.closed and self._new.info.transaction_status != TransactionStatus.IDLE:
                self._proxy.execute(pause, (False, self._virtual_shard))  # before the switch: nothing changes
            raise
        finally:
            self._old.execute("SELECT pg_advisory_unlock(%s, %s)", PUBLISH_LOCK)
            self._old.execute("SELECT pg_advisory_unlock(%s, %s)", (_SHARD_LOCK, self._virtual_shard))

    def _switch(self) -> None:
        """Let the map name the new database, which has committed, and the old one list nothing any more."""
        self._read_services()
        with self._old.transaction():
            for statement in _LISTED:
                self._old.execute(statement.encode(), (self._services,))
            self._old.execute("DELETE FROM shards.owned WHERE virtual_shard = %s", (self._virtual_shard,))
        with self._proxy.transaction():
            self._proxy.execute(_LEAVE, (self._virtual_shard,))
            self._proxy.execute(
                "UPDATE shards.map SET database_no = %s, moves = false WHERE virtual_shard = %s",
                (self._number, self._virtual_shard),
            )
            self._proxy.execute("UPDATE shards.version SET version = version + 1")

    def _delete_left(self) -> None:
        delete_left(self._proxy, self._old, self._virtual_shard)


def _same(key: Sequence[str], one: str, other: str) -> sql.Composable:
    """The condition that two rows have the same key."""
    return sql.SQL(" AND ").join(
        sql.SQL("{}.{} = {}.{}").format(
            sql.Identifier(one), sql.Identifier(name), sql.Identifier(other), sql.Identifier(name)
        )
        for name in key
    )
